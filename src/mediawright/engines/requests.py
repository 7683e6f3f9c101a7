"""What each embedded engine is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Report = Callable[[float, str], None]
"""Called with the part done (0 to 1) and the stage; may raise to stop the work."""


def ignore_progress(done: float, stage: str) -> None:
    """Be a `Report` that nobody reads."""
    del done, stage


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A piece of sound."""

    samples: NDArray[np.float32]
    """Shape (frames, channels), between -1 and 1."""
    sample_rate: int
    """Hz."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True, kw_only=True)
class PaintRequest:
    """A picture to paint, or to repaint."""

    prompt: str
    width: int = 1024
    """Pixels."""
    height: int = 1024
    """Pixels."""
    seed: int = 0
    sources: tuple[bytes, ...] = ()
    """Encoded pictures to start from; the first is the one to be changed."""
    mask: bytes | None = None
    """An encoded picture: only where it is white, or transparent if it has transparency,
    may the first source change."""
    strength: float = 0.6
    """How far the result may move from the first source, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class AnimateRequest:
    """A clip to animate."""

    prompt: str
    seconds: float = 4.0
    width: int = 1280
    """Pixels, even."""
    height: int = 720
    """Pixels, even."""
    seed: int = 0
    frames_per_second: int = 24
    first_frame: bytes | None = None
    last_frame: bytes | None = None
    sound: Sound | None = None
    comment: str = field(default="procedural sketch")
    """Written into the file's metadata."""


@dataclass(frozen=True, kw_only=True)
class ComposeRequest:
    """A piece of music."""

    prompt: str
    seconds: float = 30.0
    seed: int = 0
    sample_rate: int = 44_100
    """Hz."""


@dataclass(frozen=True, kw_only=True)
class SpeakRequest:
    """A text to be spoken."""

    text: str
    voice: str | None = None
    """One of the voices of the speaker in use; `None` takes its default."""
    speed: float = 1.0
    """Speaking rate, 0.5 to 2."""
