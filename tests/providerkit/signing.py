"""Signs as fal does, with the cryptography package alone."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mediawright.providerkit.signatures import HookRequest

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
BODY = json.dumps({"id": "abc", "status": "succeeded", "data": {"taskId": "t_1"}}).encode()
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))


def published(private: Ed25519PrivateKey = PRIVATE, **more: Any) -> dict[str, Any]:
    """Return the public half as a JSON Web Key."""
    x = base64.urlsafe_b64encode(private.public_key().public_bytes_raw()).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": x, **more}


def key_set(*keys: Any) -> bytes:
    """Return a JSON Web Key Set."""
    return json.dumps({"keys": list(keys)}).encode()


def fal(
    private: Ed25519PrivateKey = PRIVATE,
    body: bytes = BODY,
    *,
    at: datetime = NOW,
    request_id: str = "req_1",
) -> HookRequest:
    """Return a webhook of fal."""
    seconds = str(int(at.timestamp()))
    message = f"{request_id}\nusr_1\n{seconds}\n{hashlib.sha256(body).hexdigest()}"
    headers = {
        "x-fal-webhook-request-id": request_id,
        "x-fal-webhook-user-id": "usr_1",
        "x-fal-webhook-timestamp": seconds,
        "x-fal-webhook-signature": private.sign(message.encode()).hex(),
    }
    return HookRequest(headers=headers, body=body)
