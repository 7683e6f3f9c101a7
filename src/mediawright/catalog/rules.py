"""Rules that no table can hold, as named functions that the data refers to.

A rule gets the request as it will be applied and reports problems. A model lists it as
`[[model.rules]]` with a `name`, the operations it is for, and options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from mediawright.catalog.findings import Findings
from mediawright.catalog.inputs import mixes_frames_and_references
from mediawright.catalog.model import Model, RuleUse
from mediawright.catalog.parameter_values import code_for, pointer_to, shown
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import MediaInput


class RuleContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule may look at."""

    model: Model
    operation: Operation
    given: Mapping[str, Any]
    """What the caller set."""
    applied: Mapping[str, Any]
    """What will be applied."""
    inputs: tuple[MediaInput, ...]
    options: Mapping[str, Any]
    """The options of the rule in the data."""

    def has(self, *roles: InputRole) -> bool:
        """Tell whether there is an input of one of the roles."""
        return any(item.role in roles for item in self.inputs)


RequestRule = Callable[[RuleContext, Findings], None]


def _aspect_ratio_incompatible_with_high_res(context: RuleContext, findings: Findings) -> None:
    """Ask for an explicit wide or tall ratio at the high tiers (rule 24).

    Options: `resolutions`, the tiers concerned; `aspect_ratios`, the ratios that are fine.
    """
    resolution = context.applied.get("resolution")
    if "size" in context.applied or resolution not in context.options["resolutions"]:
        return
    allowed = list(context.options["aspect_ratios"])
    if context.given.get("aspect_ratio") in allowed:
        return
    findings.problem(
        "aspect_ratio_incompatible_with_high_res",
        f"{context.model.id} at {resolution} needs an explicit aspect ratio.",
        "/parameters/aspect_ratio",
        hint=f"Use one of {', '.join(allowed)}. 1K is up to about 1024x1024, 2K suits a wide "
        "banner, 4K suits print; ask which ratio is wanted before 4K.",
        allowed=allowed,
        resolution=resolution,
    )


def _last_frame_needs_first_frame(context: RuleContext, findings: Findings) -> None:
    """Refuse a last frame alone (rule 52)."""
    if context.has(InputRole.LAST_FRAME) and not context.has(InputRole.FIRST_FRAME):
        findings.problem(
            "last_frame_without_first_frame",
            "A last frame needs a first frame.",
            "/inputs",
            hint="Add a first_frame.",
        )


def _frames_exclude_references(context: RuleContext, findings: Findings) -> None:
    """Refuse frames and references together (rule 52)."""
    if mixes_frames_and_references(context.inputs):
        findings.problem(
            "frames_and_references_mixed",
            "Frames and references cannot be used together.",
            "/inputs",
            hint="Send either first and last frame, or references.",
        )


def _audio_needs_visual_reference(context: RuleContext, findings: Findings) -> None:
    """Refuse audio as the only reference (C8)."""
    visual = any(item.kind in (MediaKind.IMAGE, MediaKind.VIDEO) for item in context.inputs)
    if context.has(InputRole.REFERENCE_AUDIO) and not visual:
        findings.problem(
            "audio_needs_visual_reference",
            "Audio alone is not enough of a reference.",
            "/inputs",
            hint="Add an image or a video.",
        )


def _audio_with_frames_unsupported(context: RuleContext, findings: Findings) -> None:
    """Refuse sound references beside frames, which no provider takes (C7)."""
    if context.has(InputRole.REFERENCE_AUDIO) and context.has(InputRole.FIRST_FRAME):
        findings.problem(
            "audio_with_frames_unsupported",
            f"{context.model.id} takes no reference audio beside a first frame.",
            "/inputs",
            hint="Ask for text-to-video and send the picture as a reference_image; say in the "
            "prompt that the clip opens with it.",
        )


def _variant_mismatch(context: RuleContext, findings: Findings) -> None:
    """Keep reference video to the rows priced for it (rule 21).

    Options: `with_video` or `without_video`, the id of the row for such requests.
    """
    has_video = context.has(InputRole.REFERENCE_VIDEO)
    right = context.options.get("with_video" if has_video else "without_video")
    if right is not None:
        findings.problem(
            "variant_mismatch",
            f"{context.model.id} is for requests {'without' if has_video else 'with'} a "
            "reference video.",
            "/model",
            hint=f"Use {right}.",
            model=right,
        )


def _transparency_needs_alpha(context: RuleContext, findings: Findings) -> None:
    """Refuse a transparent background in a format without transparency (openai section 2.1)."""
    output_format = context.applied.get("output_format")
    if context.applied.get("background") == "transparent" and output_format == "jpeg":
        findings.problem(
            "invalid_background",
            "A JPEG has no transparency.",
            "/parameters/background",
            hint="Use output_format png or webp.",
            allowed=["png", "webp"],
        )


def _value_not_with_inputs(context: RuleContext, findings: Findings) -> None:
    """Refuse a value beside certain files.

    Options: `parameter` and `value`, which value is meant; `roles`, the files.
    """
    name, value = str(context.options["parameter"]), context.options["value"]
    roles = [InputRole(role) for role in context.options["roles"]]
    if context.applied.get(name) == value and context.has(*roles):
        findings.problem(
            code_for(name),
            f"{context.model.id} takes no {name} {value} together with "
            f"{' or '.join(role.value for role in roles)}.",
            pointer_to(name),
            hint="Leave it out, or choose another value.",
            given=value,
        )


def _values_by_value(context: RuleContext, findings: Findings) -> None:
    """Refuse a value that does not go with the value of another parameter.

    Options: `parameter` and `other`, the two; `values`, a table from each value of the other
    to a list of those that go with it, or to `{minimum, maximum}`.
    """
    name, other = str(context.options["parameter"]), str(context.options["other"])
    value, beside = context.applied.get(name), context.applied.get(other)
    allowed = context.options["values"].get(beside)
    if value is None or allowed is None:
        return
    if isinstance(allowed, dict):
        bounds = cast("dict[str, float]", allowed)
        fits = bounds["minimum"] <= value <= bounds["maximum"]
        choices = f"{bounds['minimum']} to {bounds['maximum']}"
    else:
        listed = cast("list[Any]", allowed)
        fits = value in listed
        choices = " or ".join(str(item).lower() for item in listed) or "nothing"
    if not fits:
        findings.problem(
            code_for(name),
            f"{context.model.id} takes {choices} as {name} with {other} {beside}.",
            pointer_to(name),
            hint=f"Use {choices}, or another {other}.",
            given=shown(value),
            allowed=allowed,
        )


def _warn_of_value(context: RuleContext, findings: Findings) -> None:
    """Tell what a value comes to in the end (C2).

    Options: `parameter` and `value`, which value is meant; `reason`, what to tell.
    """
    name = str(context.options["parameter"])
    if context.applied.get(name) == context.options["value"]:
        reason = str(context.options["reason"])
        findings.warned(f"/parameters/{name}", reason, requested=context.applied[name])


def _warn_of_many_inputs(context: RuleContext, findings: Findings) -> None:
    """Tell that the provider states a lower number of inputs than is let through (C5).

    Options: `above`, the provider's number.
    """
    number, above = len(context.inputs), int(context.options["above"])
    if number > above:
        reason = f"the provider speaks of {above} files at most; {number} are sent all the same"
        findings.warned("/inputs", reason, requested=number)


def _sound_sets_duration(context: RuleContext, findings: Findings) -> None:
    """Tell that sound which is handed in sets the length (pruna section A.6)."""
    if context.has(InputRole.REFERENCE_AUDIO) and context.given.get("duration") is not None:
        reason = "the sound that was handed in sets the length, up to 20 s"
        findings.warned("/parameters/duration", reason, requested=context.applied.get("duration"))


RULES: dict[str, RequestRule] = {
    "aspect_ratio_incompatible_with_high_res": _aspect_ratio_incompatible_with_high_res,
    "audio_needs_visual_reference": _audio_needs_visual_reference,
    "audio_with_frames_unsupported": _audio_with_frames_unsupported,
    "frames_exclude_references": _frames_exclude_references,
    "last_frame_needs_first_frame": _last_frame_needs_first_frame,
    "sound_sets_duration": _sound_sets_duration,
    "transparency_needs_alpha": _transparency_needs_alpha,
    "value_not_with_inputs": _value_not_with_inputs,
    "values_by_value": _values_by_value,
    "variant_mismatch": _variant_mismatch,
    "warn_of_many_inputs": _warn_of_many_inputs,
    "warn_of_value": _warn_of_value,
}
"""Every rule by the name the data uses."""

REQUIRED_OPTIONS: dict[str, tuple[str, ...]] = {
    "aspect_ratio_incompatible_with_high_res": ("resolutions", "aspect_ratios"),
    "warn_of_many_inputs": ("above",),
    "warn_of_value": ("parameter", "value", "reason"),
    "value_not_with_inputs": ("parameter", "value", "roles"),
    "values_by_value": ("parameter", "other", "values"),
}
"""Options without which a rule makes no sense."""


def run_rules(context: RuleContext, uses: tuple[RuleUse, ...], findings: Findings) -> None:
    """Run every rule of a model that is for the operation, in the order of the data."""
    for use in uses:
        if not use.operations or context.operation in use.operations:
            RULES[use.name](msgspec.structs.replace(context, options=use.options), findings)
