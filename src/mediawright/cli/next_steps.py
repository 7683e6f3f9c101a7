"""The command to type next, in the same installation as the one before."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediawright.cli.options import CommonOptions, Invocation
    from mediawright.core.errors import Problem

_BY_CODE = {
    "model_not_found": ("models", "list"),
    "variant_required": ("models", "list"),
    "price_unknown": ("models", "list"),
    "generation_not_found": ("generations", "list"),
    "generation_finished": ("generations", "list"),
    "asset_not_found": ("assets", "list"),
    "data_folder_in_use": ("generations", "list"),
    "already_refunded": ("account", "ledger"),
    "balance_too_low": ("account",),
    "budget_exceeded": ("budgets", "list"),
    "budget_not_found": ("budgets", "list"),
    "internal_error": ("doctor",),
    "interrupted": ("generations", "list"),
    "invalid_settings": ("doctor",),
    "nothing_charged": ("generations", "list"),
    "circuit_open": ("providers", "list"),
    "provider_disabled": ("doctor",),
    "provider_key_rejected": ("doctor",),
    "provider_not_found": ("providers", "list"),
    "provider_unavailable": ("providers", "list"),
    "quote_expired": ("quote", "--help"),
    "quote_mismatch": ("quote", "--help"),
    "quote_not_found": ("quote", "--help"),
    "reference_reused": ("account", "ledger"),
    "unknown_provider": ("doctor",),
}
_AGAIN_WITH = {
    "missing_api_key": "--sandbox",
    "insufficient_credit": "--sandbox",
    "price_not_agreed": "--yes",
}
"""What makes the same command go through."""
_COMMAND = re.compile(
    r"\bmediawright (?=(?:models|providers|generations|assets|account|budgets|trace|doctor"
    r"|generate)\b)"
)
_SHOWN_BY_MODEL = ("/parameters", "/prompt", "/inputs", "/operation")


def command_line(common: CommonOptions, *words: str) -> str:
    """Return a command as it is typed, meaning the same installation."""
    return shlex.join(["mediawright", *common.place(), *words])


def with_place(text: str, common: CommonOptions) -> str:
    """Return a text whose commands mean the same installation."""
    place = shlex.join(common.place())
    return _COMMAND.sub(lambda _: f"mediawright {place} ", text) if place else text


def next_command(problem: Problem, invocation: Invocation) -> str:
    """Return the command that helps most after a problem."""
    common, code = invocation.common, problem.code
    if code in _AGAIN_WITH:
        return _again(invocation.arguments, _AGAIN_WITH[code])
    if code == "sandbox_unreachable":
        return "mediawright sandbox"
    if code == "missing_dependency":
        return "pip install 'mediawright[all]'"
    generation_id = problem.details.get("generation_id")
    if isinstance(generation_id, str):
        verbs = ("generations", "watch") if code == "timeout" else ("trace",)
        return command_line(common, *verbs, generation_id)
    if code in _BY_CODE:
        return command_line(common, *_BY_CODE[code])
    pointed = (problem.pointer or "").startswith(_SHOWN_BY_MODEL)
    if pointed and invocation.model is not None:
        return command_line(common, "models", "show", invocation.model)
    return f"{invocation.command} --help"


def _again(arguments: list[str], option: str) -> str:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return shlex.join(["mediawright", *arguments[:end], option, *arguments[end:]])
