"""The key that the installation's stored secrets are sealed with."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from mediawright.core.errors import InvalidRequestError
from mediawright.store.secret_box import KEY_BYTES, SecretBox

VARIABLE = "MEDIAWRIGHT_MASTER_KEY"
_FILE = "master.key"


def open_secret_box(folder: Path, environment: Mapping[str, str]) -> SecretBox:
    """Return the box of this installation.

    The key is `MEDIAWRIGHT_MASTER_KEY` (32 bytes, URL-safe base64), which several machines
    can share, or else a file in the data folder, made when it is first needed and readable
    by its owner alone. Blocks.

    Args:
        folder: The data folder.
        environment: Variables.

    Raises:
        InvalidRequestError: `invalid_settings`: what is configured is no key.
    """
    configured = environment.get(VARIABLE)
    if configured:
        return SecretBox(_decode(configured.strip(), VARIABLE))
    path = folder / _FILE
    if not path.exists():
        _make(path)
    return SecretBox(_decode(path.read_text(encoding="ascii").strip(), str(path)))


def _make(path: Path) -> None:
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link never replaces: of several processes that start at once, one makes the key.
        path.hardlink_to(partial)
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def _decode(text: str, source: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidRequestError(
            "invalid_settings",
            f"The master key in {source} is not {KEY_BYTES} bytes in URL-safe base64.",
            hint="Make one with: openssl rand -base64 32 | tr '+/' '-_'",
        )
    return key
