"""Reading replies within their limits, into memory or into a staging file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import aiohttp

from mediawright.providerkit.exchange import Exchange
from mediawright.providerkit.staging import StagingFile
from mediawright.providerkit.transport import TransportFailure


class Staged(NamedTuple):
    """A body that was streamed to a file."""

    path: Path
    byte_count: int


def is_json(response: aiohttp.ClientResponse) -> bool:
    """Tell whether a reply says that it is JSON."""
    content_type = content_type_of(response) or ""
    return content_type == "application/json" or content_type.endswith("+json")


def content_type_of(response: aiohttp.ClientResponse) -> str | None:
    """Return the media type a reply names, without parameters, in lower case."""
    value = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return value or None


async def read_body(response: aiohttp.ClientResponse, limit: int, exchange: Exchange) -> bytes:
    """Return a whole body.

    Raises:
        TransportError: It is larger than `limit` bytes, or breaks off.
    """
    _check_announced(response, limit, exchange)
    blocks: list[bytes] = []
    count = 0
    async for block in response.content.iter_any():
        exchange.block_received()
        count += len(block)
        if count > limit:
            raise exchange.failed(TransportFailure.TOO_LARGE)
        blocks.append(block)
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)


async def read_beginning(response: aiohttp.ClientResponse, limit: int, exchange: Exchange) -> bytes:
    """Return at most `limit` bytes of a body; more is not waited for."""
    beginning = bytearray()
    async for block in response.content.iter_any():
        exchange.block_received()
        beginning += block
        if len(beginning) >= limit:
            break
    return bytes(beginning[:limit])


async def stage_body(
    response: aiohttp.ClientResponse,
    folder: Path,
    limit: int,
    exchange: Exchange,
    *,
    durable: bool = False,
) -> Staged:
    """Stream a body to a new file, with constant memory.

    Raises:
        TransportError: It is larger than `limit` bytes, breaks off, or has another length
            than announced. No file is left.
        UnavailableError: The file could not be written.
    """
    announced = _check_announced(response, limit, exchange)
    async with StagingFile(folder) as file:
        async for block in response.content.iter_any():
            exchange.block_received()
            await file.write(block)
            if file.byte_count > limit:
                raise exchange.failed(TransportFailure.TOO_LARGE)
        if announced is not None and file.byte_count != announced:
            raise exchange.failed(TransportFailure.TRUNCATED)
        await file.keep(durable=durable)
        return Staged(file.path, file.byte_count)


def _check_announced(
    response: aiohttp.ClientResponse, limit: int, exchange: Exchange
) -> int | None:
    """Return the body's announced length, unless it is that of a compressed form."""
    announced = response.content_length
    if announced is not None and announced > limit:
        raise exchange.failed(TransportFailure.TOO_LARGE)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    return announced
