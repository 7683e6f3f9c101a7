"""How fal signs its webhooks, and where it publishes the keys."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mediawright.sandbox.kit.call import Call, Reply
from mediawright.sandbox.kit.jobs import Job

_USER = "sandbox"


class Signer:
    """Signs with keys that the sandbox's seed decides."""

    def __init__(self, seed: int) -> None:
        """Make the keys: an older one, the one in use, and one that is nowhere published."""
        self._older = _key(seed, "older")
        self._current = _key(seed, "current")
        self._unpublished = _key(seed, "unpublished")

    async def show_keys(self, call: Call) -> Reply:
        """Answer the JSON Web Key Set."""
        del call
        return Reply.json({"keys": [_published(self._older), _published(self._current)]})

    def headers(self, job: Job, body: bytes, forged: bool) -> Mapping[str, str]:  # noqa: FBT001 - as a `Hook` calls it
        """Return the headers of a webhook; with `forged` those that a stranger would send."""
        # The machine's time and not the sandbox's, which may be ahead: the receiver compares.
        timestamp = str(int(datetime.now(UTC).timestamp()))
        digest = hashlib.sha256(body).hexdigest()
        message = "\n".join((job.id, _USER, timestamp, digest))
        key = self._unpublished if forged else self._current
        return {
            "X-Fal-Webhook-Request-Id": job.id,
            "X-Fal-Webhook-User-Id": _USER,
            "X-Fal-Webhook-Timestamp": timestamp,
            "X-Fal-Webhook-Signature": key.sign(message.encode()).hex(),
        }


def _key(seed: int, name: str) -> Ed25519PrivateKey:
    digest = hashlib.sha256(f"{seed}:fal webhooks:{name}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(digest)


def _published(key: Ed25519PrivateKey) -> dict[str, str]:
    public = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": public}
