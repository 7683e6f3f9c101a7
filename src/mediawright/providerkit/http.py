"""HTTP calls and replies as values: adapters describe the first and read the second."""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from mediawright.core.errors import MediawrightError


class Trust(StrEnum):
    """Where a URL comes from, which decides how it may be fetched."""

    CONFIGURATION = "configuration"
    """Built from a base URL the operator configured: may be private, carries the key."""
    REPLY = "reply"
    """Found in a reply or given by a user: goes through the guard; the key only if the
    origin is one of the adapter's configured ones."""


class JsonBody(msgspec.Struct, frozen=True):
    """A JSON request body."""

    value: Any


class RawBody(msgspec.Struct, frozen=True):
    """Bytes sent as they are."""

    data: bytes
    content_type: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a multipart form: a text field, or a file when `filename` is given."""

    name: str
    data: bytes | str
    filename: str | None = None
    content_type: str | None = None


class MultipartBody(msgspec.Struct, frozen=True):
    """A `multipart/form-data` body; the order of the parts is kept."""

    parts: tuple[Part, ...]


Body = JsonBody | RawBody | MultipartBody


class Expectation(StrEnum):
    """What kind of answer a call hopes for, which decides where its body goes."""

    JSON = "json"
    MEDIA = "media"
    """A success body is streamed to a local file, unless it is JSON; that and an error body
    are still read."""


class HttpCall(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, described."""

    method: str
    url: str
    trust: Trust = Trust.CONFIGURATION
    authenticated: bool = True
    """Whether the adapter's credential goes with it (only ever to its own origins)."""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    query: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    body: Body | None = None
    expects: Expectation = Expectation.JSON
    read_timeout: float | None = None
    """Seconds to wait for the reply to begin; `None` takes the driver's default."""


class HttpReply(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP reply, read to its end."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    """Empty when the body went to `spooled`."""
    spooled: Path | None = None
    """The file a media body was streamed to."""
    seconds: float = 0.0
    """From the call to the end of the reply."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the HTTP success range

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the parsed body.

        Raises:
            UnreadableReplyError: The body is not JSON.
        """
        try:
            return msgspec.json.decode(self.body)
        except _UNREADABLE as error:
            raise UnreadableReplyError("the reply is not JSON") from error

    def json_as(self, shape: type[Any]) -> Any:
        """Return the parsed body as a lenient `msgspec.Struct` (unknown fields are ignored).

        Raises:
            UnreadableReplyError: The body is not JSON or lacks what `shape` requires.
        """
        try:
            return msgspec.json.decode(self.body, type=shape)
        except _UNREADABLE as error:
            raise UnreadableReplyError(f"the reply has another shape: {error}") from error

    def retry_after(self) -> float | None:
        """Return the seconds of `Retry-After` or `retry-after-ms`.

        A date is taken relative to the reply's own `Date`, so that clocks need not agree.
        """
        for name, factor in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
            value = self.headers.get(name, "")
            try:
                seconds = float(value) * factor
            except ValueError:
                continue
            if 0 <= seconds < math.inf:
                return seconds
        return self._retry_after_date()

    def _retry_after_date(self) -> float | None:
        try:
            due = parsedate_to_datetime(self.headers["retry-after"])
            now = parsedate_to_datetime(self.headers["date"])
            return max(0.0, (due - now).total_seconds())
        except (KeyError, ValueError, TypeError):
            return None


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the JSON parser raises for bytes that are no JSON, no UTF-8, or nested absurdly deep."""


class UnreadableReplyError(MediawrightError):
    """A provider's reply that makes no sense; the kit turns it into a fault."""

    def __init__(self, message: str) -> None:
        """Say what about the reply could not be read."""
        super().__init__("provider_reply_unreadable", message)


MISREAD = (
    UnreadableReplyError,
    msgspec.MsgspecError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What an adapter may raise over a reply or a report of a shape it does not expect."""
