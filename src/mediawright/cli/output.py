"""Data goes to stdout, talk to stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from mediawright.cli.options import current_invocation

if TYPE_CHECKING:
    from rich.console import Console

    from mediawright.cli.options import CommonOptions
    from mediawright.core.generation import Asset, Generation
    from mediawright.core.money import Price


def print_json(value: Any) -> None:
    """Print the one JSON document of this run."""
    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2))
    current_invocation().answered = True


def say(text: str) -> None:
    """Tell people something, on stderr."""
    click.echo(text, err=True)


def printable(text: str) -> str:
    """Return a text from elsewhere without what would steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)


def one_line(text: str) -> str:
    """Return a text from elsewhere on one line."""
    return printable(" ".join(text.split()))


def is_coloured(common: CommonOptions, *, err: bool = False) -> bool:
    """Tell whether colours are wanted (https://no-color.org)."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and not common.plain and not os.environ.get("NO_COLOR")


def styled(text: str, colour: str, common: CommonOptions) -> str:
    """Return a text for stderr, in bold and colour where that is wanted."""
    return click.style(text, fg=colour, bold=True) if is_coloured(common, err=True) else text


def console(common: CommonOptions, *, err: bool = False) -> Console:
    """Return where tables and progress are drawn."""
    from rich.console import Console

    return Console(stderr=err, no_color=not is_coloured(common, err=err), highlight=False)


def is_watched(common: CommonOptions) -> bool:
    """Tell whether somebody sees stderr and can be shown something that moves."""
    return sys.stderr.isatty() and not common.plain and os.environ.get("TERM") != "dumb"


def is_answering() -> bool:
    """Tell whether somebody is there who can be asked."""
    return sys.stderr.isatty() and sys.stdin.isatty()


def price_words(price: Price) -> str:
    """Return a price in words; an unknown one is never called nothing."""
    from mediawright.core.money import plain

    if price.credits is None:
        return "price unknown"
    if price.credits == 0:
        return "free"
    dollars = "" if price.usd is None else f", about ${plain(price.usd)} at the provider"
    return f"{plain(price.credits)} {_credits(plain(price.credits))}{dollars}"


def charge_words(generation: Generation) -> str:
    """Return what a generation was charged, in words."""
    from decimal import Decimal

    from mediawright.core.money import plain

    if generation.charge_micros is None:
        return "-"
    if generation.charge_micros == 0 and generation.price.credits == 0:
        return "free"
    amount = plain(Decimal(generation.charge_micros) / 1_000_000)
    return f"{amount} {_credits(amount)}"


def facts_of(asset: Asset) -> list[str]:
    """Return what was found in a file's bytes, part by part, the kind of file first."""
    facts = asset.facts
    parts = [facts.content_type]
    if facts.width and facts.height:
        parts.append(f"{facts.width}x{facts.height}")
    if facts.seconds is not None:
        parts.append(f"{round(facts.seconds, 2):g} s")
    if facts.frames_per_second:
        parts.append(f"{round(facts.frames_per_second, 2):g} fps")
    codecs = [codec for codec in (facts.video_codec, facts.audio_codec) if codec]
    if codecs:
        parts.append("+".join(codecs))
    return parts


def _credits(amount: str) -> str:
    return "credit" if amount == "1" else "credits"
