"""limits, limits set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mediawright.cli.account_options import workspace_option
from mediawright.cli.limit_options import limit_options
from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.app.limits import Limits, LimitUse
    from mediawright.app.settings import Settings


@click.group(invoke_without_command=True)
@click.option("--key", metavar="KEY", help="Show the limits of this key too, by its id.")
@workspace_option
@common_options
@click.pass_context
def limits(
    context: click.Context, common: CommonOptions, workspace: str | None, key: str | None
) -> int:
    """See all limits, rates and credits, and what is used of them."""
    from mediawright.cli.session import run

    if context.invoked_subcommand is None:
        return run(_show(common, workspace, key))
    if workspace is not None or key is not None:
        raise click.UsageError(f"Write the options after {context.invoked_subcommand}.")
    return 0


@limits.command("set")
@limit_options
@workspace_option
@common_options
def set_(
    common: CommonOptions,
    requests_per_minute: int | str | None,
    concurrent: int | str | None,
    workspace: str | None,
) -> int:
    """Give the workspace limits of its own; `none` leaves it to the settings."""
    from mediawright.cli.session import run

    return run(_set(common, workspace, requests_per_minute, concurrent))


async def _show(common: CommonOptions, workspace: str | None, key: str | None) -> int:
    from mediawright.app.limits import limits_of, limits_view
    from mediawright.cli.account_options import chosen
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table

    async with looking(common) as runtime:
        found = await limits_of(runtime, chosen(workspace), key, in_full=True)
        settings = runtime.settings
    if common.json:
        print_json(limits_view(found, settings))
        return 0
    columns = (
        Column(name="of"),
        Column(name="limit", wraps=True),
        Column(name="allowed", right=True),
        Column(name="used", right=True),
        Column(name="left", right=True, rank=1),
        Column(name="free", rank=2),
    )
    print_table(common, columns, [*_use_rows(found), *_fixed_rows(found, settings)])
    return 0


def _use_rows(found: Limits) -> list[list[str]]:
    rows: list[list[str]] = []
    for caller in [found.workspace] + ([] if found.key is None else [found.key]):
        rows.append(_row(caller.scope.value, "requests per minute", caller.requests_per_minute))
        rows.append(
            _row(caller.scope.value, "generations at a time", caller.concurrent_generations)
        )
    for account in found.accounts:
        rows.append(_row(account.provider, "generations at a time", account.concurrent))
        rows.append(_row(account.provider, "submits per minute", account.requests_per_minute))
    return rows


def _row(owner: str, name: str, use: LimitUse) -> list[str]:
    from mediawright.cli.limit_options import in_words

    free = "now"
    if use.free_in_seconds is None:
        free = "when one ends"
    elif use.free_in_seconds > 0:
        free = f"in {use.free_in_seconds:.0f} s"
    return [owner, name, in_words(use.allowed), in_words(use.used), in_words(use.left), free]


def _fixed_rows(found: Limits, settings: Settings) -> list[list[str]]:
    from mediawright.app.limits import fixed_limits
    from mediawright.core.money import plain

    parts = fixed_limits(settings)
    rows = [
        ["credits", "available", found.available_credits],
        ["credits", "held", found.held_credits],
        ["credits", "per US dollar", plain(settings.account.credits_per_usd)],
    ]
    for part, values in parts.items():
        if part == "polling":
            continue
        rows += [[part, name.replace("_", " "), _shown(value)] for name, value in values.items()]
    for kind, cadence in parts["polling"].items():
        rows += [
            [f"polling {kind}", name.replace("_", " "), _shown(value)]
            for name, value in cadence.items()
        ]
    return [[*row, "", "", ""] for row in rows]


def _shown(value: object) -> str:
    if isinstance(value, int | float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return str(value)


async def _set(
    common: CommonOptions,
    workspace: str | None,
    requests_per_minute: int | str | None,
    concurrent: int | str | None,
) -> int:
    from mediawright.app.limits import limit_workspace, workspace_limits
    from mediawright.cli.account_options import chosen
    from mediawright.cli.limit_options import changed, in_words
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        before = await workspace_limits(runtime, chosen(workspace))
        rate = changed(requests_per_minute, before.requests_per_minute)
        most = changed(concurrent, before.concurrent_generations)
        await limit_workspace(
            runtime, chosen(workspace), requests_per_minute=rate, concurrent_generations=most
        )
    if common.json:
        print_json(
            {
                "workspace_id": chosen(workspace),
                "requests_per_minute": rate,
                "concurrent_generations": most,
            }
        )
    else:
        say(f"{chosen(workspace)}: {in_words(rate)} per minute, {in_words(most)} at a time.")
    return 0
