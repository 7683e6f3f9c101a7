"""doctor: what is set up, and what is missing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.app.doctor import Finding

_SHOWN = 160
"""Characters of an explanation that people are shown; `--json` and pipes get all."""


@click.command()
@common_options
def doctor(common: CommonOptions) -> int:
    """Show what is active and why; ends with 1 when something is broken."""
    from mediawright.cli.session import run

    return run(_doctor(common))


async def _doctor(common: CommonOptions) -> int:
    from mediawright.app.doctor import examine
    from mediawright.cli.next_steps import with_place
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table

    async with looking(common, at_providers=True) as runtime:
        findings = await examine(runtime)
    if common.json:
        print_json(findings)
    else:
        columns = (Column(name="what"), Column(name="state"), Column(name="why", wraps=True))
        print_table(common, columns, [_row(common, finding) for finding in findings])
    broken = [finding for finding in findings if finding.is_broken]
    for finding in broken:
        say(f"{finding.subject}: {with_place(finding.hint or finding.text, common)}")
    if not common.json and not broken:
        say('Next: mediawright image "a lighthouse at dusk"')
    return 1 if broken else 0


def _row(common: CommonOptions, finding: Finding) -> list[str]:
    everything = common.plain or not sys.stdout.isatty()
    text = finding.text if everything else _shortened(finding.text)
    return [finding.subject, finding.state.value, text]


def _shortened(text: str) -> str:
    """Return a text cut between words."""
    if len(text) <= _SHOWN:
        return text
    return f"{text[:_SHOWN].rpartition(' ')[0].rstrip(',;')} …"
