"""Reads arguments: `name=value`, `@file`, `-` for stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

MEDIA_INPUTS = {
    "image": "reference_image",
    "video": "reference_video",
    "audio": "reference_audio",
    "first_frame": "first_frame",
    "last_frame": "last_frame",
    "reference_image": "reference_image",
    "reference_video": "reference_video",
    "reference_audio": "reference_audio",
    "mask": "mask",
}
"""Input names that are files, and the role each has."""


def pairs(items: Iterable[str]) -> dict[str, str]:
    """Return `name=value` arguments as a mapping.

    Raises:
        click.UsageError: One has no `=`.
    """
    found: dict[str, str] = {}
    for item in items:
        name, sign, value = item.partition("=")
        if not sign or not name:
            raise click.UsageError(f"{item!r} is not of the form NAME=VALUE.")
        found[name.strip().replace("-", "_")] = value
    return found


def read_text(value: str) -> str:
    """Return a text argument: itself, the content of `@file`, or stdin for `-`."""
    if value == "-":
        return sys.stdin.read().strip()
    if value.startswith("@"):
        path = Path(value[1:]).expanduser()
        if not path.is_file():
            raise click.UsageError(f"There is no file {path}.")
        return path.read_text(encoding="utf-8").strip()
    return value
