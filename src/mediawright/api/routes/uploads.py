"""Uploads: files that are at hand become assets, and then inputs."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from mediawright.api.context import CallerOf, RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.api.locations import asset_urls
from mediawright.api.multipart_files import MULTIPART, MultipartFiles, boundary_of
from mediawright.api.replies import error_body, json_reply
from mediawright.api.reply_bodies import UploadBody
from mediawright.app.uploads import upload
from mediawright.app.views import asset_view
from mediawright.core.errors import InvalidRequestError, Problem

router = APIRouter(prefix="/v1", tags=["assets"])

PATH = "/v1/upload/media"
"""The one address whose bodies may be large."""
_NOT_MULTIPART = Problem(
    code="invalid_content_type",
    message="The body of an upload must be multipart/form-data.",
    hint="curl -F files=@picture.png",
)
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "Each file as a part of its own.",
                        }
                    },
                }
            }
        },
    }
}


@router.post(
    PATH.removeprefix("/v1"),
    operation_id="upload_media",
    summary="Upload files",
    response_model=UploadBody,
    status_code=201,
    response_description="They are kept; use `urls` as `source_media_urls`.",
    responses=described_errors(400, 401, 415, 503),
    openapi_extra=_FORM,
)
async def upload_media(request: Request, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Keep one or more media files, known by their bytes, for use as inputs: all, or none."""
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        return json_reply(error_body(_NOT_MULTIPART, request.state.request_id), 415)
    try:
        async with (
            aclosing(request.stream()) as body,
            aclosing(MultipartFiles(boundary, body).files()) as files,
        ):
            uploaded = await upload(runtime, caller.workspace_id, files)
    except ClientDisconnect:
        raise InvalidRequestError(
            "invalid_body", "The connection broke off before all had arrived."
        ) from None
    urls = asset_urls(request)
    return json_reply(
        {
            "urls": [urls(one.asset, "content") for one in uploaded],
            "files": [{**asset_view(one.asset, urls), "name": one.name} for one in uploaded],
        },
        201,
    )
