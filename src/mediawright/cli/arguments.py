"""Reads arguments: `name=value`, `@file`, `-` for stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mediawright.app.intake import InputSource
    from mediawright.core.operations import InputRole

MEDIA_INPUTS = {
    "image": None,
    "video": None,
    "audio": None,
    "first_frame": "first_frame",
    "last_frame": "last_frame",
    "reference_image": "reference_image",
    "reference_video": "reference_video",
    "reference_audio": "reference_audio",
    "mask": "mask",
}
"""Input names that are files, and the role each has; `None` lets model and file decide."""

FALLBACK_POLICIES = ("none", "on_outage", "on_refusal")
"""What `core.request.FallbackPolicy` knows, for a quick `--help`."""

_LARGEST_PIPE = 512 * 1024**2
"""Bytes that are read from stdin at the most."""


def pairs(items: Iterable[str]) -> dict[str, str]:
    """Return `name=value` arguments as a mapping.

    Raises:
        click.UsageError: One has no `=`.
    """
    found: dict[str, str] = {}
    for item in items:
        name, sign, value = item.partition("=")
        if not sign or not name.strip():
            raise click.UsageError(f"{item!r} is not of the form NAME=VALUE.")
        found[name.strip()] = value
    return found


def parameter_pairs(items: Iterable[str]) -> dict[str, str]:
    """Return `name=value` arguments by parameter; `aspect-ratio` is `aspect_ratio`.

    Raises:
        click.UsageError: One has no `=`.
    """
    return {name.replace("-", "_"): value for name, value in pairs(items).items()}


def read_text(value: str) -> str:
    """Return a text argument: itself, the content of `@file`, or stdin for `-`.

    `@@` begins a text that itself begins with an at sign.

    Raises:
        click.UsageError: The file cannot be read, or is not text.
    """
    if value.startswith("@@"):
        return value[1:]
    if value != "-" and not value.startswith("@"):
        return value
    place = "stdin" if value == "-" else value[1:]
    try:
        if value == "-":
            return sys.stdin.read().strip()
        return Path(place).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise click.UsageError(
            f"{place} cannot be read: {error.strerror}. (A text that begins with @ is written @@.)"
        ) from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{place} is not text in UTF-8.") from error


def read_source(value: str, role: InputRole | None) -> InputSource:
    """Return an input: a path (with or without `@`), a URL, an asset id, or stdin for `-`.

    Raises:
        click.UsageError: Stdin holds too much.
    """
    from mediawright.app.intake import InputSource, parse_source

    if value != "-":
        return parse_source(value.removeprefix("@"), role)
    data = sys.stdin.buffer.read(_LARGEST_PIPE + 1)
    if len(data) > _LARGEST_PIPE:
        raise click.UsageError("What comes from stdin is too large; give the path of a file.")
    return InputSource(role=role, data=data, name="stdin")
