"""The store step: brings the finished media home and hands them to the settle step."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mediawright.core.errors import MediawrightError, Problem
from mediawright.core.events import EventType
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.provider import (
    Done,
    InlineMedia,
    RemoteMedia,
    StagedMedia,
    TranscriptOutput,
)
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.abandoning import Spent, settle_abandoned
from mediawright.jobs.announcing import keep_assets, tell
from mediawright.jobs.costs import book_cost_once, cost_of, reported_cost
from mediawright.jobs.fencing import is_fenced
from mediawright.jobs.records import reload
from mediawright.jobs.settling import settle_success, settle_without_media
from mediawright.store import assets, attempts, generations

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Asset, Attempt, Generation
    from mediawright.core.provider import Usage
    from mediawright.jobs.context import JobContext
    from mediawright.jobs.submitting import Delivered

_HOPELESS = frozenset({"corrupt_media"})
"""Errors of a file that trying again later cannot mend."""


async def store(context: JobContext, delivered: Delivered) -> Generation:
    """Store every output, then settle; nothing is booked before all files are safe.

    What arrives after the generation has ended is kept where it was paid for, and thrown away
    only where its owner cancelled it and nothing is to be kept.

    Raises:
        UnavailableError: `worker_fenced`: another process is in charge. It stores the same
            files under the same names, so they are left where they are.
    """
    generation, attempt, usage = delivered.generation, delivered.attempt, delivered.done.usage
    try:
        async with context.tracer.step(generation, "store") as span:
            stored = await store_outputs(context, delivered)
            span["bytes"] = sum(asset.facts.byte_count for asset in stored)
    except MediawrightError as error:
        if is_fenced(error):
            raise
        return await _not_stored(context, delivered, error)
    settled = await settle_success(context, generation, attempt, usage, stored)
    if settled is None:
        settled = await _too_late(context, delivered, stored)
    else:
        context.renditions.add(stored)
    await context.replies.discard(generation.id, attempt.number)
    return settled


async def store_outputs(context: JobContext, delivered: Delivered) -> list[Asset]:
    """Bring every output home and return what they are; no row is written.

    Raises:
        MediawrightError: An output cannot be fetched, is no proper file, or cannot be kept.
            What was stored before it stays, to be stored again under the same name.
    """
    stored: list[Asset] = []
    done = delivered.done
    for index in range(len(done.outputs)):
        context.lease.require()
        asset, done = await _store_patiently(context, delivered, done, index)
        stored.append(asset)
    return stored


async def _not_stored(
    context: JobContext, delivered: Delivered, error: MediawrightError
) -> Generation:
    """End a generation whose media could not be kept; what may still be had is had later."""
    generation, attempt = delivered.generation, delivered.attempt
    is_hopeless = error.code in _HOPELESS
    problem = Problem(
        code=error.code,
        message=error.message,
        hint=error.hint or "The provider finished the job, but its file could not be kept.",
        details=error.details,
    )
    ended = await settle_without_media(
        context,
        generation,
        GenerationState.FAILED,
        problem,
        delivered.done.usage,
        taken=attempt,
        may_deliver=not is_hopeless,
    )
    if is_hopeless:
        await context.replies.discard(generation.id, attempt.number)
    return ended


async def _too_late(context: JobContext, delivered: Delivered, stored: list[Asset]) -> Generation:
    """Deal with media that are here although their generation has ended."""
    current = await reload(context, delivered.generation)
    if current.state is GenerationState.SUCCEEDED:
        return current
    is_booked = current.charge_micros is not None
    if not is_booked:
        spent = Spent(is_billed=True, usage=delivered.done.usage)
        if not context.settings.keep_cancelled_results:
            await _throw_away(context, current, stored)
            return await settle_abandoned(context, current, delivered.attempt, spent)
        await settle_abandoned(
            context, current, delivered.attempt, spent._replace(may_deliver=True)
        )
    return await keep_late(context, delivered, stored)


async def store_late(context: JobContext, delivered: Delivered) -> bool:
    """Store media whose generation has ended without them; tell whether they are kept.

    What cannot be kept now may be tried again, unless the files themselves are no good.
    """
    generation, attempt = delivered.generation, delivered.attempt
    try:
        stored = await store_outputs(context, delivered)
    except MediawrightError as error:
        if error.code not in _HOPELESS:
            return False
        await close_attempt(context, generation, attempt, delivered.done.usage)
    else:
        await keep_late(context, delivered, stored)
    await context.replies.discard(generation.id, attempt.number)
    return True


async def close_attempt(
    context: JobContext, generation: Generation, attempt: Attempt, usage: Usage
) -> None:
    """Note that nothing more comes of an attempt; book what its provider says it bills."""
    now = context.clock.now()

    def work(connection: Connection) -> None:
        current = generations.lock(connection, generation.id)
        if current is not None and attempts.close(
            connection, generation.id, attempt.number, now=now
        ):
            book_cost_once(connection, current, reported_cost(usage), now=now)

    await context.database.write(work)


async def keep_late(context: JobContext, delivered: Delivered, stored: list[Asset]) -> Generation:
    """Keep stored files whose generation has ended; book the cost and charge nothing.

    Exactly one of several that try does it. A generation that has its files already, from
    another attempt, keeps those.
    """
    generation, attempt = delivered.generation, delivered.attempt
    now = context.clock.now()
    cost = cost_of(context, generation, attempt, delivered.done.usage)

    def work(connection: Connection) -> None:
        current = generations.lock(connection, generation.id)
        if current is None or current.state is GenerationState.SUCCEEDED:
            return
        attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.ACKNOWLEDGED,
            expected=(AttemptState.INTENT, AttemptState.UNKNOWN, AttemptState.REJECTED),
            now=now,
        )
        attempts.close(connection, generation.id, attempt.number, now=now)
        new = keep_assets(connection, current, stored, now)
        if not new:
            return
        book_cost_once(connection, current, cost, now=now)
        data = {"outputs": [asset.id for asset in new], "state": current.state.value}
        tell(connection, current, EventType.GENERATION_LATE_RESULT, now, data)

    await context.database.write(work)
    context.signals.changed(generation.id)
    return await reload(context, generation)


async def _store_patiently(
    context: JobContext, delivered: Delivered, done: Done, index: int
) -> tuple[Asset, Done]:
    """Store one output; on trouble ask the provider for a fresh URL and try again."""
    tries = 0
    while True:
        try:
            return await _store_output(context, delivered.generation, done, index), done
        except MediawrightError:
            tries += 1
            remote = isinstance(done.outputs[index], RemoteMedia)
            if not remote or tries > context.settings.download_retries:
                raise
        await context.clock.sleep(float(tries))
        done = await _fresh(context, delivered, done)


async def _fresh(context: JobContext, delivered: Delivered, done: Done) -> Done:
    """Ask again for the result, because its URLs may have expired."""
    attempt = delivered.attempt
    if attempt.handle is None:
        return done
    with suppress(MediawrightError):
        provider = context.providers.get(attempt.provider)
        again = await provider.poll(attempt.handle, attempt.upstream_id)
        if isinstance(again, Done) and len(again.outputs) == len(done.outputs):
            return again
    return done


async def _store_output(
    context: JobContext, generation: Generation, done: Done, index: int
) -> Asset:
    output = done.outputs[index]
    asset_id = new_id(IdPrefix.ASSET)
    path = generation.request.output_path if index == 0 else None
    if isinstance(output, TranscriptOutput):
        return await context.library.store_transcript(
            output.transcript,
            workspace_id=generation.workspace_id,
            asset_id=asset_id,
            generation_id=generation.id,
            index=index,
            output_path=path,
        )
    source = await _bytes_of(context, output)
    return await context.library.store(
        source,
        workspace_id=generation.workspace_id,
        asset_id=asset_id,
        generation_id=generation.id,
        index=index,
        output_path=path,
        expected_kind=output.kind,
        seed=output.seed,
        revised_prompt=output.revised_prompt,
        renditions=not context.renditions.is_deferred,
        # The reply stays on disk until the rows are written; a crash here starts over from it.
        unchanging=isinstance(output, StagedMedia),
    )


async def _bytes_of(
    context: JobContext, output: InlineMedia | StagedMedia | RemoteMedia
) -> Path | bytes:
    if isinstance(output, InlineMedia):
        return output.data
    if isinstance(output, StagedMedia):
        return output.path
    downloaded = await context.downloader.download(
        output.url, max_bytes=context.settings.largest_output
    )
    return downloaded.path


async def _throw_away(context: JobContext, generation: Generation, stored: list[Asset]) -> None:
    """Delete files that no row speaks of."""
    kept = await context.database.read(
        lambda connection: assets.for_generation(connection, generation.workspace_id, generation.id)
    )
    keys = {asset.key for asset in kept}
    for asset in stored:
        if asset.key not in keys:
            await context.library.delete(asset)
