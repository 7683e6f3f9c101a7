"""Request bodies: read once, freed of sandbox markers, and summed up for the journal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.message import Message
from email.parser import HeaderParser
from typing import Any, cast

from aiohttp import hdrs, web

from mediawright.sandbox.kit.scenario import take_markers

_LONG_CODED = 200
_LONG_TEXT = 4000
_CODED = re.compile(r"(data:[^,]{0,200},)?[A-Za-z0-9+/_=\r\n-]+\Z")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a multipart body."""

    name: str
    data: bytes
    filename: str | None = None
    """Given for files only."""
    content_type: str | None = None

    @property
    def text(self) -> str:
        """The part's bytes as text."""
        return self.data.decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Body:
    """What came with a request, without sandbox markers."""

    content_type: str = ""
    """Media type without its parameters."""
    raw: bytes = b""
    """The bytes as they came; empty for multipart bodies."""
    document: Any = None
    """The value of a JSON body."""
    malformed: bool = False
    """Whether the body claims to be JSON or multipart and is not."""
    parts: tuple[Part, ...] = ()
    markers: tuple[tuple[str, str], ...] = ()
    """Each marker's words, and the text they were found in."""

    @property
    def fields(self) -> dict[str, Any] | None:
        """The members of a JSON object; `None` if the body is none."""
        document = self.document
        return cast("dict[str, Any]", document) if isinstance(document, dict) else None

    def texts(self, name: str) -> list[str]:
        """Return the texts of the parts with that name, in order."""
        return [part.text for part in self.parts if part.name == name and part.filename is None]

    def files(self, *names: str) -> list[Part]:
        """Return the file parts with one of the names, in order."""
        return [part for part in self.parts if part.name in names and part.filename is not None]


@dataclass
class _MarkerTaker:
    """Takes the markers out of every string of a body."""

    markers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def clean(self, text: str) -> str:
        """Return the text without markers, and keep what they said."""
        cleaned, words = take_markers(text)
        self.markers.extend((word, text) for word in words)
        return cleaned

    def clean_document(self, value: Any) -> Any:
        """Return a JSON value with every string cleaned."""
        return _map_strings(value, self.clean)


async def read_body(request: web.Request) -> Body:
    """Read the whole body of a request."""
    content_type = request.content_type if request.headers.get(hdrs.CONTENT_TYPE) else ""
    raw = await request.read()
    taker = _MarkerTaker()
    try:
        if content_type.startswith("multipart/"):
            parts = split_multipart(raw, request.headers[hdrs.CONTENT_TYPE])
            cleaned = tuple(_without_markers(part, taker) for part in parts)
            return Body(content_type=content_type, parts=cleaned, markers=tuple(taker.markers))
        if content_type.endswith("json") and raw:
            document = taker.clean_document(json.loads(raw))
            return Body(
                content_type=content_type,
                raw=raw,
                document=document,
                markers=tuple(taker.markers),
            )
    except ValueError:
        return Body(content_type=content_type, raw=raw, malformed=True)
    return Body(content_type=content_type, raw=raw)


def split_multipart(raw: bytes, content_type: str) -> list[Part]:
    """Return the parts of a multipart body (RFC 2046, RFC 7578).

    Args:
        raw: The body.
        content_type: The whole header, which names the boundary.

    Raises:
        ValueError: If it is no such body.
    """
    boundary = _parse_headers(f"Content-Type: {content_type}").get_boundary()
    if not boundary:
        raise ValueError("no boundary")
    # The first delimiter may stand at the very beginning, without a line before it.
    first, *pieces = (b"\r\n" + raw).split(b"\r\n--" + boundary.encode())
    if first.strip() or not pieces or not pieces[-1].startswith(b"--"):
        raise ValueError("no multipart body, or one without an end")
    return [_read_part(piece) for piece in pieces[:-1]]


def _read_part(piece: bytes) -> Part:
    head, blank, data = piece.lstrip(b" \t").partition(b"\r\n\r\n")
    if not blank:
        raise ValueError("a part without an end of its headers")
    headers = _parse_headers(head.removeprefix(b"\r\n").decode("utf-8", "replace"))
    name = headers.get_param("name", "", "content-disposition")
    return Part(
        name=name if isinstance(name, str) else "",
        data=data,
        filename=headers.get_filename(),
        content_type=headers["content-type"],
    )


def _parse_headers(text: str) -> Message:
    return HeaderParser().parsestr(text)


def _without_markers(part: Part, taker: _MarkerTaker) -> Part:
    if part.filename is not None:
        return part
    text = part.data.decode("utf-8", "surrogateescape")
    return replace(part, data=taker.clean(text).encode("utf-8", "surrogateescape"))


def summarise(body: Body) -> Any:
    """Return the body as JSON for people: coded strings and files become their sizes."""
    if body.parts:
        return {"parts": [_summarise_part(part) for part in body.parts]}
    if body.document is not None:
        return _map_strings(body.document, _shorten)
    return {"bytes": len(body.raw)} if body.raw else None


def _summarise_part(part: Part) -> dict[str, Any]:
    if part.filename is None:
        return {"name": part.name, "text": _shorten(part.text)}
    return {
        "name": part.name,
        "filename": part.filename,
        "content_type": part.content_type,
        "bytes": len(part.data),
    }


def _shorten(text: str) -> str:
    if len(text) > _LONG_CODED and (found := _CODED.match(text)):
        return f"{found[1] or ''}[{len(text) - len(found[1] or '')} coded characters]"
    return text if len(text) <= _LONG_TEXT else f"{text[:_LONG_TEXT]}[{len(text)} characters]"


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map_strings(item, change) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: _map_strings(item, change) for name, item in members.items()}
    return value
