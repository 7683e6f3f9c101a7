"""Signatures of the webhooks that are sent, as Standard Webhooks has them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

from mediawright.providerkit.signatures import SECRET_PREFIX

_KEY_BYTES = 32


def new_secret() -> str:
    """Return a secret as receivers enter it into their library: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def signed_headers(
    delivery_id: str, body: bytes, secrets_in_use: Iterable[str], now: datetime
) -> dict[str, str]:
    """Return the headers by which a receiver knows that a webhook is ours and fresh.

    Args:
        delivery_id: The same for each try, so that receivers can drop repeats.
        body: What is sent, byte for byte.
        secrets_in_use: Secrets to sign with: the new and, for a while, the replaced one.
        now: The time of the try.
    """
    timestamp = str(int(now.timestamp()))
    signed = b".".join((delivery_id.encode(), timestamp.encode(), body))
    signatures = [f"v1,{_signature(secret, signed)}" for secret in secrets_in_use]
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
