"""Rules of JSON bodies as data: what they find, and what they let pass."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawright.sandbox.kit.fields import (
    Choice,
    Fault,
    Field,
    Flag,
    ListOf,
    Number,
    Record,
    Text,
    TextOr,
    Violation,
    Whole,
    json_type,
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def faults(field: Field, value: Any) -> list[tuple[Fault, tuple[str | int, ...]]]:
    return [(violation.fault, violation.path) for violation in field.check(value, ("x",))]


@given(anything, st.integers(-9, 9), st.integers(-9, 9))
def test_whole_numbers(value: Any, least: int, most: int):
    is_whole = (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, float) and value.is_integer()
    )
    passes = is_whole and least <= value and value <= most
    assert (faults(Whole(least=least, most=most), value) == []) is bool(passes)


@given(anything)
def test_every_wrong_value_is_found_once_at_its_place(value: Any):
    for field in (Text(), Number(), Flag(), Choice(("a", "b")), Choice((4, 6))):
        found = faults(field, value)
        assert len(found) <= 1
        assert all(path == ("x",) for _, path in found)


@given(anything)
def test_records_survive_anything(value: Any):
    record = Record(
        required={"a": ListOf(item=Text(longest=2), fewest=1)},
        optional={"b": TextOr(Text(), Flag()), "c": Record(required={"d": Number(least=0)})},
    )
    if not isinstance(value, dict):
        assert faults(record, value) == [(Fault.WRONG_TYPE, ("x",))]
    else:
        unknown = {("x", name) for name in value if name not in {"a", "b", "c"}}
        found = faults(record, value)
        assert unknown == {path for fault, path in found if fault is Fault.UNKNOWN_FIELD}
        assert ("a" in value) or (Fault.MISSING, ("x", "a")) in found


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (Text(shortest=2), "a", Fault.TOO_SHORT),
        (Text(longest=2), "abc", Fault.TOO_LONG),
        (Text(pattern=re.compile("[a-z]+")), "aB", Fault.PATTERN),
        (Number(least=0.5), 0.4, Fault.TOO_SMALL),
        (Number(most=0.5), 0.6, Fault.TOO_LARGE),
        (Number(), float("nan"), Fault.WRONG_TYPE),
        (Number(), True, Fault.WRONG_TYPE),
        (Flag(), 1, Fault.WRONG_TYPE),
        (Choice((1, 2)), True, Fault.NOT_A_CHOICE),
        (Choice(("a",)), ["a"], Fault.NOT_A_CHOICE),
        (ListOf(item=Flag(), most=1), [True, True], Fault.TOO_LONG),
        (TextOr(Text(longest=1), Flag()), "ab", Fault.TOO_LONG),
        (TextOr(Text(), Flag()), 1, Fault.WRONG_TYPE),
    ],
)
def test_faults(field: Field, value: Any, expected: Fault):
    assert faults(field, value) == [(expected, ("x",))]


def test_places_within():
    field = ListOf(item=Record(required={"uri": Text()}))
    assert faults(field, [{"uri": "a"}, {"uri": 1}, {}]) == [
        (Fault.WRONG_TYPE, ("x", 1, "uri")),
        (Fault.MISSING, ("x", 2, "uri")),
    ]


def test_null_is_absent_only_where_it_is_said():
    assert faults(Record(optional={"a": Flag()}), {"a": None}) == [(Fault.WRONG_TYPE, ("x", "a"))]
    assert faults(Record(optional={"a": Flag()}, null_is_absent=True), {"a": None}) == []


def test_rules_are_asked_about_right_fields_only():
    def never_equal(body: Any, path: Any):
        if body["a"] == body["b"]:
            yield Violation(fault=Fault.RULE, path=path, message="equal")

    record = Record(required={"a": Whole(), "b": Whole()}, rules=(never_equal,))
    assert faults(record, {"a": 1, "b": 2}) == []
    assert faults(record, {"a": 1, "b": 1}) == [(Fault.RULE, ("x",))]
    assert faults(record, {"a": 1}) == [(Fault.MISSING, ("x", "b"))]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "integer"),
        (1.5, "number"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_json_types(value: Any, name: str):
    assert json_type(value) == name
