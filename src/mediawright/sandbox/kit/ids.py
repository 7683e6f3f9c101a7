"""Ids in any vendor's shape, the same for the same seed and the same order of asking."""

from __future__ import annotations

import hashlib
import string
import uuid

ALPHANUMERIC = string.ascii_letters + string.digits


class SeededIds:
    """A source of ids for one vendor."""

    def __init__(self, seed: int, vendor: str) -> None:
        """Begin the sequence of a vendor under a seed."""
        self._start = f"{seed}:{vendor}"
        self._count = 0

    def hexadecimal(self, length: int) -> str:
        """Return `length` (up to 128) lower-case hex digits."""
        return self._digest().hex()[:length]

    def alphanumeric(self, length: int, alphabet: str = ALPHANUMERIC) -> str:
        """Return `length` (up to 64) characters of the alphabet."""
        return "".join(alphabet[byte % len(alphabet)] for byte in self._digest()[:length])

    def uuid4(self) -> str:
        """Return a UUID of version 4 in its usual form."""
        return str(uuid.UUID(bytes=self._digest()[:16], version=4))

    def number(self, below: int) -> int:
        """Return a number from 0 to `below` - 1, such as a seed nobody gave."""
        return int.from_bytes(self._digest()[:8], "big") % below

    def reset(self) -> None:
        """Begin the sequence again."""
        self._count = 0

    def _digest(self) -> bytes:
        self._count += 1
        return hashlib.sha512(f"{self._start}:{self._count}".encode()).digest()
