"""generate MODEL -i name=value: any model with any input."""

from __future__ import annotations

from pathlib import Path

import click

from mediawright.cli.named_inputs import request_options
from mediawright.cli.options import CommonOptions, common_options, current_invocation


@click.command()
@request_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Copy the files to this folder or file."
)
@click.option("--path", "output_path", help="Where in the drive the file goes.")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label to find it by."
)
@click.option("--quote", metavar="QUOTE", help="Pay no more than this quote says, and agree to it.")
@click.option("--yes", is_flag=True, help="Agree to the price.")
@click.option("--detach", is_flag=True, help="Print the id and do not wait.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Wait so long at the most.")
@common_options
def generate(
    common: CommonOptions,
    model: str,
    inputs: tuple[str, ...],
    operation: str | None,
    provider: str | None,
    fallback: str | None,
    output: Path | None,
    output_path: str | None,
    labels: tuple[str, ...],
    quote: str | None,
    *,
    yes: bool,
    detach: bool,
    timeout: float | None,
) -> int:
    """Run MODEL with named inputs; `models show MODEL` lists what it takes."""
    from mediawright.cli.following import Delivery, run_draft
    from mediawright.cli.named_inputs import named_draft
    from mediawright.cli.session import run

    current_invocation().model = model
    draft = named_draft(
        model,
        inputs,
        operation=operation,
        provider=provider,
        fallback=fallback,
        output_path=output_path,
        labels=labels,
    )
    delivery = Delivery(output=output, detach=detach, timeout=timeout, yes=yes, quote=quote)
    return run(run_draft(common, draft, delivery))
