"""One tree of errors with few kinds and stable codes.

HTTP status and CLI exit code come from the kind, here and nowhere else. The code says
exactly what is wrong; codes named by the catalogue's sources keep their names.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

import msgspec


class ErrorKind(Enum):
    """The few kinds of failure, each with its HTTP status and CLI exit code."""

    INVALID_REQUEST = (400, 2)
    UNAUTHENTICATED = (401, 4)
    PAYMENT_REQUIRED = (402, 5)
    FORBIDDEN = (403, 5)
    NOT_FOUND = (404, 1)
    CONFLICT = (409, 1)
    REFUSED = (422, 5)
    RATE_LIMITED = (429, 5)
    INTERNAL = (500, 1)
    PROVIDER = (502, 3)
    UNAVAILABLE = (503, 1)
    TIMEOUT = (504, 6)

    def __init__(self, http_status: int, exit_code: int) -> None:
        """Name the numbers of the table."""
        self.http_status = http_status
        self.exit_code = exit_code


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as data: what the API answers, the store keeps and the CLI prints."""

    code: str
    message: str
    pointer: str | None = None
    """JSON pointer to the field at fault."""
    hint: str | None = None
    """What to do about it."""
    details: dict[str, Any] = {}


class MediawrightError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        code: Stable, machine-readable name of what is wrong.
        message: One sentence for people.
        pointer: JSON pointer to the field at fault, if one field is.
        hint: What to do about it.
        details: More facts, such as the allowed values; never a secret.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL

    def __init__(
        self,
        code: str,
        message: str,
        *,
        pointer: str | None = None,
        hint: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Describe what is wrong, where, and what to do."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.pointer = pointer
        self.hint = hint
        self.details: dict[str, Any] = details or {}

    def to_problem(self) -> Problem:
        """Return the error as data."""
        return Problem(
            code=self.code,
            message=self.message,
            pointer=self.pointer,
            hint=self.hint,
            details=self.details,
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, in the order of the checks; the first names this error."""
        listed: Any = self.details.get("problems")
        own = {name: value for name, value in self.details.items() if name != "problems"}
        first = msgspec.structs.replace(self.to_problem(), details=own)
        if not isinstance(listed, list):
            return (first,)
        return (first, *msgspec.convert(listed, list[Problem])[1:])


class InvalidRequestError(MediawrightError):
    """The request breaks a rule; nothing was held, charged or sent."""

    kind = ErrorKind.INVALID_REQUEST


class NotFoundError(MediawrightError):
    """No such thing, or it belongs to somebody else."""

    kind = ErrorKind.NOT_FOUND


class UnauthenticatedError(MediawrightError):
    """Our own API key is missing or wrong."""

    kind = ErrorKind.UNAUTHENTICATED


class ForbiddenError(MediawrightError):
    """The caller may not do this, or the URL may not be fetched."""

    kind = ErrorKind.FORBIDDEN


class ConflictError(MediawrightError):
    """The thing is in a state that does not allow this."""

    kind = ErrorKind.CONFLICT


class InsufficientCreditError(MediawrightError):
    """The workspace's balance or budget does not cover the price."""

    kind = ErrorKind.PAYMENT_REQUIRED


class RateLimitedError(MediawrightError):
    """Too many requests; `details["retry_after"]` says in how many seconds to come back."""

    kind = ErrorKind.RATE_LIMITED


class RefusedError(MediawrightError):
    """A safety policy, the provider's or ours, refused the request or its result."""

    kind = ErrorKind.REFUSED


class ProviderError(MediawrightError):
    """A provider failed, or cannot be used as things are."""

    kind = ErrorKind.PROVIDER


class MissingApiKeyError(ProviderError):
    """The provider is known but no key for it is set (rule 73)."""

    kind = ErrorKind.UNAUTHENTICATED

    def __init__(self, provider: str, variable: str) -> None:
        """Name the provider and the environment variable that would hold its key."""
        super().__init__(
            "missing_api_key",
            f"No API key for {provider}.",
            hint=f"Set {variable}, or try it without any key: add --sandbox.",
            details={"provider": provider, "variable": variable},
        )


class UnavailableError(MediawrightError):
    """Something this installation needs is not there right now."""

    kind = ErrorKind.UNAVAILABLE


class WaitTimeoutError(MediawrightError):
    """The caller's wait ended; the generation goes on."""

    kind = ErrorKind.TIMEOUT


class InternalError(MediawrightError):
    """A defect of ours."""

    kind = ErrorKind.INTERNAL
