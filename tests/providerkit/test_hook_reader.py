"""Reading webhooks: where keys come from, how long they are kept, and when they are renewed."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook
from tests.providerkit.signing import NOW, OTHER_PRIVATE, PRIVATE, fal, key_set, published
from tests.providerkit.tiny_vendor import SECRET, TinyAdapter

from mediawright.core.clock import ManualClock
from mediawright.core.errors import InvalidRequestError, UnauthenticatedError, UnavailableError
from mediawright.providerkit.driver import Driver
from mediawright.providerkit.hook_reader import HookReader
from mediawright.providerkit.hooks import (
    AskedSecret,
    HookNotice,
    HookRequest,
    HookRule,
    PublishedKeys,
    SecretVariable,
)
from mediawright.providerkit.signature_rules import FAL, STANDARD_DELIVERY, STANDARD_WEBHOOKS

WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"of the tiny vendor").decode()


class HookedAdapter(TinyAdapter):
    """Reports under Standard Webhooks, as Replicate does: data and one short method."""

    hooks: ClassVar[HookRule | None] = HookRule(
        signature=STANDARD_WEBHOOKS, keys=SecretVariable(variables=("TINY_HOOK", "TINY_OTHER"))
    )

    def read_hook(self, request: HookRequest) -> HookNotice:
        return HookNotice(
            delivery_id=STANDARD_DELIVERY.value(request.headers) or "",
            vendor_id=json.loads(request.body)["id"],
            finished=True,
        )


class AskingAdapter(HookedAdapter):
    hooks: ClassVar[HookRule | None] = HookRule(
        signature=STANDARD_WEBHOOKS,
        keys=AskedSecret(base="api", path="/webhooks/default/secret", member="key"),
    )


class PublishingAdapter(HookedAdapter):
    hooks: ClassVar[HookRule | None] = HookRule(
        signature=FAL, keys=PublishedKeys(base="api", path="/keys.json")
    )

    def read_hook(self, request: HookRequest) -> HookNotice:
        return HookNotice(delivery_id="d", vendor_id=json.loads(request.body)["id"], finished=True)


class UnsignedAdapter(PublishingAdapter):
    hooks: ClassVar[HookRule | None] = HookRule()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
async def make_reader(tmp_path: Path, clock: ManualClock) -> Any:
    driver = Driver(staging=tmp_path, clock=clock)

    def make(
        adapter: type[TinyAdapter],
        address: str = "http://127.0.0.1:9",
        environment: Mapping[str, str] | None = None,
        api_key: str | None = SECRET,
    ) -> HookReader:
        return HookReader(
            adapter({"api": address}),
            driver,
            clock,
            environment=environment or {},
            api_key=api_key,
        )

    yield make
    await driver.close()


def signed(body: bytes = b'{"id":"p_1"}', secret: str = WEBHOOK_SECRET) -> HookRequest:
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", NOW, body.decode()),
    }
    return HookRequest(headers=headers, body=body)


@pytest.mark.parametrize("variable", ["TINY_HOOK", "TINY_OTHER"])
async def test_a_secret_of_the_operator_verifies(make_reader: Any, variable: str) -> None:
    reader = make_reader(HookedAdapter, environment={variable: f" {WEBHOOK_SECRET}\n"})
    assert reader.is_ready
    notice = await reader.read(signed())
    assert notice == HookNotice(delivery_id="msg_1", vendor_id="p_1", finished=True)
    with pytest.raises(UnauthenticatedError):
        await reader.read(signed(secret="whsec_AAAA"))


async def test_without_the_secret_nothing_can_be_verified(make_reader: Any) -> None:
    reader = make_reader(HookedAdapter)
    assert not reader.is_ready
    with pytest.raises(UnavailableError) as raised:
        await reader.read(signed())
    assert raised.value.code == "hook_keys_unavailable"


async def test_a_vendor_without_webhooks_is_never_ready(make_reader: Any) -> None:
    reader = make_reader(TinyAdapter)
    assert not reader.is_ready
    with pytest.raises(UnavailableError):
        await reader.read(signed())


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff"])
async def test_a_verified_webhook_that_makes_no_sense(make_reader: Any, body: bytes) -> None:
    reader = make_reader(UnsignedAdapter)
    assert reader.is_ready
    with pytest.raises(InvalidRequestError) as raised:
        await reader.read(HookRequest(headers={}, body=body))
    assert raised.value.code == "hook_unreadable"


class KeyServer:
    """Publishes what `answers` says, the last one again and again."""

    def __init__(self, *answers: bytes | int) -> None:
        self.answers = list(answers)
        self.headers: list[Mapping[str, str]] = []

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(body=answer, content_type="application/json")


Serve = Callable[[Any], Any]


async def test_a_secret_that_the_vendor_tells_is_asked_for_once_with_the_key(
    make_reader: Any, serve: Serve
) -> None:
    keys = KeyServer(json.dumps({"key": WEBHOOK_SECRET}).encode())
    server = await serve(keys)
    reader = make_reader(AskingAdapter, server.origin)
    assert reader.is_ready
    assert not make_reader(AskingAdapter, server.origin, api_key=None).is_ready
    for _ in range(3):
        assert (await reader.read(signed())).vendor_id == "p_1"
    assert len(keys.headers) == 1
    assert SECRET in str(keys.headers[0])


@pytest.mark.parametrize("answer", [b"{}", b'{"key":""}', b'{"key":5}', b"<html>", 401, 500])
async def test_a_secret_that_is_not_told(make_reader: Any, serve: Serve, answer: Any) -> None:
    reader = make_reader(AskingAdapter, (await serve(KeyServer(answer))).origin)
    with pytest.raises(UnavailableError):
        await reader.read(signed())


def reported(clock: ManualClock, private: Ed25519PrivateKey = PRIVATE) -> HookRequest:
    return fal(private, b'{"id":"p_1"}', at=clock.now())


async def test_published_keys_are_fetched_once_for_many_webhooks(
    make_reader: Any, serve: Serve, clock: ManualClock
) -> None:
    keys = KeyServer(key_set(published()))
    reader = make_reader(PublishingAdapter, (await serve(keys)).origin)
    await asyncio.gather(*(reader.read(reported(clock)) for _ in range(5)))
    await clock.advance(11 * 3600)
    await reader.read(reported(clock))
    assert len(keys.headers) == 1
    assert SECRET not in str(keys.headers)


async def test_a_new_key_is_found_when_it_is_used(
    make_reader: Any, serve: Serve, clock: ManualClock
) -> None:
    keys = KeyServer(key_set(published()), key_set(published(OTHER_PRIVATE)))
    reader = make_reader(PublishingAdapter, (await serve(keys)).origin)
    await reader.read(reported(clock))
    with pytest.raises(UnauthenticatedError):
        # The keys were fetched a moment ago.
        await reader.read(reported(clock, OTHER_PRIVATE))
    await clock.advance(301)
    assert (await reader.read(reported(clock, OTHER_PRIVATE))).vendor_id == "p_1"
    with pytest.raises(UnauthenticatedError):
        await reader.read(reported(clock))
    assert len(keys.headers) == 2


async def test_forgeries_make_us_ask_once_in_five_minutes(
    make_reader: Any, serve: Serve, clock: ManualClock
) -> None:
    keys = KeyServer(key_set(published()))
    reader = make_reader(PublishingAdapter, (await serve(keys)).origin)
    await reader.read(reported(clock))
    for asked in (2, 3):
        await clock.advance(301)
        for _ in range(10):
            with pytest.raises(UnauthenticatedError):
                await reader.read(reported(clock, OTHER_PRIVATE))
        assert len(keys.headers) == asked
    await reader.read(reported(clock))
    assert len(keys.headers) == 3


async def test_an_old_webhook_makes_us_ask_nothing(
    make_reader: Any, serve: Serve, clock: ManualClock
) -> None:
    keys = KeyServer(key_set(published()))
    reader = make_reader(PublishingAdapter, (await serve(keys)).origin)
    await reader.read(reported(clock))
    old = reported(clock)
    await clock.advance(3600)
    with pytest.raises(UnauthenticatedError) as raised:
        await reader.read(old)
    assert raised.value.code == "hook_too_old"
    assert len(keys.headers) == 1


async def test_keys_serve_for_a_day_when_they_cannot_be_renewed(
    make_reader: Any, serve: Serve, clock: ManualClock
) -> None:
    keys = KeyServer(key_set(published()), 503)
    reader = make_reader(PublishingAdapter, (await serve(keys)).origin)
    await reader.read(reported(clock))
    await clock.advance(13 * 3600)
    await reader.read(reported(clock))
    await reader.read(reported(clock))
    assert len(keys.headers) == 2
    await clock.advance(12 * 3600)
    with pytest.raises(UnavailableError):
        await reader.read(reported(clock))
    keys.answers = [key_set(published())]
    with pytest.raises(UnavailableError):
        # It was asked a moment ago.
        await reader.read(reported(clock))
    await clock.advance(11)
    await reader.read(reported(clock))
    assert len(keys.headers) == 4


@pytest.mark.parametrize("answer", [404, b"", b"{}", b"<html>", key_set({"kty": "RSA"})])
async def test_keys_that_cannot_be_had(make_reader: Any, serve: Serve, answer: Any) -> None:
    reader = make_reader(PublishingAdapter, (await serve(KeyServer(answer))).origin)
    with pytest.raises(UnavailableError) as raised:
        await reader.read(fal(body=b'{"id":"p_1"}'))
    assert raised.value.code == "hook_keys_unavailable"


async def test_nobody_answers_where_the_keys_should_be(make_reader: Any) -> None:
    with pytest.raises(UnavailableError):
        await make_reader(PublishingAdapter).read(fal(body=b'{"id":"p_1"}'))


async def test_keys_are_not_fetched_from_where_a_redirect_leads(
    make_reader: Any, serve: Serve
) -> None:
    elsewhere = await serve(KeyServer(key_set(published())))

    async def redirect(request: web.BaseRequest) -> web.StreamResponse:
        raise web.HTTPFound(f"{elsewhere.origin}/keys.json")

    reader = make_reader(PublishingAdapter, (await serve(redirect)).origin)
    with pytest.raises(UnavailableError):
        await reader.read(fal(body=b'{"id":"p_1"}'))
    assert elsewhere.requests == []
