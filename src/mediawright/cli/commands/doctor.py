"""doctor: what is set up, and what is missing."""

from __future__ import annotations

import click

from mediawright.cli.options import CommonOptions, common_options


@click.command()
@common_options
def doctor(common: CommonOptions) -> int:
    """Show what is active and why; ends with 1 when something is broken."""
    from mediawright.cli.session import run

    return run(_doctor(common))


async def _doctor(common: CommonOptions) -> int:
    from mediawright.app.doctor import examine
    from mediawright.cli.output import print_json, print_table, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        findings = await examine(runtime)
    if common.json:
        print_json(findings)
    else:
        rows = [[item.subject, item.state.value, item.text] for item in findings]
        print_table(common, ("what", "state", "why"), rows)
    broken = [item for item in findings if item.is_broken]
    for item in broken:
        say(f"{item.subject}: {item.hint}")
    return 1 if broken else 0
