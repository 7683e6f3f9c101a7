"""Request bodies on the wire."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import aiohttp
import msgspec
from aiohttp.abc import AbstractStreamWriter

from mediawright.providerkit.exchange import Exchange
from mediawright.providerkit.http import Body, JsonBody, MultipartBody, Part, RawBody

_BLOCK = 65_536
_LARGEST_SINGLE_WRITE = 65_536
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
_LINE_BREAKS = str.maketrans({"\r": " ", "\n": " ", "\0": " "})


class EncodedBody(NamedTuple):
    """A body as bytes in several pieces, so that files are not copied together."""

    pieces: tuple[bytes, ...]
    content_type: str
    byte_count: int

    @property
    def is_large(self) -> bool:
        """Whether it is sent in blocks, each of which has to be taken in time."""
        return self.byte_count > _LARGEST_SINGLE_WRITE

    def payload(self, exchange: Exchange) -> aiohttp.Payload:
        """Return what aiohttp sends; a large body reports its progress to the exchange."""
        if self.is_large:
            return _BlockPayload(self, exchange)
        return aiohttp.BytesPayload(b"".join(self.pieces), content_type=self.content_type)


def encode_body(body: Body) -> EncodedBody:
    """Return a body's bytes and its content type."""
    match body:
        case JsonBody(value):
            return _encoded((msgspec.json.encode(value),), "application/json")
        case RawBody(data, content_type):
            return _encoded((data,), content_type.translate(_LINE_BREAKS))
        case MultipartBody(parts):
            boundary = f"mediawright-{secrets.token_hex(16)}"
            return _encoded(
                _multipart(parts, boundary), f"multipart/form-data; boundary={boundary}"
            )


def _encoded(pieces: Iterable[bytes], content_type: str) -> EncodedBody:
    kept = tuple(pieces)
    return EncodedBody(kept, content_type, sum(map(len, kept)))


def _multipart(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    """Write a form as RFC 7578 and the browsers do, the parts in their order."""
    for part in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(part.name)}"'
        content_type = part.content_type
        if part.filename is not None:
            head += f'; filename="{_escaped(part.filename)}"'
            content_type = content_type or "application/octet-stream"
        if content_type is not None:
            head += f"\r\nContent-Type: {content_type.translate(_LINE_BREAKS)}"
        yield f"{head}\r\n\r\n".encode()
        yield part.data.encode() if isinstance(part.data, str) else part.data
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


class _BlockPayload(aiohttp.Payload):
    """A body sent block by block."""

    _autoclose = True

    def __init__(self, body: EncodedBody, exchange: Exchange) -> None:
        super().__init__(body.pieces, content_type=body.content_type)
        self._size = body.byte_count
        self._pieces = body.pieces
        self._exchange = exchange

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text, which aiohttp's own tools may ask for."""
        return b"".join(self._pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send the body."""
        for piece in self._pieces:
            view = memoryview(piece)
            for start in range(0, len(view), _BLOCK):
                await writer.write(view[start : start + _BLOCK])
                self._exchange.block_sent()
        self._exchange.body_sent()

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Send the body, whose announced length is always its own."""
        del content_length
        await self.write(writer)
