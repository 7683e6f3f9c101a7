"""The store step: brings the finished media home and hands them to the settle step."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mediawright.core.errors import MediawrightError, Problem
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.provider import (
    Done,
    InlineMedia,
    RemoteMedia,
    StagedMedia,
    TranscriptOutput,
)
from mediawright.core.states import GenerationState
from mediawright.jobs.settling import (
    reload,
    settle_abandoned,
    settle_success,
    settle_without_media,
)

if TYPE_CHECKING:
    from mediawright.core.generation import Asset, Generation
    from mediawright.jobs.context import JobContext
    from mediawright.jobs.submitting import Delivered


async def store(context: JobContext, delivered: Delivered) -> Generation:
    """Store every output, then settle; nothing is booked before all files are safe."""
    generation = delivered.generation
    stored: list[Asset] = []
    try:
        async with context.tracer.step(generation, "store") as span:
            done = delivered.done
            for index in range(len(done.outputs)):
                asset, done = await _store_patiently(context, delivered, done, index)
                stored.append(asset)
            span["bytes"] = sum(asset.facts.byte_count for asset in stored)
    except MediawrightError as error:
        await _discard(context, delivered, stored)
        problem = Problem(
            code=error.code,
            message=error.message,
            hint=error.hint or "The provider finished the job, but its file could not be kept.",
            details=error.details,
        )
        return await settle_without_media(
            context, generation, GenerationState.FAILED, problem, delivered.done.usage
        )
    settled = await settle_success(
        context, generation, delivered.attempt, delivered.done.usage, stored
    )
    if settled is None:
        await _discard(context, delivered, stored)
        return await settle_abandoned(context, await reload(context, generation), delivered.attempt)
    await context.replies.discard(generation.id, delivered.attempt.number)
    return settled


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


async def _discard(context: JobContext, delivered: Delivered, stored: list[Asset]) -> None:
    for asset in stored:
        await context.library.delete(asset)
    await context.replies.discard(delivered.generation.id, delivered.attempt.number)
