"""quote MODEL -i name=value: check and price a request without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mediawright.cli.named_inputs import request_options
from mediawright.cli.options import CommonOptions, common_options, current_invocation

if TYPE_CHECKING:
    from mediawright.app.intake import Draft
    from mediawright.core.quote import Quote


@click.command()
@request_options
@common_options
def quote(
    common: CommonOptions,
    model: str,
    inputs: tuple[str, ...],
    operation: str | None,
    provider: str | None,
    fallback: str | None,
) -> int:
    """Check and price a request to MODEL; nothing is held, kept or sent.

    `generate --quote QUOTE` with the same inputs then costs no more.
    """
    from mediawright.cli.named_inputs import named_draft
    from mediawright.cli.session import run

    current_invocation().model = model
    draft = named_draft(model, inputs, operation=operation, provider=provider, fallback=fallback)
    return run(_quote(common, draft))


async def _quote(common: CommonOptions, draft: Draft) -> int:
    from mediawright.app.quotes import quote as make_quote
    from mediawright.app.quotes import quote_view
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.next_steps import with_place
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    async with looking(common, at_providers=True) as runtime:
        made = await make_quote(runtime, DEFAULT_WORKSPACE, draft)
    view = quote_view(made)
    if common.json:
        print_json(view)
        return 0
    for name, value in _facts(made, view):
        click.echo(f"{name + ':':<11}{value}")
    again = f"The same command as mediawright generate, with --quote {made.id}, costs no more."
    say(with_place(again, common))
    return 0


def _facts(made: Quote, view: dict[str, Any]) -> list[tuple[str, str]]:
    from mediawright.cli.output import price_words
    from mediawright.core.request import AdjustmentKind

    price = made.price
    book = "" if price.price_book_date is None else f", price book of {price.price_book_date}"
    facts = [
        ("quote", made.id),
        ("model", f"{view['model']}, {view['generation_type']}"),
        ("route", f"{view['provider']} as {view['route']['upstream_id']}"),
        ("price", price_words(price)),
        ("basis", f"{price.basis.value}: {price.explanation}{book}"),
    ]
    if made.markup:
        facts.append(("markup", view["markup"]))
    if made.estimated_seconds is not None:
        facts.append(("takes", f"about {made.estimated_seconds:.3g} s"))
    facts += [
        (item.kind.value, f"{item.pointer}: {item.reason}")
        for item in made.adjustments
        if item.kind is not AdjustmentKind.DEFAULTED
    ]
    facts += [("skipped", f"{item.provider}: {item.message}") for item in made.skipped_routes]
    expires = made.expires_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return [*facts, ("expires", expires)]
