"""Webhook deliveries: which event is still to be posted where, and how the tries went.

A delivery is written in the transaction of its event, so that neither exists without the
other. Whoever sends takes deliveries for a while; should it die, they are due again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row, Text, bindparam, func, select, update

from mediawright.core.events import EventType
from mediawright.core.ids import IdPrefix, new_id
from mediawright.store import webhook_endpoints
from mediawright.store.codec import (
    from_micros,
    from_micros_or_none,
    to_json,
    to_micros,
    to_micros_or_none,
)
from mediawright.store.conditions import PENDING_DELIVERY
from mediawright.store.kinds import DeliveryState
from mediawright.store.tables import webhook_deliveries

_MOST_LOGGED = 20


class Try(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request to an endpoint."""

    at: str
    """ISO 8601, UTC."""
    milliseconds: int
    status: int | None = None
    """HTTP status; `None` if there was no answer."""
    error: str | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one endpoint."""

    id: str
    workspace_id: str
    endpoint_id: str
    event_sequence: int
    event_type: str
    state: DeliveryState
    tries: int
    next_at: datetime
    created_at: datetime
    generation_id: str | None = None
    payload: str | None = None
    log: tuple[Try, ...] = ()
    delivered_at: datetime | None = None


_log = msgspec.json.Decoder(tuple[Try, ...])

_T = webhook_deliveries
_OWN = _T.c.workspace_id == bindparam("workspace_id")
_INSERT = sa.insert(_T)
_DUE = (
    select(_T)
    .where(PENDING_DELIVERY, _T.c.next_at <= bindparam("now"))
    .order_by(_T.c.next_at)
    .limit(bindparam("most"))
    # Several senders take different ones.
    .with_for_update(skip_locked=True)
)
_IS_DUE = select(_T.c.id).where(PENDING_DELIVERY, _T.c.next_at <= bindparam("now")).limit(1)
_DUE_ELSEWHERE = _DUE.where(_T.c.endpoint_id.not_in(bindparam("busy", expanding=True)))
_TAKE = (
    update(_T)
    .where(_T.c.id.in_(bindparam("ids", expanding=True)))
    .values(next_at=bindparam("until"))
)
_KEEP_PAYLOAD = (
    update(_T)
    .where(_T.c.id == bindparam("of_delivery"), _T.c.payload.is_(None))
    .values(payload=bindparam("text", type_=Text))
)
_SETTLE = (
    update(_T)
    .where(_T.c.id == bindparam("of_delivery"), PENDING_DELIVERY)
    .values(
        state=bindparam("new_state"),
        tries=_T.c.tries + 1,
        next_at=bindparam("new_next_at"),
        log=bindparam("new_log"),
        delivered_at=bindparam("new_delivered_at"),
    )
)
_AGAIN = (
    update(_T)
    .where(_T.c.workspace_id == bindparam("of_workspace"), _T.c.id == bindparam("of_delivery"))
    .values(state=DeliveryState.PENDING.value, next_at=bindparam("now"), tries=0)
)
_GET = select(_T).where(_OWN, _T.c.id == bindparam("delivery_id"))
_PAGE = select(_T).where(_OWN).order_by(_T.c.id.desc()).limit(bindparam("most"))
_LAST_SUCCESS = select(func.max(_T.c.delivered_at)).where(
    _T.c.endpoint_id == bindparam("endpoint_id")
)


def fan_out(
    c: Connection,
    *,
    workspace_id: str,
    sequence: int,
    event: EventType,
    generation_id: str | None,
    now: datetime,
) -> int:
    """Note an event for every endpoint that wants to hear of it; return how many do."""
    wanting = webhook_endpoints.listening(c, workspace_id, event)
    for endpoint_id in wanting:
        insert(
            c,
            workspace_id=workspace_id,
            endpoint_id=endpoint_id,
            sequence=sequence,
            event_type=event.value,
            generation_id=generation_id,
            now=now,
        )
    return len(wanting)


def insert(
    c: Connection,
    *,
    workspace_id: str,
    endpoint_id: str,
    sequence: int,
    event_type: str,
    generation_id: str | None,
    now: datetime,
    payload: str | None = None,
) -> str:
    """Note an event for one endpoint, to be posted at once; return the delivery's id."""
    delivery_id = new_id(IdPrefix.WEBHOOK_DELIVERY)
    c.execute(
        _INSERT,
        {
            "id": delivery_id,
            "workspace_id": workspace_id,
            "endpoint_id": endpoint_id,
            "event_sequence": sequence,
            "event_type": event_type,
            "generation_id": generation_id,
            "state": DeliveryState.PENDING.value,
            "payload": payload,
            "tries": 0,
            "next_at": to_micros(now),
            "log": "[]",
            "created_at": to_micros(now),
            "delivered_at": None,
        },
    )
    return delivery_id


def is_due(c: Connection, now: datetime) -> bool:
    """Tell whether anything is due; costs no transaction that writes."""
    return c.execute(_IS_DUE, {"now": to_micros(now)}).first() is not None


def take(
    c: Connection,
    *,
    now: datetime,
    until: datetime,
    most: int,
    busy: Collection[str] = (),
) -> list[Delivery]:
    """Take deliveries that are due, so that nobody else sends them; for the sender.

    Args:
        c: The connection.
        now: The time.
        until: When they are due again, should nothing be heard of them.
        most: At most so many.
        busy: Endpoints that have enough under way.
    """
    values: dict[str, Any] = {"now": to_micros(now), "most": most}
    statement = _DUE
    if busy:
        values["busy"] = sorted(busy)
        statement = _DUE_ELSEWHERE
    taken = [_to_delivery(row) for row in c.execute(statement, values)]
    if taken:
        ids = [delivery.id for delivery in taken]
        c.execute(_TAKE, {"ids": ids, "until": to_micros(until)})
    return taken


def keep_payload(c: Connection, delivery_id: str, payload: str) -> None:
    """Write down what is sent, once, so that every try sends the same."""
    c.execute(_KEEP_PAYLOAD, {"of_delivery": delivery_id, "text": payload})


def settle(
    c: Connection,
    delivery: Delivery,
    state: DeliveryState,
    attempt: Try,
    *,
    next_at: datetime,
    delivered_at: datetime | None = None,
) -> bool:
    """Write down how a try went; tell whether the delivery was still pending.

    Args:
        c: The connection.
        delivery: As it was taken.
        state: Where it stands now.
        attempt: The try.
        next_at: When to try again, if it is still pending.
        delivered_at: When it arrived, if it did.
    """
    values = {
        "of_delivery": delivery.id,
        "new_state": state.value,
        "new_next_at": to_micros(next_at),
        "new_log": to_json((*delivery.log, attempt)[-_MOST_LOGGED:]),
        "new_delivered_at": to_micros_or_none(delivered_at),
    }
    return c.execute(_SETTLE, values).rowcount == 1


def send_again(c: Connection, workspace_id: str, delivery_id: str, now: datetime) -> bool:
    """Make a delivery due now, whatever became of it; tell whether there is such a one."""
    values = {"of_workspace": workspace_id, "of_delivery": delivery_id, "now": to_micros(now)}
    return c.execute(_AGAIN, values).rowcount == 1


def get(c: Connection, workspace_id: str, delivery_id: str) -> Delivery | None:
    """Return a delivery of a workspace."""
    values = {"workspace_id": workspace_id, "delivery_id": delivery_id}
    row = c.execute(_GET, values).first()
    return None if row is None else _to_delivery(row)


def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    before: str | None = None,
    endpoint_id: str | None = None,
    state: DeliveryState | None = None,
) -> list[Delivery]:
    """Return a workspace's deliveries, newest first.

    Args:
        c: The connection.
        workspace_id: Whose.
        limit: At most so many.
        before: The id of the last one already seen.
        endpoint_id: Only those to this endpoint.
        state: Only those that stand there.
    """
    statement = _PAGE
    values: dict[str, Any] = {"workspace_id": workspace_id, "most": limit}
    if before is not None:
        statement = statement.where(_T.c.id < bindparam("before"))
        values["before"] = before
    if endpoint_id is not None:
        statement = statement.where(_T.c.endpoint_id == bindparam("endpoint_id"))
        values["endpoint_id"] = endpoint_id
    if state is not None:
        statement = statement.where(_T.c.state == bindparam("state"))
        values["state"] = state.value
    return [_to_delivery(row) for row in c.execute(statement, values)]


def last_success(c: Connection, endpoint_id: str) -> datetime | None:
    """Return when a delivery to the endpoint last arrived; for the sender."""
    found = c.execute(_LAST_SUCCESS, {"endpoint_id": endpoint_id}).scalar()
    return from_micros_or_none(found)


def _to_delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        workspace_id=row.workspace_id,
        endpoint_id=row.endpoint_id,
        event_sequence=row.event_sequence,
        event_type=row.event_type,
        generation_id=row.generation_id,
        state=DeliveryState(row.state),
        payload=row.payload,
        tries=row.tries,
        next_at=from_micros(row.next_at),
        log=_log.decode(row.log),
        created_at=from_micros(row.created_at),
        delivered_at=from_micros_or_none(row.delivered_at),
    )
