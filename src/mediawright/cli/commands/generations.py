"""generations list, show, watch, cancel."""

from __future__ import annotations

from pathlib import Path

import click

from mediawright.cli.options import CommonOptions, common_options

_STATUSES = ("pending", "queued", "processing", "completed", "failed", "cancelled")


@click.group()
def generations() -> None:
    """See, follow and cancel generations."""


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


async def _list(
    common: CommonOptions,
    limit: int,
    before: str | None,
    status: str | None,
    model: str | None,
    labels: dict[str, str],
) -> int:
    from mediawright.app.follow import list_generations
    from mediawright.app.views import generation_view, local_urls
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import charge_words, print_json, print_table
    from mediawright.cli.session import looking
    from mediawright.core.states import GenerationState, public_status

    wanted = frozenset(state for state in GenerationState if public_status(state) == status)
    async with looking(common) as runtime:
        found = await list_generations(
            runtime,
            DEFAULT_WORKSPACE,
            limit=limit,
            before=before,
            states=wanted if status else None,
            model=model,
            metadata=labels,
        )
        urls = local_urls(runtime)
    if common.json:
        print_json([generation_view(item, outputs, urls) for item, outputs in found])
        return 0
    rows = [
        [
            item.id,
            item.status.value,
            item.model,
            item.provider or "-",
            charge_words(item),
            item.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            _shortened(item.request.prompt or ""),
        ]
        for item, _ in found
    ]
    columns = ("generation", "status", "model", "provider", "charge", "started", "prompt")
    print_table(common, columns, rows)
    return 0


async def _show(common: CommonOptions, generation_id: str) -> int:
    from mediawright.app.follow import get_generation
    from mediawright.app.views import generation_view, local_urls, outputs_of
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        generation = await get_generation(runtime, DEFAULT_WORKSPACE, generation_id)
        outputs = await outputs_of(runtime, generation)
        view = generation_view(generation, outputs, local_urls(runtime))
    if common.json:
        print_json(view)
        return 0
    for name, value in view.items():
        if name != "outputs" and value not in (None, [], {}):
            click.echo(f"{name + ':':<24} {value}")
    for output in view["outputs"]:
        click.echo(f"{'output:':<24} {output['url']} ({output['media_type']})")
    return 0


async def _watch(
    common: CommonOptions, generation_id: str, output: Path | None, *, seconds: float | None
) -> int:
    from mediawright.app.follow import get_generation
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.following import Delivery, follow
    from mediawright.cli.session import working

    async with working(common) as runtime:
        generation = await get_generation(runtime, DEFAULT_WORKSPACE, generation_id)
        delivery = Delivery(output=output, detach=False, timeout=seconds, yes=True)
        return await follow(common, runtime, generation, delivery)


async def _cancel(common: CommonOptions, generation_id: str) -> int:
    from mediawright.app.views import generation_view, local_urls
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import cancelling

    async with cancelling(common) as runtime:
        cancelled = await runtime.jobs.cancel(DEFAULT_WORKSPACE, generation_id)
        view = generation_view(cancelled, [], local_urls(runtime))
    if common.json:
        print_json(view)
    else:
        say(f"{cancelled.id} is {cancelled.status.value}.")
    return 0


def _shortened(text: str, most: int = 40) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
