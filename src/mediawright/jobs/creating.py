"""The transaction of a new generation: its row, its hold, and perhaps its first attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from mediawright.core.errors import ConflictError
from mediawright.core.events import EventType
from mediawright.core.states import GenerationState
from mediawright.jobs.submitting import first_attempt
from mediawright.store import attempts, events, generations

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.admission import Admission
    from mediawright.jobs.context import JobContext

Claim = Callable[["Connection", "Generation"], None]
"""What else a new generation takes, in its own transaction; what it raises undoes that."""


def create_now(
    context: JobContext,
    admission: Admission,
    connection: Connection,
    generation: Generation,
    *,
    at_once: bool,
    claim: Claim | None = None,
) -> tuple[Generation, Attempt | None]:
    """Write a new generation with its hold.

    Args:
        context: The parts to work with.
        admission: Decides whether it may be made, and whether it may begin.
        connection: The open transaction.
        generation: The generation, queued.
        at_once: Whether this process would run it at once, if its provider answers at once.
        claim: What else it takes, such as its quote.

    Returns:
        The generation, or the earlier one that its idempotency key belongs to; and its first
        attempt when it has begun here and now.

    Raises:
        InsufficientCreditError: The balance does not cover the price.
        RateLimitedError: The workspace or key is over its limits.
        ConflictError: The idempotency key was used for another request.
    """
    if generation.idempotency_key is not None:
        earlier = generations.by_idempotency_key(
            connection, generation.workspace_id, generation.idempotency_key
        )
        if earlier is not None:
            return same_request(earlier, generation.request_hash), None
    now = generation.created_at
    admission.check_caller(connection, generation, now)
    added, attempt = generation, None
    if (
        at_once
        and generation.routes[0].synchronous
        and admission.at_once(connection, generation, now)
    ):
        added, attempt = _begun(generation, context.executor)
    if not generations.insert(connection, added):
        # Another process came first, between the two statements.
        return create_now(context, admission, connection, generation, at_once=at_once, claim=claim)
    if claim is not None:
        claim(connection, added)
    context.ledger.hold(connection, added)
    if attempt is not None:
        attempts.begin(connection, added.workspace_id, attempt)
    context.tracer.begin(connection, added)
    events.append(
        connection,
        workspace_id=added.workspace_id,
        type=EventType.GENERATION_CREATED,
        generation_id=added.id,
        data={"model": added.model, "operation": added.operation.value},
        now=now,
    )
    return added, attempt


def same_request(earlier: Generation, request_hash: str | None) -> Generation:
    """Return the generation that an idempotency key belongs to.

    Raises:
        ConflictError: `idempotency_key_reused`: it was made for another request.
    """
    if earlier.request_hash == request_hash:
        return earlier
    raise ConflictError(
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request.",
        hint="Use a new key for a new request.",
        details={"generation_id": earlier.id},
    )


def _begun(generation: Generation, executor: str) -> tuple[Generation, Attempt]:
    now = generation.created_at
    begun = msgspec.structs.replace(
        generation, state=GenerationState.SUBMITTING, executor=executor, started_at=now
    )
    return begun, first_attempt(begun, executor, now)
