"""demo: one of everything, first from the embedded engines, then through the sandbox."""

from __future__ import annotations

from pathlib import Path

import click

from mediawright.cli.options import CommonOptions, common_options


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help="Folder for the files and for the demo's own data.",
)
@common_options
def demo(common: CommonOptions, output: Path) -> int:
    """Make a picture, a clip, music, speech and a transcript; no key, server or network.

    Then the same requests that would go to OpenAI, fal, Runway and ElevenLabs go to the
    sandbox, which speaks their wire formats.
    """
    from mediawright.cli.demonstration import demonstrate
    from mediawright.cli.session import run

    return run(demonstrate(common, output))
