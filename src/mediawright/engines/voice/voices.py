"""What a voice is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Voice:
    """One voice of a speech synthesiser."""

    name: str
    """What a request calls it."""
    language: str
    """BCP 47 tag, such as `en-us`."""
    description: str
