"""Takes in what a surface was given: drafts, files, bytes, URLs.

Nothing is left behind when the request turns out to be no good.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mediawright.app.fitting import cut
from mediawright.app.library import find_asset
from mediawright.assets.cropping import Box
from mediawright.assets.inspect import probe
from mediawright.catalog.values import classify_media_url
from mediawright.core.errors import InvalidRequestError, MediawrightError
from mediawright.core.ids import IdPrefix, has_prefix, new_id
from mediawright.core.media import MediaFacts
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import FallbackPolicy, GenerationRequest, MediaInput, Parameters
from mediawright.providerkit.transport import (
    DownloadStatusError,
    TransportError,
    TransportFailure,
)
from mediawright.store import assets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import Asset


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
    video_tool: bool = False
    """Whether it came through the video tool, which has limits of its own for files (rules
    58-60) and takes a lone picture for the first frame (rule 51)."""


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """An input that was looked at and not yet kept."""

    source: InputSource
    kind: MediaKind
    facts: MediaFacts | None
    """What its bytes say; `None` for a file elsewhere that has not been fetched."""
    path: Path | None = None
    """Where its bytes lie; `None` for an asset of ours, and for a file not yet fetched."""
    temporary: bool = False
    """Whether `path` is ours to delete."""
    box: Box | None = None
    """The part of a picture that is used, if not all of it (rule 62)."""

    @property
    def is_missing(self) -> bool:
        """Whether it is still to be fetched."""
        return self.facts is None


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

    Where the operator does not let URLs be inspected, of those only the text is looked at.

    Raises:
        InvalidRequestError: It is missing, empty, no media file, or too large; or a URL does
            not tell what it leads to (`unknown_media_type`, rule 8).
        ForbiddenError: Its URL may not be fetched.
        NotFoundError: There is no such asset.
    """
    kinds = [_kind_of(runtime, source, index) for index, source in enumerate(sources)]
    inspected: list[Inspected] = []
    try:
        for index, (source, kind) in enumerate(zip(sources, kinds, strict=True)):
            if kind is not None and not runtime.settings.media.inspect_urls:
                inspected.append(Inspected(source=source, kind=kind, facts=None))
                continue
            inspected.append(await _inspect(runtime, workspace_id, source, index))
    except BaseException:
        await discard(inspected)
        raise
    return inspected


async def fetch_missing(runtime: Runtime, inspected: list[Inspected]) -> list[Inspected]:
    """Fetch the files that have not been looked at yet, and look at them.

    Returns:
        All inputs, in their order; those that were there already as they were.

    Raises:
        InvalidRequestError: One is missing, empty, no media file, too large, or of another kind
            than its URL says. What was fetched is gone again.
        ForbiddenError: Its URL may not be fetched.
    """
    complete: list[Inspected] = []
    try:
        for index, item in enumerate(inspected):
            if not item.is_missing:
                complete.append(item)
                continue
            complete.append(await _look(runtime, item.source, index))
            _require_kind(complete[-1], item.kind, index)
    except BaseException:
        await discard([item for item in complete if item not in inspected])
        raise
    return complete


def facts_of(inspected: list[Inspected]) -> dict[int, MediaFacts]:
    """Return what is known about inputs, by their place."""
    return {index: item.facts for index, item in enumerate(inspected) if item.facts is not None}


def with_boxes(inspected: list[Inspected], boxes: Mapping[int, Box]) -> list[Inspected]:
    """Return the inputs with the parts of pictures that are used."""
    return [
        msgspec.structs.replace(item, box=boxes.get(index)) for index, item in enumerate(inspected)
    ]


async def discard(inspected: list[Inspected]) -> None:
    """Delete the temporary files of inputs that are not needed."""
    for item in inspected:
        if item.temporary and item.path is not None:
            await asyncio.to_thread(item.path.unlink, missing_ok=True)


def to_request(draft: Draft, inspected: list[Inspected]) -> GenerationRequest:
    """Return the canonical request of a draft whose inputs were looked at."""
    lone = len(inspected) == 1
    makes_video = draft.video_tool or draft.operation is Operation.IMAGE_TO_VIDEO
    inputs = tuple(
        MediaInput(
            role=item.source.role or _default_role(item.kind, lone=lone, video=makes_video),
            kind=item.kind,
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
            original = media
            if item.path is not None:
                asset_id = media.asset_id or new_id(IdPrefix.ASSET)
                asset = await _store(runtime, workspace_id, kept, item.path, asset_id)
                original = msgspec.structs.replace(media, url=None, asset_id=asset.id)
            if item.box is not None:
                part = await _keep_part(runtime, workspace_id, kept, original, item.box)
                original = msgspec.structs.replace(media, url=None, asset_id=part.id)
            inputs.append(original)
    except BaseException:
        await forget_inputs(runtime, kept)
        raise
    return msgspec.structs.replace(request, inputs=tuple(inputs)), kept


async def _keep_part(
    runtime: Runtime, workspace_id: str, kept: list[Asset], original: MediaInput, box: Box
) -> Asset:
    """Keep a part of a picture, which is an asset by now, as an asset of its own (rule 62)."""
    whole = await find_asset(runtime, workspace_id, original.asset_id or "")
    part = await cut(runtime, await runtime.library.local_copy(whole), box)
    return await _store(runtime, workspace_id, kept, part, new_id(IdPrefix.ASSET))


async def _store(
    runtime: Runtime, workspace_id: str, kept: list[Asset], source: Path, asset_id: str
) -> Asset:
    asset = await runtime.library.store(source, workspace_id=workspace_id, asset_id=asset_id)
    kept.append(asset)
    await runtime.database.write(lambda connection: assets.insert(connection, asset))
    return asset


async def forget_inputs(runtime: Runtime, kept: list[Asset]) -> None:
    """Delete assets that were kept for a generation which did not come to be."""
    for asset in kept:
        await runtime.database.write(
            lambda connection, asset=asset: assets.remove(connection, asset.workspace_id, asset.id)
        )
        await runtime.library.delete(asset)


def _kind_of(runtime: Runtime, source: InputSource, index: int) -> MediaKind | None:
    """Return what a URL leads to by its role or its extension (rule 8); `None` for the rest.

    Raises:
        ForbiddenError: It may not be fetched.
        InvalidRequestError: `unknown_media_type`.
    """
    if source.url is None:
        return None
    try:
        runtime.driver.require_allowed(source.url)
    except MediawrightError as error:
        error.pointer = f"/inputs/{index}"
        raise
    if source.role is not None:
        return source.role.media_kind
    return classify_media_url(source.url, pointer=f"/inputs/{index}")


async def _inspect(
    runtime: Runtime, workspace_id: str, source: InputSource, index: int
) -> Inspected:
    if source.asset_id is None:
        return await _look(runtime, source, index)
    try:
        asset = await find_asset(runtime, workspace_id, source.asset_id)
    except MediawrightError as error:
        error.pointer = f"/inputs/{index}/asset_id"
        raise
    return Inspected(source=source, kind=asset.facts.kind, facts=asset.facts)


async def _look(runtime: Runtime, source: InputSource, index: int) -> Inspected:
    path, temporary = await _bytes_on_disk(runtime, source, index)
    try:
        facts = await asyncio.to_thread(probe, path)
        _check_size(facts, runtime.settings.media.largest_upload, index)
    except InvalidRequestError as error:
        if temporary:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        error.pointer = f"/inputs/{index}"
        raise
    return Inspected(source=source, kind=facts.kind, facts=facts, path=path, temporary=temporary)


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


def _require_kind(item: Inspected, expected: MediaKind, index: int) -> None:
    if item.kind is not expected:
        raise InvalidRequestError(
            "unsupported_media_kind",
            f"The file is {item.kind.value} though its URL says {expected.value}.",
            pointer=f"/inputs/{index}",
            hint="Give the URL of the right file.",
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
