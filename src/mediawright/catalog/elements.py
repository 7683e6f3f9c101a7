"""Checks the elements that a prompt refers to as `@name` (rule 36)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from mediawright.catalog.findings import Findings
from mediawright.catalog.input_files import check_file
from mediawright.catalog.model import InputRule, ParameterRule
from mediawright.catalog.values import is_text
from mediawright.core.ids import IdPrefix, has_prefix
from mediawright.core.media import MediaFacts
from mediawright.core.operations import InputRole, MediaKind
from mediawright.core.request import Element, MediaInput

_PLACE = "/parameters/kling_elements"
_URL_FIELDS = {
    MediaKind.IMAGE: "element_input_urls",
    MediaKind.VIDEO: "element_input_video_urls",
}
_MENTION = re.compile(r"(?<![A-Za-z0-9_])@(?=\w)")
"""An at sign that begins a name; the one inside an e-mail address does not."""
_WORD = re.compile(r"\w[\w-]*")
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]")


def read_elements(value: Any, rule: ParameterRule, findings: Findings) -> tuple[Element, ...]:
    """Return the elements if all have the right shape, and note every breach.

    Every breach is `invalid_elements`, with the place of the field at fault.

    Args:
        value: What the caller gave.
        rule: The model's rule for elements.
        findings: Where to note what was found.
    """
    if not isinstance(value, list | tuple):
        _refuse(findings, _PLACE, "The elements must be a list.")
        return ()
    before = len(findings.problems)
    items = cast("list[Any]", list(value))  # pyright: ignore[reportUnknownArgumentType] - any
    if rule.max_items is not None and len(items) > rule.max_items:
        _refuse(findings, _PLACE, f"There may be {rule.max_items} elements at most.")
    names: set[str] = set()
    for index, item in enumerate(items):
        place = f"{_PLACE}/{index}"
        if not isinstance(item, Element):
            _refuse(findings, place, "An element has a name, a description and files.")
            continue
        for pointer, fault in _shape_faults(item, rule):
            _refuse(findings, place + pointer, fault)
        if isinstance(item.name, str) and item.name:  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked input
            if item.name in names:
                _refuse(findings, f"{place}/name", f"Two elements are named {item.name[:60]!a}.")
            names.add(item.name)
    return tuple(items) if len(findings.problems) == before else ()


def check_elements(
    rule: ParameterRule,
    elements: tuple[Element, ...],
    facts: Mapping[str, MediaFacts],
    prompt: str | None,
    findings: Findings,
) -> None:
    """Check names in the prompt, and the files as far as they are known.

    Args:
        rule: The model's rule for elements.
        elements: Of the right shape.
        facts: What is known about the elements' files, by URL or asset id.
        prompt: The prompt.
        findings: Where to note what was found.
    """
    for index, element in enumerate(elements):
        for slot in rule.element_files:
            _check_files(f"{_PLACE}/{index}", element, slot, facts, findings)
    _check_mentions(prompt or "", [element.name for element in elements], findings)


def element_sources(
    elements: tuple[Element, ...], rule: ParameterRule
) -> Iterator[tuple[str, str, InputRole]]:
    """Return the URL or asset id of each file of the elements, with its place and its role."""
    for index, element in enumerate(elements):
        for slot in rule.element_files:
            field = _URL_FIELDS[slot.role.media_kind]
            for number, source in enumerate(getattr(element, field)):
                yield source, f"{_PLACE}/{index}/{field}/{number}", slot.role


def with_sources(elements: tuple[Element, ...], named: Callable[[str], str]) -> tuple[Element, ...]:
    """Return elements whose files are named otherwise.

    Args:
        elements: The elements.
        named: Returns the URL or asset id to write for one.
    """
    return tuple(
        msgspec.structs.replace(
            element,
            **{field: tuple(map(named, getattr(element, field))) for field in _URL_FIELDS.values()},
        )
        for element in elements
    )


def _shape_faults(item: Element, rule: ParameterRule) -> Iterator[tuple[str, str]]:
    name: Any = item.name
    if not is_text(name) or not name.strip():
        yield "/name", "An element needs a name."
    elif name != name.strip() or "@" in name or "\n" in name:
        yield "/name", "A name has no at sign, no line break, and no space around it."
    description: Any = item.description
    if not is_text(description) or not description.strip():
        yield "/description", "An element needs a description."
    yield from _file_faults(item, rule)


def _file_faults(item: Element, rule: ParameterRule) -> Iterator[tuple[str, str]]:
    slots = {_URL_FIELDS[slot.role.media_kind]: slot for slot in rule.element_files}
    given = {field: getattr(item, field) for field in slots}
    for field, sources in given.items():
        if not isinstance(sources, list | tuple):
            yield f"/{field}", "The files of an element must be a list of URLs."
            return
    named = [field for field, sources in given.items() if sources]
    if len(named) != 1:
        wanted = " or ".join(f"{_counted(slot)} in {field}" for field, slot in slots.items())
        yield "", f"An element has {wanted}, and not both."
        return
    (field,) = named
    slot, sources = slots[field], given[field]
    if not slot.minimum <= len(sources) <= slot.maximum:
        yield f"/{field}", f"There must be {_counted(slot)}; {len(sources)} were given."
    for index, source in enumerate(sources):
        if not _is_source(source):
            yield f"/{field}/{index}", "A file is named by its URL or by the id of an asset."


def _counted(slot: InputRule) -> str:
    kind = slot.role.media_kind.value
    if slot.minimum == slot.maximum:
        return f"{slot.maximum} {kind}"
    return f"{slot.minimum} to {slot.maximum} {kind}s"


def _is_source(source: Any) -> bool:
    if not isinstance(source, str) or not is_text(source):
        return False
    if has_prefix(source, IdPrefix.ASSET):
        return True
    try:
        parts = urlsplit(source)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _check_files(
    place: str,
    element: Element,
    slot: InputRule,
    facts: Mapping[str, MediaFacts],
    findings: Findings,
) -> None:
    kind = slot.role.media_kind
    field = _URL_FIELDS[kind]
    for number, source in enumerate(getattr(element, field)):
        item = MediaInput(role=slot.role, kind=kind, url=source)
        pointer = f"{place}/{field}/{number}"
        check_file(0, item, facts.get(source), (slot, None), findings, pointer=pointer)


def _check_mentions(prompt: str, names: list[str], findings: Findings) -> None:
    used: set[str] = set()
    for start, word in _mentions(prompt):
        name = _name_at(prompt, start, names)
        if name is not None:
            used.add(name)
            continue
        listed = ", ".join(f"@{known}" for known in names)
        findings.problem(
            "unknown_element",
            f"The prompt speaks of @{word[:60]}, and there is no such element.",
            "/prompt",
            hint=f"Use {listed}.",
            given=word[:60],
            allowed=names,
        )
    for index, name in enumerate(names):
        if name not in used:
            findings.warned(
                f"{_PLACE}/{index}", f"the prompt does not speak of @{name}", requested=name
            )


def _mentions(prompt: str) -> Iterator[tuple[int, str]]:
    for match in _MENTION.finditer(prompt):
        word = _WORD.match(prompt, match.end())
        yield match.end(), word.group() if word else ""


def _name_at(prompt: str, start: int, names: list[str]) -> str | None:
    """Return the element that is spoken of at a place.

    The longest name wins, so that `@red car` means `red car` where there is `red` too. What
    follows a name may be anything but a letter, digit or underscore of ASCII: languages
    written without spaces go on at once.
    """
    for name in sorted(names, key=len, reverse=True):
        if not prompt.startswith(name, start):
            continue
        end = start + len(name)
        goes_on = _ASCII_WORD.match(prompt, end) and _ASCII_WORD.match(name[-1])
        if not goes_on:
            return name
    return None


def _refuse(findings: Findings, pointer: str, message: str) -> None:
    findings.problem(
        "invalid_elements",
        message,
        pointer,
        hint="Give each element a name, a description, and either element_input_urls or "
        "element_input_video_urls.",
    )
