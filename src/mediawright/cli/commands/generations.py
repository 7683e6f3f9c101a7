"""generations list, show, watch, cancel, resolve."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.core.generation import Generation

_OUTCOMES = ("charged", "not-charged", "attach")
_RESOLVE_HELP = """Say what became of GENERATION, of which nobody knows if the provider took it.

\b
--as charged           The provider billed it and nothing came: the hold is captured.
--as not-charged       The provider never had it: the hold is released.
--as attach VENDOR_ID  The provider has it under that name: it is waited for.
"""
_STATUSES = ("pending", "queued", "processing", "completed", "failed", "cancelled")


@click.group()
@common_options
def generations(common: CommonOptions) -> None:
    """See, follow, cancel and resolve generations."""
    del common


@generations.command("list")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--before", metavar="GENERATION", help="Only older ones than this.")
@click.option("--status", type=click.Choice(_STATUSES))
@click.option("--model")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE")
@common_options
def list_(
    common: CommonOptions,
    limit: int,
    before: str | None,
    status: str | None,
    model: str | None,
    labels: tuple[str, ...],
) -> int:
    """List generations, newest first."""
    from mediawright.cli.arguments import pairs
    from mediawright.cli.session import run

    return run(_list(common, limit, before, status, model, pairs(labels)))


@generations.command()
@click.argument("generation")
@common_options
def show(common: CommonOptions, generation: str) -> int:
    """Show everything about GENERATION."""
    from mediawright.cli.session import run

    return run(_show(common, generation))


@generations.command()
@click.argument("generation")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Copy the files to this folder or file."
)
@click.option("--timeout", type=float, metavar="SECONDS", help="Wait so long at the most.")
@common_options
def watch(
    common: CommonOptions, generation: str, output: Path | None, timeout: float | None
) -> int:
    """Go on with GENERATION if nobody does, and follow it to its end."""
    from mediawright.cli.session import run

    return run(_watch(common, generation, output, seconds=timeout))


@generations.command()
@click.argument("generation")
@common_options
def cancel(common: CommonOptions, generation: str) -> int:
    """Cancel GENERATION; it is cancelled at once, whatever the provider says."""
    from mediawright.cli.session import run

    return run(_cancel(common, generation))


@generations.command(help=_RESOLVE_HELP)
@click.argument("generation")
@click.option(
    "--as",
    "outcome",
    nargs=1,
    required=True,
    type=click.Choice(_OUTCOMES),
    help="What became of it at the provider.",
)
@click.argument("vendor_id", required=False)
@common_options
def resolve(common: CommonOptions, generation: str, outcome: str, vendor_id: str | None) -> int:
    """Settle a submit that is in doubt."""
    from mediawright.cli.session import run

    return run(_resolve(common, generation, outcome, vendor_id))


async def _list(
    common: CommonOptions,
    limit: int,
    before: str | None,
    status: str | None,
    model: str | None,
    labels: dict[str, str],
) -> int:
    from mediawright.app.follow import list_generations
    from mediawright.app.route_views import attempts_of
    from mediawright.app.views import generation_view, local_urls
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import charge_words, print_json, say
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table
    from mediawright.core.states import PublicStatus

    async with looking(common) as runtime:
        found = await list_generations(
            runtime,
            DEFAULT_WORKSPACE,
            limit=limit,
            before=before,
            status=None if status is None else PublicStatus(status),
            model=model,
            metadata=labels,
        )
        urls = local_urls(runtime)
        ids = [item.id for item, _ in found] if common.json else []
        attempts = await attempts_of(runtime, DEFAULT_WORKSPACE, ids)
    if common.json:
        print_json(
            [generation_view(item, outputs, urls, attempts[item.id]) for item, outputs in found]
        )
        return 0
    if not found:
        say("There are no generations to show.")
    day = "%m-%d %H:%M" if sys.stdout.isatty() else "%Y-%m-%d %H:%M:%S"
    rows = [
        [
            item.id,
            _status_words(item),
            item.model,
            item.provider or "-",
            charge_words(item),
            item.created_at.astimezone().strftime(day),
            _shortened(item.request.prompt or ""),
        ]
        for item, _ in found
    ]
    columns = (
        Column(name="generation"),
        Column(name="status"),
        Column(name="model"),
        Column(name="provider", rank=4),
        Column(name="charge", rank=2),
        Column(name="started", rank=3),
        Column(name="prompt", rank=1, wraps=True),
    )
    print_table(common, columns, rows)
    return 0


async def _show(common: CommonOptions, generation_id: str) -> int:
    from mediawright.app.follow import get_generation
    from mediawright.app.route_views import outputs_and_attempts
    from mediawright.app.views import generation_view, local_urls
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import charge_words, facts_of, price_words, print_json, printable
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        generation = await get_generation(runtime, DEFAULT_WORKSPACE, generation_id)
        outputs, attempts = await outputs_and_attempts(runtime, generation)
        urls = local_urls(runtime)
        view = generation_view(generation, outputs, urls, attempts)
    if common.json:
        print_json(view)
        return 0
    lines: list[tuple[str, Any]] = [(name, view[name]) for name in _SHOWN]
    lines += [("price", price_words(generation.price)), ("charge", charge_words(generation))]
    if view["error"] is not None:
        lines.append(("error", f"{view['error']['message']} ({view['error']['code']})"))
    lines += [("route", _route_words(item)) for item in view["routes"]]
    lines += [
        (item["kind"], f"{item['pointer']} = {item.get('applied', '-')}: {item['reason']}")
        for item in view["adjustments"]
    ]
    lines += [("label", f"{name}={value}") for name, value in view["metadata"].items()]
    for asset in outputs:
        lines.append(("output", f"{urls(asset, 'content')} ({', '.join(facts_of(asset))})"))
        lines.append(("text", asset.text))
    for name, value in lines:
        if value not in (None, "", False):
            click.echo(f"{name.replace('_', ' ') + ':':<18}{printable(str(value))}")
    return 0


_SHOWN = (
    "generation_id",
    "status",
    "state",
    "stage",
    "attention",
    "model",
    "generation_type",
    "provider",
    "prompt",
    "created_at",
    "finished_at",
    "trace_id",
)
"""What of a generation's public form is shown as it is, in order."""


async def _watch(
    common: CommonOptions, generation_id: str, output: Path | None, *, seconds: float | None
) -> int:
    from mediawright.app.follow import get_generation
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.following import Delivery, follow
    from mediawright.cli.interruption import Interruption
    from mediawright.cli.session import joining

    delivery = Delivery(output=output, timeout=seconds)
    with Interruption() as interruption:
        async with joining(common) as runtime:
            generation = await get_generation(runtime, DEFAULT_WORKSPACE, generation_id)
            interruption.arm()
            return await follow(common, runtime, generation, delivery, interruption)


async def _cancel(common: CommonOptions, generation_id: str) -> int:
    from mediawright.app.views import full_view, local_urls
    from mediawright.cli.following import cancel as cancel_generation
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import joining

    async with joining(common) as runtime:
        cancelled = await cancel_generation(runtime, generation_id)
        view = await full_view(runtime, cancelled, local_urls(runtime))
    if common.json:
        print_json(view)
    else:
        say(f"{cancelled.id} is {cancelled.status.value}.")
    return 0


def _route_words(route: dict[str, Any]) -> str:
    """Return what became of a route, in words."""
    words = f"{route['provider']} as {route['upstream_id']}: {route['outcome']}"
    if route["attempts"] > 1:
        words += f" after {route['attempts']} attempts"
    return words if route["message"] is None else f"{words}, {route['message']}"


async def _resolve(
    common: CommonOptions, generation_id: str, outcome: str, vendor_id: str | None
) -> int:
    from mediawright.app.resolve import resolve_generation
    from mediawright.app.views import full_view, local_urls
    from mediawright.cli.output import charge_words, print_json, say
    from mediawright.cli.session import joining
    from mediawright.jobs.resolving import Resolution

    resolution = Resolution(outcome.replace("-", "_"))
    async with joining(common) as runtime:
        resolved = await resolve_generation(runtime, generation_id, resolution, vendor_id=vendor_id)
        view = await full_view(runtime, resolved, local_urls(runtime))
    if common.json:
        print_json(view)
    elif resolved.state.is_terminal:
        say(f"{resolved.id} is {resolved.status.value}; charged: {charge_words(resolved)}.")
    else:
        say(f"{resolved.id} goes on. Follow it: mediawright generations watch {resolved.id}")
    return 0


def _status_words(generation: Generation) -> str:
    from mediawright.app.views import attention_of

    attention = attention_of(generation)
    status = generation.status.value
    return status if attention is None else f"{status} ({attention})"


def _shortened(text: str, most: int = 40) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
