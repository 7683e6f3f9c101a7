"""Posts events to the endpoints of callers, again and again until they arrive."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from mediawright._version import __version__
from mediawright.app.views import full_view, served_urls
from mediawright.app.webhook_signing import signed_headers
from mediawright.core.errors import MediawrightError
from mediawright.core.events import Event, EventType
from mediawright.core.measures import Measure
from mediawright.jobs.signals import wait_for_event
from mediawright.providerkit.http import HttpCall, HttpReply, RawBody, Trust
from mediawright.store import events, generations, webhook_deliveries, webhook_endpoints
from mediawright.store.codec import to_micros
from mediawright.store.kinds import DeliveryState
from mediawright.store.webhook_deliveries import Delivery, Try

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime
    from mediawright.store.webhook_endpoints import WebhookEndpoint

log = structlog.get_logger(__name__)

_TICK = 1.0
"""Seconds between two looks for deliveries that are due."""
_MOST_AT_ONCE = 16
_MOST_PER_ENDPOINT = 2
"""So that one slow endpoint does not hold up the others."""
_MARGIN = 60.0
"""Seconds after the longest try when a delivery counts as dropped by a sender that died."""
_JITTER = 0.1
_GONE = 410
_LONGEST_ERROR = 300


class WebhookSender:
    """The one loop of a process that sends what is due; several processes share the work."""

    def __init__(self, runtime: Runtime) -> None:
        """Send for this installation; nothing is started yet."""
        self._runtime = runtime
        self._settings = runtime.settings.webhooks
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run())

    def poke(self) -> None:
        """Look at once whether something is due."""
        self._wake.set()

    async def close(self) -> None:
        """Stop taking deliveries, and see those under way through."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._sending:
            await asyncio.wait(self._sending, timeout=self._settings.timeout)

    async def send_due(self) -> int:
        """Take what is due and there is room for, and begin to send it; return how much."""
        room = _MOST_AT_ONCE - len(self._sending)
        if room <= 0:
            return 0
        now = self._runtime.clock.now()
        if not await self._runtime.database.read(
            lambda connection: webhook_deliveries.is_due(connection, now)
        ):
            return 0
        until = now + timedelta(seconds=self._settings.timeout + _MARGIN)
        busy = [endpoint for endpoint, count in self._busy.items() if count >= _MOST_PER_ENDPOINT]
        taken = await self._runtime.database.write(
            lambda connection: webhook_deliveries.take(
                connection, now=now, until=until, most=room, busy=busy
            )
        )
        for delivery in taken:
            self._spawn(delivery.endpoint_id, self._send(delivery))
        return len(taken)

    async def idle(self) -> None:
        """Return when nothing is under way."""
        while self._sending:
            await asyncio.wait(self._sending)

    def _spawn(self, endpoint_id: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        self._busy[endpoint_id] += 1

        def ended(done: asyncio.Task[None]) -> None:
            self._sending.discard(done)
            self._busy[endpoint_id] -= 1
            if not self._busy[endpoint_id]:
                del self._busy[endpoint_id]
            if not done.cancelled() and (error := done.exception()) is not None:
                # It is due again after a while.
                log.error("sending a webhook failed", exc_info=error)
            self._wake.set()

        task.add_done_callback(ended)

    async def _run(self) -> None:
        while True:
            try:
                taken = await self.send_due()
            except Exception:
                log.exception("looking for webhooks to send failed")
                taken = 0
            if taken:
                continue
            await wait_for_event(self._wake, _TICK)

    async def _send(self, delivery: Delivery) -> None:
        endpoint = await self._runtime.database.read(
            lambda connection: webhook_endpoints.get(connection, None, delivery.endpoint_id)
        )
        if endpoint is None:
            return
        if not endpoint.enabled:
            await self._give_up(delivery, "the endpoint is switched off")
            return
        body = await self._payload(delivery)
        started = time.monotonic()
        reply, error = await self._post(endpoint, delivery, body)
        attempt = Try(
            at=self._runtime.clock.now().isoformat(),
            milliseconds=round((time.monotonic() - started) * 1_000),
            status=None if reply is None else reply.status,
            error=error,
        )
        outcome = await self._settle(endpoint, delivery, attempt, reply)
        self._runtime.measures.count(Measure.WEBHOOK_SENT, outcome=outcome)

    async def _payload(self, delivery: Delivery) -> bytes:
        """Return what to send: made at the first try and the same from then on."""
        if delivery.payload is not None:
            return delivery.payload.encode()
        payload = await payload_of(self._runtime, delivery)
        await self._runtime.database.write(
            lambda connection: webhook_deliveries.keep_payload(connection, delivery.id, payload)
        )
        return payload.encode()

    async def _post(
        self, endpoint: WebhookEndpoint, delivery: Delivery, body: bytes
    ) -> tuple[HttpReply | None, str | None]:
        now = self._runtime.clock.now()
        box = self._runtime.secret_box
        in_use = [
            box.open(secret.sealed)
            for secret in endpoint.secrets
            if secret.expires_at is None or secret.expires_at > to_micros(now)
        ]
        call = HttpCall(
            method="POST",
            url=endpoint.url,
            trust=Trust.REPLY,
            authenticated=False,
            headers={
                "User-Agent": f"mediawright/{__version__}",
                **signed_headers(delivery.id, body, in_use, now),
            },
            body=RawBody(body, "application/json"),
        )
        allowed = frozenset(self._settings.allowed_origins)
        try:
            async with asyncio.timeout(self._settings.timeout):
                reply = await self._runtime.driver.send(
                    call, credential={}, trusted_origins=allowed
                )
        except TimeoutError:
            return None, f"no answer within {self._settings.timeout:g} seconds"
        except MediawrightError as error:
            return None, error.message[:_LONGEST_ERROR]
        return reply, None if reply.is_success else f"answered with {reply.status}"

    async def _settle(
        self,
        endpoint: WebhookEndpoint,
        delivery: Delivery,
        attempt: Try,
        reply: HttpReply | None,
    ) -> str:
        """Write down how a try went; return `delivered`, `failed` or `given_up`."""
        now = self._runtime.clock.now()
        if reply is not None and reply.is_success:
            await self._write(delivery, DeliveryState.DELIVERED, attempt, now, delivered_at=now)
            return "delivered"
        if reply is not None and reply.status == _GONE:
            await self._disable(endpoint, "The endpoint answered that it is gone (410).")
            await self._write(delivery, DeliveryState.FAILED, attempt, now)
            return "given_up"
        pause = self._pause(delivery.tries, reply)
        if pause is None:
            await self._write(delivery, DeliveryState.FAILED, attempt, now)
            await self._disable_if_dead(endpoint, now)
            return "given_up"
        await self._write(delivery, DeliveryState.PENDING, attempt, now + timedelta(seconds=pause))
        return "failed"

    def _pause(self, tries: int, reply: HttpReply | None) -> float | None:
        """Return how long to wait before the next try; `None` when there were enough."""
        if tries >= len(self._settings.schedule):
            return None
        base = self._settings.schedule[tries]
        pause = base * (1 + random.uniform(-_JITTER, _JITTER))  # noqa: S311 - not secret
        asked = None if reply is None else reply.retry_after()
        return pause if asked is None else max(pause, min(asked, self._settings.schedule[-1]))

    async def _write(
        self,
        delivery: Delivery,
        state: DeliveryState,
        attempt: Try,
        next_at: datetime,
        *,
        delivered_at: datetime | None = None,
    ) -> None:
        await self._runtime.database.write(
            lambda connection: webhook_deliveries.settle(
                connection, delivery, state, attempt, next_at=next_at, delivered_at=delivered_at
            )
        )

    async def _give_up(self, delivery: Delivery, reason: str) -> None:
        now = self._runtime.clock.now()
        attempt = Try(at=now.isoformat(), milliseconds=0, error=reason)
        await self._write(delivery, DeliveryState.FAILED, attempt, now)

    async def _disable_if_dead(self, endpoint: WebhookEndpoint, now: datetime) -> None:
        """Switch an endpoint off that nothing has reached for days."""
        last = await self._runtime.database.read(
            lambda connection: webhook_deliveries.last_success(connection, endpoint.id)
        )
        silent = now - max(last or endpoint.created_at, endpoint.updated_at)
        if silent >= timedelta(seconds=self._settings.disable_after):
            days = silent.days
            await self._disable(endpoint, f"Nothing reached the endpoint for {days} days.")

    async def _disable(self, endpoint: WebhookEndpoint, reason: str) -> None:
        now = self._runtime.clock.now()

        def work(connection: Connection) -> None:
            if webhook_endpoints.disable(connection, endpoint.id, reason, now):
                events.append(
                    connection,
                    workspace_id=endpoint.workspace_id,
                    type=EventType.WEBHOOK_DISABLED,
                    data={"endpoint_id": endpoint.id, "url": endpoint.url, "reason": reason},
                    now=now,
                )

        await self._runtime.database.write(work)


async def payload_of(runtime: Runtime, delivery: Delivery) -> str:
    """Return what an endpoint is sent: the event, and the generation as it is now."""
    event = await runtime.database.read(
        lambda connection: events.get(connection, delivery.workspace_id, delivery.event_sequence)
    )
    data: dict[str, Any] = {} if event is None else dict(event.data)
    if delivery.generation_id is not None:
        data["generation"] = await _generation(
            runtime, delivery.workspace_id, delivery.generation_id
        )
    return msgspec.json.encode(
        {
            "type": delivery.event_type,
            "timestamp": _moment(event, delivery).isoformat(),
            "sequence": delivery.event_sequence,
            "data": data,
        }
    ).decode()


def _moment(event: Event | None, delivery: Delivery) -> datetime:
    return delivery.created_at if event is None else event.created_at


async def _generation(
    runtime: Runtime, workspace_id: str, generation_id: str
) -> dict[str, Any] | None:
    generation = await runtime.database.read(
        lambda connection: generations.get(connection, workspace_id, generation_id)
    )
    if generation is None:
        return None
    base = (runtime.settings.server.public_url or "").rstrip("/")
    return await full_view(runtime, generation, served_urls(base))
