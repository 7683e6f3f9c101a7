"""Where a call may go, and where the credential goes with it: origins and redirects."""

from __future__ import annotations

import pytest
from aiohttp import web
from tests.providerkit.driver_calls import echo, send

from mediawright.core.errors import ForbiddenError
from mediawright.providerkit.http import JsonBody, Trust


async def test_the_credential_stays_home_when_the_call_is_not_authenticated(serve, make_driver):
    server = await serve(echo)
    reply = await send(make_driver(), server, authenticated=False)
    assert "authorization" not in reply.json()["headers"]


async def test_a_configured_url_must_be_of_a_trusted_origin(serve, make_driver):
    server = await serve(echo)
    with pytest.raises(ForbiddenError) as caught:
        await send(make_driver(), server, trusted=frozenset({"https://api.example.com"}))
    assert caught.value.details["reason"] == "not_configured"
    assert server.requests == []


async def test_a_url_from_a_reply_gets_the_credential_on_trusted_origins_alone(serve, make_driver):
    home, elsewhere = await serve(echo), await serve(echo)
    driver = make_driver(allowed_origins=frozenset({home.origin, elsewhere.origin}))
    for server, expected in ((home, "Key very-secret-key"), (elsewhere, None)):
        reply = await send(
            driver,
            server,
            trusted=frozenset({home.origin}),
            method="GET",
            url=f"{server.origin}/poll",
            trust=Trust.REPLY,
        )
        assert reply.json()["headers"].get("authorization") == expected


async def test_a_url_from_a_reply_goes_through_the_guard(serve, make_driver):
    server = await serve(echo)
    with pytest.raises(ForbiddenError) as caught:
        await send(make_driver(), server, trusted=frozenset(), trust=Trust.REPLY)
    assert caught.value.details["reason"] == "loopback_address"
    assert server.requests == []


async def test_no_secret_follows_a_redirect_to_another_origin(serve, make_driver):
    elsewhere = await serve(echo)

    async def redirect(request):
        return web.Response(status=307, headers={"Location": f"{elsewhere.origin}/file"})

    home = await serve(redirect)
    driver = make_driver(allowed_origins=frozenset({elsewhere.origin}))
    reply = await send(
        driver,
        home,
        method="GET",
        headers={"X-Session-Token": "s3cret", "Cookie": "a=b", "Accept": "image/png"},
    )
    assert home.requests[0].headers["Authorization"] == "Key very-secret-key"
    assert home.requests[0].headers["X-Session-Token"] == "s3cret"
    received = reply.json()["headers"]
    assert received["accept"] == "image/png"
    assert not {"authorization", "x-session-token", "cookie"} & set(received)


async def test_a_redirect_back_home_brings_the_credential_back_but_no_cookie(serve, make_driver):
    origins = {}

    async def handler(request):
        if request.path == "/final":
            return await echo(request)
        location = (
            f"{origins['other']}/back" if request.path == "/go" else f"{origins['home']}/final"
        )
        return web.Response(status=302, headers={"Location": location, "Set-Cookie": "c=d"})

    home, other = await serve(handler), await serve(handler)
    origins.update(home=home.origin, other=other.origin)
    driver = make_driver(allowed_origins=frozenset({other.origin}))
    reply = await send(driver, home, method="GET", url=f"{home.origin}/go")
    assert "Authorization" not in other.requests[0].headers
    assert reply.json()["headers"]["authorization"] == "Key very-secret-key"
    assert "cookie" not in reply.json()["headers"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_only_reading_methods_follow_redirects(serve, make_driver, method, status):
    async def redirect(request):
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    server = await serve(redirect)
    reply = await send(make_driver(), server, method=method, body=JsonBody({}))
    assert reply.status == status
    assert len(server.requests) == 1
