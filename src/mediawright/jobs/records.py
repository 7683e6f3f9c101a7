"""A generation and its attempts as their rows have them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.errors import MediawrightError, NotFoundError
from mediawright.core.provider import Feature
from mediawright.store import attempts, generations

if TYPE_CHECKING:
    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.context import JobContext


async def load(context: JobContext, generation_id: str) -> Generation:
    """Return the generation as its row has it now.

    Raises:
        NotFoundError: There is none of that id.
    """
    found = await context.database.read(
        lambda connection: generations.get(connection, None, generation_id)
    )
    if found is None:
        raise no_such_generation(generation_id)
    return found


async def reload(context: JobContext, generation: Generation) -> Generation:
    """Return the generation as its row has it now."""
    return await load(context, generation.id)


async def latest_attempt(context: JobContext, generation_id: str) -> Attempt | None:
    """Return the last attempt to submit the generation."""
    return await context.database.read(
        lambda connection: attempts.latest(connection, generation_id)
    )


async def acknowledged_attempt(context: JobContext, generation_id: str) -> Attempt | None:
    """Return the last attempt if a provider has the job."""
    attempt = await latest_attempt(context, generation_id)
    return attempt if attempt is not None and attempt.handle else None


def is_repeatable(context: JobContext, provider: str) -> bool:
    """Tell whether a submit to that provider may be made again without a second job."""
    return has_feature(context, provider, Feature.REPEATABLE_SUBMIT)


def has_feature(context: JobContext, provider: str, feature: Feature) -> bool:
    """Tell whether a provider can do something; `False` also where it cannot be called."""
    try:
        return feature in context.providers.get(provider).features
    except MediawrightError:
        return False


def hook_url_of(context: JobContext, attempt: Attempt) -> str | None:
    """Return where a provider may report about an attempt; `None` if it cannot."""
    if context.hook_urls is None or not has_feature(context, attempt.provider, Feature.WEBHOOK):
        return None
    return context.hook_urls.of(attempt.provider, attempt.generation_id, attempt.number)


def no_such_generation(generation_id: str) -> NotFoundError:
    """Return the error for a generation that does not exist."""
    return NotFoundError("generation_not_found", f"There is no generation {generation_id}.")
