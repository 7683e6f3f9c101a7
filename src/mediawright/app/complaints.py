"""Collects what is wrong with a request, so that the caller hears all of it at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mediawright.catalog.findings import error_from
from mediawright.core.errors import InvalidRequestError, Problem

T = TypeVar("T")


class Complaints:
    """What is wrong so far, in the order in which it was found."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._problems: list[Problem] = []

    def read(self, work: Callable[[], T], otherwise: T) -> T:
        """Return what `work` returns, or `otherwise` where it finds the request at fault."""
        try:
            return work()
        except InvalidRequestError as error:
            self._problems.extend(error.problems)
            return otherwise

    def add(self, error: InvalidRequestError) -> None:
        """Note what an error says."""
        self._problems.extend(error.problems)

    def settle(self) -> None:
        """Return if nothing was found.

        Raises:
            InvalidRequestError: The first that was found; all of it in its `problems`.
        """
        if self._problems:
            raise error_from(self._problems)
