"""account, account ledger, account top-up, account adjust, account refund, account markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mediawright.cli.account_options import workspace_option
from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.app.account import Account
    from mediawright.ledger.ledger import Balance, Booked

_reference = click.option(
    "--reference", metavar="TEXT", help="Your name for it: the same again is booked once."
)
_note = click.option("--note", metavar="TEXT", help="What it is for.")


@click.group(invoke_without_command=True)
@workspace_option
@common_options
@click.pass_context
def account(context: click.Context, common: CommonOptions, workspace: str | None) -> int:
    """See the balance and what was spent; correct it."""
    from mediawright.cli.session import run

    if context.invoked_subcommand is None:
        return run(_show(common, workspace))
    if workspace is not None:
        raise click.UsageError(f"Write --workspace after {context.invoked_subcommand}.")
    return 0


@account.command()
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--before", type=click.IntRange(0), metavar="NUMBER", help="Only older ones.")
@workspace_option
@common_options
def ledger(common: CommonOptions, limit: int, before: int | None, workspace: str | None) -> int:
    """List what changed the balance, newest first."""
    from mediawright.cli.session import run

    return run(_ledger(common, workspace, limit, before))


@account.command("top-up")
@click.argument("amount")
@_reference
@_note
@workspace_option
@common_options
def top_up(common: CommonOptions, amount: str, **options: str | None) -> int:
    """Add AMOUNT credits."""
    from mediawright.cli.session import run

    return run(_change(common, "top_up", amount, **options))


@account.command(context_settings={"ignore_unknown_options": True})
@click.argument("amount")
@_reference
@_note
@workspace_option
@common_options
def adjust(common: CommonOptions, amount: str, **options: str | None) -> int:
    """Correct the balance by AMOUNT credits, which may be negative."""
    from mediawright.cli.session import run

    return run(_change(common, "adjust", amount, **options))


@account.command()
@click.argument("generation")
@click.option("--amount", metavar="CREDITS", help="A part; otherwise all that was charged.")
@_note
@workspace_option
@common_options
def refund(
    common: CommonOptions,
    generation: str,
    amount: str | None,
    note: str | None,
    workspace: str | None,
) -> int:
    """Give back what GENERATION was charged, once."""
    from mediawright.cli.session import run

    return run(_refund(common, workspace, generation, amount, note))


@account.command(context_settings={"ignore_unknown_options": True})
@click.argument("markup", metavar="PART|none")
@workspace_option
@common_options
def markup(common: CommonOptions, markup: str, workspace: str | None) -> int:
    """Add PART to prices that come of US dollars: 0.2 a fifth; `none` as the settings have it."""
    from mediawright.cli.session import run

    return run(_mark_up(common, workspace, markup))


async def _show(common: CommonOptions, workspace: str | None) -> int:
    from mediawright.app.account import account_of, account_view
    from mediawright.cli.account_options import chosen
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        found = await account_of(runtime, chosen(workspace))
    if common.json:
        print_json(account_view(found))
        return 0
    for name, value in _lines(found):
        click.echo(f"{name + ':':<18}{value}")
    return 0


def _lines(found: Account) -> list[tuple[str, str]]:
    from mediawright.app.account import account_view
    from mediawright.cli.money_words import budget_words, in_words

    view = account_view(found)
    lines = [
        ("available", in_words(view["available_credits"])),
        ("held", in_words(view["held_credits"])),
        ("spent today", in_words(view["spent_today_credits"])),
        ("this month", in_words(view["spent_this_month_credits"])),
        ("rate", f"{in_words(view['credits_per_usd'])} per US dollar"),
        (
            "markup",
            view["markup"] + ("" if view["has_own_markup"] else " (as the settings have it)"),
        ),
    ]
    return lines + [("budget", budget_words(budget)) for budget in view["budgets"]]


async def _ledger(
    common: CommonOptions, workspace: str | None, limit: int, before: int | None
) -> int:
    from mediawright.app.account import entry_view, list_entries
    from mediawright.cli.account_options import chosen
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table

    async with looking(common) as runtime:
        found = await list_entries(runtime, chosen(workspace), limit=limit, before=before)
    views = [entry_view(entry) for entry in found]
    if common.json:
        print_json(views)
        return 0
    rows = [
        [
            str(entry.sequence),
            entry.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            entry.kind.value.replace("_", "-"),
            view["amount_credits"],
            entry.generation_id or entry.reference or "-",
            entry.note or "",
        ]
        for entry, view in zip(found, views, strict=True)
    ]
    columns = (
        Column(name="number", right=True),
        Column(name="time", rank=2),
        Column(name="kind"),
        Column(name="credits", right=True),
        Column(name="for", rank=1),
        Column(name="note", rank=3, wraps=True),
    )
    print_table(common, columns, rows)
    return 0


async def _change(
    common: CommonOptions,
    kind: str,
    amount: str,
    *,
    reference: str | None,
    note: str | None,
    workspace: str | None,
) -> int:
    from mediawright.app import account as accounts
    from mediawright.cli.account_options import chosen, read_amount
    from mediawright.cli.session import looking

    change = {"top_up": accounts.top_up, "adjust": accounts.adjust}[kind]
    async with looking(common) as runtime:
        booked = await change(
            runtime, chosen(workspace), read_amount(amount), reference=reference, note=note
        )
        balance = await runtime.ledger.balance(chosen(workspace))
    return _tell(common, booked, balance)


async def _refund(
    common: CommonOptions,
    workspace: str | None,
    generation: str,
    amount: str | None,
    note: str | None,
) -> int:
    from mediawright.app import account as accounts
    from mediawright.cli.account_options import chosen, read_amount
    from mediawright.cli.session import looking

    wanted = None if amount is None else read_amount(amount)
    async with looking(common) as runtime:
        booked = await accounts.refund(runtime, chosen(workspace), generation, wanted, note=note)
        balance = await runtime.ledger.balance(chosen(workspace))
    return _tell(common, booked, balance)


async def _mark_up(common: CommonOptions, workspace: str | None, text: str) -> int:
    from mediawright.app.account import account_of, account_view
    from mediawright.app.markups import set_markup
    from mediawright.cli.account_options import chosen, read_number
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    wanted = None if text == "none" else read_number(text, "markup")
    async with looking(common) as runtime:
        await set_markup(runtime, chosen(workspace), wanted)
        view = account_view(await account_of(runtime, chosen(workspace)))
    if common.json:
        print_json(view)
        return 0
    whose = "Its own markup is" if view["has_own_markup"] else "The settings' markup applies:"
    say(f"{whose} {view['markup']}. A server that is running takes it up within seconds.")
    return 0


def _tell(common: CommonOptions, booked: Booked, balance: Balance) -> int:
    from mediawright.app.account import entry_view
    from mediawright.cli.money_words import in_words
    from mediawright.cli.output import print_json, say
    from mediawright.core.money import plain

    view: dict[str, Any] = entry_view(booked.entry)
    if common.json:
        print_json({**view, "is_new": booked.is_new})
        return 0
    word = "Booked" if booked.is_new else "Booked before"
    available = in_words(plain(balance.available.amount))
    kind, amount = view["kind"].replace("_", "-"), in_words(view["amount_credits"])
    say(f"{word}: {kind} of {amount}; {available} available.")
    return 0
