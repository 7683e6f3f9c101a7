"""The embedded engines as the sandbox uses them: blocking calls that return whole files.

What a `report` raises stops the work.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediawright.core.media import Transcript, Word
from mediawright.engines.animator.animate import animate
from mediawright.engines.composer.ambience import ambience
from mediawright.engines.composer.compose import compose
from mediawright.engines.listener.listen import listen
from mediawright.engines.painter.encode import encode
from mediawright.engines.painter.paint import paint
from mediawright.engines.requests import (
    AnimateRequest,
    ComposeRequest,
    PaintRequest,
    Report,
    Sound,
    SpeakRequest,
    ignore_progress,
)
from mediawright.engines.sound_files import read_sound, read_text, write_sound
from mediawright.engines.voice.speak import FASTEST, SLOWEST, speak
from mediawright.engines.voice.speakers import speaker_in_use

_OPAQUE_PART = 0.7
"""The part of the way from the middle to the edge that a cut-out picture fills."""


def make_image(
    request: PaintRequest,
    image_format: str,
    *,
    transparent: bool = False,
    black: bool = False,
    report: Report = ignore_progress,
) -> bytes:
    """Return an encoded picture, perhaps cut out of its background, perhaps all black."""
    image = paint(request, report)
    if black:
        image = image.point(lambda _: 0)
    if transparent:
        plane = image.convert("L")
        plane.frombytes(_oval(image.width, image.height).tobytes())
        image.putalpha(plane)
    return encode(image, image_format, prompt=request.prompt)


def make_video(request: AnimateRequest, report: Report = ignore_progress) -> bytes:
    """Return an MP4 file."""
    with tempfile.TemporaryDirectory(prefix="mediawright-sandbox-") as folder:
        path = Path(folder, "clip.mp4")
        animate(request, path, report)
        return path.read_bytes()


def make_speech(text: str, voice: str, speed: float, report: Report = ignore_progress) -> Sound:
    """Return a spoken text; a speed out of the speaker's range is brought into it."""
    pace = min(FASTEST, max(SLOWEST, speed))
    return speak(SpeakRequest(text=text, voice=_our_voice(voice), speed=pace), report)


def make_music(prompt: str, seconds: float, seed: int, report: Report = ignore_progress) -> Sound:
    """Return a piece of music."""
    return compose(ComposeRequest(prompt=prompt, seconds=seconds, seed=seed), report)


def make_ambience(prompt: str, seconds: float, seed: int) -> Sound:
    """Return a sound effect."""
    return ambience(prompt, seconds, seed=seed)


def write(
    sound: Sound,
    sound_format: str,
    *,
    sample_rate: int | None = None,
    bit_rate: int = 128_000,
    text: str = "",
) -> bytes:
    """Return a sound as a file.

    Args:
        sound: What to write.
        sound_format: `mp3`, `wav`, `flac`, `opus`, `aac`, `m4a` or `pcm`.
        sample_rate: Hz; `None` keeps the sound's own.
        bit_rate: Bits per second of the lossy formats.
        text: What is spoken, kept in the file's metadata.
    """
    if sample_rate is not None and sample_rate != sound.sample_rate:
        sound = _resampled(sound, sample_rate)
    with tempfile.TemporaryDirectory(prefix="mediawright-sandbox-") as folder:
        path = Path(folder, "sound")
        write_sound(sound, path, sound_format, text=text, bit_rate=bit_rate)
        return path.read_bytes()


def transcribe(data: bytes, report: Report = ignore_progress) -> Transcript:
    """Return what is said in an audio file: as its metadata tell, or as it is heard."""
    text = read_text(data)
    if text is None:
        return listen(data, report)
    return _evenly_timed(text, read_sound(data).seconds)


def _oval(width: int, height: int) -> NDArray[np.uint8]:
    across = np.linspace(-1, 1, width, dtype=np.float32)
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, np.newaxis]
    beyond = (np.hypot(across, down) - _OPAQUE_PART) / (1 - _OPAQUE_PART)
    return (255 * (1 - np.clip(beyond, 0, 1))).astype(np.uint8)


def _our_voice(name: str) -> str | None:
    """Return one of our English voices for a vendor's voice, always the same."""
    if not name:
        return None
    voices = [voice.name for voice in speaker_in_use().voices if voice.language.startswith("en")]
    return voices[hashlib.sha256(name.encode()).digest()[0] % len(voices)]


def _resampled(sound: Sound, sample_rate: int) -> Sound:
    count = max(1, round(sound.seconds * sample_rate))
    places = np.arange(count) * (sound.sample_rate / sample_rate)
    known = np.arange(len(sound.samples))
    channels: list[NDArray[np.float64]] = [
        np.interp(places, known, channel) for channel in sound.samples.T
    ]
    return Sound(samples=np.stack(channels, axis=1).astype(np.float32), sample_rate=sample_rate)


def _evenly_timed(text: str, seconds: float) -> Transcript:
    """Return a transcript whose words take time by their length."""
    words = text.split()
    each = seconds / max(1, sum(len(word) + 1 for word in words))
    timed: list[Word] = []
    start = 0.0
    for word in words:
        end = start + each * len(word)
        timed.append(Word(text=word, start=round(start, 3), end=round(end, 3)))
        start = end + each
    return Transcript(text=text, language="en", seconds=round(seconds, 3), words=tuple(timed))
