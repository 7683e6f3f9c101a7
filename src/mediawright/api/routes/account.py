"""The workspace's account: what it has, how it changed, and changes by an operator."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from mediawright.api.account_bodies import (
    AccountBody,
    EntryBody,
    EntryPage,
    RefundBody,
    SetMarkupBody,
    TopUpBody,
)
from mediawright.api.context import OPERATOR, CallerOf, RuntimeOf, require_scope
from mediawright.api.documentation import described_errors
from mediawright.api.replies import json_reply
from mediawright.app.account import (
    account_of,
    account_view,
    adjust,
    entry_view,
    list_entries,
    refund,
    top_up,
)
from mediawright.app.markups import set_markup
from mediawright.core.errors import InvalidRequestError
from mediawright.ledger.ledger import Booked

router = APIRouter(prefix="/v1", tags=["account"])

_CURSOR = re.compile(r"[0-9]{1,18}", re.ASCII)
_BOOKED_BEFORE = {200: {"model": EntryBody, "description": "It was booked before."}}
Key = Annotated[
    str | None, Header(description="The reference, where the body has none: booked once.")
]


@router.get(
    "/account",
    operation_id="get_account",
    summary="See the balance, the spending and the budgets",
    response_model=AccountBody,
    responses=described_errors(401),
)
async def show(runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return what the workspace has and spends; amounts are exact decimal numbers as text."""
    return json_reply(account_view(await account_of(runtime, caller.workspace_id)))


@router.put(
    "/account/markup",
    operation_id="set_markup",
    summary="Give the workspace a markup of its own",
    response_model=AccountBody,
    responses=described_errors(400, 401, 403, 413, 415),
)
async def mark_up(body: SetMarkupBody, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Set what is added to its prices from now on; needs a key with the scope `operator`."""
    require_scope(caller, OPERATOR)
    await set_markup(runtime, caller.workspace_id, body.markup)
    return json_reply(account_view(await account_of(runtime, caller.workspace_id)))


@router.get(
    "/account/ledger",
    operation_id="list_ledger",
    summary="List what changed the balance, newest first",
    response_model=EntryPage,
    responses=described_errors(400, 401),
)
async def index(
    runtime: RuntimeOf,
    caller: CallerOf,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Return a page of the entries whose sum is the balance."""
    if cursor is not None and not _CURSOR.fullmatch(cursor):
        raise InvalidRequestError(
            "invalid_cursor",
            "This is no cursor.",
            pointer="/cursor",
            hint="Use `next_cursor` of the page before.",
        )
    before = None if cursor is None else int(cursor)
    found = await list_entries(runtime, caller.workspace_id, limit=limit + 1, before=before)
    page, has_more = found[:limit], len(found) > limit
    return json_reply(
        {
            "data": [entry_view(entry) for entry in page],
            "has_more": has_more,
            "next_cursor": str(page[-1].sequence) if has_more else None,
        }
    )


@router.post(
    "/account/top-ups",
    operation_id="top_up",
    summary="Add credits",
    response_model=EntryBody,
    status_code=201,
    response_description="It is booked.",
    responses={**_BOOKED_BEFORE, **described_errors(400, 401, 403, 409, 413, 415)},
)
async def add(
    body: TopUpBody, runtime: RuntimeOf, caller: CallerOf, idempotency_key: Key = None
) -> Response:
    """Add credits to the workspace; needs a key with the scope `operator`."""
    require_scope(caller, OPERATOR)
    booked = await top_up(
        runtime,
        caller.workspace_id,
        body.amount_credits,
        reference=body.reference or idempotency_key,
        note=body.note,
    )
    return _booked(booked)


@router.post(
    "/account/adjustments",
    operation_id="adjust_balance",
    summary="Correct the balance",
    response_model=EntryBody,
    status_code=201,
    response_description="It is booked.",
    responses={**_BOOKED_BEFORE, **described_errors(400, 401, 402, 403, 409, 413, 415)},
)
async def correct(
    body: TopUpBody, runtime: RuntimeOf, caller: CallerOf, idempotency_key: Key = None
) -> Response:
    """Add credits, or take them away by a negative amount; needs the scope `operator`."""
    require_scope(caller, OPERATOR)
    booked = await adjust(
        runtime,
        caller.workspace_id,
        body.amount_credits,
        reference=body.reference or idempotency_key,
        note=body.note,
    )
    return _booked(booked)


@router.post(
    "/generations/{generation_id}/refund",
    operation_id="refund_generation",
    summary="Give back what a generation was charged",
    response_model=EntryBody,
    status_code=201,
    response_description="It is booked.",
    responses={**_BOOKED_BEFORE, **described_errors(400, 401, 403, 404, 409, 413, 415)},
)
async def give_back(
    generation_id: str, runtime: RuntimeOf, caller: CallerOf, body: RefundBody | None = None
) -> Response:
    """Give back a charge or a part of it, once; needs a key with the scope `operator`."""
    require_scope(caller, OPERATOR)
    wanted = body or RefundBody()
    booked = await refund(
        runtime, caller.workspace_id, generation_id, wanted.amount_credits, note=wanted.note
    )
    return _booked(booked)


def _booked(booked: Booked) -> Response:
    return json_reply(entry_view(booked.entry), 201 if booked.is_new else 200)
