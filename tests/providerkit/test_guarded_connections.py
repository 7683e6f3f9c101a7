"""Addresses are judged when the connection is made, and redirects at every hop."""

from __future__ import annotations

import pytest
from aiohttp import web

from mediawright.core.errors import ForbiddenError
from mediawright.providerkit.transport import DownloadStatusError, TransportError

PUBLIC = "93.184.215.14"
OTHER_PUBLIC = "151.101.1.1"


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=b"public bytes", content_type="image/png")


def redirecting(locations: dict[str, str], status: int = 302):
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        location = locations.get(request.path)
        if location is None:
            return await answer(request)
        return web.Response(status=status, headers={"Location": location})

    return handler


async def fetch(driver, url, **options):
    return await driver.download(url, max_bytes=1_000_000, **options)


async def refusal_of(driver, url, **options) -> str:
    with pytest.raises(ForbiddenError) as caught:
        await fetch(driver, url, **options)
    return caught.value.details["reason"]


async def test_a_public_host_is_fetched_at_the_address_that_was_checked(
    internet, serve, make_driver
):
    server = await serve(answer)
    internet.put("files.example.com", PUBLIC, server)
    driver = make_driver(resolver=internet.resolver)
    download = await fetch(driver, "http://files.example.com/a.png")
    assert download.path.read_bytes() == b"public bytes"
    assert internet.tried == [(PUBLIC, 80)]
    assert server.requests[0].headers["Host"] == "files.example.com"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "loopback_address"),
        ("10.0.0.1", "private_address"),
        ("169.254.169.254", "metadata_address"),
        ("100.64.1.1", "shared_address"),
        ("0.0.0.0", "unspecified_address"),  # noqa: S104 - never bound
        ("::1", "loopback_address"),
        ("::ffff:127.0.0.1", "loopback_address"),
        ("fe80::1", "link_local_address"),
        ("fe80::1%2", "zone_id"),
        ("fd00:ec2::254", "metadata_address"),
        ("64:ff9b::7f00:1", "loopback_address"),
        ("2002:7f00:1::", "loopback_address"),
    ],
)
async def test_a_name_with_a_forbidden_address_is_never_connected_to(
    internet, make_driver, address, reason
):
    internet.resolver.answers["innocent.example.com"] = [[address]]
    driver = make_driver(resolver=internet.resolver)
    assert await refusal_of(driver, "http://innocent.example.com/") == reason
    assert internet.tried == []


@pytest.mark.parametrize("order", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"]])
async def test_one_forbidden_answer_refuses_the_host(internet, serve, make_driver, order):
    server = await serve(answer)
    internet.put("mixed.example.com", PUBLIC, server)
    internet.resolver.answers["mixed.example.com"] = [order]
    driver = make_driver(resolver=internet.resolver)
    await refusal_of(driver, "http://mixed.example.com/")
    assert internet.tried == []
    assert server.requests == []


async def test_an_answer_that_changes_between_two_connections_gains_nothing(
    internet, serve, serve_raw, make_driver
):
    """DNS rebinding: the first answer is public, every later one is this machine."""

    async def must_not_be_reached(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret")

    inside = await serve_raw(must_not_be_reached)
    public = await serve(redirecting({"/again": f"http://rebind.example.com:{inside.port}/"}))
    internet.put("rebind.example.com", PUBLIC, public)
    internet.resolver.answers["rebind.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    internet.routes[("127.0.0.1", inside.port)] = inside.port
    driver = make_driver(resolver=internet.resolver)
    # The second hop is another connection, for which the name is looked up once more.
    assert await refusal_of(driver, "http://rebind.example.com/again") == "loopback_address"
    assert internet.resolver.asked == ["rebind.example.com"] * 2
    assert internet.tried == [(PUBLIC, 80)]
    assert inside.connections == 0


async def test_the_answer_that_was_checked_is_the_one_that_is_connected_to(
    internet, serve_raw, make_driver
):
    """No second look-up happens between the check and the connection."""

    async def must_not_be_reached(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret")

    inside = await serve_raw(must_not_be_reached)
    internet.resolver.answers["rebind.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    internet.routes[("127.0.0.1", inside.port)] = inside.port
    driver = make_driver(resolver=internet.resolver)
    with pytest.raises(TransportError):
        await fetch(driver, f"http://rebind.example.com:{inside.port}/")
    assert internet.resolver.asked == ["rebind.example.com"]
    assert internet.tried == [(PUBLIC, inside.port)]
    assert inside.connections == 0


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1/", "loopback_address"),
        ("http://[::ffff:10.0.0.1]/", "private_address"),
        ("http://0x7f.1/", "loopback_address"),
        ("http://169.254.169.254/latest/meta-data/iam/", "metadata_address"),
        ("http://metadata.google.internal/", "metadata_address"),
        ("http://inside.example.com/", "private_address"),
        ("//localhost/", "internal_name"),
        ("file:///etc/passwd", "scheme"),
        ("http://user:pw@files.example.com/", "userinfo"),
        ("http://files.example.com:22/", "port"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_chain_to_a_forbidden_place_ends_there(  # noqa: PLR0917 - fixtures
    internet, serve, make_driver, location, reason, status
):
    hops = {"/start": "/second", "/second": "http://cdn.example.com/third", "/third": location}
    server = await serve(redirecting(hops, status))
    internet.put("files.example.com", PUBLIC, server)
    internet.put("cdn.example.com", OTHER_PUBLIC, server)
    internet.resolver.answers["inside.example.com"] = [["10.0.0.1"]]
    driver = make_driver(resolver=internet.resolver)
    assert await refusal_of(driver, "http://files.example.com/start") == reason
    assert [request.path for request in server.requests] == ["/start", "/second", "/third"]
    assert internet.tried == [(PUBLIC, 80), (OTHER_PUBLIC, 80)]


@pytest.mark.parametrize(("hops", "arrives"), [(5, True), (6, False)])
async def test_at_most_five_redirects_are_followed(internet, serve, make_driver, hops, arrives):
    server = await serve(redirecting({f"/{hop}": f"/{hop - 1}" for hop in range(1, 10)}))
    internet.put("files.example.com", PUBLIC, server)
    driver = make_driver(resolver=internet.resolver)
    url = f"http://files.example.com/{hops}"
    if arrives:
        assert (await fetch(driver, url)).byte_count == 12
    else:
        assert await refusal_of(driver, url) == "redirect_limit"
        assert len(server.requests) == 6


async def test_an_allowed_origin_is_fetched_though_it_is_this_machine(serve, make_driver):
    server = await serve(answer)
    driver = make_driver(allowed_origins=frozenset({server.origin}))
    assert (await fetch(driver, f"{server.origin}/a.png")).byte_count == 12


async def test_an_allowed_origin_does_not_open_its_neighbours(serve, make_driver):
    allowed, neighbour = await serve(answer), await serve(answer)
    driver = make_driver(allowed_origins=frozenset({allowed.origin}))
    assert await refusal_of(driver, f"{neighbour.origin}/a.png") == "loopback_address"
    assert neighbour.requests == []


async def test_an_allowed_origin_may_not_redirect_to_its_neighbours(serve, make_driver):
    neighbour = await serve(answer)
    allowed = await serve(redirecting({"/a": f"{neighbour.origin}/b"}))
    driver = make_driver(allowed_origins=frozenset({allowed.origin}))
    assert await refusal_of(driver, f"{allowed.origin}/a") == "loopback_address"
    assert neighbour.requests == []


async def test_a_trusted_origin_is_fetched_only_when_the_caller_names_it(serve, make_driver):
    server = await serve(answer)
    driver = make_driver()
    url = f"{server.origin}/a.png"
    assert (await fetch(driver, url, trusted_origins=frozenset({server.origin}))).byte_count == 12
    # The connection that is now open must not let an unvouched fetch through.
    assert await refusal_of(driver, url) == "loopback_address"
    assert len(server.requests) == 1


async def test_a_vouched_connection_is_not_reused_for_a_url_from_elsewhere(
    internet, serve, make_driver
):
    """The operator's host has a private address; its open connection stays the operator's."""
    server = await serve(answer)
    internet.put("media.example.com", "10.0.0.1", server)
    driver = make_driver(resolver=internet.resolver)
    trusted = frozenset({"http://media.example.com"})
    await fetch(driver, "http://media.example.com/a", trusted_origins=trusted)
    assert await refusal_of(driver, "http://media.example.com/a") == "private_address"
    assert len(server.requests) == 1


async def test_a_literal_address_that_reached_the_socket_is_still_refused(internet):
    """The last line of defence, for addresses that no resolver was asked about."""
    from mediawright.providerkit.resolver import ForbiddenAddressError, open_checked_socket

    with pytest.raises(ForbiddenAddressError):
        open_checked_socket((2, 1, 6, "", ("127.0.0.1", 80)))
    open_checked_socket((2, 1, 6, "", (PUBLIC, 80))).close()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_without_a_location_is_an_answer_like_any_other(
    internet, serve, make_driver, status
):
    async def handler(request):
        return web.Response(status=status)

    internet.put("files.example.com", PUBLIC, await serve(handler))
    driver = make_driver(resolver=internet.resolver)
    with pytest.raises(DownloadStatusError) as caught:
        await fetch(driver, "http://files.example.com/")
    assert caught.value.status == status
