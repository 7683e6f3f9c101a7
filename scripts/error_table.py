"""The table of error codes: every code that the source names, and those that the rows make.

Most codes stand in the source as plain text, where an error is raised or a problem is noted. The
codes of counts and lengths of files, and of parameters, are made from the rows of the catalogue.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.model import InputRule
from mediawright.catalog.parameter_values import code_for
from mediawright.core import errors
from mediawright.core.errors import MediawrightError

INTRODUCTION = (
    "# Error codes\n\n"
    'Every error of the REST API has the shape `{"error": CODE, "message", "pointer", '
    '"hint", ..., "request_id"}`; the command line ends with the exit code. Codes without '
    "numbers are found in the `error` of a generation that failed, or among the `problems` of "
    "a refused request.\n\n"
    "| code | HTTP status | exit code | example |\n| --- | --- | --- | --- |\n"
)
_REFUSED = "InvalidRequestError"
_NOT_FOUND = {"model_not_found": "NotFoundError"}
_CODE = re.compile(r"[a-z0-9_]+")


class Code(NamedTuple):
    """A code, the class it is raised as (empty where it is only stored), and a message."""

    code: str
    raised_as: str
    message: str


def error_table(source: Path) -> str:
    """Return the page.

    Args:
        source: The folder of the package.
    """
    found: dict[str, Code] = {}
    for path in sorted(source.rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        checks_requests = path.parent.name == "catalog"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for code in _codes_in(tree, checks_requests=checks_requests):
            _keep(found, code)
    for code in _codes_of_rows():
        _keep(found, code)
    return INTRODUCTION + "".join(_row(found[name]) for name in sorted(found))


def _keep(found: dict[str, Code], code: Code) -> None:
    """Keep the first of each code; one that says how it is raised, and with what, is better."""
    old = found.get(code.code)
    if old is None or _worth(code) > _worth(old):
        found[code.code] = code


def _worth(code: Code) -> tuple[bool, bool]:
    return bool(code.raised_as), bool(code.message)


def _row(code: Code) -> str:
    kind = getattr(errors, code.raised_as, MediawrightError).kind if code.raised_as else None
    numbers = f"{kind.http_status} | {kind.exit_code}" if kind else "- | -"
    return f"| `{code.code}` | {numbers} | {code.message} |\n"


def _codes_in(tree: ast.Module, *, checks_requests: bool) -> Iterator[Code]:
    """Yield the codes of a module.

    Args:
        tree: The module.
        checks_requests: Whether it belongs to the checks of requests, whose problems are raised
            as one error in the end.
    """
    codes_of = partial(_codes_of, checks_requests=checks_requests)
    shared = _texts_by_name(tree.body)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from codes_of(function, shared | _texts_by_name(ast.walk(function)))
    yield from codes_of(tree, shared)


def _codes_of(
    part: ast.AST, names: Mapping[str, set[str]], *, checks_requests: bool
) -> Iterator[Code]:
    for node in ast.walk(part):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        named = {item.arg: item.value for item in node.keywords if item.arg}
        if called.endswith("Error") and len(node.args) > 1:
            code, message, raised_as = node.args[0], node.args[1], called
        elif called == "Problem" and "code" in named:
            code, message = named["code"], named.get("message")
            raised_as = _REFUSED if checks_requests else ""
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "problem" and node.args[1:]:
            code, message, raised_as = node.args[0], node.args[1], _REFUSED
        else:
            continue
        for text in sorted(_texts(code, names)):
            if _CODE.fullmatch(text):
                yield Code(text, _NOT_FOUND.get(text, raised_as), _text(message) or "")


def _texts_by_name(statements: Iterable[ast.AST]) -> dict[str, set[str]]:
    """Return the texts that names are set to in assignments."""
    found: dict[str, set[str]] = {}
    for node in statements:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, set()).update(_texts(node.value, {}))
    return found


def _texts(node: ast.expr, names: Mapping[str, set[str]]) -> set[str]:
    """Return the texts that an expression may come to, as far as they stand there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.Name):
        return names.get(node.id, set())
    if isinstance(node, ast.IfExp):
        return _texts(node.body, names) | _texts(node.orelse, names)
    return set()


def _text(node: ast.expr | None) -> str | None:
    """Return a literal text; the moving parts of an f-string become an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("|", "\\|")
    if isinstance(node, ast.JoinedStr):
        parts = [_text(part) if isinstance(part, ast.Constant) else "…" for part in node.values]
        return "".join(part or "" for part in parts)
    return None


def _codes_of_rows() -> Iterator[Code]:
    """Yield the codes that the catalogue's rows make."""
    for model in load_catalogue():
        for rule in model.operations.values():
            for slot in rule.inputs:
                yield from (Code(code, _REFUSED, text) for code, text in _codes_of_slot(slot))
        names = {*model.parameters}
        names.update(name for rule in model.operations.values() for name in rule.parameters)
        for name in sorted(names):
            yield Code(code_for(name), _REFUSED, f"{name} … is not what the model takes.")


def _codes_of_slot(slot: InputRule) -> Iterator[tuple[str, str]]:
    role, kind = slot.role.value, slot.role.media_kind.value
    if slot.maximum:
        yield slot.count_code, f"… takes up to {slot.maximum} {role}; … were given."
    else:
        yield slot.count_code, f"… takes no {role} here."
    if slot.max_seconds is not None or slot.total_seconds is not None:
        yield slot.length_code or f"{role}_too_long", "The file lasts … s; … s is the most."
    if slot.min_seconds is not None:
        yield f"{role}_too_short", "The file lasts … s; … s is the least."
    if slot.min_side is not None or slot.max_side is not None:
        yield f"{kind}_side_out_of_range", "The file has … pixels, outside of what is taken here."
    if slot.min_ratio is not None or slot.max_ratio is not None:
        text = "Width divided by height is …, outside of what is taken here."
        yield f"{kind}_ratio_out_of_range", text
