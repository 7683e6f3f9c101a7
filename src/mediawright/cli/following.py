"""Starts a generation, shows how it goes, and hands over its files."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mediawright.app.follow import OnProgress, failure_of, wait_for
from mediawright.app.generate import Prepared, abandon, prepare, start
from mediawright.app.views import generation_view, local_urls, outputs_of
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.cli.files import copy_to
from mediawright.cli.output import (
    charge_words,
    console,
    is_interactive,
    price_words,
    print_json,
    say,
)
from mediawright.cli.session import working
from mediawright.core.errors import InsufficientCreditError, WaitTimeoutError
from mediawright.core.request import AdjustmentKind
from mediawright.core.states import GenerationState

if TYPE_CHECKING:
    from collections.abc import Generator

    from mediawright.app.intake import Draft
    from mediawright.app.runtime import Runtime
    from mediawright.cli.options import CommonOptions
    from mediawright.core.generation import Asset, Generation

INTERRUPTED = 130
_SECOND_THOUGHTS = 1.5
"""Seconds after a first Ctrl-C in which a second one cancels."""


class Delivery:
    """What becomes of a finished generation's files."""

    def __init__(
        self, *, output: Path | None, detach: bool, timeout: float | None, yes: bool
    ) -> None:
        """Say where files go, whether to wait, for how long, and whether a price is agreed."""
        self.output = output
        self.detach = detach
        self.timeout = timeout
        self.yes = yes


async def run_draft(common: CommonOptions, draft: Draft, delivery: Delivery) -> int:
    """Check, price, start and follow a generation; return the exit code."""
    async with working(common) as runtime:
        prepared = await prepare(runtime, DEFAULT_WORKSPACE, draft)
        _show_plan(prepared)
        if not _is_agreed(common, runtime, prepared, delivery):
            await abandon(prepared)
            raise _not_agreed(prepared)
        generation = await start(runtime, DEFAULT_WORKSPACE, prepared)
        if delivery.detach:
            return _detached(common, runtime, generation)
        return await follow(common, runtime, generation, delivery)


async def follow(
    common: CommonOptions, runtime: Runtime, generation: Generation, delivery: Delivery
) -> int:
    """Show progress until the generation ends; Ctrl-C detaches, a second one cancels."""
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupted.set)
    try:
        with _progress(common, generation) as on_progress:
            waiting = asyncio.create_task(
                wait_for(runtime, generation, seconds=delivery.timeout, on_progress=on_progress)
            )
            stopping = asyncio.create_task(interrupted.wait())
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
        if not waiting.done():
            waiting.cancel()
            return await _interrupted(runtime, generation, interrupted)
        ended = waiting.result()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    return await _deliver(common, runtime, ended, delivery)


async def _deliver(
    common: CommonOptions, runtime: Runtime, ended: Generation, delivery: Delivery
) -> int:
    assets = await outputs_of(runtime, ended)
    failure = failure_of(ended)
    if common.json and (failure is None or ended.state.is_terminal):
        print_json(generation_view(ended, assets, local_urls(runtime)))
    if failure is not None:
        if common.json:
            say(f"Error: {failure.message}")
            return failure.kind.exit_code
        raise failure
    if ended.state is not GenerationState.SUCCEEDED:
        raise WaitTimeoutError(
            "timeout",
            f"{ended.id} is not finished; it goes on when mediawright runs.",
            hint=f"mediawright generations watch {ended.id}",
            details={"generation_id": ended.id},
        )
    paths = [await _place(runtime, asset, delivery.output, len(assets)) for asset in assets]
    if not common.json:
        _print_outputs(assets, paths)
        say(f"{charge_words(ended)}; see how it went: mediawright trace {ended.id}")
    return 0


def _print_outputs(assets: list[Asset], paths: list[Path]) -> None:
    for asset, path in zip(assets, paths, strict=True):
        click.echo(asset.text if asset.text is not None else str(path))


async def _place(runtime: Runtime, asset: Asset, output: Path | None, count: int) -> Path:
    """Return where a file lies, after copying it to where the caller wants it."""
    path = await runtime.library.local_copy(asset)
    if output is None:
        return path
    number = None if count == 1 else asset.index
    return await asyncio.to_thread(copy_to, path, output, number)


def _show_plan(prepared: Prepared) -> None:
    checked = prepared.checked
    route = prepared.routes[0]
    where = "embedded engine" if route.provider == "local" else route.provider
    say(f"{checked.model.id} on {where}: {price_words(prepared.price)}")
    for item in checked.adjustments:
        # What was merely filled in was not asked for; `--json` has it all.
        if item.kind is not AdjustmentKind.DEFAULTED:
            say(f"  {item.kind.value} {item.pointer}: {item.reason}")


def _is_agreed(
    common: CommonOptions, runtime: Runtime, prepared: Prepared, delivery: Delivery
) -> bool:
    """Tell whether the price is agreed: it is nothing, imitated, said yes to, or asked for."""
    costs = prepared.price.credits is None or prepared.price.credits > 0
    if not costs or delivery.yes or runtime.settings.sandbox.enabled:
        return True
    return is_interactive(common) and click.confirm("Go on?", err=True)


def _not_agreed(prepared: Prepared) -> InsufficientCreditError:
    return InsufficientCreditError(
        "price_not_agreed",
        f"This costs money ({price_words(prepared.price)}) and nobody agreed to it.",
        hint="Add --yes to agree, or --sandbox to try it without spending anything.",
    )


def _detached(common: CommonOptions, runtime: Runtime, generation: Generation) -> int:
    if common.json:
        print_json(generation_view(generation, [], local_urls(runtime)))
    else:
        click.echo(generation.id)
    say(f"It goes on when mediawright runs: mediawright generations watch {generation.id}")
    return 0


async def _interrupted(runtime: Runtime, generation: Generation, interrupted: asyncio.Event) -> int:
    say(f"\nDetached from {generation.id}. Press Ctrl-C again to cancel it.")
    interrupted.clear()
    try:
        async with asyncio.timeout(_SECOND_THOUGHTS):
            await interrupted.wait()
    except TimeoutError:
        say(f"It goes on when mediawright runs: mediawright generations watch {generation.id}")
        return INTERRUPTED
    cancelled = await runtime.jobs.cancel(generation.workspace_id, generation.id)
    say(f"{cancelled.id} is {cancelled.status.value}.")
    return INTERRUPTED


@contextmanager
def _progress(common: CommonOptions, generation: Generation) -> Generator[OnProgress | None]:
    """Yield what draws progress: a bar where somebody watches, nothing otherwise."""
    if not is_interactive(common):
        yield None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with ExitStack() as stack:
        progress = stack.enter_context(
            Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[shown]:>4}"),
                TimeElapsedColumn(),
                console=console(common, err=True),
            )
        )
        task = progress.add_task(generation.model, total=None, shown="")

        def update(done: float | None, stage: str | None) -> None:
            description = f"{generation.model}: {stage}" if stage else generation.model
            if done is None:
                progress.update(task, description=description)
            else:
                progress.update(
                    task,
                    description=description,
                    total=1.0,
                    completed=done,
                    shown=f"{done:.0%}",
                )

        yield update
        progress.update(task, description=generation.model, total=1.0, completed=1.0, shown="")
