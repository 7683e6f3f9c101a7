"""Checks what one input file is like against a model's limits and a surface's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mediawright.catalog.findings import Findings
from mediawright.catalog.model import InputRule, MediaLimits
from mediawright.catalog.values import format_of_content_type, format_of_name
from mediawright.core.media import MediaFacts
from mediawright.core.operations import InputRole, MediaKind
from mediawright.core.request import MediaInput

_SLACK_SECONDS = 0.1
"""Containers round their length; this much over a limit is let through."""


def check_file(
    index: int,
    item: MediaInput,
    facts: MediaFacts | None,
    limits: tuple[MediaLimits | None, ...],
    findings: Findings,
    *,
    pointer: str | None = None,
) -> None:
    """Note what is wrong with an input file; a limit whose fact is unknown does not bite.

    Here are the limits of single files (rules 10, 12, 18 and 58-60).

    Args:
        index: Place of the input in the request.
        item: The input.
        facts: What its bytes say, where they were looked at.
        limits: The model's for the role first, then others, such as the surface's for the kind.
        findings: Where to note what was found.
        pointer: Where the file is named, if not among the inputs.
    """
    pointer = pointer or f"/inputs/{index}"
    slot = limits[0]
    named_code = slot.length_code if isinstance(slot, InputRule) else None
    long_code = named_code or _length_code(item.role, "long")
    short_code = _length_code(item.role, "short")
    found = _format_of(item, facts) if any(limit and limit.formats for limit in limits) else None
    for limit in limits:
        if limit is None:
            continue
        before = len(findings.problems)
        _check_format(pointer, found, limit, findings)
        if facts is not None:
            _check_bytes(pointer, facts, limit, findings)
            _check_pixels(pointer, facts, limit, findings)
            _check_longest(pointer, facts, limit, long_code, findings)
            _check_shortest(pointer, facts, limit, short_code, findings)
            _check_codecs(pointer, facts, limit, findings)
        if len(findings.problems) > before:
            return


def check_total(
    role: InputRole,
    seconds: float,
    slot: InputRule,
    surface: MediaLimits | None,
    findings: Findings,
) -> None:
    """Note when the files of a role are too long together (rules 16, 17)."""
    limits = [
        limit.total_seconds
        for limit in (slot, surface)
        if limit is not None and limit.total_seconds is not None
    ]
    if limits and seconds > min(limits) + _SLACK_SECONDS:
        findings.problem(
            slot.length_code or _length_code(role, "long"),
            f"All {role.value} files together last {seconds:g} s; {min(limits):g} s is the most.",
            "/inputs",
            hint="Send fewer or shorter files.",
            given=seconds,
            maximum=min(limits),
        )


def _check_format(pointer: str, found: str | None, limits: MediaLimits, findings: Findings) -> None:
    if limits.formats and found is not None and found not in limits.formats:
        findings.problem(
            "unsupported_format",
            f"The file is {found}, which is not taken here.",
            pointer,
            hint=f"Use {_listed(limits.formats)}.",
            given=found,
            allowed=list(limits.formats),
        )


def _format_of(item: MediaInput, facts: MediaFacts | None) -> str | None:
    if facts is not None:
        return format_of_content_type(facts.content_type)
    return format_of_name(item.name or item.url or "")


def _check_bytes(pointer: str, facts: MediaFacts, limits: MediaLimits, findings: Findings) -> None:
    if limits.max_bytes is not None and facts.byte_count > limits.max_bytes:
        findings.problem(
            "file_too_large",
            f"The file has {facts.byte_count} bytes; {limits.max_bytes} is the most.",
            pointer,
            hint="Make it smaller.",
            given=facts.byte_count,
            maximum=limits.max_bytes,
        )


def _check_pixels(pointer: str, facts: MediaFacts, limits: MediaLimits, findings: Findings) -> None:
    if not facts.width or not facts.height:
        return
    shorter, longer = sorted((facts.width, facts.height))
    size = f"{facts.width}x{facts.height}"
    too_small = limits.min_side is not None and shorter < limits.min_side
    too_big = limits.max_side is not None and longer > limits.max_side
    if too_small or too_big:
        findings.problem(
            f"{facts.kind.value}_side_out_of_range",
            f"The file has {size} pixels, outside of what is taken here.",
            pointer,
            hint="Scale it.",
            given=size,
            allowed=_range(limits.min_side, limits.max_side),
        )
    if facts.kind is MediaKind.VIDEO and limits.heights and shorter not in limits.heights:
        findings.problem(
            "unsupported_format",
            f"The video has {size} pixels.",
            pointer,
            hint="Use " + _listed(f"{height}p" for height in limits.heights) + ".",
            given=size,
            allowed=list(limits.heights),
        )
    ratio = facts.width / facts.height
    if not _inside(ratio, limits.min_ratio, limits.max_ratio):
        findings.problem(
            f"{facts.kind.value}_ratio_out_of_range",
            f"Width divided by height is {ratio:.2f}, outside of what is taken here.",
            pointer,
            hint="Crop it.",
            given=round(ratio, 4),
            allowed=_range(limits.min_ratio, limits.max_ratio),
        )


def _check_longest(
    pointer: str, facts: MediaFacts, limits: MediaLimits, code: str, findings: Findings
) -> None:
    seconds, most = facts.seconds, limits.max_seconds
    if seconds is not None and most is not None and seconds > most + _SLACK_SECONDS:
        findings.problem(
            code,
            f"The file lasts {seconds:g} s; {most:g} s is the most.",
            pointer,
            hint="Cut it.",
            given=seconds,
            maximum=most,
        )


def _check_shortest(
    pointer: str, facts: MediaFacts, limits: MediaLimits, code: str, findings: Findings
) -> None:
    seconds, least = facts.seconds, limits.min_seconds
    if seconds is not None and least is not None and seconds < least - _SLACK_SECONDS:
        findings.problem(
            code,
            f"The file lasts {seconds:g} s; {least:g} s is the least.",
            pointer,
            hint="Use a longer one.",
            given=seconds,
            minimum=least,
        )


def _check_codecs(pointer: str, facts: MediaFacts, limits: MediaLimits, findings: Findings) -> None:
    rate = facts.frames_per_second
    low, high = limits.min_frames_per_second, limits.max_frames_per_second
    # 23.976 counts as 24 and 59.94 as 60.
    if facts.kind is MediaKind.VIDEO and rate and not _inside(round(rate), low, high):
        findings.problem(
            "unsupported_format",
            f"The video has {rate:g} frames per second.",
            pointer,
            given=rate,
            allowed=_range(low, high),
        )
    for codec, allowed in (
        (facts.video_codec, limits.video_codecs),
        (facts.audio_codec, limits.audio_codecs),
    ):
        if facts.kind is MediaKind.VIDEO and codec and allowed and codec not in allowed:
            findings.problem(
                "unsupported_format",
                f"The video is encoded as {codec}.",
                pointer,
                hint=f"Use {_listed(allowed)}.",
                given=codec,
                allowed=list(allowed),
            )


def _length_code(role: InputRole, which: str) -> str:
    return f"{role.value}_too_{which}"


def _inside(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range(low: float | None, high: float | None) -> dict[str, Any]:
    return {"minimum": low, "maximum": high}


def _listed(names: Iterable[str]) -> str:
    return " or ".join(names)
