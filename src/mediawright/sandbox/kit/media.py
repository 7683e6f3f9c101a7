"""Real media for emulators, made by the embedded engines in threads and kept by content."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from mediawright.core.media import Transcript
from mediawright.engines.requests import AnimateRequest, PaintRequest, Report, Sound
from mediawright.sandbox.kit.settings import MediaSize

_Made = TypeVar("_Made")

_TINY_SIDE = 64
_LEAST_SIDE = 16
_TINY_FRAMES_PER_SECOND = 6
_FRAMES_PER_SECOND = 24
_KEPT = 128


@dataclass(frozen=True, kw_only=True)
class SoundStyle:
    """How a sound is written to a file."""

    sound_format: str = "mp3"
    """`mp3`, `wav`, `flac`, `opus` (in Ogg), `aac`, `m4a`, or `pcm`: bare signed 16 bit."""
    sample_rate: int | None = None
    """Hz; `None` leaves it to the engine."""
    bit_rate: int = 128_000
    """Bits per second of the lossy formats."""


MP3 = SoundStyle()


class MakerClosedError(Exception):
    """The sandbox stops, so nobody waits for this any more."""


class MediaMaker:
    """Makes media of the kinds that vendors make.

    In tiny sandboxes pictures have 64 pixels on their longest side and clips six frames a
    second; how long clips and sounds last is kept. What was made is kept for a while, so the
    same call is made once. Every method raises `MediawrightError` if an input cannot be read.
    """

    def __init__(self, size: MediaSize) -> None:
        """Make media in full size, or tiny."""
        self._tiny = size == "tiny"
        self._made: dict[Hashable, asyncio.Task[Any]] = {}
        self._closing = threading.Event()

    async def image(
        self,
        prompt: str,
        width: int,
        height: int,
        *,
        image_format: str = "png",
        seed: int = 0,
        sources: tuple[bytes, ...] = (),
        mask: bytes | None = None,
        strength: float = 0.6,
        transparent: bool = False,
        black: bool = False,
    ) -> bytes:
        """Return an encoded picture.

        Args:
            prompt: What it shows.
            width: Pixels, as the vendor would make it.
            height: Pixels, likewise.
            image_format: `png`, `jpeg` or `webp`.
            seed: The same seed and prompt make the same picture.
            sources: Encoded pictures to start from; the first is the one to change.
            mask: Where the first source may change: transparent pixels, or white ones.
            strength: How far the result may move from the first source, 0 to 1.
            transparent: Whether to cut the picture out of its background (png and webp).
            black: Whether it is all black, as some vendors answer what they refuse.
        """
        width, height = self._scaled(width, height)
        request = PaintRequest(
            prompt=prompt,
            width=width,
            height=height,
            seed=seed,
            sources=sources,
            mask=mask,
            strength=strength,
        )
        return await self._make(
            ("image", request, image_format, transparent, black),
            lambda report: _workshop().make_image(
                request, image_format, transparent=transparent, black=black, report=report
            ),
        )

    async def video(
        self,
        prompt: str,
        seconds: float,
        width: int,
        height: int,
        *,
        seed: int = 0,
        first_frame: bytes | None = None,
        last_frame: bytes | None = None,
        sound: bool = False,
    ) -> bytes:
        """Return an MP4 file.

        Args:
            prompt: What it shows.
            seconds: How long it lasts.
            width: Pixels, as the vendor would make it.
            height: Pixels, likewise.
            seed: The same seed and prompt make the same clip.
            first_frame: An encoded picture to begin with.
            last_frame: An encoded picture to end with.
            sound: Whether it carries ambient sound.
        """
        width, height = (side // 2 * 2 for side in self._scaled(width, height))

        def film(report: Report) -> bytes:
            ambience = _workshop().make_ambience(prompt, seconds, seed) if sound else None
            request = AnimateRequest(
                prompt=prompt,
                seconds=seconds,
                width=width,
                height=height,
                seed=seed,
                frames_per_second=_TINY_FRAMES_PER_SECOND if self._tiny else _FRAMES_PER_SECOND,
                first_frame=first_frame,
                last_frame=last_frame,
                sound=ambience,
            )
            return _workshop().make_video(request, report)

        key = ("video", prompt, seconds, width, height, seed, first_frame, last_frame, sound)
        return await self._make(key, film)

    async def speech(
        self, text: str, *, voice: str = "", speed: float = 1.0, style: SoundStyle = MP3
    ) -> bytes:
        """Return spoken text, which the file's metadata carry too.

        Args:
            text: What is said.
            voice: The vendor's name of the voice; each name gets one of our voices.
            speed: Speaking rate; 1 is normal.
            style: How the sound is written.
        """
        return await self._make(
            ("speech", text, voice, speed, style),
            lambda report: _write(_workshop().make_speech(text, voice, speed, report), style, text),
        )

    async def music(
        self, prompt: str, seconds: float, *, seed: int = 0, style: SoundStyle = MP3
    ) -> bytes:
        """Return a piece of music of an exact length."""
        return await self._make(
            ("music", prompt, seconds, seed, style),
            lambda report: _write(_workshop().make_music(prompt, seconds, seed, report), style),
        )

    async def ambience(
        self, prompt: str, seconds: float, *, seed: int = 0, style: SoundStyle = MP3
    ) -> bytes:
        """Return a sound effect of an exact length."""
        return await self._make(
            ("ambience", prompt, seconds, seed, style),
            lambda _: _write(_workshop().make_ambience(prompt, seconds, seed), style),
        )

    async def transcript(self, data: bytes) -> Transcript:
        """Return what is said in an audio file, with the times of its words.

        A file of our own voice says it in its metadata; others are listened to.
        """
        return await self._make(
            ("transcript", data), lambda report: _workshop().transcribe(data, report)
        )

    async def close(self) -> None:
        """Stop everything that is being made; what was made stays."""
        unfinished = {key: task for key, task in self._made.items() if not task.done()}
        self._closing.set()
        await asyncio.gather(*unfinished.values(), return_exceptions=True)
        self._closing.clear()
        for key in unfinished:
            self._made.pop(key, None)

    def _report(self, done: float, stage: str) -> None:
        del done, stage
        if self._closing.is_set():
            raise MakerClosedError

    def _scaled(self, width: int, height: int) -> tuple[int, int]:
        longest = max(width, height)
        if not self._tiny or longest <= _TINY_SIDE:
            return width, height
        factor = _TINY_SIDE / longest
        return max(_LEAST_SIDE, round(width * factor)), max(_LEAST_SIDE, round(height * factor))

    async def _make(self, key: Hashable, work: Callable[[Report], _Made]) -> _Made:
        task: asyncio.Task[_Made] | None = self._made.get(key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(work, self._report))
            self._made[key] = task
            while len(self._made) > _KEPT:
                self._made.pop(next(iter(self._made)))
        try:
            # Another request may wait for the same file: one that goes away must not stop it.
            return await asyncio.shield(task)
        except Exception:
            self._made.pop(key, None)
            raise


def _write(sound: Sound, style: SoundStyle, text: str = "") -> bytes:
    return _workshop().write(
        sound,
        style.sound_format,
        sample_rate=style.sample_rate,
        bit_rate=style.bit_rate,
        text=text,
    )


def _workshop() -> ModuleType:
    from mediawright.sandbox.kit import workshop  # noqa: PLC0415 - loads every engine, at first use

    return workshop
