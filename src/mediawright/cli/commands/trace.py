"""trace GENERATION: what happened, and how long each part took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediawright.core.generation import Span

_BAR = 24
"""Characters of the time line."""


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
    for line in draw(spans):
        click.echo(line)
    return 0


def draw(spans: list[Span]) -> list[str]:
    """Return a trace as a tree, each part with its begin, its length and its place in time."""
    known = {span.id for span in spans}
    roots = [span for span in spans if span.parent_id not in known]
    if not roots:
        return []
    began = min(span.started_at.timestamp() for span in spans)
    ended = max((span.ended_at or span.started_at).timestamp() for span in spans)
    nodes = [node for root in roots for node in _walk(root, spans, "", "")]
    names = max(len(head) + len(span.name) for span, head, _ in nodes)
    lines: list[str] = []
    for span, head, below in nodes:
        offset = span.started_at.timestamp() - began
        bar = _bar(span, began, max(ended - began, 1e-6))
        lines.append(
            f"{head + span.name:<{names}}  {span.status:<5}  +{offset:7.3f} s  {_length(span):>10}"
            f"  {bar}".rstrip()
        )
        for name, value in span.attributes.items():
            if value not in (None, "", [], {}):
                lines.append(f"{below}  {name}: {_words(value)}")
    return lines


def _walk(span: Span, spans: list[Span], head: str, below: str) -> Iterator[tuple[Span, str, str]]:
    """Yield a span and those under it, with what is drawn before its lines."""
    children = sorted(
        (child for child in spans if child.parent_id == span.id),
        key=lambda child: child.started_at,
    )
    yield span, head, f"{below}│" if children else f"{below} "
    for child in children:
        last = child is children[-1]
        yield from _walk(
            child, spans, f"{below}{'└─' if last else '├─'} ", f"{below}{' ' if last else '│'}  "
        )


def _bar(span: Span, began: float, whole: float) -> str:
    """Return where in the whole time a span lies, as a line of blocks."""
    end = (span.ended_at or span.started_at).timestamp()
    first = min(_BAR - 1, int((span.started_at.timestamp() - began) / whole * _BAR))
    length = max(1, round((end - span.started_at.timestamp()) / whole * _BAR))
    return " " * first + "█" * min(length, _BAR - first)


def _length(span: Span) -> str:
    if span.ended_at is None:
        return "open"
    return f"{(span.ended_at - span.started_at).total_seconds():.3f} s"


def _words(value: Any) -> str:
    from mediawright.cli.output import one_line

    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value)  # pyright: ignore[reportUnknownVariableType] - attributes are JSON
    return one_line(str(value))
