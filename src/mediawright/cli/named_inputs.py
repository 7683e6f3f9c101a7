"""MODEL -i NAME=VALUE: any model with any input, as several commands take it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from mediawright.cli.arguments import FALLBACK_POLICIES

if TYPE_CHECKING:
    from mediawright.app.intake import Draft, InputSource

input_option = click.option(
    "-i",
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=VALUE",
    help="prompt=..., seed=7, image=@photo.png; @file reads a file, - reads stdin.",
)
operation_option = click.option(
    "--operation", help="Such as image-to-video; usually clear from the inputs."
)
provider_option = click.option("--provider", help="This provider and no other.")
fallback_option = click.option(
    "--fallback",
    type=click.Choice(FALLBACK_POLICIES),
    help="When another provider is tried [default: on_outage].",
)


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add MODEL and the options that say what is wanted of it."""
    for option in (fallback_option, provider_option, operation_option, input_option):
        command = option(command)
    return click.argument("model")(command)


def named_draft(
    model: str,
    inputs: Iterable[str],
    *,
    operation: str | None,
    provider: str | None,
    fallback: str | None,
    output_path: str | None = None,
    labels: Iterable[str] = (),
) -> Draft:
    """Return what the options ask for.

    Raises:
        click.UsageError: An input has no `=`, or names a file that cannot be read.
        InvalidRequestError: Something has no meaning; all of it is among its `problems`.
    """
    from mediawright.app.complaints import Complaints
    from mediawright.app.intake import Draft
    from mediawright.app.parameters import parameters_from, parse_fallback
    from mediawright.catalog.values import parse_generation_type
    from mediawright.cli.arguments import pairs
    from mediawright.core.request import Parameters

    prompt, sources, parameters = read_inputs(inputs)
    complaints = Complaints()
    draft = Draft(
        model=model,
        operation=complaints.read(
            lambda: None if operation is None else parse_generation_type(operation, pointer=None),
            None,
        ),
        prompt=prompt,
        inputs=tuple(sources),
        parameters=complaints.read(lambda: parameters_from(parameters), Parameters()),
        provider=provider,
        fallback=parse_fallback(fallback),
        output_path=output_path,
        metadata=pairs(labels),
    )
    complaints.settle()
    return draft


def read_inputs(
    inputs: Iterable[str],
) -> tuple[str | None, list[InputSource], dict[str, str]]:
    """Return prompt, files and parameters out of `NAME=VALUE` arguments.

    Raises:
        click.UsageError: One has no `=`, or names a file that cannot be read.
    """
    from mediawright.cli.arguments import MEDIA_INPUTS, parameter_pairs, read_source, read_text
    from mediawright.core.operations import InputRole

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
    return prompt, sources, parameters
