"""What preflight has to say about a request: problems, and adjustments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mediawright.core.errors import InvalidRequestError, MediawrightError, NotFoundError, Problem
from mediawright.core.request import Adjustment, AdjustmentKind

_NOT_FOUND_CODES = frozenset({"model_not_found"})


class Findings:
    """Collects problems and adjustments in the order of the checks."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self.problems: list[Problem] = []
        self.adjustments: list[Adjustment] = []

    def problem(
        self,
        code: str,
        message: str,
        pointer: str,
        *,
        hint: str | None = None,
        **details: Any,
    ) -> None:
        """Note that the request breaks a rule."""
        self.problems.append(
            Problem(code=code, message=message, pointer=pointer, hint=hint, details=details)
        )

    def adjust(
        self,
        kind: AdjustmentKind,
        pointer: str,
        reason: str,
        *,
        requested: Any = None,
        applied: Any = None,
    ) -> None:
        """Note that something is done otherwise than asked."""
        self.adjustments.append(
            Adjustment(
                kind=kind, pointer=pointer, reason=reason, requested=requested, applied=applied
            )
        )

    def dropped(self, pointer: str, reason: str, requested: Any) -> None:
        """Note that something given is ignored."""
        self.adjust(AdjustmentKind.DROPPED, pointer, reason, requested=requested)

    def defaulted(self, pointer: str, reason: str, applied: Any) -> None:
        """Note that something not given was filled in."""
        self.adjust(AdjustmentKind.DEFAULTED, pointer, reason, applied=applied)

    def replaced(self, pointer: str, reason: str, requested: Any, applied: Any) -> None:
        """Note that one value stands for another."""
        self.adjust(AdjustmentKind.REPLACED, pointer, reason, requested=requested, applied=applied)

    def warned(self, pointer: str, reason: str, **values: Any) -> None:
        """Note something the caller should know."""
        self.adjust(AdjustmentKind.WARNED, pointer, reason, **values)


def error_from(problems: Sequence[Problem]) -> MediawrightError:
    """Return the error for the first problem, with all of them in its details if several.

    Args:
        problems: At least one.
    """
    first = problems[0]
    details = dict(first.details)
    if len(problems) > 1:
        details["problems"] = [_as_data(problem) for problem in problems]
    kind = NotFoundError if first.code in _NOT_FOUND_CODES else InvalidRequestError
    return kind(first.code, first.message, pointer=first.pointer, hint=first.hint, details=details)


def _as_data(problem: Problem) -> dict[str, Any]:
    data: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if problem.pointer is not None:
        data["pointer"] = problem.pointer
    if problem.hint is not None:
        data["hint"] = problem.hint
    if problem.details:
        data["details"] = problem.details
    return data
