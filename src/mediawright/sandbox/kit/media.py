"""Real media for emulators, made by the embedded engines in threads and kept by content."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from mediawright.core.media import Transcript
from mediawright.sandbox.kit.settings import MediaSize

_Made = TypeVar("_Made")

_TINY_SIDE = 64
_LEAST_SIDE = 16
_TINY_FRAMES_PER_SECOND = 6
_FRAMES_PER_SECOND = 24
_KEPT = 128

CONTENT_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "pcm": "audio/pcm",
}
"""The usual content type of each format."""


class MediaMaker:
    """Makes media of the kinds that vendors make.

    In tiny sandboxes pictures have 64 pixels on their longest side and clips six frames a
    second; how long clips and sounds last is kept.
    """

    def __init__(self, size: MediaSize) -> None:
        """Make media in full size, or tiny."""
        self._tiny = size == "tiny"
        self._made: dict[tuple[Any, ...], asyncio.Task[Any]] = {}

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
    ) -> bytes:
        """Return an encoded picture.

        Args:
            prompt: What it shows.
            width: Pixels, as the vendor would make it.
            height: Pixels, likewise.
            image_format: `png`, `jpeg` or `webp`.
            seed: The same seed and prompt make the same picture.
            sources: Encoded pictures to start from; the first is the one to change.
            mask: Where the first source may change: white or transparent pixels.
            strength: How far the result may move from the first source, 0 to 1.

        Raises:
            MediawrightError: If a source is no picture.
        """
        width, height = self._scaled(width, height)
        settings = {
            "prompt": prompt,
            "width": width,
            "height": height,
            "seed": seed,
            "sources": sources,
            "mask": mask,
            "strength": strength,
        }
        return await self._make(
            ("image", image_format, *settings.values()),
            lambda: _workshop().make_image(image_format, **settings),
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

        Raises:
            MediawrightError: If a frame is no picture.
        """
        width, height = (side // 2 * 2 for side in self._scaled(width, height))
        settings = {
            "prompt": prompt,
            "seconds": seconds,
            "width": width,
            "height": height,
            "seed": seed,
            "frames_per_second": _TINY_FRAMES_PER_SECOND if self._tiny else _FRAMES_PER_SECOND,
            "first_frame": first_frame,
            "last_frame": last_frame,
        }
        return await self._make(
            ("video", sound, *settings.values()),
            lambda: _workshop().make_video(with_sound=sound, **settings),
        )

    async def speech(
        self,
        text: str,
        *,
        voice: str = "",
        speed: float = 1.0,
        sound_format: str = "mp3",
        sample_rate: int | None = None,
    ) -> bytes:
        """Return spoken text, which the file's metadata carries too.

        Args:
            text: What is said.
            voice: The vendor's name of the voice; each name gets one of our voices.
            speed: Speaking rate; 1 is normal.
            sound_format: `mp3`, `wav`, `flac`, `opus`, `aac` or `pcm` (signed 16 bit, mono, bare).
            sample_rate: Hz; `None` leaves it to the voice.
        """
        return await self._make(
            ("speech", text, voice, speed, sound_format, sample_rate),
            lambda: _workshop().make_speech(
                text, voice=voice, speed=speed, sound_format=sound_format, sample_rate=sample_rate
            ),
        )

    async def music(
        self, prompt: str, seconds: float, *, seed: int = 0, sound_format: str = "mp3"
    ) -> bytes:
        """Return a piece of music of an exact length."""
        return await self._make(
            ("music", prompt, seconds, seed, sound_format),
            lambda: _workshop().make_music(prompt, seconds, seed=seed, sound_format=sound_format),
        )

    async def ambience(
        self, prompt: str, seconds: float, *, seed: int = 0, sound_format: str = "mp3"
    ) -> bytes:
        """Return a sound effect of an exact length."""
        return await self._make(
            ("ambience", prompt, seconds, seed, sound_format),
            lambda: _workshop().make_ambience(
                prompt, seconds, seed=seed, sound_format=sound_format
            ),
        )

    async def transcript(self, data: bytes) -> Transcript:
        """Return what is said in an audio file, with the times of its words.

        A file of our own voice says it in its metadata; others are listened to.

        Raises:
            MediawrightError: If the file holds no sound.
        """
        return await self._make(("transcript", data), lambda: _workshop().transcribe(data))

    def _scaled(self, width: int, height: int) -> tuple[int, int]:
        longest = max(width, height)
        if not self._tiny or longest <= _TINY_SIDE:
            return width, height
        factor = _TINY_SIDE / longest
        return max(_LEAST_SIDE, round(width * factor)), max(_LEAST_SIDE, round(height * factor))

    async def _make(self, key: tuple[Any, ...], work: Callable[[], _Made]) -> _Made:
        task: asyncio.Task[_Made] | None = self._made.get(key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(work))
            self._made[key] = task
            while len(self._made) > _KEPT:
                self._made.pop(next(iter(self._made)))
        try:
            # Another request may wait for the same file: one that goes away must not stop it.
            return await asyncio.shield(task)
        except Exception:
            self._made.pop(key, None)
            raise


def _workshop() -> Any:
    from mediawright.sandbox.kit import workshop  # noqa: PLC0415 - loads every engine, at first use

    return workshop
