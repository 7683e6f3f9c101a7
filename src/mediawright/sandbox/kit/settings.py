"""How a sandbox is set up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mediawright.sandbox.kit.progression import Progression

DEFAULT_PROGRESSION = Progression(polls=2)
MediaSize = Literal["full", "tiny"]


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """Choices made before a sandbox starts."""

    vendors: tuple[str, ...] | None = None
    """Names of the emulators to run; `None` runs all."""
    media: MediaSize = "full"
    """`full` makes media in the size asked for; `tiny` makes real files of 64 pixels, fast."""
    progression: Progression = DEFAULT_PROGRESSION
    """How asynchronous jobs advance when the request does not say."""
    seed: int | None = None
    """Decides every id and every unseeded picture; `None` draws one at start."""
    tls: bool = False
    """Serve https with a certificate of a local authority (needs the package `trustme`)."""
    journal_path: Path | None = None
    """A file to which every journal entry is appended as one JSON line, before its reply."""
    outbound: bool = False
    """Whether input files may be fetched from URLs outside the sandbox."""
