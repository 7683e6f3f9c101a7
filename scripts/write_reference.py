"""Writes the pages of docs/reference that come from the code, or checks that they are current.

usage: python scripts/write_reference.py [--check]
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import click
import msgspec
from error_table import error_table
from rule_table import RuleTableError, rule_table

import mediawright
from mediawright.api.application import create_application
from mediawright.app import settings as settings_module
from mediawright.app.limits import fixed_limits
from mediawright.app.settings import Settings
from mediawright.app.vendor_limits import VENDOR_LIMITS
from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.public import public_model
from mediawright.cli.main import cli
from mediawright.core.states import TRANSITIONS, GenerationState, public_status
from mediawright.providers.registry import adapter_class, provider_names

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "mediawright"
TARGET = ROOT / "docs" / "reference"
NOTE = "<!-- Written by scripts/write_reference.py; change the code, not this page. -->\n\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check tell which are not current."""
    check = "--check" in arguments
    try:
        rules = rule_table(ROOT)
    except RuleTableError as error:
        print(error)
        return 1
    pages = {
        "cli.md": command_line(),
        "errors.md": NOTE + error_table(SOURCE),
        "limits.md": limits(),
        "models.md": models(),
        "providers.md": providers(),
        "rules.md": NOTE + rules,
        "settings.md": settings(),
        "states.md": states(),
        "openapi.json": openapi(),
    }
    stale: list[str] = []
    for name, text in pages.items():
        path = TARGET / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'not current' if check else 'written'}: docs/reference/{name}")
    if check and stale:
        print("Run: make docs")
        return 1
    return 0


def command_line() -> str:
    """Return the help of every command."""
    parts = [NOTE, "# Command line\n"]
    for path, command in _commands("mediawright", cli):
        context = click.Context(command, info_name=path, max_content_width=96)
        parts.append(f"\n## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "".join(parts)


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _commands(f"{path} {name}", found)


def limits() -> str:
    """Return what is limited without any setting, and what vendors say of their accounts."""
    parts = [
        NOTE,
        "# Limits\n\nWhat holds without any setting; `mediawright limits` and `GET /v1/limits` "
        "show what holds in an installation, and what is used of it. Provider accounts, workspaces "
        "and keys have no limits until they are [set](../how-to/limits.md).\n",
    ]
    for part, values in fixed_limits(Settings()).items():
        parts.append(f"\n## {part.capitalize()}\n\n")
        parts.append("".join(_limit_table(values)))
    account = Settings().account
    parts.append(
        "\n## Credits\n\n| | value |\n| --- | --- |\n"
        f"| per US dollar | {account.credits_per_usd} |\n"
        f"| a new workspace starts with | {account.initial_credits:,} |\n"
    )
    parts.append(
        "\n## What vendors say\n\nNot enforced: it depends on the plan of your account. Set what "
        "yours allows as `media.providers.NAME.limits`.\n\n"
        "| provider | plan | limit | beyond it | source |\n| --- | --- | --- | --- | --- |\n"
    )
    parts += [
        f"| `{known.provider}` | {known.plan} | {known.limit} | {known.beyond} | {known.source} |\n"
        for known in VENDOR_LIMITS
    ]
    return "".join(parts)


def _limit_table(values: dict[str, Any]) -> Iterator[str]:
    nested = [value for value in values.values() if isinstance(value, dict)]
    columns = list(nested[0]) if nested else ["value"]
    yield f"| | {' | '.join(_spaced(name) for name in columns)} |\n"
    yield f"| --- |{' --- |' * len(columns)}\n"
    for name, value in values.items():
        cells = value.values() if isinstance(value, dict) else [value]
        shown = [f"{cell:,.12g}" if isinstance(cell, int | float) else str(cell) for cell in cells]
        yield f"| {_spaced(name)} | {' | '.join(shown)} |\n"


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def models() -> str:
    """Return the catalogue as a table."""
    catalogue = load_catalogue()
    rows = []
    adapters = frozenset({"local", *provider_names()})
    for model in catalogue:
        # The page must not change as days go by: models are shown as on the day they were seen.
        seen = datetime.combine(model.source.seen_on, time(), UTC)
        shown = public_model(model, now=seen, adapters=adapters)
        costs = "; ".join(
            f"{cost['amount']} {cost['currency']} / {cost['per']} {cost['unit']}"
            for cost in shown["cost"][:4]
        )
        routes = ", ".join(
            f"{item['provider']} `{item['upstream_id']}`{'' if item['available'] else ' (not yet)'}"
            for item in shown["routes"]
        )
        if shown["unavailable_reason"] == "ended":
            successor = shown["lifecycle"]["successor"]
            routes = f"ended; `{successor}` comes after it" if successor else "ended"
        makes = ", ".join(shown["generation_types"])
        rows.append(f"| `{shown['id']}` | {makes} | {routes} | {costs or 'unknown'} |")
    columns = "| model | makes | served by, in order | price |"
    intro = "Providers marked *not yet* are known, but this version cannot speak to them."
    head = f"# Models\n\n{intro}\n\n{columns}\n| --- | --- | --- | --- |\n"
    return NOTE + head + "\n".join(rows) + "\n"


def providers() -> str:
    """Return the providers with the variable of each key."""
    rows = ["| `local` | Embedded engines | none needed | - |"]
    for name in provider_names():
        adapter = adapter_class(name)
        variables = ", ".join(f"`{item}`" for item in adapter.credential.variables)
        features = ", ".join(sorted(adapter.features)) or "-"
        rows.append(f"| `{name}` | {adapter.title} | {variables} | {features} |")
    head = "# Providers\n\n| provider | title | key | features |\n| --- | --- | --- | --- |\n"
    return NOTE + head + "\n".join(rows) + "\n"


def settings() -> str:
    """Return every setting with its type, default and meaning."""
    parts = [
        NOTE,
        "# Settings\n\nRead from the file given by `--config` or `MEDIAWRIGHT_CONFIG`, else from "
        "`mediawright.yaml` in the working folder, else from the user's configuration folder. "
        "An unknown setting is an error.\n",
        "\n## Environment variables\n\n| variable | setting |\n| --- | --- |\n",
    ]
    variables: dict[str, tuple[str, ...]] = settings_module._VARIABLES  # noqa: SLF001
    parts += [f"| `{name}` | `{'.'.join(place)}` |\n" for name, place in variables.items()]
    parts.append("\n## The file\n\n| setting | type | default | meaning |\n")
    parts.append("| --- | --- | --- | --- |\n")
    parts += list(_setting_rows("", Settings))
    return "".join(parts)


def _setting_rows(prefix: str, kind: type[Any]) -> Iterator[str]:
    meanings = _meanings(kind)
    for field in msgspec.structs.fields(kind):
        name = f"{prefix}{field.name}"
        inner = field.type
        if _is_section(inner):
            yield from _setting_rows(f"{name}.", inner)
            continue
        named = [item for item in get_args(inner) if _is_section(item)]
        if get_origin(inner) is dict and named:
            yield from _setting_rows(f"{name}.NAME.", named[0])
            continue
        if name == "source":
            continue
        default = field.default
        shown = "" if default in (msgspec.NODEFAULT, None) else f"`{default}`"
        meaning = meanings.get(field.name, "")
        yield f"| `{name}` | {_type_words(inner)} | {shown} | {meaning} |\n"


def _type_words(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        return _type_words(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_type_words(item) for item in get_args(kind))
    return "None" if kind is type(None) else str(getattr(kind, "__name__", kind))


def _is_section(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, msgspec.Struct)


def _meanings(kind: type[Any]) -> dict[str, str]:
    """Return the docstrings under a structure's fields."""
    tree = ast.parse(inspect.getsource(kind))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found: dict[str, str] = {}
    for field, note in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(note, ast.Expr)
            and isinstance(note.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(note.value.value).split())
    return found


def states() -> str:
    """Return the states of a generation and what may follow each."""
    rows = [
        f"| `{state}` | {public_status(state)} | "
        f"{', '.join(f'`{item}`' for item in sorted(TRANSITIONS[state])) or 'nothing'} |"
        for state in GenerationState
    ]
    head = (
        "# States of a generation\n\nA running generation whose provider has not begun is shown "
        "as `queued`; one on which work was seen before its submit is answered, as "
        "`processing`.\n\n| state | public status | may become |\n| --- | --- | --- |\n"
    )
    return NOTE + head + "\n".join(rows) + "\n"


def openapi() -> str:
    """Return the OpenAPI document of the REST server."""
    application = create_application(SimpleNamespace())  # type: ignore[arg-type]
    document = application.openapi()
    document["info"]["version"] = mediawright.__version__
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
