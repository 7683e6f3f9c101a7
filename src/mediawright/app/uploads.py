"""Takes files in from callers who have them at hand, before they are used (rule 48)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mediawright.assets.inspect import sniff_content
from mediawright.core.errors import InvalidRequestError, MediawrightError
from mediawright.core.ids import IdPrefix, new_id
from mediawright.store import assets

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import Asset

_CHUNK_BYTES = 1024**2


class IncomingFile(msgspec.Struct, frozen=True):
    """A file that is about to be read."""

    name: str | None
    """What its sender calls it."""
    chunks: AsyncIterator[bytes]


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was taken in."""

    asset: Asset
    name: str | None
    """What its sender calls it."""


class _Staged(msgspec.Struct, frozen=True):
    path: Path
    name: str | None


async def upload(
    runtime: Runtime, workspace_id: str, files: AsyncIterator[IncomingFile]
) -> list[Uploaded]:
    """Take files in as assets of a workspace: all of them, or none.

    They are written to the staging folder as they arrive, whatever their size. What they are
    is told by their bytes; names and declared types count for nothing.

    Args:
        runtime: The installation.
        workspace_id: Whose they will be.
        files: The files, one after the other.

    Raises:
        InvalidRequestError: `files_required`, `too_many_files`, `file_too_large`; or one of
            them is `empty_file`, `unsupported_format`, `corrupt_file`, `image_too_large` or
            `media_too_long`, with its place as pointer. Nothing is kept.
        UnavailableError: `staging_unwritable` or `drive_unavailable`.
    """
    staged: list[_Staged] = []
    kept: list[Asset] = []
    try:
        await _stage_all(runtime, files, staged)
        for index, item in enumerate(staged):
            async with _pointing_at(index):
                kept.append(
                    await runtime.library.store(
                        item.path, workspace_id=workspace_id, asset_id=new_id(IdPrefix.ASSET)
                    )
                )
        await runtime.database.write(
            lambda connection: [assets.insert(connection, asset) for asset in kept]
        )
    except BaseException:
        for item in staged:
            await asyncio.to_thread(item.path.unlink, missing_ok=True)
        for asset in kept:
            await runtime.library.delete(asset)
        raise
    return [Uploaded(asset=asset, name=item.name) for asset, item in zip(kept, staged, strict=True)]


async def read_files(files: Sequence[str | Path | bytes]) -> AsyncGenerator[IncomingFile, None]:
    """Yield files of this machine, given by path, or as bytes.

    Raises:
        InvalidRequestError: `input_not_found`.
    """
    for index, file in enumerate(files):
        if isinstance(file, bytes):
            yield IncomingFile(None, _only(file))
            continue
        path = Path(os.path.expanduser(file))  # noqa: ASYNC240, PTH111 - asks no disk
        if not await asyncio.to_thread(path.is_file):
            raise InvalidRequestError(
                "input_not_found", f"There is no file {path}.", pointer=f"/files/{index}"
            )
        yield IncomingFile(path.name, _chunks_of(path))


async def _only(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


async def _chunks_of(path: Path) -> AsyncGenerator[bytes, None]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
    finally:
        await asyncio.to_thread(file.close)


async def _stage_all(
    runtime: Runtime, files: AsyncIterator[IncomingFile], staged: list[_Staged]
) -> None:
    media = runtime.settings.media
    async for file in files:
        index = len(staged)
        if index >= media.files_per_upload:
            raise InvalidRequestError(
                "too_many_files",
                f"At most {media.files_per_upload} files are taken at once.",
                pointer="/files",
                hint="Send the others in a second request.",
                details={"maximum": media.files_per_upload},
            )
        async with _pointing_at(index):
            written = await runtime.staging.write_stream(file.chunks, media.largest_upload)
            staged.append(_Staged(written.path, file.name))
            # What is no media file at all is refused before the rest has arrived.
            await asyncio.to_thread(sniff_content, written.path)
    if not staged:
        raise InvalidRequestError(
            "files_required",
            "There is no file in the request.",
            pointer="/files",
            hint="Send each file as a part with a file name: curl -F files=@picture.png",
        )


@asynccontextmanager
async def _pointing_at(index: int) -> AsyncGenerator[None, None]:
    try:
        yield
    except MediawrightError as error:
        if error.pointer is None:
            error.pointer = f"/files/{index}"
        raise
