"""Takes in what a surface was given: drafts, files, bytes, URLs.

Nothing is left behind when the request turns out to be no good.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mediawright.assets.inspect import probe
from mediawright.core.errors import InvalidRequestError, MediawrightError, NotFoundError
from mediawright.core.ids import IdPrefix, has_prefix, new_id
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import FallbackPolicy, GenerationRequest, MediaInput, Parameters
from mediawright.providerkit.transport import (
    DownloadStatusError,
    TransportError,
    TransportFailure,
)
from mediawright.store import assets

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import Asset
    from mediawright.core.media import MediaFacts


class InputSource(msgspec.Struct, frozen=True, kw_only=True):
    """An input as a surface has it: exactly one of path, data, url or asset id."""

    role: InputRole | None = None
    """What it is for; `None` lets the kind of file decide (rule 51)."""
    path: Path | None = None
    data: bytes | None = None
    url: str | None = None
    asset_id: str | None = None
    name: str | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a surface has it, before anything was looked at."""

    model: str
    operation: Operation | None = None
    prompt: str | None = None
    inputs: tuple[InputSource, ...] = ()
    parameters: Parameters = Parameters()
    provider: str | None = None
    fallback: FallbackPolicy = FallbackPolicy.ON_OUTAGE
    output_path: str | None = None
    metadata: dict[str, str] = {}


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """An input that was looked at and not yet kept."""

    source: InputSource
    facts: MediaFacts
    path: Path | None = None
    """Where its bytes lie; `None` for an asset of ours."""
    temporary: bool = False
    """Whether `path` is ours to delete."""


def parse_source(text: str, role: InputRole | None = None) -> InputSource:
    """Return the source that a word names: an asset id, a URL, or a local path."""
    if has_prefix(text, IdPrefix.ASSET):
        return InputSource(role=role, asset_id=text)
    if "://" in text:
        return InputSource(role=role, url=text, name=_name_in_url(text))
    return InputSource(role=role, path=Path(text).expanduser(), name=Path(text).name)


async def inspect_inputs(
    runtime: Runtime, workspace_id: str, sources: tuple[InputSource, ...]
) -> list[Inspected]:
    """Look at every input: what it is by its bytes, and whether it may be used.

    Raises:
        InvalidRequestError: It is missing, empty, no media file, or too large.
        ForbiddenError: Its URL may not be fetched.
        NotFoundError: There is no such asset.
    """
    inspected: list[Inspected] = []
    try:
        for index, source in enumerate(sources):
            inspected.append(await _inspect(runtime, workspace_id, source, index))
    except BaseException:
        await discard(inspected)
        raise
    return inspected


async def discard(inspected: list[Inspected]) -> None:
    """Delete the temporary files of inputs that are not needed."""
    for item in inspected:
        if item.temporary and item.path is not None:
            await asyncio.to_thread(item.path.unlink, missing_ok=True)


def to_request(draft: Draft, inspected: list[Inspected]) -> GenerationRequest:
    """Return the canonical request of a draft whose inputs were looked at."""
    lone = len(inspected) == 1
    makes_video = draft.operation is Operation.IMAGE_TO_VIDEO
    inputs = tuple(
        MediaInput(
            role=item.source.role or _default_role(item.facts.kind, lone=lone, video=makes_video),
            kind=item.facts.kind,
            url=item.source.url,
            # The id that a file of the caller's will have once it is kept.
            asset_id=item.source.asset_id or (None if item.source.url else new_id(IdPrefix.ASSET)),
            name=item.source.name,
        )
        for item in inspected
    )
    return GenerationRequest(
        model=draft.model,
        operation=draft.operation,
        prompt=draft.prompt,
        inputs=inputs,
        parameters=draft.parameters,
        provider=draft.provider,
        fallback=draft.fallback,
        output_path=draft.output_path,
        metadata=draft.metadata,
    )


async def keep_inputs(
    runtime: Runtime, workspace_id: str, request: GenerationRequest, inspected: list[Inspected]
) -> tuple[GenerationRequest, list[Asset]]:
    """Keep the inputs as assets, so that the generation survives a restart.

    Returns:
        The request naming them by id, and the assets that were made for it.
    """
    kept: list[Asset] = []
    inputs: list[MediaInput] = []
    try:
        for item, media in zip(inspected, request.inputs, strict=True):
            if item.path is None:
                inputs.append(media)
                continue
            asset = await runtime.library.store(
                item.path if item.temporary else await asyncio.to_thread(item.path.read_bytes),
                workspace_id=workspace_id,
                asset_id=media.asset_id or new_id(IdPrefix.ASSET),
            )
            kept.append(asset)
            await runtime.database.write(
                lambda connection, asset=asset: assets.insert(connection, asset)
            )
            inputs.append(msgspec.structs.replace(media, url=None, asset_id=asset.id))
    except BaseException:
        await forget_inputs(runtime, kept)
        raise
    return msgspec.structs.replace(request, inputs=tuple(inputs)), kept


async def forget_inputs(runtime: Runtime, kept: list[Asset]) -> None:
    """Delete assets that were kept for a generation which did not come to be."""
    for asset in kept:
        await runtime.database.write(
            lambda connection, asset=asset: assets.remove(connection, asset.workspace_id, asset.id)
        )
        await runtime.library.delete(asset)


async def _inspect(
    runtime: Runtime, workspace_id: str, source: InputSource, index: int
) -> Inspected:
    if source.asset_id is not None:
        asset_id = source.asset_id
        asset = await runtime.database.read(
            lambda connection: assets.get(connection, workspace_id, asset_id)
        )
        if asset is None:
            raise NotFoundError(
                "asset_not_found",
                f"There is no asset {asset_id}.",
                pointer=f"/inputs/{index}/asset_id",
            )
        return Inspected(source=source, facts=asset.facts)
    path, temporary = await _bytes_on_disk(runtime, source, index)
    try:
        facts = await asyncio.to_thread(probe, path)
        _check_size(facts, runtime.settings.media.largest_upload, index)
    except InvalidRequestError as error:
        if temporary:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        error.pointer = f"/inputs/{index}"
        raise
    return Inspected(source=source, facts=facts, path=path, temporary=temporary)


async def _bytes_on_disk(runtime: Runtime, source: InputSource, index: int) -> tuple[Path, bool]:
    if source.path is not None:
        if not await asyncio.to_thread(source.path.is_file):
            raise InvalidRequestError(
                "input_not_found",
                f"There is no file {source.path}.",
                pointer=f"/inputs/{index}",
                hint="Give the path of a file, a URL, or the id of an asset.",
            )
        return source.path, False
    if source.url is not None:
        return await _fetch(runtime, source.url, index), True
    if source.data is not None:
        path = runtime.folder.staging / new_id(IdPrefix.REQUEST)
        await asyncio.to_thread(path.write_bytes, source.data)
        return path, True
    raise InvalidRequestError(
        "invalid_source_media",
        "An input needs a path, a URL, an asset id or bytes.",
        pointer=f"/inputs/{index}",
    )


async def _fetch(runtime: Runtime, url: str, index: int) -> Path:
    try:
        downloaded = await runtime.driver.download(
            url, max_bytes=runtime.settings.media.largest_upload
        )
    except (TransportError, DownloadStatusError) as error:
        raise _unreachable(error, runtime.settings.media.largest_upload, index) from error
    except MediawrightError as error:
        error.pointer = f"/inputs/{index}"
        raise
    return downloaded.path


def _unreachable(
    error: TransportError | DownloadStatusError, largest: int, index: int
) -> InvalidRequestError:
    """Return what is wrong with a URL of the caller's; no provider of ours is at fault."""
    if isinstance(error, TransportError) and error.failure is TransportFailure.TOO_LARGE:
        return InvalidRequestError(
            "file_too_large",
            f"The file has more than the {largest:,} bytes that are allowed.",
            pointer=f"/inputs/{index}",
            details={"largest_bytes": largest},
        )
    return InvalidRequestError(
        "source_media_unreachable",
        f"The file could not be fetched. {error.message}",
        pointer=f"/inputs/{index}",
        hint="Check that the URL is public and has not expired.",
        details={**error.details, "reason": error.code},
    )


def _check_size(facts: MediaFacts, largest: int, index: int) -> None:
    if facts.byte_count > largest:
        raise InvalidRequestError(
            "file_too_large",
            f"The file has {facts.byte_count:,} bytes; {largest:,} are allowed.",
            pointer=f"/inputs/{index}",
            details={"largest_bytes": largest},
        )


def _default_role(kind: MediaKind, *, lone: bool, video: bool) -> InputRole:
    if kind is MediaKind.VIDEO:
        return InputRole.REFERENCE_VIDEO
    if kind is MediaKind.AUDIO:
        return InputRole.REFERENCE_AUDIO
    return InputRole.FIRST_FRAME if lone and video else InputRole.REFERENCE_IMAGE


def _name_in_url(url: str) -> str:
    return url.partition("?")[0].rstrip("/").rpartition("/")[2] or "input"
