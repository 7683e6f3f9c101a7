"""trace GENERATION: what happened, and how long each part took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.core.generation import Span


@click.command()
@click.argument("generation")
@common_options
def trace(common: CommonOptions, generation: str) -> int:
    """Show the trace of GENERATION: its parts, their times, what was sent where."""
    from mediawright.cli.session import run

    return run(_trace(common, generation))


async def _trace(common: CommonOptions, generation_id: str) -> int:
    import msgspec

    from mediawright.app.follow import trace_of
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        spans = await trace_of(runtime, DEFAULT_WORKSPACE, generation_id)
    if common.json:
        print_json([msgspec.to_builtins(span) for span in spans])
        return 0
    began = spans[0].started_at
    for span in sorted(spans, key=lambda item: (item.parent_id is not None, item.started_at)):
        indent = "" if span.parent_id is None else "  "
        offset = (span.started_at - began).total_seconds()
        click.echo(
            f"{indent}{span.name:<{18 - len(indent)}} {span.kind:<7} {span.status:<6}"
            f" +{offset:>7.3f} s {_length(span):>10}"
        )
        for name, value in span.attributes.items():
            if value not in (None, "", []):
                click.echo(f"{indent}    {name}: {value}")
    return 0


def _length(span: Span) -> str:
    if span.ended_at is None:
        return "open"
    return f"{(span.ended_at - span.started_at).total_seconds():.3f} s"
