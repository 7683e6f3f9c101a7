"""Secrets that must be kept in a readable form, sealed with the installation's master key."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mediawright.core.errors import UnavailableError

KEY_BYTES = 32


class SecretBox:
    """Seals and opens secrets, and derives keys for other purposes.

    Args:
        master: The master key, 32 random bytes.
    """

    def __init__(self, master: bytes) -> None:
        """Take the master key; it is never written anywhere by this."""
        if len(master) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes")
        self._master = master
        self._fernet = Fernet(base64.urlsafe_b64encode(self.derive("sealed secrets")))

    def derive(self, purpose: str) -> bytes:
        """Return a key of 32 bytes that only the holder of the master key can make."""
        info = b"mediawright " + purpose.encode()
        return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(
            self._master
        )

    def seal(self, secret: str) -> str:
        """Return the secret encrypted and authenticated, fit for a text column."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            UnavailableError: `wrong_master_key`: it was sealed under another key.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise UnavailableError(
                "wrong_master_key",
                "A stored secret was sealed with another master key.",
                hint="Set MEDIAWRIGHT_MASTER_KEY to the key it was sealed with.",
            ) from None
