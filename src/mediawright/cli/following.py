"""Starts a generation, shows how it goes, and hands over its files."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import msgspec

from mediawright.app.follow import failure_of, get_generation, wait_for
from mediawright.app.generate import Prepared, abandon, prepare, start
from mediawright.app.quote_use import find_usable
from mediawright.app.route_views import outputs_and_attempts
from mediawright.app.views import full_view, generation_view, local_urls
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.cli.files import copy_to, wanted_format
from mediawright.cli.interruption import Interruption
from mediawright.cli.next_steps import command_line
from mediawright.cli.output import charge_words, is_answering, price_words, print_json, say
from mediawright.cli.progress import live_view
from mediawright.cli.questions import confirm
from mediawright.cli.session import working
from mediawright.core.errors import ConflictError, InsufficientCreditError, WaitTimeoutError
from mediawright.core.request import AdjustmentKind
from mediawright.core.states import GenerationState
from mediawright.jobs.routing import CIRCUIT_OPEN

if TYPE_CHECKING:
    from pathlib import Path

    from mediawright.app.intake import Draft
    from mediawright.app.runtime import Runtime
    from mediawright.cli.options import CommonOptions
    from mediawright.cli.progress import Row
    from mediawright.core.generation import Asset, Attempt, Generation

INTERRUPTED = 130
_SECOND_THOUGHTS = 1.5
"""Seconds after a first Ctrl-C in which a second one cancels."""
_SETTLING = 5.0
"""Seconds to wait for the provider to hear of a cancellation; later it hears of it anyway."""
_BETWEEN_LOOKS = 0.1
_LOOK_AGAIN = 1.0
"""Seconds between two looks at the rows, for progress that another process makes."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What becomes of a finished generation's files."""

    output: Path | None = None
    """The folder or the file they are copied to."""
    detach: bool = False
    timeout: float | None = None
    """Seconds to wait at the most."""
    yes: bool = False
    """Whether the price is agreed to beforehand."""
    quote: str | None = None
    """The quote whose price is agreed to and not exceeded."""


async def run_draft(common: CommonOptions, draft: Draft, delivery: Delivery) -> int:
    """Check, price, start and follow a generation; return the exit code."""
    with Interruption() as interruption:
        async with working(common) as runtime:
            named = _named(runtime, draft, delivery)
            quote = None
            if delivery.quote is not None:
                quote = await find_usable(runtime, DEFAULT_WORKSPACE, delivery.quote)
            prepared = await prepare(runtime, DEFAULT_WORKSPACE, named, quote=quote)
            try:
                await _agree(runtime, prepared, delivery)
            except BaseException:
                await abandon(prepared)
                raise
            # From here on there is a generation, which Ctrl-C does not undo.
            interruption.arm()
            generation = await start(runtime, DEFAULT_WORKSPACE, prepared)
            if delivery.detach:
                return await _detached(common, runtime, generation)
            return await follow(common, runtime, generation, delivery, interruption)


async def follow(
    common: CommonOptions,
    runtime: Runtime,
    generation: Generation,
    delivery: Delivery,
    interruption: Interruption,
) -> int:
    """Show progress until the generation ends; Ctrl-C detaches, a second one cancels."""
    with live_view(common) as view:
        row = view.row(generation.model)
        ended = await _until_ended(runtime, generation, delivery, interruption, row)
        if ended is None:
            row.end("detached")
        elif ended.state.is_terminal or ended.state is GenerationState.UNKNOWN:
            well = ended.state is GenerationState.SUCCEEDED
            row.end("done" if well else ended.state.value, well=well)
        else:
            row.end("still running")
    if ended is None:
        return await _interrupted(common, runtime, generation, interruption)
    return await _deliver(common, runtime, ended, delivery)


async def cancel(runtime: Runtime, generation_id: str) -> Generation:
    """Cancel a generation and return it, its charge settled unless that takes long.

    Raises:
        NotFoundError: There is none of that id.
        ConflictError: It has already ended, or nobody knows whether it was accepted.
    """
    cancelled = await runtime.jobs.cancel(DEFAULT_WORKSPACE, generation_id)
    deadline = time.monotonic() + _SETTLING
    while cancelled.charge_micros is None and time.monotonic() < deadline:
        await asyncio.sleep(_BETWEEN_LOOKS)
        cancelled = await get_generation(runtime, DEFAULT_WORKSPACE, generation_id)
    return cancelled


async def _until_ended(
    runtime: Runtime,
    generation: Generation,
    delivery: Delivery,
    interruption: Interruption,
    row: Row,
) -> Generation | None:
    """Return the generation when it has ended or time is up; `None` after Ctrl-C."""
    heard = [0.0]

    def show(done: float | None, stage: str | None) -> None:
        heard[0] = time.monotonic()
        row.show(done, stage)

    async def mirror() -> None:
        while True:
            await asyncio.sleep(_LOOK_AGAIN)
            if time.monotonic() - heard[0] > _LOOK_AGAIN:
                current = await get_generation(runtime, generation.workspace_id, generation.id)
                row.show(current.progress, current.stage or current.state.value)

    row.show(generation.progress, generation.stage or generation.state.value)
    waiting = asyncio.create_task(
        wait_for(runtime, generation, seconds=delivery.timeout, on_progress=show)
    )
    mirroring = asyncio.create_task(mirror())
    pressed = asyncio.create_task(interruption.pressed.wait())
    try:
        await asyncio.wait({waiting, pressed}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        for task in (waiting, mirroring, pressed):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _deliver(
    common: CommonOptions, runtime: Runtime, ended: Generation, delivery: Delivery
) -> int:
    assets, attempts = await outputs_and_attempts(runtime, ended)
    places = [await _place(runtime, asset, delivery.output, len(assets)) for asset in assets]
    failure = failure_of(ended)
    if common.json:
        print_json(_view(runtime, ended, assets, places, attempts))
    if failure is not None:
        raise failure
    if ended.state is not GenerationState.SUCCEEDED:
        if not common.json:
            click.echo(ended.id)
        raise WaitTimeoutError(
            "timeout",
            f"{ended.id} is not finished; it goes on when mediawright runs.",
            details={"generation_id": ended.id},
        )
    if not common.json:
        for asset, place in zip(assets, places, strict=True):
            click.echo(asset.text if asset.text is not None else str(place))
    trace = command_line(common, "trace", ended.id)
    say(f"{charge_words(ended)}; see how it went: {trace}")
    return 0


async def _place(runtime: Runtime, asset: Asset, output: Path | None, count: int) -> Path:
    """Return where a file lies, after copying it to where the caller wants it."""
    path = await runtime.library.local_copy(asset)
    if output is None:
        return path
    number = None if count == 1 else asset.index
    place = await asyncio.to_thread(copy_to, path, output, number=number, text=asset.text)
    if output.suffix and place.suffix != output.suffix:
        say(f"Saved as {place}: that is what the file is.")
    return place


def _view(
    runtime: Runtime,
    generation: Generation,
    assets: list[Asset],
    places: list[Path],
    attempts: list[Attempt],
) -> dict[str, Any]:
    view = generation_view(generation, assets, local_urls(runtime), attempts)
    for output, place in zip(view["outputs"], places, strict=True):
        output["path"] = str(place)
    return view


def _named(runtime: Runtime, draft: Draft, delivery: Delivery) -> Draft:
    """Return the draft asking for the format that the name of the output file promises."""
    if draft.parameters.output_format is not None or delivery.output is None:
        return draft
    found, _ = runtime.catalogue.find(draft.model)
    named = None if found is None else wanted_format(delivery.output, found[0])
    if named is None:
        return draft
    parameters = msgspec.structs.replace(draft.parameters, output_format=named)
    return msgspec.structs.replace(draft, parameters=parameters)


async def _agree(runtime: Runtime, prepared: Prepared, delivery: Delivery) -> None:
    """Show what will be done at which price, and get that agreed to.

    A price is agreed when it is nothing, imitated, quoted, or said yes to.

    Raises:
        InsufficientCreditError: `price_not_agreed`.
    """
    _show_plan(prepared)
    price = prepared.price
    costs = price.credits is None or price.credits > 0
    is_quoted = prepared.quote is not None and prepared.quote.price.is_known
    if not costs or delivery.yes or is_quoted or runtime.settings.sandbox.enabled:
        return
    if is_answering() and await confirm("Go on?"):
        return
    raise InsufficientCreditError(
        "price_not_agreed",
        f"This costs money ({price_words(price)}) and nobody agreed to it.",
        hint="Add --yes to agree, or --sandbox to try it without spending anything.",
    )


def _show_plan(prepared: Prepared) -> None:
    checked = prepared.checked
    route = prepared.routes[0]
    where = "the embedded engine" if route.provider == "local" else route.provider
    say(f"{checked.model.id} on {where}: {price_words(prepared.price)}")
    for skipped in prepared.skipped_routes:
        # What is not set up here is known; what is down today is not.
        if skipped.reason == CIRCUIT_OPEN:
            say(f"  skipped {skipped.provider}: {skipped.message}")
    for item in checked.adjustments:
        # What was merely filled in was not asked for; `--json` has it all.
        if item.kind is not AdjustmentKind.DEFAULTED:
            say(f"  {item.kind.value} {item.pointer}: {item.reason}")


async def _detached(common: CommonOptions, runtime: Runtime, generation: Generation) -> int:
    if common.json:
        print_json(await full_view(runtime, generation, local_urls(runtime)))
    else:
        click.echo(generation.id)
    _say_it_goes_on(common, runtime, generation)
    return 0


async def _interrupted(
    common: CommonOptions, runtime: Runtime, generation: Generation, interruption: Interruption
) -> int:
    await interruption.forget()
    say(f"Detached from {generation.id}. Press Ctrl-C again to cancel it.")
    if await interruption.pressed_within(_SECOND_THOUGHTS):
        try:
            cancelled = await cancel(runtime, generation.id)
            say(f"{cancelled.id} is {cancelled.status.value}.")
        except ConflictError as error:
            say(error.message)
    else:
        _say_it_goes_on(common, runtime, generation)
    interruption.let_go()
    current = await get_generation(runtime, generation.workspace_id, generation.id)
    if common.json:
        print_json(await full_view(runtime, current, local_urls(runtime)))
    elif not current.state.is_terminal:
        click.echo(generation.id)
    return INTERRUPTED


def _say_it_goes_on(common: CommonOptions, runtime: Runtime, generation: Generation) -> None:
    sandbox = runtime.settings.sandbox
    if generation.routes[0].synchronous and generation.price.credits != 0:
        say("Its reply is on the way and paid for: it is awaited before this command ends.")
    elif sandbox.enabled and sandbox.url is None:
        say("The embedded sandbox ends with this command and forgets what it has taken on.")
        say("For tasks that outlive a command: `mediawright sandbox`, and MEDIAWRIGHT_SANDBOX_URL.")
    else:
        say("It goes on when mediawright runs.")
    say(f"Next: {command_line(common, 'generations', 'watch', generation.id)}")
