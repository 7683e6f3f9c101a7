"""Calls that tests of the driver send, and a server that says what it was sent."""

from __future__ import annotations

import pytest
from aiohttp import web

from mediawright.providerkit.http import HttpCall
from mediawright.providerkit.transport import TransportError

KEY = {"Authorization": "Key very-secret-key"}


async def send(driver, server, call=None, *, trusted=None, credential=KEY, **fields):
    call = call or HttpCall(**{"method": "POST", "url": f"{server.origin}/v1/images", **fields})
    trusted = frozenset({server.origin}) if trusted is None else trusted
    return await driver.send(call, credential=credential, trusted_origins=trusted)


async def failure_of(driver, server, **fields) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await send(driver, server, **fields)
    assert "very-secret-key" not in str(caught.value)
    assert caught.value.code == f"transport_{caught.value.failure.value}"
    return caught.value


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    body = await request.content.read()
    return web.json_response(
        {
            "method": request.method,
            "path": request.path_qs,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "length": len(body),
            "text": body[:2000].decode(errors="replace"),
        },
        headers={"X-Request-Id": "r-1"},
    )
