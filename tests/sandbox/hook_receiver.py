"""A server that takes webhooks and keeps them, and fal's way of verifying them, by itself."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PATIENCE = 10.0


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


class HookReceiver:
    """Answers as `statuses` says, the last one again and again."""

    def __init__(self, statuses: tuple[int, ...] = (200,)) -> None:
        self.received: list[Received] = []
        self._statuses = list(statuses)
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> HookReceiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def wait_for(self, count: int) -> list[Received]:
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.received) >= count, PATIENCE)
        assert arrived, f"only {len(self.received)} of {count} webhooks came"
        return self.received

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver._arrived:
                    receiver.received.append(Received(self.path, headers, body, time.time()))
                    statuses = receiver._statuses
                    status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
                    receiver._arrived.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def is_genuine(received: Received, key_set_url: str) -> bool:
    """Verify as fal's documentation page describes it."""
    headers = received.headers
    timestamp = headers["x-fal-webhook-timestamp"]
    if abs(received.at - int(timestamp)) > 300:
        return False
    message = (
        headers["x-fal-webhook-request-id"]
        + "\n"
        + headers["x-fal-webhook-user-id"]
        + "\n"
        + timestamp
        + "\n"
        + hashlib.sha256(received.body).hexdigest()
    ).encode()
    signature = bytes.fromhex(headers["x-fal-webhook-signature"])
    keys = httpx.get(key_set_url).raise_for_status().json()["keys"]
    return any(_verifies(key, message, signature) for key in keys)


def _verifies(key: dict[str, str], message: bytes, signature: bytes) -> bool:
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    public = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


Receive = Callable[..., HookReceiver]
