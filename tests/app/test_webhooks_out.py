"""Events reach the endpoints of callers: signed, once each, again and again until they arrive."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from mediawright.app import webhooks
from mediawright.app.generate import generate
from mediawright.app.intake import Draft
from mediawright.app.runtime import Runtime
from mediawright.app.settings import Settings, WebhookSettings
from mediawright.app.webhook_sender import WebhookSender
from mediawright.app.webhooks import EndpointChange
from mediawright.app.workspaces import DEFAULT_WORKSPACE, ensure_workspace
from mediawright.core.clock import ManualClock
from mediawright.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
)
from mediawright.core.request import Parameters
from mediawright.store.kinds import DeliveryState
from mediawright.store.webhook_deliveries import Delivery

SCHEDULE = (5.0, 300.0)
OTHERS = "wsp_00000000000000000000000000000009"


class Receiver:
    """Takes webhooks in, and answers as told."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append((headers, body))
                status = receiver.answers.pop(0) if receiver.answers else 204
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.origin}/hooks"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


class Bench:
    """An installation whose sender moves only when told to."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        self.clock = ManualClock()
        self.runtime = Runtime(
            Settings(
                data_dir=folder,
                webhooks=WebhookSettings(
                    allowed_origins=(receiver.origin,), schedule=SCHEDULE, disable_after=3_600
                ),
            ),
            clock=self.clock,
            environment={},
        )
        self.sender = WebhookSender(self.runtime)

    async def send(self) -> int:
        """Send whatever is due, until nothing is."""
        sent = 0
        while taken := await self.sender.send_due():
            sent += taken
            await self.sender.idle()
        return sent

    async def ping(self, endpoint_id: str) -> Delivery:
        return await webhooks.ping(self.runtime, DEFAULT_WORKSPACE, endpoint_id)

    async def look(self, delivery: Delivery) -> Delivery:
        return await webhooks.get_delivery(self.runtime, DEFAULT_WORKSPACE, delivery.id)


@pytest.fixture
async def bench(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Bench]:
    made = Bench(tmp_path, receiver)
    await made.runtime.open()
    await ensure_workspace(made.runtime, OTHERS)
    yield made
    await made.sender.close()
    await made.runtime.close()


async def endpoint(bench: Bench, receiver: Receiver, *types: str) -> tuple[str, str]:
    made, secret = await webhooks.create_endpoint(
        bench.runtime, DEFAULT_WORKSPACE, receiver.url, types or ("*",)
    )
    return made.id, secret


async def test_the_receivers_own_library_verifies_what_is_sent(bench, receiver):
    endpoint_id, secret = await endpoint(bench, receiver)
    delivery = await bench.ping(endpoint_id)
    assert await bench.send() == 1

    (headers, body), *more = receiver.received
    assert not more
    # The library compares with the time of the machine.
    fresh = {**headers, "webhook-timestamp": headers["webhook-timestamp"]}
    verified = Webhook(secret).verify(body, _now_signed(secret, fresh, body))
    assert verified["type"] == "webhook.ping"
    assert headers["webhook-id"] == delivery.id
    assert headers["webhook-timestamp"] == str(int(bench.clock.now().timestamp()))
    assert headers["webhook-signature"] == _signature(secret, headers, body)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", fresh)


def _signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """Return the signature as the receiver's library makes it."""
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC)
    return Webhook(secret).sign(headers["webhook-id"], moment, body.decode())


def _now_signed(secret: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
    from datetime import UTC, datetime

    now = {**headers, "webhook-timestamp": str(int(datetime.now(UTC).timestamp()))}
    return {**now, "webhook-signature": _signature(secret, now, body)}


async def test_a_generation_is_told_of_with_everything_about_it(bench, receiver):
    await endpoint(bench, receiver)
    await bench.runtime.start()
    draft = Draft(model="local-sketch-image", prompt="a fox", parameters=Parameters(size="64x64"))
    started = await generate(bench.runtime, DEFAULT_WORKSPACE, draft)
    await bench.runtime.jobs.wait(started, 30)
    await bench.runtime.webhook_sender.close()
    await bench.send()

    bodies = {json.loads(body)["type"]: json.loads(body) for _, body in receiver.received}
    assert {"generation.created", "asset.stored", "generation.succeeded"} <= set(bodies)
    assert "generation.progressed" not in bodies
    told = bodies["generation.succeeded"]["data"]["generation"]
    assert told["generation_id"] == started.id
    assert told["status"] == "completed"
    assert told["outputs"][0]["url"].startswith("/v1/assets/")
    assert len(receiver.received) == len(bodies)


async def test_only_the_events_asked_for_are_sent(bench, receiver):
    await endpoint(bench, receiver, "generation.failed")
    wanted, _ = await endpoint(bench, receiver, "generation.succeeded")
    await bench.ping(wanted)
    await bench.send()

    assert receiver.types() == ["webhook.ping"]


async def test_a_failure_is_tried_again_by_the_schedule_with_the_same_id_and_body(bench, receiver):
    endpoint_id, _ = await endpoint(bench, receiver)
    receiver.answers = [500, 503]
    delivery = await bench.ping(endpoint_id)
    assert await bench.send() == 1
    assert await bench.send() == 0

    await bench.clock.advance(SCHEDULE[0] * 1.11)
    assert await bench.send() == 1
    await bench.clock.advance(SCHEDULE[0] * 1.11)
    assert await bench.send() == 0
    await bench.clock.advance(SCHEDULE[1] * 1.11)
    assert await bench.send() == 1

    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    assert len({body for _, body in receiver.received}) == 1
    assert len({headers["webhook-signature"] for headers, _ in receiver.received}) == 3
    seen = await bench.look(delivery)
    assert seen.state is DeliveryState.DELIVERED
    assert [attempt.status for attempt in seen.log] == [500, 503, 204]


async def test_after_the_last_try_it_is_given_up_and_can_be_sent_again(bench, receiver):
    endpoint_id, _ = await endpoint(bench, receiver)
    receiver.answers = [500] * 3
    delivery = await bench.ping(endpoint_id)
    for _ in range(4):
        await bench.send()
        await bench.clock.advance(400)
    given_up = await bench.look(delivery)
    assert given_up.state is DeliveryState.FAILED
    assert given_up.tries == 3
    assert len(receiver.received) == 3

    await webhooks.resend(bench.runtime, DEFAULT_WORKSPACE, delivery.id)
    await bench.send()
    assert (await bench.look(delivery)).state is DeliveryState.DELIVERED


async def test_retry_after_is_honoured(bench, receiver):
    endpoint_id, _ = await endpoint(bench, receiver)
    receiver.answers = [429]
    receiver.headers = {"Retry-After": "120"}
    await bench.ping(endpoint_id)
    await bench.send()
    await bench.clock.advance(100)
    assert await bench.send() == 0
    await bench.clock.advance(30)
    assert await bench.send() == 1


async def test_an_endpoint_that_says_it_is_gone_is_switched_off(bench, receiver):
    endpoint_id, _ = await endpoint(bench, receiver)
    receiver.answers = [410]
    delivery = await bench.ping(endpoint_id)
    await bench.send()

    seen = await webhooks.get_endpoint(bench.runtime, DEFAULT_WORKSPACE, endpoint_id)
    assert not seen.enabled
    assert "410" in (seen.disabled_reason or "")
    assert (await bench.look(delivery)).state is DeliveryState.FAILED
    with pytest.raises(ConflictError, match="switched off"):
        await bench.ping(endpoint_id)

    await webhooks.change_endpoint(
        bench.runtime, DEFAULT_WORKSPACE, endpoint_id, EndpointChange(enabled=True)
    )
    await bench.ping(endpoint_id)
    assert await bench.send() == 1


async def test_an_endpoint_that_is_dead_for_long_is_switched_off_and_a_slip_is_forgiven(
    bench, receiver
):
    endpoint_id, _ = await endpoint(bench, receiver)
    await bench.ping(endpoint_id)
    await bench.send()

    async def fail() -> bool:
        receiver.answers = [500] * 3
        await bench.ping(endpoint_id)
        for _ in range(3):
            await bench.send()
            await bench.clock.advance(400)
        seen = await webhooks.get_endpoint(bench.runtime, DEFAULT_WORKSPACE, endpoint_id)
        return seen.enabled

    assert await fail()
    await bench.clock.advance(3_600)
    assert not await fail()


async def test_nobody_answering_is_a_failure_and_not_an_error(bench, receiver):
    endpoint_id, _ = await endpoint(bench, receiver)
    delivery = await bench.ping(endpoint_id)
    receiver.stop()
    await bench.send()

    seen = await bench.look(delivery)
    assert seen.state is DeliveryState.PENDING
    assert seen.log[0].status is None
    assert seen.log[0].error
    receiver.__init__()


async def test_a_redirect_is_not_followed(bench, receiver):
    endpoint_id, _ = await endpoint(bench, receiver)
    receiver.answers = [307]
    receiver.headers = {"Location": receiver.url}
    delivery = await bench.ping(endpoint_id)
    await bench.send()

    assert len(receiver.received) == 1
    assert (await bench.look(delivery)).state is DeliveryState.PENDING


async def test_a_new_secret_and_the_one_before_both_sign_for_a_day(bench, receiver):
    endpoint_id, old = await endpoint(bench, receiver)
    new = await webhooks.rotate_secret(bench.runtime, DEFAULT_WORKSPACE, endpoint_id)
    await bench.ping(endpoint_id)
    await bench.send()
    await bench.clock.advance(webhooks.OVERLAP.total_seconds() + 1)
    await bench.ping(endpoint_id)
    await bench.send()

    (first, body), (second, later) = receiver.received
    assert first["webhook-signature"].split() == [
        _signature(new, first, body),
        _signature(old, first, body),
    ]
    assert second["webhook-signature"] == _signature(new, second, later)


async def test_a_sender_that_dies_loses_nothing(bench, receiver):
    endpoint_id, _ = await endpoint(bench, receiver)
    delivery = await bench.ping(endpoint_id)
    # What another sender has taken is not taken again before its time.
    from mediawright.store import webhook_deliveries

    now = bench.clock.now()
    taken = await bench.runtime.database.write(
        lambda c: webhook_deliveries.take(c, now=now, until=now + timedelta(seconds=75), most=5)
    )
    assert [item.id for item in taken] == [delivery.id]
    assert await bench.send() == 0
    await bench.clock.advance(76)
    assert await bench.send() == 1


async def test_the_secret_is_sealed_in_the_database(bench, receiver):
    _, secret = await endpoint(bench, receiver)
    files = [path.read_bytes() for path in bench.runtime.folder.root.glob("mediawright.db*")]

    assert files
    assert not any(secret.encode() in content for content in files)
    assert (bench.runtime.folder.root / "master.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/hooks", "invalid_url"),
        ("https://user:secret@example.com/", "url_not_allowed"),
        ("https://127.0.0.1/", "url_not_allowed"),
        ("https://169.254.169.254/latest", "url_not_allowed"),
        ("https://[::1]/", "url_not_allowed"),
        ("https://localhost/", "url_not_allowed"),
        ("ftp://example.com/", "url_not_allowed"),
        ("not a url", "url_not_allowed"),
        ("https://example.com/" + "a" * 3_000, "invalid_url"),
    ],
)
async def test_an_address_that_may_not_be_reached_is_refused(bench, url, code):
    with pytest.raises((ForbiddenError, InvalidRequestError)) as caught:
        await webhooks.create_endpoint(bench.runtime, DEFAULT_WORKSPACE, url)

    assert caught.value.code == code
    assert caught.value.pointer == "/url"
    assert await webhooks.list_endpoints(bench.runtime, DEFAULT_WORKSPACE) == []


@pytest.mark.parametrize("types", [(), ("generation.sneezed",), ("webhook.ping",)])
async def test_unknown_events_are_refused(bench, receiver, types):
    with pytest.raises(InvalidRequestError) as caught:
        await webhooks.create_endpoint(bench.runtime, DEFAULT_WORKSPACE, receiver.url, types)

    assert caught.value.code == "unknown_event_type"
    assert "generation.succeeded" in caught.value.details["allowed"]


async def test_a_workspace_has_so_many_endpoints_and_no_more(bench, receiver):
    most = bench.runtime.settings.webhooks.most_endpoints
    for _ in range(most):
        await endpoint(bench, receiver)
    with pytest.raises(ConflictError) as caught:
        await endpoint(bench, receiver)

    assert caught.value.code == "too_many_endpoints"


async def test_other_workspaces_see_and_touch_nothing(bench, receiver):
    endpoint_id, _ = await endpoint(bench, receiver)
    delivery = await bench.ping(endpoint_id)
    runtime = bench.runtime

    assert await webhooks.list_endpoints(runtime, OTHERS) == []
    assert await webhooks.list_deliveries(runtime, OTHERS, limit=10) == []
    for work in (
        webhooks.get_endpoint(runtime, OTHERS, endpoint_id),
        webhooks.change_endpoint(runtime, OTHERS, endpoint_id, EndpointChange(enabled=False)),
        webhooks.rotate_secret(runtime, OTHERS, endpoint_id),
        webhooks.remove_endpoint(runtime, OTHERS, endpoint_id),
        webhooks.ping(runtime, OTHERS, endpoint_id),
        webhooks.get_delivery(runtime, OTHERS, delivery.id),
        webhooks.resend(runtime, OTHERS, delivery.id),
    ):
        with pytest.raises(NotFoundError):
            await work


async def test_removing_an_endpoint_forgets_what_was_to_be_sent(bench, receiver):
    endpoint_id, _ = await endpoint(bench, receiver)
    await bench.ping(endpoint_id)
    await webhooks.remove_endpoint(bench.runtime, DEFAULT_WORKSPACE, endpoint_id)

    assert await bench.send() == 0
    assert receiver.received == []
    assert await webhooks.list_deliveries(bench.runtime, DEFAULT_WORKSPACE, limit=10) == []
