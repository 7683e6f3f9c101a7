"""budgets list, budgets set, budgets remove."""

from __future__ import annotations

import click

from mediawright.cli.account_options import workspace_option
from mediawright.cli.options import CommonOptions, common_options


@click.group()
@common_options
def budgets(common: CommonOptions) -> None:
    """Limit what is spent in a day or a month."""
    del common


@budgets.command("list")
@workspace_option
@common_options
def list_(common: CommonOptions, workspace: str | None) -> int:
    """List the budgets and how they stand."""
    from mediawright.cli.session import run

    return run(_list(common, workspace))


@budgets.command("set")
@click.argument("limit")
@click.option(
    "--period",
    type=click.Choice(["day", "month"]),
    default="month",
    show_default=True,
    help="Days and months are UTC's.",
)
@click.option(
    "--action",
    type=click.Choice(["refuse", "warn"]),
    default="refuse",
    show_default=True,
    help="What happens to a request that exceeds it.",
)
@click.option("--key", metavar="KEY", help="For this key alone, by its id.")
@click.option("--allow-unknown-price", is_flag=True, help="Let pass what has no price.")
@workspace_option
@common_options
def set_(
    common: CommonOptions,
    limit: str,
    period: str,
    action: str,
    key: str | None,
    workspace: str | None,
    *,
    allow_unknown_price: bool,
) -> int:
    """Let no more than LIMIT credits be spent; the same budget set again is changed."""
    from mediawright.cli.session import run

    return run(
        _set(
            common,
            workspace,
            limit,
            period=period,
            action=action,
            key=key,
            allow_unknown_price=allow_unknown_price,
        )
    )


@budgets.command()
@click.argument("budget")
@workspace_option
@common_options
def remove(common: CommonOptions, budget: str, workspace: str | None) -> int:
    """Remove BUDGET, by its id."""
    from mediawright.cli.session import run

    return run(_remove(common, workspace, budget))


async def _list(common: CommonOptions, workspace: str | None) -> int:
    from mediawright.app.budgets import budget_view, list_budgets
    from mediawright.cli.account_options import chosen
    from mediawright.cli.money_words import until
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table

    async with looking(common) as runtime:
        views = [budget_view(one) for one in await list_budgets(runtime, chosen(workspace))]
    if common.json:
        print_json(views)
        return 0
    if not views:
        say("There are no budgets.")
    rows = [
        [
            view["budget_id"],
            view["key_id"] or "-",
            view["period"],
            view["action"],
            view["limit_credits"],
            view["spent_credits"],
            view["left_credits"],
            until(view),
        ]
        for view in views
    ]
    columns = (
        Column(name="budget"),
        Column(name="key", rank=2),
        Column(name="period"),
        Column(name="action"),
        Column(name="limit", right=True),
        Column(name="spent", right=True),
        Column(name="left", right=True, rank=1),
        Column(name="begins anew", rank=3),
    )
    print_table(common, columns, rows)
    return 0


async def _set(
    common: CommonOptions,
    workspace: str | None,
    limit: str,
    *,
    period: str,
    action: str,
    key: str | None,
    allow_unknown_price: bool,
) -> int:
    from mediawright.app.budgets import budget_view, set_budget
    from mediawright.cli.account_options import chosen, read_amount
    from mediawright.cli.money_words import budget_words
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking
    from mediawright.store.kinds import BudgetAction, BudgetPeriod

    async with looking(common) as runtime:
        standing = await set_budget(
            runtime,
            chosen(workspace),
            read_amount(limit),
            period=BudgetPeriod(period),
            action=BudgetAction(action),
            key_id=key,
            allow_unknown_price=allow_unknown_price,
        )
    view = budget_view(standing)
    if common.json:
        print_json(view)
    else:
        say(f"{view['budget_id']}: {budget_words(view)}.")
    return 0


async def _remove(common: CommonOptions, workspace: str | None, budget: str) -> int:
    from mediawright.app.budgets import remove_budget
    from mediawright.cli.account_options import chosen
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        await remove_budget(runtime, chosen(workspace), budget)
    if common.json:
        print_json({"budget_id": budget, "removed": True})
    else:
        say(f"{budget} is removed.")
    return 0
