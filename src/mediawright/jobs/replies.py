"""Replies of synchronous providers, kept on disk until they are stored.

Such a provider gives the paid media once, in its reply. It is written down here before
anything else happens, so that a crash between the reply and the commit loses nothing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import datetime
from pathlib import Path

import msgspec

from mediawright.core.operations import MediaKind
from mediawright.core.provider import (
    Done,
    InlineMedia,
    Output,
    RemoteMedia,
    StagedMedia,
    TranscriptOutput,
    Usage,
)

_MANIFEST = "reply.json"


class _StagedFile(msgspec.Struct, frozen=True, kw_only=True, tag="file", omit_defaults=True):
    kind: MediaKind
    name: str
    content_type: str | None = None
    seed: int | None = None
    revised_prompt: str | None = None


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    outputs: tuple[_StagedFile | RemoteMedia | TranscriptOutput, ...]
    usage: Usage


class ReplyJournal:
    """Keeps the replies that were received and not yet stored."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`, which is made when needed."""
        self._folder = folder

    async def save(self, generation_id: str, number: int, done: Done) -> Done:
        """Write a reply down, durably, and return it with its files where they lie now."""
        return await asyncio.to_thread(self._save, self._place(generation_id, number), done)

    async def load(self, generation_id: str, number: int) -> Done | None:
        """Return the reply to that attempt, if it was received whole."""
        return await asyncio.to_thread(self._load, self._place(generation_id, number))

    async def kept(self) -> list[tuple[str, int]]:
        """Return generation and attempt of every reply that was received whole."""
        return await asyncio.to_thread(self._kept)

    async def discard(self, generation_id: str, number: int) -> None:
        """Forget a reply that has been stored, or never will be."""
        place = self._place(generation_id, number)
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    def drop_partial_now(self) -> None:
        """Remove what was begun and never received whole. Blocks.

        For a process that has the folder to itself and has not begun to work.
        """
        for place in self._folder.glob("gen_*-*"):
            if not (place / _MANIFEST).is_file():
                shutil.rmtree(place, ignore_errors=True)

    async def older_than(self, before: datetime) -> list[tuple[str, int]]:
        """Return generation and attempt of replies, whole or not, written before then."""
        return await asyncio.to_thread(self._older_than, before.timestamp())

    def _older_than(self, before: float) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for place in self._folder.glob("gen_*-*"):
            generation_id, _, number = place.name.rpartition("-")
            if number.isdigit() and place.stat().st_mtime < before:
                found.append((generation_id, int(number)))
        return sorted(found)

    def _place(self, generation_id: str, number: int) -> Path:
        return self._folder / f"{generation_id}-{number}"

    def _kept(self) -> list[tuple[str, int]]:
        names = [manifest.parent.name for manifest in self._folder.glob(f"*/{_MANIFEST}")]
        parts = [name.rpartition("-") for name in sorted(names)]
        return [(generation_id, int(number)) for generation_id, _, number in parts]

    def _save(self, place: Path, done: Done) -> Done:
        place.mkdir(parents=True, exist_ok=True)
        manifest = _Manifest(
            outputs=tuple(
                _to_disk(place, index, output) for index, output in enumerate(done.outputs)
            ),
            usage=done.usage,
        )
        # The manifest appears under its name only when every file it speaks of is safe.
        partial = place / f"{_MANIFEST}.part"
        _write_durably(partial, msgspec.json.encode(manifest))
        partial.replace(place / _MANIFEST)
        _sync_folder(place)
        return _from_manifest(place, manifest)

    def _load(self, place: Path) -> Done | None:
        try:
            content = (place / _MANIFEST).read_bytes()
        except FileNotFoundError:
            return None
        return _from_manifest(place, msgspec.json.decode(content, type=_Manifest))


def _to_disk(
    place: Path, index: int, output: Output
) -> _StagedFile | RemoteMedia | TranscriptOutput:
    if isinstance(output, RemoteMedia | TranscriptOutput):
        return output
    name = f"{index}.bin"
    target = place / name
    if isinstance(output, InlineMedia):
        _write_durably(target, output.data)
    else:
        shutil.move(output.path, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())
    return _StagedFile(
        kind=output.kind,
        name=name,
        content_type=output.content_type,
        seed=output.seed,
        revised_prompt=output.revised_prompt,
    )


def _from_manifest(place: Path, manifest: _Manifest) -> Done:
    outputs: list[Output] = [
        StagedMedia(
            kind=item.kind,
            path=place / item.name,
            content_type=item.content_type,
            seed=item.seed,
            revised_prompt=item.revised_prompt,
        )
        if isinstance(item, _StagedFile)
        else item
        for item in manifest.outputs
    ]
    return Done(outputs=tuple(outputs), usage=manifest.usage)


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
