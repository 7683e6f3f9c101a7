"""The processes at work, as an operator sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.store import custody
from mediawright.store.workers import Worker

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime


class BusyWorker(msgspec.Struct, frozen=True, kw_only=True):
    """A process and how much it has to do."""

    worker: Worker
    generations: int
    """Those it has under way."""


async def list_workers(runtime: Runtime) -> list[BusyWorker]:
    """Return the processes that work on the installation's database, the oldest first."""
    found = await runtime.membership.all()
    counts = await runtime.database.read(custody.counts)
    return [BusyWorker(worker=item, generations=counts.get(item.id, 0)) for item in found]


def worker_view(busy: BusyWorker) -> dict[str, Any]:
    """Return a process as the API shows it."""
    worker = busy.worker
    return {
        "id": worker.id,
        "role": worker.role,
        "host": worker.host,
        "process_id": worker.process_id,
        "version": worker.version,
        "started_at": worker.started_at,
        "seen_at": worker.seen_at,
        "stopping": worker.stopping,
        "generations": busy.generations,
    }
