"""Webhooks of emulated vendors: delivered when a job ends, repeated, and made to go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from mediawright.sandbox.kit.journal import JournalEntry, redact
from mediawright.sandbox.kit.scenario import RequestKind, Scenario, ScenarioName

if TYPE_CHECKING:
    from mediawright.sandbox.kit.clock import VirtualClock
    from mediawright.sandbox.kit.jobs import Job
    from mediawright.sandbox.kit.journal import Journal

_logger = logging.getLogger(__name__)

_LATE_SECONDS = 60.0
_COPIES = 2
_EARLY_PATIENCE = 10.0
"""Real seconds for which a submit waits for its own webhook."""


@dataclass(frozen=True, kw_only=True)
class Hook:
    """A webhook that was asked for."""

    vendor: str
    url: str
    """Where it goes; no other address is ever asked, redirects are not followed."""
    job: Job
    write: Callable[[Job], bytes]
    """Returns the body, once the job has ended."""
    sign: Callable[[Job, bytes, bool], Mapping[str, str]]
    """Returns the headers of one try, signed at that moment; with a wrong key if asked to."""
    answer_seconds: float
    """Real seconds that the receiver has to answer in."""
    pauses: tuple[float, ...]
    """Virtual seconds before each repeat, while the receiver does not answer 2xx."""
    scenario: Scenario
    """What goes wrong with it."""


class Courier:
    """Delivers webhooks, each in a task of its own."""

    def __init__(self, clock: VirtualClock, journal: Journal) -> None:
        """Go by a clock, and note every try in a journal."""
        self._clock = clock
        self._journal = journal
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: ClientSession | None = None

    async def expect(self, hook: Hook) -> None:
        """See to it that a webhook is delivered when its job ends.

        With the scenario `early_hook` this returns only after that, so that the submit is
        answered later still.
        """
        task = asyncio.create_task(self._accompany(hook))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if hook.scenario.name is ScenarioName.EARLY_HOOK:
            await asyncio.wait({task}, timeout=_EARLY_PATIENCE)

    def reset(self) -> None:
        """Forget the webhooks that are still to be delivered."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Deliver nothing more."""
        self.reset()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _accompany(self, hook: Hook) -> None:
        scenario = hook.scenario
        try:
            if scenario.name is ScenarioName.FORGED_HOOK:
                await self._try(hook, forged=True)
            await hook.job.until_ended()
            if scenario.name is ScenarioName.LOST_HOOK:
                return
            if scenario.name is ScenarioName.LATE_HOOK:
                seconds = _LATE_SECONDS if scenario.seconds is None else scenario.seconds
                await self._pause(seconds)
            copies = _COPIES if scenario.name is ScenarioName.DUPLICATE_HOOK else 1
            await asyncio.gather(*(self._deliver(hook) for _ in range(copies)))
        except Exception:
            _logger.exception("the webhook of job %s broke", hook.job.id)

    async def _deliver(self, hook: Hook) -> None:
        for pause in (*hook.pauses, None):
            if await self._try(hook) or pause is None:
                return
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        await self._clock.sleep_until(self._clock.now() + timedelta(seconds=seconds))

    async def _try(self, hook: Hook, *, forged: bool = False) -> bool:
        body = hook.write(hook.job)
        headers = {
            "Content-Type": "application/json",
            **hook.sign(hook.job, body, forged),
        }
        status = await self._post(hook, body, headers)
        await self._journal.add(
            JournalEntry(
                sequence=self._journal.next_sequence(),
                at=self._clock.now(),
                vendor=hook.vendor,
                kind=RequestKind.HOOK,
                method="POST",
                path=urlsplit(hook.url).path,
                query={},
                headers=redact(headers),
                body=None,
                status=status,
                scenario=hook.scenario.name,
                job_id=hook.job.id,
            )
        )
        return status is not None and 200 <= status < 300  # noqa: PLR2004 - the success range

    async def _post(self, hook: Hook, body: bytes, headers: Mapping[str, str]) -> int | None:
        """Return the status of the answer, or `None` without one."""
        if self._session is None:
            self._session = ClientSession(cookie_jar=DummyCookieJar())
        timeout = ClientTimeout(total=hook.answer_seconds)
        with contextlib.suppress(ClientError, TimeoutError, ValueError, OSError):
            async with self._session.post(
                hook.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status
        return None
