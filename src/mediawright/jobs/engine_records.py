"""The engine's own records, which nobody needs once a generation has ended.

Everything here runs on the engine's loop, while DBOS is launched.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from dbos import DBOS

_PAGE = 500
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_BEGUN = ["PENDING", "ENQUEUED"]


async def drop(generation_id: str) -> None:
    """Drop every record of one generation."""
    found = await DBOS.list_workflows_async(
        workflow_id_prefix=generation_id, load_input=False, load_output=False
    )
    if found:
        await DBOS.delete_workflows_async([item.workflow_id for item in found])


async def drop_ended(before: datetime) -> int:
    """Drop the records of runs that ended before then; return how many."""
    dropped = 0
    while True:
        found = await DBOS.list_workflows_async(
            status=_ENDED,
            completed_before=before.isoformat(),
            limit=_PAGE,
            load_input=False,
            load_output=False,
        )
        if found:
            await DBOS.delete_workflows_async([item.workflow_id for item in found])
        dropped += len(found)
        if len(found) < _PAGE:
            return dropped


async def drop_stranded(before: datetime, living: Collection[str]) -> int:
    """Drop what nobody will finish: the rows have passed its generations on.

    Args:
        before: Only what was begun before then.
        living: The executors that are at work; theirs are kept.

    Returns:
        How many records were dropped.
    """
    dropped = kept = 0
    while True:
        found = await DBOS.list_workflows_async(
            status=_BEGUN,
            end_time=before.isoformat(),
            limit=_PAGE,
            offset=kept,
            load_input=False,
            load_output=False,
        )
        stranded = [item.workflow_id for item in found if item.executor_id not in living]
        if stranded:
            await DBOS.delete_workflows_async(stranded)
        dropped += len(stranded)
        kept += len(found) - len(stranded)
        if len(found) < _PAGE:
            return dropped
