"""image, video, music, speak, transcribe: the five verbs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mediawright.cli.arguments import (
    FALLBACK_POLICIES,
    pairs,
    parameter_pairs,
    read_source,
    read_text,
)
from mediawright.cli.options import CommonOptions, common_options, current_invocation

if TYPE_CHECKING:
    from mediawright.app.intake import InputSource

_SHARED = (
    click.option("-m", "--model", help="The model [default: from the settings, free at first]."),
    click.option("--provider", help="This provider and no other."),
    click.option(
        "--fallback",
        type=click.Choice(FALLBACK_POLICIES),
        help="When another provider is tried [default: on_outage].",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        help="Copy the files to this folder or file.",
    ),
    click.option("--path", "output_path", help="Where in the drive the file goes."),
    click.option("--seed", type=int, help="The same seed makes the same file."),
    click.option(
        "-p",
        "--parameter",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="Any other parameter of the model; @file reads a file, - reads stdin.",
    ),
    click.option(
        "--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label to find it by."
    ),
    click.option(
        "--quote", metavar="QUOTE", help="Pay no more than this quote says, and agree to it."
    ),
    click.option("--yes", is_flag=True, help="Agree to the price."),
    click.option("--detach", is_flag=True, help="Print the id and do not wait."),
    click.option("--timeout", type=float, metavar="SECONDS", help="Wait so long at the most."),
)


def _verb(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_SHARED):
        command = option(command)
    return common_options(command)


@click.command()
@click.argument("prompt")
@click.option("--image", "picture", metavar="FILE|URL", help="Change this picture.")
@click.option("--mask", metavar="FILE|URL", help="Only where this is white or transparent.")
@click.option("--ratio", "aspect_ratio", metavar="W:H", help="Such as 16:9.")
@click.option("--size", metavar="WxH", help="Pixels.")
@click.option("-n", "--count", type=int, help="How many.")
@click.option("--format", "output_format", help="png, jpeg or webp.")
@_verb
def image(
    common: CommonOptions,
    prompt: str,
    picture: str | None,
    mask: str | None,
    **options: Any,
) -> int:
    """Make a picture from PROMPT, or change one. `-` reads it from stdin, `@file` a file."""
    inputs = _inputs(reference_image=picture, mask=mask)
    return _run(common, "image", prompt, inputs, options)


@click.command()
@click.argument("prompt")
@click.option("--image", "first_frame", metavar="FILE|URL", help="Begin with this picture.")
@click.option("--last-frame", metavar="FILE|URL", help="End with this picture.")
@click.option("--seconds", "duration", type=float, help="Length.")
@click.option("--ratio", "aspect_ratio", metavar="W:H", help="Such as 16:9.")
@click.option("--size", metavar="WxH", help="Pixels.")
@click.option("--resolution", help="Such as 720p.")
@click.option("--sound/--silent", default=None, help="With sound, where the model can.")
@_verb
def video(
    common: CommonOptions,
    prompt: str,
    first_frame: str | None,
    last_frame: str | None,
    **options: Any,
) -> int:
    """Make a clip from PROMPT, perhaps from a picture. `-` reads it from stdin, `@file` a file."""
    inputs = _inputs(first_frame=first_frame, last_frame=last_frame)
    return _run(common, "video", prompt, inputs, options)


@click.command()
@click.argument("prompt")
@click.option("--seconds", "duration", type=float, help="Length.")
@click.option("--lyrics", help="Words to sing, where the model can; @file reads a file.")
@click.option("--instrumental", is_flag=True, default=None, help="No singing.")
@click.option("--format", "output_format", help="mp3, wav, flac or opus.")
@_verb
def music(common: CommonOptions, prompt: str, **options: Any) -> int:
    """Compose a piece of music from PROMPT. `-` reads it from stdin, `@file` a file."""
    return _run(common, "music", prompt, [], options)


@click.command()
@click.argument("text")
@click.option("--voice", help="A voice of the model; `models show MODEL` lists them.")
@click.option("--speed", type=float, help="1 is normal.")
@click.option("--language", help="ISO 639-1 code, such as en.")
@click.option("--format", "output_format", help="mp3, wav, flac or opus.")
@_verb
def speak(common: CommonOptions, text: str, **options: Any) -> int:
    """Speak TEXT. `-` reads it from stdin, `@file` a file."""
    return _run(common, "speech", text, [], options)


@click.command()
@click.argument("audio", metavar="FILE|URL|ASSET")
@click.option("--language", help="ISO 639-1 code, such as en.")
@_verb
def transcribe(common: CommonOptions, audio: str, **options: Any) -> int:
    """Write down what is said in a recording; the words go to stdout. `-` reads it from stdin."""
    return _run(common, "transcript", None, _inputs(reference_audio=audio), options)


def _inputs(**named: str | None) -> list[InputSource]:
    from mediawright.core.operations import InputRole

    return [read_source(text, InputRole(role)) for role, text in named.items() if text is not None]


def _run(
    common: CommonOptions,
    verb: str,
    prompt: str | None,
    inputs: list[InputSource],
    options: dict[str, Any],
) -> int:
    from mediawright.app.intake import Draft
    from mediawright.app.parameters import parameters_from, parse_fallback
    from mediawright.cli.following import Delivery, run_draft
    from mediawright.cli.session import run, settings_for

    delivery = Delivery(
        output=options.pop("output"),
        detach=options.pop("detach"),
        timeout=options.pop("timeout"),
        yes=options.pop("yes"),
        quote=options.pop("quote"),
    )
    model = options.pop("model") or getattr(settings_for(common).media.models, verb)
    current_invocation().model = model
    others = parameter_pairs(options.pop("parameters"))
    draft = Draft(
        model=model,
        provider=options.pop("provider"),
        fallback=parse_fallback(options.pop("fallback")),
        output_path=options.pop("output_path"),
        metadata=pairs(options.pop("labels")),
        prompt=None if prompt is None else read_text(prompt),
        inputs=tuple(inputs),
        parameters=parameters_from(
            {**{name: read_text(value) for name, value in others.items()}, **_given(options)}
        ),
    )
    return run(run_draft(common, draft, delivery))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    if "lyrics" in given:
        given["lyrics"] = read_text(given["lyrics"])
    return given
