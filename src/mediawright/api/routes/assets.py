"""Assets: facts, and the bytes in whole or in part."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from mediawright.api.byte_ranges import (
    NoSuchPartError,
    has_matching_etag,
    may_send_part,
    part_wanted,
)
from mediawright.api.context import CallerOf, RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.api.locations import asset_urls
from mediawright.api.replies import json_reply
from mediawright.api.reply_bodies import AssetBody
from mediawright.app.library import find_asset
from mediawright.app.views import asset_key, asset_view
from mediawright.core.errors import NotFoundError
from mediawright.core.generation import Asset

router = APIRouter(prefix="/v1", tags=["assets"])
Variant = Literal["content", "thumbnail", "optimized"]
_BYTES: dict[str, Any] = {"content": {"application/octet-stream": {}}}
_RENDITION_TYPES = {"webp": "image/webp", "mp4": "video/mp4"}


@router.get(
    "/assets/{asset_id}",
    operation_id="get_asset",
    summary="Show an asset",
    response_model=AssetBody,
    responses=described_errors(401, 404),
)
async def show(asset_id: str, request: Request, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return what was found in the file's bytes, and where they are."""
    asset = await find_asset(runtime, caller.workspace_id, asset_id)
    return json_reply(asset_view(asset, asset_urls(request)))


@router.head("/assets/{asset_id}/content", include_in_schema=False)
@router.get(
    "/assets/{asset_id}/content",
    operation_id="get_asset_content",
    summary="Get the file",
    response_class=Response,
    responses={
        200: {**_BYTES, "description": "The whole file."},
        206: {**_BYTES, "description": "The part asked for."},
        304: {"description": "The file is as the caller has it."},
        **described_errors(401, 404, 416),
    },
)
async def content(
    asset_id: str,
    request: Request,
    runtime: RuntimeOf,
    caller: CallerOf,
    variant: Annotated[
        Variant, Query(description="The file itself, or a smaller version of it.")
    ] = "content",
    range_header: Annotated[
        str | None, Header(alias="Range", description="One range of bytes.")
    ] = None,
    if_range: Annotated[str | None, Header(description="Only if it still has this ETag.")] = None,
    if_none_match: Annotated[
        str | None, Header(description="Nothing if it still has this ETag.")
    ] = None,
) -> Response:
    """Return the file or one of its renditions, or the range of it that is asked for."""
    asset = await find_asset(runtime, caller.workspace_id, asset_id)
    key = _key(asset, variant)
    headers = _headers(asset, variant, key)
    if has_matching_etag(if_none_match, headers["ETag"]):
        kept = ("ETag", "Cache-Control")
        return Response(status_code=304, headers={name: headers[name] for name in kept})
    size = await runtime.library.size_of(key)
    # A range means something for GET alone.
    wanted = range_header if request.method == "GET" else None
    try:
        part = part_wanted(wanted if may_send_part(if_range, headers["ETag"]) else None, size)
    except NoSuchPartError:
        raise HTTPException(416, headers={"Content-Range": f"bytes */{size}"}) from None
    start, end = part or (0, size)
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(headers=headers)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(
        runtime.library.stream(key, start, end),
        status_code=200 if part is None else 206,
        headers=headers,
    )


def _key(asset: Asset, variant: Variant) -> str:
    key = asset_key(asset, variant)
    if key is None:
        raise NotFoundError(
            "rendition_not_found",
            f"The asset {asset.id} has no {variant} rendition.",
            hint="Leave `variant` out to get the file itself.",
        )
    return key


def _headers(asset: Asset, variant: Variant, key: str) -> dict[str, str]:
    name = key.rpartition("/")[2]
    kind = asset.facts.content_type
    if variant != "content":
        kind = _RENDITION_TYPES[name.rpartition(".")[2]]
    return {
        "Content-Type": kind,
        "Accept-Ranges": "bytes",
        "ETag": f'"{asset.sha256}-{variant}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}",
        # A file is shown as what it is and never runs as a page of this server.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
