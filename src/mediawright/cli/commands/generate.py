"""generate MODEL -i name=value: any model with any input."""

from __future__ import annotations

from pathlib import Path

import click

from mediawright.cli.arguments import FALLBACK_POLICIES
from mediawright.cli.options import CommonOptions, common_options, current_invocation


@click.command()
@click.argument("model")
@click.option(
    "-i",
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=VALUE",
    help="prompt=..., seed=7, image=@photo.png; @file reads a file, - reads stdin.",
)
@click.option("--operation", help="Such as image-to-video; usually clear from the inputs.")
@click.option("--provider", help="This provider and no other.")
@click.option(
    "--fallback",
    type=click.Choice(FALLBACK_POLICIES),
    help="When another provider is tried [default: on_outage].",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Copy the files to this folder or file."
)
@click.option("--path", "output_path", help="Where in the drive the file goes.")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label to find it by."
)
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
    *,
    yes: bool,
    detach: bool,
    timeout: float | None,
) -> int:
    """Run MODEL with named inputs; `models show MODEL` lists what it takes."""
    from mediawright.app.intake import Draft, InputSource
    from mediawright.app.parameters import parameters_from, parse_fallback
    from mediawright.catalog.values import parse_generation_type
    from mediawright.cli.arguments import (
        MEDIA_INPUTS,
        pairs,
        parameter_pairs,
        read_source,
        read_text,
    )
    from mediawright.cli.following import Delivery, run_draft
    from mediawright.cli.session import run
    from mediawright.core.operations import InputRole

    current_invocation().model = model
    prompt: str | None = None
    sources: list[InputSource] = []
    parameters: dict[str, str] = {}
    for item in inputs:
        ((name, value),) = parameter_pairs([item]).items()
        if name in MEDIA_INPUTS:
            role = MEDIA_INPUTS[name]
            sources.append(read_source(value, None if role is None else InputRole(role)))
        elif name == "prompt":
            prompt = read_text(value)
        else:
            parameters[name] = read_text(value)
    chosen = None if operation is None else parse_generation_type(operation, pointer=None)
    draft = Draft(
        model=model,
        operation=chosen,
        prompt=prompt,
        inputs=tuple(sources),
        parameters=parameters_from(parameters),
        provider=provider,
        fallback=parse_fallback(fallback),
        output_path=output_path,
        metadata=pairs(labels),
    )
    delivery = Delivery(output=output, detach=detach, timeout=timeout, yes=yes)
    return run(run_draft(common, draft, delivery))
