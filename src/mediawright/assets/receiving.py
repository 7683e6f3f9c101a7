"""Bringing files into the staging folder, and finding out what they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from mediawright.assets.drive import Drive
from mediawright.assets.formats import Format
from mediawright.assets.image_probe import MOST_PIXELS, Content
from mediawright.assets.inspect import probe_with_format
from mediawright.assets.staging import Staging, digest_now, too_large
from mediawright.core.errors import InvalidRequestError
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind

Source = Path | bytes | AsyncIterator[bytes]

# What a provider was paid to make is kept even where it is too large to be opened here.
_MOST_OUTPUT_PIXELS = 2_000_000_000
_SMALL_BYTES = 4_194_304
"""Of a file with no more, everything is done in one go: other threads would cost more."""


class Wanted(NamedTuple):
    """What a file has to be."""

    kind: MediaKind | None
    is_output: bool
    """Whether a provider made it; otherwise a caller sent it."""

    def look(self, source: Content) -> tuple[MediaFacts, Format]:
        """Return what a file is. Blocks.

        Raises:
            InvalidRequestError: As of `probe`; or `unsupported_media_kind`.
        """
        most_pixels = _MOST_OUTPUT_PIXELS if self.is_output else MOST_PIXELS
        facts, found = probe_with_format(source, most_pixels=most_pixels)
        if self.kind is not None and facts.kind is not self.kind:
            raise InvalidRequestError(
                "unsupported_media_kind",
                f"The file is of kind {facts.kind.value}; {self.kind.value} is needed.",
                details={"found": facts.kind.value, "expected": self.kind.value},
            )
        return facts, found


class Received(NamedTuple):
    """A file in the staging folder."""

    path: Path
    facts: MediaFacts
    format: Format
    digest: str
    """SHA-256, hexadecimal."""


class Receiver:
    """Brings files into the staging folder."""

    def __init__(self, staging: Staging, drive: Drive, max_bytes: int) -> None:
        """Bring them to this folder, for this drive, with so many bytes at the most."""
        self._staging = staging
        self._drive = drive
        self._max_bytes = max_bytes

    async def receive(self, source: Source, wanted: Wanted, *, unchanging: bool) -> Received:
        """Bring a file into the staging folder and find out all about it.

        Raises:
            InvalidRequestError: As of `probe`; or `file_too_large`, `unsupported_media_kind`.
            UnavailableError: `staging_unwritable`.
        """
        if isinstance(source, Path | bytes):
            received = partial(self._receive_now, source, wanted, unchanging=unchanging)
            path, digest, seen = await asyncio.to_thread(received)
        else:
            staged = await self._staging.write_stream(source, self._max_bytes)
            path, digest, seen = staged.path, staged.sha256, None
        if seen is not None and digest is not None:
            return Received(path, *seen, digest)
        # Hashing and flushing take their time, so the file is looked at meanwhile.
        digesting = asyncio.create_task(_digest(path, digest))
        flushing = asyncio.create_task(self._drive.prepare(path))
        try:
            facts, found = await asyncio.to_thread(wanted.look, path)
            digest = await digesting
            await flushing
        except BaseException:
            await asyncio.wait([digesting, flushing])
            await discard(path)
            raise
        return Received(path, facts, found, digest)

    def _receive_now(
        self, source: Path | bytes, wanted: Wanted, *, unchanging: bool
    ) -> tuple[Path, str | None, tuple[MediaFacts, Format] | None]:
        """Stage a file and, where that is quick, look at it and hash it in the same go. Blocks."""
        path, digest = self._stage_now(source, unchanging=unchanging)
        if path.stat().st_size > _SMALL_BYTES:
            return path, digest, None
        try:
            return path, digest or digest_now(path).sha256, wanted.look(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _stage_now(self, source: Path | bytes, *, unchanging: bool) -> tuple[Path, str | None]:
        """Return where the bytes lie in the staging folder, and their digest if it is known."""
        if isinstance(source, Path):
            return self._staging.adopt_now(source, self._max_bytes, unchanging=unchanging), None
        if len(source) > self._max_bytes:
            raise too_large(self._max_bytes)
        staged = self._staging.write_now(source)
        return staged.path, staged.sha256


async def _digest(path: Path, known: str | None) -> str:
    return known or (await asyncio.to_thread(digest_now, path)).sha256


async def discard(*paths: Path) -> None:
    """Remove files that are not wanted any more."""
    for path in paths:
        await asyncio.to_thread(path.unlink, missing_ok=True)
