"""The server in a process of its own, to be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.remote_sandbox import MEDIAWRIGHT, read_document

LAUNCHER = Path(__file__).with_name("launcher.py")
PATIENCE = 60.0
FAST_CADENCE = {
    kind: {"first": 0.1, "growth": 1.3, "longest": 0.5}
    for kind in ("image", "video", "music", "speech")
}

QUICK_TAKEOVER = {"beat": 0.5, "fence_after": 3.0, "dead_after": 4.0, "sweep": 0.5}


class ServerProcess:
    """`mediawright serve` on one data folder against one sandbox, at one address."""

    def __init__(
        self,
        folder: Path,
        sandbox_root: str,
        *,
        database_url: str | None = None,
        settings: Mapping[str, Any] | None = None,
        is_reachable: bool = False,
    ) -> None:
        """Prepare it; nothing is started.

        Args:
            folder: Where settings, log and data go.
            sandbox_root: The sandbox's address.
            database_url: PostgreSQL in place of SQLite.
            settings: Further sections of the settings file.
            is_reachable: Whether vendors can send it webhooks.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data_folder = folder / "data" / "sandbox"
        self.database_url = database_url or f"sqlite:///{self.data_folder / 'mediawright.db'}"
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None
        self.log = folder / "server.log"
        config = folder / "mediawright.yaml"
        config.write_text(
            yaml.safe_dump(
                {
                    "account": {"initial_credits": 10_000_000},
                    "jobs": {"cadence": FAST_CADENCE},
                    "workers": QUICK_TAKEOVER,
                    "server": {"public_url": self.url} if is_reachable else {},
                    **(settings or {}),
                }
            )
        )
        self.environment = {
            **os.environ,
            "MEDIAWRIGHT_CONFIG": str(config),
            "MEDIAWRIGHT_DATA_DIR": str(folder / "data"),
            "MEDIAWRIGHT_SANDBOX": "true",
            "MEDIAWRIGHT_SANDBOX_URL": sandbox_root,
        }
        if database_url is not None:
            self.environment["MEDIAWRIGHT_DATABASE_URL"] = database_url

    @property
    def replies(self) -> Path:
        """The folder of replies that are received and not stored."""
        return self.data_folder / "replies"

    @property
    def staging(self) -> Path:
        """The folder of files that are being written."""
        return self.data_folder / "staging"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, point: str | None = None) -> None:
        """Start it, doomed at `point` if one is named, and return when it serves."""
        program = MEDIAWRIGHT if point is None else [sys.executable, str(LAUNCHER), point]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*program, "serve", "--port", str(self.port), "--json", "--loopback-without-key"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self.environment,
            )
        try:
            read_document(self.process)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_text()}") from None

    def wait_until_killed(self) -> None:
        """Return when the process has been killed; fail if it ends otherwise or lives on."""
        assert self.process is not None
        code = self.process.wait(timeout=PATIENCE)
        self._close()
        assert code == -signal.SIGKILL, f"it ended with {code}\n{self.log_text()}"

    def kill(self) -> None:
        """Kill it as nothing can be kept from being killed."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=PATIENCE)
        self._close()

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        if self.process is None:
            return 0
        self.process.terminate()
        code = self.process.wait(timeout=PATIENCE)
        self._close()
        return code

    def log_text(self) -> str:
        return self.log.read_text()[-4000:]

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Make one request; return its status and document.

        Raises:
            OSError: There was no reply.
        """
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def post(self, body: dict[str, Any], key: str) -> dict[str, Any] | None:
        """Start a generation; `None` if the server was killed before it answered."""
        try:
            status, reply = self.ask("POST", "/v1/generate/media", body, {"Idempotency-Key": key})
        except OSError:
            return None
        assert status in (200, 202), reply
        return reply

    def settled(self, generation_id: str) -> dict[str, Any]:
        """Return the generation when it has ended, or is known to be unknown."""
        deadline = time.monotonic() + PATIENCE
        while True:
            status, view = self.ask("GET", f"/v1/generations/{generation_id}")
            assert status == 200, view
            if view["charge_credits"] is not None or view["attention"] == "submit_unknown":
                return view
            assert time.monotonic() < deadline, f"it did not end: {view}\n{self.log_text()}"
            time.sleep(0.1)

    def _close(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
