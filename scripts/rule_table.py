"""The table of rules: what each says, where the code names it, and which tests show it.

Tests say what they show in a mark, `@pytest.mark.rule(24, shows="refuses")`; they are found by
reading them, not by running them. A mark may stand at a function, a class or a module
(`pytestmark`). Code names a rule in a docstring or a comment: "(rule 24)", "(rules 16-18)".
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHOWS = ("accepts", "refuses", "adjusts", "prices")
KINDS = frozenset(SHOWS) - {"accepts"}
INTRODUCTION = """# Rules

The numbered rules that a request is checked and priced by, where the code names each, and the
tests that show it. A rule of a kind (it refuses, adjusts or prices) has at least one test of that
kind and one that shows what passes; the page cannot be written without them. A file without a
function's name has the mark for all of its tests.

| rule | what it says | kind | code | tests |
| --- | --- | --- | --- | --- |
"""

_NUMBERS = r"\d+[a-z]?(?:-\d+)?"
_MENTION = re.compile(
    rf"\b[Rr]ules?\s+({_NUMBERS}(?:(?:,\s+and\s+|,\s+|\s+and\s+|\s+to\s+){_NUMBERS})*)"
)
_NUMBER = re.compile(r"(\d+)[a-z]?(?:-(\d+))?")


class RuleTableError(Exception):
    """A mark is wrong, or a rule is not shown; every line of the message is one fault."""


@dataclass
class Rule:
    """A numbered rule."""

    number: int
    says: str
    kinds: tuple[str, ...]
    code: list[str] = field(default_factory=list[str])
    tests: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What they show -> ids."""


@dataclass(frozen=True)
class Mark:
    """What a test says of itself."""

    test: str
    numbers: tuple[int, ...]
    shows: tuple[str, ...]


def rule_table(root: Path) -> str:
    """Return the page.

    Args:
        root: The repository's folder.

    Raises:
        RuleTableError: A mark is malformed or names no rule, or a rule lacks a test or is not
            named in the code.
    """
    rules = read_rules(root / "scripts" / "rules.toml")
    faults: list[str] = []
    for mark in find_marks(root, faults):
        for number in mark.numbers:
            if number not in rules:
                faults.append(f"{mark.test}: there is no rule {number}")
                continue
            for shown in mark.shows:
                rules[number].tests[shown].append(mark.test)
    for number, place in find_mentions(root / "src" / "mediawright"):
        if number in rules and place not in rules[number].code:
            rules[number].code.append(place)
    faults += [fault for rule in rules.values() for fault in _lacks(rule)]
    if faults:
        raise RuleTableError("\n".join(faults))
    return INTRODUCTION + "".join(_row(rule) for rule in rules.values())


def read_rules(path: Path) -> dict[int, Rule]:
    """Return the rules by number, in order."""
    sections = tomllib.loads(path.read_text(encoding="utf-8")).values()
    found = (
        Rule(int(number), says, tuple(kinds))
        for section in sections
        for number, (says, *kinds) in section.items()
    )
    return {rule.number: rule for rule in sorted(found, key=lambda rule: rule.number)}


def find_marks(root: Path, faults: list[str]) -> Iterator[Mark]:
    """Yield the marks of all tests; what is wrong with one is added to the faults."""
    for path in sorted((root / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.rule(" in text:
            name = path.relative_to(root).as_posix()
            yield from _marks_in(ast.parse(text), name, faults)


def _marks_in(body: ast.Module | ast.ClassDef, name: str, faults: list[str]) -> Iterator[Mark]:
    for node in body.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            yield from _marks_of([node.value], name, faults)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{name}::{node.name}"
            yield from _marks_of(node.decorator_list, inner, faults)
            if isinstance(node, ast.ClassDef):
                yield from _marks_in(node, inner, faults)


def _marks_of(places: Iterable[ast.expr], test: str, faults: list[str]) -> Iterator[Mark]:
    """Yield the marks in decorators, those of single parameters included."""
    for call in (node for place in places for node in ast.walk(place)):
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != "pytest.mark.rule":
            continue
        try:
            numbers = tuple(ast.literal_eval(argument) for argument in call.args)
            named = {item.arg: ast.literal_eval(item.value) for item in call.keywords}
        except ValueError:
            faults.append(f"{test}: write the rules and what is shown as plain values")
            continue
        shows = named.get("shows", ())
        shows = (shows,) if isinstance(shows, str) else tuple(shows)
        if not shows or not set(shows) <= set(SHOWS):
            faults.append(f"{test}: say what it shows, out of {', '.join(SHOWS)}")
        yield Mark(test, numbers, shows)


def find_mentions(source: Path) -> Iterator[tuple[int, str]]:
    """Yield (rule, place) for every rule that code or data names, by file and place."""
    for path in sorted([*source.rglob("*.py"), *source.rglob("*.toml")]):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(source.parent).as_posix()
        places = _Places(text) if path.suffix == ".py" else None
        for found in _MENTION.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            inside = places.at(line) if places else ""
            for number in _numbers(found.group(1)):
                yield number, f"{name}:{inside}" if inside else name


def _numbers(text: str) -> Iterator[int]:
    for first, last in _NUMBER.findall(text):
        yield from range(int(first), int(last or first) + 1)


class _Places:
    """The functions and classes of a module, by their lines."""

    def __init__(self, text: str) -> None:
        self._spans: list[tuple[int, int, str]] = []
        self._add(ast.parse(text), "")

    def _add(self, body: ast.AST, prefix: str) -> None:
        for node in ast.iter_child_nodes(body):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}{node.name}"
                self._spans.append((node.lineno, node.end_lineno or node.lineno, name))
                self._add(node, f"{name}.")

    def at(self, line: int) -> str:
        """Return the innermost name at a line, empty outside of all."""
        inside = [(end - start, name) for start, end, name in self._spans if start <= line <= end]
        return min(inside)[1] if inside else ""


def _lacks(rule: Rule) -> Iterator[str]:
    if unknown := set(rule.kinds) - KINDS:
        yield f"rule {rule.number}: there is no kind {', '.join(sorted(unknown))}"
    if not rule.kinds:
        return
    for shown in ("accepts", *rule.kinds):
        if not rule.tests.get(shown):
            yield f"rule {rule.number}: no test {shown} ({rule.says})"
    if not rule.code:
        yield f"rule {rule.number}: no code names it ({rule.says})"


def _row(rule: Rule) -> str:
    wanted = ("accepts", *rule.kinds) if rule.kinds else SHOWS
    tests = [
        f"{shown}:<br>" + "<br>".join(f"`{test}`" for test in dict.fromkeys(rule.tests[shown]))
        for shown in wanted
        if rule.tests.get(shown)
    ]
    code = "<br>".join(f"`{place}`" for place in rule.code)
    kinds = ", ".join(rule.kinds) or "-"
    return (
        f"| {rule.number} | {rule.says} | {kinds} | {code or '-'} | {'<br>'.join(tests) or '-'} |\n"
    )
