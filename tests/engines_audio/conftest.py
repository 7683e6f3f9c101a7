from __future__ import annotations

import numpy as np
import pytest

from mediawright.engines.requests import Sound


class Recorder:
    """A report that keeps what it hears, and may stop the work."""

    def __init__(self, stop_after: int | None = None):
        self.heard: list[tuple[float, str]] = []
        self.stop_after = stop_after

    def __call__(self, done: float, stage: str) -> None:
        self.heard.append((done, stage))
        if self.stop_after is not None and len(self.heard) >= self.stop_after:
            raise StopHereError

    @property
    def parts(self) -> list[float]:
        return [done for done, _ in self.heard]


class StopHereError(Exception):
    """Raised by a report that has heard enough."""


@pytest.fixture
def recorder():
    return Recorder


@pytest.fixture
def stop_here():
    return StopHereError


@pytest.fixture
def without_flite(monkeypatch, tmp_path):
    """A machine where the flite program is not on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def tone():
    def make(seconds: float = 1.0, rate: int = 44_100, channels: int = 2, hertz: float = 440.0):
        clock = np.arange(round(seconds * rate)) / rate
        wave = (0.5 * np.sin(2 * np.pi * hertz * clock)).astype(np.float32)
        return Sound(samples=np.stack([wave] * channels, axis=1), sample_rate=rate)

    return make
