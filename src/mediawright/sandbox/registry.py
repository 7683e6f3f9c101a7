"""Which emulators there are."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from mediawright.sandbox.kit.emulator import Emulator

EMULATORS = {
    "openai": "mediawright.sandbox.emulators.openai.emulator:OpenAIEmulator",
    "fal": "mediawright.sandbox.emulators.fal.emulator:FalEmulator",
    "runway": "mediawright.sandbox.emulators.runway.emulator:RunwayEmulator",
    "elevenlabs": "mediawright.sandbox.emulators.elevenlabs.emulator:ElevenLabsEmulator",
}
"""Module and class of each vendor's emulator."""


def load_emulators(names: Iterable[str] | None) -> dict[str, type[Emulator]]:
    """Return the emulator classes of some vendors, or of all, by name.

    Raises:
        ValueError: If there is no such vendor.
    """
    wanted = tuple(EMULATORS) if names is None else tuple(names)
    unknown = [name for name in wanted if name not in EMULATORS]
    if unknown:
        raise ValueError(f"no emulator for {unknown[0]!r} (known: {', '.join(EMULATORS)})")
    return {name: _load(EMULATORS[name]) for name in wanted}


def _load(place: str) -> type[Emulator]:
    module, _, class_name = place.partition(":")
    return getattr(import_module(module), class_name)
