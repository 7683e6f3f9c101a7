"""Where providers report that a job has ended."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from mediawright.api.context import RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.api.replies import json_reply
from mediawright.api.reply_bodies import HookBody
from mediawright.app.hooks import PATH, check_address, receive
from mediawright.providerkit.signatures import HookRequest

router = APIRouter(tags=["providers"])

_MOST_BYTES = 512 * 1024
"""A report names files, and holds small ones at most."""


@router.post(
    PATH + "/{provider}/{generation_id}/{attempt}/{token}",
    operation_id="receive_hook",
    summary="Take the report of a provider",
    response_model=HookBody,
    responses=described_errors(400, 401, 404, 413, 503),
)
async def receive_hook(
    runtime: RuntimeOf,
    request: Request,
    provider: str,
    generation_id: str,
    attempt: str,
    token: str,
) -> Response:
    """For providers alone: each is given an address of its own for each job.

    No API key is needed. The address cannot be guessed, the provider's signature is verified,
    and a report is only a hint to ask the provider at once. A repeated report is taken as well.
    """
    number = await check_address(runtime, provider, generation_id, attempt, token)
    headers = {name.lower(): value for name, value in request.headers.items()}
    hook = HookRequest(headers=headers, body=await _body(request))
    is_new = await receive(runtime, provider, generation_id, number, hook)
    return json_reply({"received": True, "repeated": not is_new})


async def _body(request: Request) -> bytes:
    """Return the body; nothing of it is read before the address is known to be ours."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST_BYTES:
                raise HTTPException(413, headers={"Connection": "close"})
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)
