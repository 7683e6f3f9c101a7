"""The files of a multipart body, one after the other, in constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from enum import Enum

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from mediawright.app.uploads import IncomingFile
from mediawright.core.errors import InvalidRequestError

MULTIPART = "multipart/form-data"
_LONGEST_NAME = 255


class _Begin(msgspec.Struct, frozen=True):
    """A part begins."""

    field: str
    filename: str | None


class _Mark(Enum):
    END = "end"
    """A part ends."""


_Event = _Begin | _Mark | bytes


def boundary_of(content_type: str) -> bytes | None:
    """Return what separates the parts of a body, or `None` for one that has none."""
    kind, options = parse_options_header(content_type)
    return options.get(b"boundary") or None if kind == MULTIPART.encode() else None


class MultipartFiles:
    """Reads the files of a multipart body (RFC 7578) while it arrives.

    At most one chunk of the body is in memory. What a part declares about itself, but for the
    name of its file, is not looked at.
    """

    def __init__(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        """Read a body.

        Args:
            boundary: What separates its parts.
            body: Its bytes, as they arrive.
        """
        self._body = body
        self._events: deque[_Event] = deque()
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._has_ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise _malformed("its boundary is too long") from error

    async def files(self) -> AsyncGenerator[IncomingFile, None]:
        """Yield the files; each is read to its end before the next one begins.

        Raises:
            InvalidRequestError: `invalid_body` for a body that is malformed or ends too early;
                `unknown_parameter` for a part that is no file.
        """
        while (event := await self._next()) is not None:
            if not isinstance(event, _Begin):
                # What is left of a file that nobody wanted to read.
                continue
            if event.filename is None:
                raise InvalidRequestError(
                    "unknown_parameter",
                    f"The part {event.field!r} is no file.",
                    pointer=f"/{event.field}",
                    hint="Send files alone, each as a part with a file name: "
                    "curl -F files=@picture.png",
                )
            yield IncomingFile(name=event.filename or None, chunks=self._chunks())
        if not self._has_ended:
            raise _malformed("it ends too early")

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        while (event := await self._next()) is not _Mark.END:
            if not isinstance(event, bytes):
                raise _malformed("it ends too early")
            yield event

    async def _next(self) -> _Event | None:
        while not self._events:
            chunk = await anext(self._body, None)
            if chunk is None:
                return None
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise _malformed("its parts cannot be told apart") from error
        return self._events.popleft()

    def _on_part_begin(self) -> None:
        self._disposition = b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _on_part_end(self) -> None:
        self._events.append(_Mark.END)

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _on_header_end(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        filename = options.get(b"filename")
        self._events.append(
            _Begin(
                _readable(options.get(b"name", b"")),
                None if filename is None else _readable(filename),
            )
        )

    def _on_end(self) -> None:
        self._has_ended = True


def _readable(name: bytes) -> str:
    """Return a name that can be stored and shown."""
    text = name.decode(errors="replace")
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_NAME]


def _malformed(why: str) -> InvalidRequestError:
    return InvalidRequestError(
        "invalid_body",
        f"The multipart body cannot be read: {why}.",
        hint="Let a library write it: curl -F files=@picture.png",
    )
