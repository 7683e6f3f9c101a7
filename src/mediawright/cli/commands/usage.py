"""usage: what was asked for, charged and spent at providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mediawright.cli.account_options import workspace_option
from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from datetime import datetime

    from mediawright.app.usage import UsageReport

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option("--from", "first", type=_DAY, help="The first day; otherwise the month's first.")
@click.option("--to", "last", type=_DAY, help="The last day, included; otherwise today.")
@click.option(
    "--by",
    default="day",
    show_default=True,
    metavar="WORDS",
    help="Any of day, model, provider, key, operation, with commas between.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows for a spreadsheet.")
@workspace_option
@common_options
def usage(
    common: CommonOptions,
    first: datetime | None,
    last: datetime | None,
    by: str,
    workspace: str | None,
    *,
    as_csv: bool,
) -> int:
    """See what was used, charged and spent; days are UTC's."""
    from mediawright.cli.session import run

    if as_csv and common.json:
        raise click.UsageError("Choose --csv or --json.")
    return run(_usage(common, workspace, first, last, by, as_csv=as_csv))


async def _usage(
    common: CommonOptions,
    workspace: str | None,
    first: datetime | None,
    last: datetime | None,
    by: str,
    *,
    as_csv: bool,
) -> int:
    from mediawright.app.usage import dimensions, usage_csv, usage_of, usage_view
    from mediawright.cli.account_options import chosen
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        report = await usage_of(
            runtime,
            chosen(workspace),
            first=None if first is None else first.date(),
            last=None if last is None else last.date(),
            by=dimensions(by),
        )
    if common.json:
        print_json(usage_view(report))
    elif as_csv:
        click.echo(usage_csv(report), nl=False)
    else:
        _print(common, report)
    return 0


def _print(common: CommonOptions, report: UsageReport) -> None:
    from mediawright.app.usage import usage_view
    from mediawright.cli.output import say
    from mediawright.cli.tables import Column, print_table

    view = usage_view(report)
    total = view["total"]
    if not total["generations"]:
        say(f"Nothing was used from {view['from']} to {view['to']}.")
        return
    names = [{"key": "key_name"}.get(word, word) for word in view["by"]]
    columns = [
        *(Column(name=word) for word in view["by"]),
        Column(name="generations", right=True),
        Column(name="succeeded", right=True, rank=3),
        Column(name="failed", right=True, rank=2),
        Column(name="credits", right=True),
        Column(name="refunded", right=True, rank=4),
        Column(name="cost USD", right=True),
        Column(name="cost unknown", right=True, rank=1),
    ]
    lines = [*view["data"], {names[0]: "total", **total} if names else total]
    rows = [
        [
            *(str(line.get(name) or line.get("key_id") or "-") for name in names),
            str(line["generations"]),
            str(line["succeeded"]),
            str(line["failed"]),
            line["charge_credits"],
            line["refund_credits"],
            line["cost_usd"],
            str(line["cost_unknown"]),
        ]
        for line in lines
    ]
    print_table(common, columns, rows)
