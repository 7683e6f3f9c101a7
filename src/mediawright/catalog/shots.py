"""Checks the shots of a storyboard, which make up its duration (rule 38)."""

from __future__ import annotations

from typing import Any, cast

from mediawright.catalog.findings import Findings
from mediawright.catalog.model import ParameterRule
from mediawright.catalog.values import is_text, number
from mediawright.core.request import AdjustmentKind, Shot

_PLACE = "/parameters/shots"
_DURATION = "/parameters/duration"
_PLACES_AFTER_POINT = 3


def read_shots(value: Any, rule: ParameterRule, findings: Findings) -> tuple[Shot, ...]:
    """Return the shots if they are well formed and as long as they may be together.

    Notes `invalid_shots` for a breach of their shape, and `invalid_duration` when they do not
    add up to one of the totals.

    Args:
        value: What the caller gave.
        rule: The model's rule for shots.
        findings: Where to note what was found.
    """
    if not isinstance(value, list | tuple) or not value:
        _refuse(findings, _PLACE, "The shots must be a list with at least one shot.")
        return ()
    before = len(findings.problems)
    items = cast("list[Any]", list(value))  # pyright: ignore[reportUnknownArgumentType] - any
    if rule.max_items is not None and len(items) > rule.max_items:
        _refuse(findings, _PLACE, f"There may be {rule.max_items} shots at most.")
    for index, item in enumerate(items):
        _check_shape(item, f"{_PLACE}/{index}", findings)
    if len(findings.problems) > before:
        return ()
    shots: tuple[Shot, ...] = tuple(items)
    total = total_seconds(shots)
    if rule.totals and total not in rule.totals:
        allowed = ", ".join(f"{seconds:g}" for seconds in rule.totals)
        findings.problem(
            "invalid_duration",
            f"The shots last {total:g} s together, which is not one of the allowed durations.",
            _PLACE,
            hint=f"Let them add up to one of {allowed} s.",
            given=total,
            allowed=list(rule.totals),
        )
        return ()
    return shots


def total_seconds(shots: tuple[Shot, ...]) -> float:
    """Return how long shots last together, in seconds."""
    return round(sum(float(shot.duration) for shot in shots), _PLACES_AFTER_POINT)


def set_duration(applied: dict[str, Any], findings: Findings) -> None:
    """Let the applied shots, where there are any, set the duration."""
    shots = applied.get("shots")
    if not shots:
        return
    total, given = total_seconds(shots), applied.get("duration")
    if given is None:
        findings.defaulted(_DURATION, "the shots set it", total)
    elif given != total:
        findings.adjust(
            AdjustmentKind.DROPPED, _DURATION, "the shots set it", requested=given, applied=total
        )
    applied["duration"] = total


def _check_shape(item: Any, place: str, findings: Findings) -> None:
    if not isinstance(item, Shot):
        _refuse(findings, place, "A shot has a scene and a duration.")
        return
    scene: Any = item.scene
    if not is_text(scene) or not scene.strip():
        _refuse(findings, f"{place}/scene", "A shot needs a scene.")
    seconds = number(item.duration)
    if seconds is None or seconds <= 0:
        _refuse(findings, f"{place}/duration", "A shot lasts some seconds.")


def _refuse(findings: Findings, pointer: str, message: str) -> None:
    findings.problem(
        "invalid_shots",
        message,
        pointer,
        hint="Give each shot a scene and its duration in seconds.",
    )
