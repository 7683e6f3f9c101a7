"""Amounts and budgets in words."""

from __future__ import annotations

from typing import Any


def in_words(amount: str) -> str:
    """Return an amount of credits, such as `1 credit`."""
    return f"{amount} credit" if amount.lstrip("-") == "1" else f"{amount} credits"


def budget_words(view: dict[str, Any]) -> str:
    """Return the public form of a budget as one line."""
    whose = "the workspace" if view["key_id"] is None else view["key_id"]
    verb = "refuses above" if view["action"] == "refuse" else "warns about"
    return (
        f"{whose} {verb} {in_words(view['limit_credits'])} a {view['period']}; "
        f"{view['spent_credits']} spent, {view['left_credits']} left until {until(view)}"
    )


def until(view: dict[str, Any]) -> str:
    """Return when a budget begins anew."""
    return str(view["resets_at"])[:16].replace("T", " ") + " UTC"
