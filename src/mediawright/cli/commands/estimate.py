"""estimate MODEL -i name=value: how long a request would take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mediawright.cli.named_inputs import input_option, operation_option
from mediawright.cli.options import CommonOptions, common_options, current_invocation

if TYPE_CHECKING:
    from mediawright.app.estimates import Estimate
    from mediawright.core.request import GenerationRequest

_FROM = {
    "history": "{count} of the same kind that were made here",
    "similar_history": "{count} with other settings that were made here",
    "catalogue": "the catalogue alone",
}


@click.command()
@click.argument("model")
@input_option
@operation_option
@click.option("--provider", help="Only as long as this provider took.")
@common_options
def estimate(
    common: CommonOptions,
    model: str,
    inputs: tuple[str, ...],
    operation: str | None,
    provider: str | None,
) -> int:
    """Tell how long a request to MODEL would take; nothing is started."""
    from mediawright.cli.named_inputs import named_draft
    from mediawright.cli.session import run
    from mediawright.core.request import GenerationRequest

    current_invocation().model = model
    draft = named_draft(model, inputs, operation=operation, provider=provider, fallback=None)
    request = GenerationRequest(
        model=model,
        operation=draft.operation,
        prompt=draft.prompt,
        parameters=draft.parameters,
        provider=provider,
    )
    return run(_estimate(common, request))


async def _estimate(common: CommonOptions, request: GenerationRequest) -> int:
    from mediawright.app.estimates import estimate as tell
    from mediawright.app.estimates import estimate_view
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking

    async with looking(common, at_providers=True) as runtime:
        found = await tell(runtime, request)
    if common.json:
        print_json(estimate_view(found))
        return 0
    for name, value in _facts(found):
        click.echo(f"{name + ':':<12}{value}")
    return 0


def _facts(found: Estimate) -> list[tuple[str, str]]:
    facts = [
        ("model", f"{found.model}, {found.operation.value}"),
        ("takes", f"about {found.seconds:.3g} s"),
    ]
    if found.p90_seconds is not None:
        facts.append(("nine in ten", f"at most {found.p90_seconds:.3g} s"))
    source = _FROM[found.basis.value].format(count=found.sample_size)
    return [*facts, ("from", source), ("confidence", found.confidence.value)]
