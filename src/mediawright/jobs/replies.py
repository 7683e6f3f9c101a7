"""Replies of synchronous providers, kept on disk until they are stored.

Such a provider gives the paid media once, in its reply. It is written down here before
anything else happens, so that a crash between the reply and the commit loses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from mediawright.core.batches import Batches
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
from mediawright.jobs.spare_files import SpareFiles

_MANIFEST = ".reply"
_PARTIAL = ".part"
_SMALL_BYTES = 262_144
"""A medium with no more needs no file beside the one that says what there is."""


class _StagedFile(msgspec.Struct, frozen=True, kw_only=True, tag="file", omit_defaults=True):
    kind: MediaKind
    name: str
    content_type: str | None = None
    seed: int | None = None
    revised_prompt: str | None = None


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    outputs: tuple[_StagedFile | InlineMedia | RemoteMedia | TranscriptOutput, ...]
    usage: Usage


class _Reply(NamedTuple):
    name: str
    done: Done


class ReplyJournal:
    """Keeps the replies that were received and not yet stored."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`, which is made when needed."""
        self._folder = folder
        self._spare = SpareFiles(folder.with_name(f"spare-{folder.name}"))
        self._saving = Batches(self._save_all)
        self._discarding = Batches(self._discard_all)

    async def save(self, generation_id: str, number: int, done: Done) -> Done:
        """Write a reply down, durably, and return it with its files where they lie now."""
        return await self._saving.do(_Reply(self._name(generation_id, number), done))

    async def load(self, generation_id: str, number: int) -> Done | None:
        """Return the reply to that attempt, if it was received whole."""
        return await asyncio.to_thread(self._load, self._name(generation_id, number))

    async def kept(self) -> list[tuple[str, int]]:
        """Return generation and attempt of every reply that was received whole."""
        return await asyncio.to_thread(self._kept)

    async def discard(self, generation_id: str, number: int) -> None:
        """Forget a reply that has been stored, or never will be."""
        await self._discarding.do(self._name(generation_id, number))

    def drop_partial_now(self) -> None:
        """Remove what was begun and never received whole. Blocks.

        For a process that has the folder to itself and has not begun to work.
        """
        for name in {_name_of(path) for path in self._folder.glob("gen_*")}:
            if not self._manifest(name).is_file():
                self._remove(name)
        self._spare.drop_now(older_than=math.inf)

    async def older_than(self, before: datetime) -> list[tuple[str, int]]:
        """Return generation and attempt of replies, whole or not, written before then.

        Files that were kept to be written to again, and were not since, are removed.
        """
        return await asyncio.to_thread(self._older_than, before.timestamp())

    def _older_than(self, before: float) -> list[tuple[str, int]]:
        self._spare.drop_now(before)
        youngest: dict[str, float] = {}
        for path in self._folder.glob("gen_*"):
            # One of a living process may go meanwhile.
            with contextlib.suppress(FileNotFoundError):
                name, written = _name_of(path), path.stat().st_mtime
                youngest[name] = max(written, youngest.get(name, 0.0))
        return _parts(name for name, written in youngest.items() if written < before)

    def _name(self, generation_id: str, number: int) -> str:
        return f"{generation_id}-{number}"

    def _manifest(self, name: str) -> Path:
        return self._folder / f"{name}{_MANIFEST}"

    def _kept(self) -> list[tuple[str, int]]:
        return _parts(_name_of(path) for path in self._folder.glob(f"gen_*{_MANIFEST}"))

    def _save_all(self, replies: Sequence[_Reply]) -> Sequence[Done | Exception]:
        self._folder.mkdir(parents=True, exist_ok=True)
        saved = [self._save(*reply) for reply in replies]
        _sync_folder(self._folder)
        return saved

    def _discard_all(self, names: Sequence[str]) -> list[Exception | None]:
        return [self._discard(name) for name in names]

    def _save(self, name: str, done: Done) -> Done | OSError:
        try:
            return self._write(name, done)
        except OSError as error:
            return error

    def _write(self, name: str, done: Done) -> Done:
        files = (self._folder / f"{name}.{number}" for number in itertools.count())
        manifest = _Manifest(
            outputs=tuple(_to_disk(files, output) for output in done.outputs), usage=done.usage
        )
        # The manifest appears under its name only when every file it speaks of is safe.
        partial = self._spare.take_now() or self._folder / f"{name}{_PARTIAL}"
        _write_durably(partial, msgspec.msgpack.encode(manifest))
        partial.replace(self._manifest(name))
        return self._from_manifest(manifest)

    def _load(self, name: str) -> Done | None:
        try:
            content = self._manifest(name).read_bytes()
        except FileNotFoundError:
            return None
        return self._from_manifest(msgspec.msgpack.decode(content, type=_Manifest))

    def _from_manifest(self, manifest: _Manifest) -> Done:
        outputs: list[Output] = [
            StagedMedia(
                kind=item.kind,
                path=self._folder / item.name,
                content_type=item.content_type,
                seed=item.seed,
                revised_prompt=item.revised_prompt,
            )
            if isinstance(item, _StagedFile)
            else item
            for item in manifest.outputs
        ]
        return Done(outputs=tuple(outputs), usage=manifest.usage)

    def _discard(self, name: str) -> OSError | None:
        try:
            self._remove(name)
        except OSError as error:
            return error
        return None

    def _remove(self, name: str) -> None:
        # First what makes a reply of the rest.
        self._spare.retire_now(self._manifest(name))
        (self._folder / f"{name}{_PARTIAL}").unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            for number in itertools.count():
                (self._folder / f"{name}.{number}").unlink()


def _name_of(path: Path) -> str:
    return path.name.partition(".")[0]


def _parts(names: Iterable[str]) -> list[tuple[str, int]]:
    """Return generation and attempt of what names stand for."""
    parts = [name.rpartition("-") for name in sorted(names)]
    return [(generation_id, int(number)) for generation_id, _, number in parts]


def _to_disk(
    files: Iterator[Path], output: Output
) -> _StagedFile | InlineMedia | RemoteMedia | TranscriptOutput:
    if isinstance(output, RemoteMedia | TranscriptOutput):
        return output
    if isinstance(output, InlineMedia) and len(output.data) <= _SMALL_BYTES:
        return output
    target = next(files)
    if isinstance(output, InlineMedia):
        _write_durably(target, output.data)
    else:
        shutil.move(output.path, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())
    return _StagedFile(
        kind=output.kind,
        name=target.name,
        content_type=output.content_type,
        seed=output.seed,
        revised_prompt=output.revised_prompt,
    )


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
