"""Asking a provider once about a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.errors import MediawrightError
from mediawright.core.provider import Feature, Polled, Waiting

if TYPE_CHECKING:
    from mediawright.core.generation import Attempt
    from mediawright.jobs.context import JobContext


async def poll(context: JobContext, attempt: Attempt) -> Polled:
    """Ask the provider how the job of an attempt stands.

    A provider that cannot be called, because its key is missing for now, goes on with the job
    all the same: that is `Waiting`, like every question that fails.
    """
    try:
        provider = context.providers.get(attempt.provider)
    except MediawrightError as error:
        return Waiting(stage="unreachable", warning=error.message)
    await context.polls.take(attempt.provider)
    polled = await provider.poll(attempt.handle or {}, attempt.upstream_id)
    await context.health.polled(
        attempt.provider, polled.fault if isinstance(polled, Waiting) else None
    )
    return polled


async def cancel(context: JobContext, attempt: Attempt) -> bool:
    """Ask the provider to stop the job of an attempt; `False` if it cannot or would not."""
    try:
        provider = context.providers.get(attempt.provider)
    except MediawrightError:
        return False
    if Feature.CANCEL not in provider.features:
        return False
    return await provider.cancel(attempt.handle or {}, attempt.upstream_id)
