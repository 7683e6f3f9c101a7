"""Putting replies on the wire: whole, in ranges, in pieces, cut short or not at all."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import hdrs, web

from mediawright.sandbox.kit.call import Reply


async def send(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Send a reply."""
    headers = {**reply.headers}
    if reply.content_type:
        headers[hdrs.CONTENT_TYPE] = reply.content_type
    if reply.stream is None:
        return web.Response(status=reply.status, body=reply.body, headers=headers)
    response = web.StreamResponse(status=reply.status, headers=headers)
    await response.prepare(request)
    async for piece in reply.stream:
        await response.write(piece)
    await response.write_eof()
    return response


async def send_cut(
    request: web.Request, status: int, body: bytes, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Announce the whole body, send the first half and close the connection."""
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def drop(request: web.Request) -> web.StreamResponse:
    """Break the connection without a reply."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def send_file(
    request: web.Request, data: bytes, content_type: str, *, etag: str
) -> web.StreamResponse:
    """Answer GET or HEAD for a file, with one range if asked."""
    headers = {
        hdrs.CONTENT_TYPE: content_type,
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.ETAG: f'"{etag}"',
    }
    try:
        wanted = request.http_range
    except ValueError:
        wanted = slice(len(data), None)
    start, stop, _ = wanted.indices(len(data))
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=data, headers=headers)
    if start >= stop:
        headers[hdrs.CONTENT_RANGE] = f"bytes */{len(data)}"
        return web.Response(status=416, headers=headers)
    headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{len(data)}"
    return web.Response(status=206, body=data[start:stop], headers=headers)
