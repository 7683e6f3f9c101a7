"""Routes of a generation that were passed over, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from mediawright.core.generation import SkippedRoute
from mediawright.store.codec import to_json, to_micros
from mediawright.store.tables import generations

_decoder = msgspec.json.Decoder(tuple[SkippedRoute, ...])

_GET = (
    select(generations.c.skipped_routes)
    .where(generations.c.id == bindparam("generation_id"))
    .with_for_update()
)
_SET = (
    update(generations)
    .where(generations.c.id == bindparam("of_generation"))
    .values(skipped_routes=bindparam("new_skipped_routes"), updated_at=bindparam("now"))
)


def append(
    c: Connection, generation_id: str, skipped: Sequence[SkippedRoute], *, now: datetime
) -> None:
    """Write down routes that were passed over; for the engine.

    A route that was passed over before is there once, with the latest reason.
    """
    before = c.execute(_GET, {"generation_id": generation_id}).scalar_one()
    found = {(item.provider, item.upstream_id): item for item in _decoder.decode(before)}
    found |= {(item.provider, item.upstream_id): item for item in skipped}
    values = {
        "of_generation": generation_id,
        "new_skipped_routes": to_json(tuple(found.values())),
        "now": to_micros(now),
    }
    c.execute(_SET, values)
