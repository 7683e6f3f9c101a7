"""Checks the input files of a request: roles, kinds, counts and what the files are like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from mediawright.catalog.findings import Findings
from mediawright.catalog.input_files import check_file, check_total
from mediawright.catalog.model import InputRule, Model, OperationRule
from mediawright.catalog.surfaces import SurfaceLimits
from mediawright.core.errors import Problem
from mediawright.core.media import MediaFacts
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import MediaInput

_FRAMES = frozenset({InputRole.FIRST_FRAME, InputRole.LAST_FRAME})
_REFERENCES = frozenset(
    {InputRole.REFERENCE_IMAGE, InputRole.REFERENCE_VIDEO, InputRole.REFERENCE_AUDIO}
)
_PICTURES = _FRAMES | {InputRole.REFERENCE_IMAGE}
_INTERCHANGEABLE = frozenset({InputRole.FIRST_FRAME, InputRole.REFERENCE_IMAGE})
"""Roles a picture is given when nobody said what it is for; they stand in for one another."""


class InputCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What input files are checked against."""

    model: Model
    operation: Operation
    """One of the model's."""
    facts: Mapping[int, MediaFacts]
    """What is known about the files, by index."""
    surface: SurfaceLimits
    """What the surface demands of files."""
    findings: Findings
    """Where to note what was found."""


def readable_inputs(inputs: Any) -> tuple[tuple[MediaInput, ...], list[Problem]]:
    """Return the inputs that are inputs at all, and what is wrong with the others."""
    if not isinstance(inputs, tuple | list):
        return (), [_misshapen("The inputs must be a list.", "/inputs")]
    read: list[MediaInput] = []
    problems: list[Problem] = []
    for index, item in enumerate(cast("list[Any]", inputs)):
        fault = _shape_fault(item)
        if fault is None:
            read.append(item)
        else:
            problems.append(_misshapen(fault, f"/inputs/{index}"))
    return tuple(read), problems


def _misshapen(message: str, pointer: str) -> Problem:
    return Problem(
        code="invalid_source_media",
        message=message,
        pointer=pointer,
        hint="Give each input a role, a kind and either a URL or an asset id.",
    )


def _shape_fault(item: Any) -> str | None:
    if not isinstance(item, MediaInput):
        return "An input must say its role, its kind and where it is."
    if not isinstance(item.role, InputRole) or not isinstance(item.kind, MediaKind):  # pyright: ignore[reportUnnecessaryIsInstance]
        return "An input's role or kind is not known."
    if not isinstance(item.url, str | None) or not isinstance(item.asset_id, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        return "An input's URL and asset id must be text."
    if not isinstance(item.name, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        return "An input's name must be text."
    if bool(item.url) == bool(item.asset_id):
        return "An input must have a URL or an asset id, and not both."
    return None


def choose_operation(model: Model, inputs: tuple[MediaInput, ...]) -> Operation:
    """Return the operation that suits the inputs best (rule 4), when the caller named none."""
    return max(model.operations, key=lambda operation: _fit(model.operations[operation], inputs))


def _fit(rule: OperationRule, inputs: tuple[MediaInput, ...]) -> tuple[int, int, int]:
    """Rate how well inputs suit an operation; more is better, ties go to the first one."""
    needed = {slot.role.media_kind: 0 for slot in rule.inputs if slot.maximum}
    for slot in rule.inputs:
        if not slot.maximum:
            continue
        needed[slot.role.media_kind] += slot.minimum
    found = [item.kind for item in inputs]
    suits = all(kind in needed for kind in found) and all(
        found.count(kind) >= number for kind, number in needed.items()
    )
    least, most = input_counts(rule)
    suits = suits and least <= len(found) <= most
    roles = {slot.role for slot in rule.inputs}
    exact = sum(item.role in roles for item in inputs)
    return (int(suits), exact, sum(needed.values()))


def input_counts(rule: OperationRule) -> tuple[int, int]:
    """Return how many files an operation takes at least and at most, all roles together."""
    least = max(rule.min_inputs, sum(slot.minimum for slot in rule.inputs))
    most = sum(slot.maximum for slot in rule.inputs)
    return least, most if rule.max_inputs is None else min(most, rule.max_inputs)


def check_inputs(inputs: tuple[MediaInput, ...], check: InputCheck) -> tuple[MediaInput, ...]:
    """Return the inputs with the roles they will have, and note every problem (rules 7, 9, 11).

    Args:
        inputs: The caller's inputs.
        check: What they are checked against, and where to note what was found.
    """
    rule = check.model.operations[check.operation]
    slots = {slot.role: slot for slot in rule.inputs}
    if not inputs:
        _none_given(check, rule)
        return ()
    if not slots:
        check.findings.problem(
            "source_media_not_allowed",
            f"{check.model.id} takes no source media in {check.operation.value}.",
            "/inputs",
            hint=_media_hint(check),
        )
        return inputs
    placed = _place(check, slots, _arrange(check, rule, inputs))
    if rule.max_inputs is not None and len(inputs) > rule.max_inputs:
        check.findings.problem(
            "invalid_media_count",
            f"{check.model.id} takes {rule.max_inputs} source files at most; "
            f"{len(inputs)} were given.",
            "/inputs",
            allowed={"maximum": rule.max_inputs},
        )
    _count(check, slots, placed)
    _check_files(check, slots, placed)
    return placed


def _arrange(
    check: InputCheck, rule: OperationRule, inputs: tuple[MediaInput, ...]
) -> tuple[MediaInput, ...]:
    """Let the number of pictures say what each is for, where nobody said it (rule 11)."""
    roles = next((roles for roles in rule.arrangements if len(roles) == len(inputs)), None)
    if roles is None or any(item.role not in _INTERCHANGEABLE for item in inputs):
        return inputs
    arranged: list[MediaInput] = []
    for index, (item, role) in enumerate(zip(inputs, roles, strict=True)):
        if item.kind is not MediaKind.IMAGE:
            return inputs
        if item.role is role:
            arranged.append(item)
            continue
        arranged.append(msgspec.structs.replace(item, role=role))
        check.findings.replaced(
            f"/inputs/{index}/role",
            f"{check.model.id} takes it as {role.value} when {len(inputs)} "
            f"{'picture is' if len(inputs) == 1 else 'pictures are'} given",
            item.role.value,
            role.value,
        )
    return tuple(arranged)


def _none_given(check: InputCheck, rule: OperationRule) -> None:
    """Note that there should be source media (rule 6)."""
    needed = [slot for slot in rule.inputs if slot.minimum]
    if not needed and rule.min_inputs:
        check.findings.problem(
            "source_media_required",
            f"{check.operation.value} with {check.model.id} needs source media.",
            "/inputs",
            hint=f"Add {rule.min_inputs} or more of: "
            + ", ".join(_accepted(slot) for slot in rule.inputs)
            + ".",
            required={"minimum": rule.min_inputs},
        )
    if needed:
        check.findings.problem(
            "source_media_required",
            f"{check.operation.value} with {check.model.id} needs source media.",
            "/inputs",
            hint="Add " + " and ".join(_wanted(slot) for slot in needed) + ".",
            required={slot.role.value: slot.minimum for slot in needed},
        )


def _media_hint(check: InputCheck) -> str:
    others = [name.value for name, rule in check.model.operations.items() if rule.inputs]
    if others:
        return f"Ask for {' or '.join(others)}, or leave the files out."
    return "Leave the files out, or choose a model that takes them."


def _place(
    check: InputCheck, slots: dict[InputRole, InputRule], inputs: tuple[MediaInput, ...]
) -> tuple[MediaInput, ...]:
    mixed = _excludes_mixing(check.model) and mixes_frames_and_references(inputs)
    used: dict[InputRole, int] = {}
    placed: list[MediaInput] = []
    for index, item in enumerate(inputs):
        role = item.role
        if item.kind is not role.media_kind:
            check.findings.problem(
                "role_media_mismatch",
                f"A {role.value} is {_article(role.media_kind.value)}, not {item.kind.value}.",
                f"/inputs/{index}/role",
                hint="Give it another role, or another file.",
                allowed=[other.value for other in slots if other.media_kind is item.kind],
            )
        elif role not in slots and not mixed:
            free = _free_place(slots, used, item)
            if free is None:
                _no_place(check, slots, index, item)
            else:
                role = free
                check.findings.replaced(
                    f"/inputs/{index}/role",
                    f"{check.model.id} takes it as {role.value}",
                    item.role.value,
                    role.value,
                )
        used[role] = used.get(role, 0) + 1
        moved = role is not item.role
        placed.append(msgspec.structs.replace(item, role=role) if moved else item)
    return tuple(placed)


def mixes_frames_and_references(inputs: tuple[MediaInput, ...]) -> bool:
    """Tell whether there are frames and references side by side (rule 52)."""
    roles = {item.role for item in inputs}
    return bool(roles & _FRAMES) and bool(roles & _REFERENCES)


def _excludes_mixing(model: Model) -> bool:
    """Tell whether a rule of the model refuses the mixture, so that nothing is moved before."""
    return any(use.name == "frames_exclude_references" for use in model.rules)


def _free_place(
    slots: dict[InputRole, InputRule], used: dict[InputRole, int], item: MediaInput
) -> InputRole | None:
    """Find the place for a picture whose role the operation does not have."""
    if item.role not in _INTERCHANGEABLE:
        return None
    for role, slot in slots.items():
        if role in _PICTURES and used.get(role, 0) < slot.maximum:
            return role
    return None


def _no_place(
    check: InputCheck, slots: dict[InputRole, InputRule], index: int, item: MediaInput
) -> None:
    one_too_many = item.role in _INTERCHANGEABLE and any(role in _PICTURES for role in slots)
    if one_too_many:
        pictures = [slot for role, slot in slots.items() if role in _PICTURES]
        taking = [slot for slot in pictures if slot.maximum] or pictures
        code = taking[-1].count_code
    elif any(role.media_kind is item.kind for role in slots):
        code = "unsupported_by_model"
    else:
        code = "unsupported_media_kind"
    check.findings.problem(
        code,
        f"{check.model.id} takes no {'further ' if one_too_many else ''}{item.role.value} in "
        f"{check.operation.value}.",
        f"/inputs/{index}",
        hint="It takes " + ", ".join(_accepted(slot) for slot in slots.values()) + ".",
        allowed=[role.value for role in slots],
    )


def _count(
    check: InputCheck, slots: dict[InputRole, InputRule], placed: tuple[MediaInput, ...]
) -> None:
    for role, slot in slots.items():
        number = sum(item.role is role for item in placed)
        if slot.minimum <= number <= slot.maximum:
            continue
        few = number < slot.minimum
        check.findings.problem(
            "invalid_media_count" if few else slot.count_code,
            f"{check.model.id} takes {_accepted(slot)}; {number} "
            f"{'was' if number == 1 else 'were'} given.",
            "/inputs",
            hint=f"Add {_wanted(slot)}." if few else _too_many_hint(slot),
            role=role.value,
            given=number,
            allowed={"minimum": slot.minimum, "maximum": slot.maximum},
        )


def _too_many_hint(slot: InputRule) -> str:
    if slot.instead:
        return f"Use {' or '.join(slot.instead)}, or send {_accepted(slot)}."
    return f"Send {_accepted(slot)}."


def _check_files(
    check: InputCheck, slots: dict[InputRole, InputRule], placed: tuple[MediaInput, ...]
) -> None:
    totals: dict[InputRole, float] = {}
    for index, item in enumerate(placed):
        slot = slots.get(item.role)
        if slot is None:
            continue
        known = check.facts.get(index)
        check_file(index, item, known, (slot, check.surface.of(item.kind)), check.findings)
        if known is not None and known.seconds is not None:
            totals[item.role] = totals.get(item.role, 0.0) + known.seconds
    for role, seconds in totals.items():
        surface = check.surface.of(role.media_kind)
        check_total(role, seconds, slots[role], surface, check.findings)


def _accepted(slot: InputRule) -> str:
    name = slot.role.value
    if not slot.maximum:
        return f"no {name}"
    if slot.minimum == slot.maximum:
        return f"exactly {slot.maximum} {name}"
    if slot.minimum:
        return f"{slot.minimum} to {slot.maximum} {name}"
    return f"up to {slot.maximum} {name}"


def _wanted(slot: InputRule) -> str:
    more = slot.maximum - slot.minimum
    number = f"{slot.minimum} to {slot.maximum}" if more else str(slot.minimum)
    return f"{number} {slot.role.value}"


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
