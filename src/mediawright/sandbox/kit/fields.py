"""The rules of a JSON body as data, and what breaks them.

A field says what it accepts; `check` yields a `Violation` for everything else. A violation
says what is wrong without any vendor's words, so that each emulator can put it in its own
vendor's form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, cast

Path = tuple[str | int, ...]
"""Where a value lies in the body: names and indexes from the top."""


class Fault(StrEnum):
    """The ways in which a value can break a rule."""

    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    NOT_A_CHOICE = "not_a_choice"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    PATTERN = "pattern"
    UNKNOWN_FIELD = "unknown_field"
    RULE = "rule"
    """Broken in a way of the vendor's own; `Violation.message` says how."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One broken rule."""

    fault: Fault
    path: Path
    value: Any = None
    """What was received."""
    expected: str = ""
    """The JSON type that was expected: string, integer, number, boolean, array or object."""
    limit: float | None = None
    """The bound that was passed: a number, a count of characters or a count of items."""
    choices: tuple[str | int, ...] = ()
    """What would have been accepted."""
    message: str = ""
    """The vendor's own sentence, for `Fault.RULE`."""


class Field(Protocol):
    """What a value has to be."""

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        ...

    def check(self, value: Any, path: Path) -> Iterator[Violation]:
        """Yield what is wrong with `value`, which lies at `path`."""
        ...


def json_type(value: Any) -> str:
    """Return the name of the JSON type of `value`, with `integer` for whole numbers."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def utf16_length(text: str) -> int:
    """Return the length of `text` in UTF-16 code units, as JavaScript counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _wrong_type(value: Any, path: Path, expected: str) -> Violation:
    return Violation(fault=Fault.WRONG_TYPE, path=path, value=value, expected=expected)


@dataclass(frozen=True, kw_only=True)
class Text:
    """A string."""

    shortest: int = 0
    """In units of `length`."""
    longest: int | None = None
    pattern: re.Pattern[str] | None = None
    """What the whole string has to match."""
    length: Callable[[str], int] = len

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        return "string"

    def check(self, value: Any, path: Path) -> Iterator[Violation]:
        """Yield what is wrong with `value`."""
        if not isinstance(value, str):
            yield _wrong_type(value, path, self.expected)
            return
        length = self.length(value)
        if length < self.shortest:
            yield Violation(
                fault=Fault.TOO_SHORT,
                path=path,
                value=value,
                expected=self.expected,
                limit=self.shortest,
            )
        elif self.longest is not None and length > self.longest:
            yield Violation(
                fault=Fault.TOO_LONG,
                path=path,
                value=value,
                expected=self.expected,
                limit=self.longest,
            )
        elif self.pattern is not None and not self.pattern.fullmatch(value):
            yield Violation(fault=Fault.PATTERN, path=path, value=value, expected=self.expected)


def _out_of_range(
    value: float, path: Path, expected: str, least: float | None, most: float | None
) -> Iterator[Violation]:
    if least is not None and value < least:
        yield Violation(
            fault=Fault.TOO_SMALL, path=path, value=value, expected=expected, limit=least
        )
    elif most is not None and value > most:
        yield Violation(
            fault=Fault.TOO_LARGE, path=path, value=value, expected=expected, limit=most
        )


@dataclass(frozen=True, kw_only=True)
class Whole:
    """An integer; a number without a fraction counts as one."""

    least: int | None = None
    most: int | None = None

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        return "integer"

    def check(self, value: Any, path: Path) -> Iterator[Violation]:
        """Yield what is wrong with `value`."""
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole:
            yield _wrong_type(value, path, self.expected)
        else:
            yield from _out_of_range(value, path, self.expected, self.least, self.most)


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number, whole or not."""

    least: float | None = None
    most: float | None = None

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        return "number"

    def check(self, value: Any, path: Path) -> Iterator[Violation]:
        """Yield what is wrong with `value`."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            yield _wrong_type(value, path, self.expected)
        else:
            yield from _out_of_range(value, path, self.expected, self.least, self.most)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        return "boolean"

    def check(self, value: Any, path: Path) -> Iterator[Violation]:
        """Yield what is wrong with `value`."""
        if not isinstance(value, bool):
            yield _wrong_type(value, path, self.expected)


@dataclass(frozen=True)
class Choice:
    """One of a list of strings or of a list of numbers."""

    choices: tuple[str | int, ...]

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        return json_type(self.choices[0])

    def check(self, value: Any, path: Path) -> Iterator[Violation]:
        """Yield what is wrong with `value`."""
        if isinstance(value, bool) or value not in self.choices:
            yield Violation(
                fault=Fault.NOT_A_CHOICE,
                path=path,
                value=value,
                expected=self.expected,
                choices=self.choices,
            )


@dataclass(frozen=True, kw_only=True)
class ListOf:
    """An array of like things."""

    item: Field
    fewest: int = 0
    most: int | None = None

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        return "array"

    def check(self, value: Any, path: Path) -> Iterator[Violation]:
        """Yield what is wrong with `value` and with its items."""
        if not isinstance(value, list):
            yield _wrong_type(value, path, self.expected)
            return
        items = cast("list[Any]", value)
        if len(items) < self.fewest:
            yield Violation(
                fault=Fault.TOO_SHORT,
                path=path,
                value=items,
                expected=self.expected,
                limit=self.fewest,
            )
        elif self.most is not None and len(items) > self.most:
            yield Violation(
                fault=Fault.TOO_LONG,
                path=path,
                value=items,
                expected=self.expected,
                limit=self.most,
            )
        for index, item in enumerate(items):
            yield from self.item.check(item, (*path, index))


Rule = Callable[[Mapping[str, Any], Path], Iterable[Violation]]
"""A rule over several fields of an object."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """An object with named fields."""

    required: Mapping[str, Field] = field(default_factory=dict[str, Field])
    optional: Mapping[str, Field] = field(default_factory=dict[str, Field])
    closed: bool = True
    """Whether other names are wrong; otherwise they are ignored."""
    null_is_absent: bool = False
    """Whether an optional field may be null."""
    rules: tuple[Rule, ...] = ()
    """Asked only when every field is right by itself."""

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        return "object"

    def check(self, value: Any, path: Path = ()) -> Iterator[Violation]:
        """Yield what is wrong with `value` and with its fields."""
        if not isinstance(value, dict):
            yield _wrong_type(value, path, self.expected)
            return
        body = cast("dict[str, Any]", value)
        found = list(self._check_fields(body, path))
        yield from found
        if not found:
            for rule in self.rules:
                yield from rule(body, path)

    def _check_fields(self, body: dict[str, Any], path: Path) -> Iterator[Violation]:
        for name, wanted in self.required.items():
            if name in body:
                yield from wanted.check(body[name], (*path, name))
            else:
                yield Violation(fault=Fault.MISSING, path=(*path, name), expected=wanted.expected)
        for name, wanted in self.optional.items():
            if name in body and not (self.null_is_absent and body[name] is None):
                yield from wanted.check(body[name], (*path, name))
        if self.closed:
            for name in body:
                if name not in self.required and name not in self.optional:
                    yield Violation(fault=Fault.UNKNOWN_FIELD, path=(*path, name))


@dataclass(frozen=True)
class TextOr:
    """A string of one kind, or something that is no string."""

    text: Field
    other: Field

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        return self.text.expected

    def check(self, value: Any, path: Path) -> Iterator[Violation]:
        """Yield what is wrong with `value`, judged as whichever of the two it is."""
        yield from (self.text if isinstance(value, str) else self.other).check(value, path)
