"""models list, models search, models show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mediawright.cli.options import CommonOptions, common_options, current_invocation
from mediawright.core.operations import Operation


@click.group()
@common_options
def models(common: CommonOptions) -> None:
    """See what can be asked for, and at which price."""
    del common


_FILTERS = (
    click.option("--kind", type=click.Choice(["image", "video", "audio", "text"])),
    click.option(
        "--operation",
        type=click.Choice([operation.value for operation in Operation]),
        metavar="OPERATION",
        help="Such as text-to-video.",
    ),
    click.option("--provider", help="Only those it serves."),
    click.option(
        "--max-credits",
        metavar="CREDITS",
        help="Only those that usually cost at most so much; an unknown price does not count.",
    ),
    click.option("--live/--ended", default=None, help="Only those that can be called, or not."),
    click.option("--ready", is_flag=True, help="Only those that could be used now."),
)


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_FILTERS):
        command = option(command)
    return common_options(command)


@models.command("list")
@_filters
def list_(common: CommonOptions, **filters: Any) -> int:
    """List the models."""
    from mediawright.cli.session import run

    return run(_list(common, None, **filters))


@models.command()
@click.argument("words", nargs=-1, required=True)
@_filters
def search(common: CommonOptions, words: tuple[str, ...], **filters: Any) -> int:
    """List the models in whose names or descriptions all WORDS occur."""
    from mediawright.cli.session import run

    return run(_list(common, " ".join(words), **filters))


@models.command()
@click.argument("model")
@common_options
def show(common: CommonOptions, model: str) -> int:
    """Show what MODEL takes, what it costs and who serves it."""
    from mediawright.cli.session import run

    return run(_show(common, model))


async def _list(
    common: CommonOptions,
    words: str | None,
    *,
    kind: str | None,
    operation: str | None,
    provider: str | None,
    max_credits: str | None,
    live: bool | None,
    ready: bool,
) -> int:
    from mediawright.app.models import list_models
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.account_options import read_amount
    from mediawright.cli.model_pages import NO_KEY, lowest_price, readiness
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table
    from mediawright.core.operations import MediaKind

    async with looking(common, at_providers=True) as runtime:
        found = await list_models(
            runtime,
            DEFAULT_WORKSPACE,
            kind=None if kind is None else MediaKind(kind),
            operation=None if operation is None else Operation(operation),
            provider=provider,
            live=live,
            max_credits=None if max_credits is None else read_amount(max_credits),
            words=words,
        )
    shown = [model for model in found if model["ready"] or not ready]
    if common.json:
        print_json(shown)
        return 0
    rows = [
        [
            model["id"],
            ", ".join(model["generation_types"]),
            ", ".join(dict.fromkeys(route["provider"] for route in model["routes"])),
            lowest_price(model),
            readiness(model),
        ]
        for model in shown
    ]
    columns = (
        Column(name="model"),
        Column(name="makes", wraps=True),
        Column(name="served by", wraps=True, rank=1),
        Column(name="price", wraps=True),
        Column(name="ready"),
    )
    print_table(common, columns, rows)
    if any(readiness(model) == NO_KEY for model in shown):
        say("Without a key: mediawright doctor says which variable to set; --sandbox needs none.")
    return 0


async def _show(common: CommonOptions, model_id: str) -> int:
    from mediawright.app.models import describe_model
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.model_pages import input_rows, notes, parameter_rows, price_lines
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table

    current_invocation().model = model_id
    async with looking(common, at_providers=True) as runtime:
        model: dict[str, Any] = await describe_model(runtime, DEFAULT_WORKSPACE, model_id)
    if common.json:
        print_json(model)
        return 0
    for line in notes(model):
        click.echo(line)
    parameters = (
        Column(name="parameter"),
        Column(name="values", wraps=True),
        Column(name="default"),
        Column(name="meaning", wraps=True, rank=1),
    )
    print_table(common, parameters, parameter_rows(model))
    inputs = input_rows(model)
    if inputs:
        columns = (
            Column(name="input"),
            Column(name="for", wraps=True),
            Column(name="how many"),
            Column(name="files", wraps=True),
        )
        print_table(common, columns, inputs)
    for line in price_lines(model):
        click.echo(line)
    return 0
