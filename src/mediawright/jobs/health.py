"""The health of providers: learnt from their answers, shared among processes.

Decisions are made in memory. What other processes must know, that a provider is left alone or
used again, is written at once; what is merely worth showing is written now and then. Which of
many gets to try a provider that had failed is decided by the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec
import structlog

from mediawright.core.measures import Measure, Measures, NoMeasures
from mediawright.jobs import circuit
from mediawright.jobs.ports import Refusal
from mediawright.jobs.trying_again import CircuitSettings
from mediawright.store import provider_health
from mediawright.store.kinds import HealthState
from mediawright.store.provider_health import Health, Note

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.clock import Clock
    from mediawright.core.provider import Fault
    from mediawright.store.database import Database

log = structlog.get_logger(__name__)

AccountMark = Callable[[str], str | None]
"""Returns what tells one account at a provider from another, and nothing of its key."""

_STALE = 2.0
"""Seconds after which what other processes wrote is read again."""
_BETWEEN_NOTES = 5.0
"""Seconds between two writes about a provider that change nothing about whether it is used."""
ACCOUNT_MARK = "account_mark"
"""Key in the details of a provider's last error, for nobody outside."""
_NOTHING = Note()


class _Watched:
    """One provider, as the database has it and as this process has seen it since."""

    def __init__(self, provider: str) -> None:
        self.stored = Health(provider=provider)
        self.current = self.stored
        self.note = _NOTHING
        self.noted_at = float("-inf")
        self.polls_failed = 0
        """Questions about jobs in a row that got no answer."""
        self.has_turn = False
        """Whether a request of this process is trying the provider."""

    @property
    def is_changed(self) -> bool:
        return self.current.place != self.stored.place

    @property
    def is_dirty(self) -> bool:
        return self.is_changed or self.note is not _NOTHING


class _Write(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written about one provider."""

    known: Health
    following: Health
    note: Note


class Circuits:
    """A circuit breaker for each provider's account; a `ProviderHealth`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: CircuitSettings | None = None,
        *,
        account_mark: AccountMark = lambda _: None,
        measures: Measures | None = None,
    ) -> None:
        """Know nothing yet; what was written before is read when it is first needed.

        Args:
            database: Where the processes meet.
            clock: Time.
            settings: When a provider is left alone.
            account_mark: A provider is tried again as soon as its key or address has changed.
            measures: Where it is counted how often a provider was left alone.
        """
        self._database = database
        self._clock = clock
        self._settings = settings or CircuitSettings()
        self._account_mark = account_mark
        self._measures = measures or NoMeasures()
        self._providers: dict[str, _Watched] = {}
        self._lock = asyncio.Lock()
        self._read_at = float("-inf")
        self._writing: asyncio.Task[None] | None = None

    async def refusal(self, provider: str) -> Refusal | None:
        """Return why the provider is left alone now, or `None` if it could be asked."""
        if not self._settings.enabled:
            return None
        await self._refresh()
        watched, now = self._watched(provider), self._clock.now()
        if watched.current.state is HealthState.CLOSED or self._is_due(watched.current, now):
            return None
        return _refusal_of(watched.current, now)

    async def take_turn(self, provider: str) -> Refusal | None:
        """Like `refusal`; where several could be the first to try the provider, one may."""
        refused = await self.refusal(provider)
        watched = self._watched(provider)
        is_used = watched.current.state is HealthState.CLOSED or not self._settings.enabled
        if refused is not None or is_used:
            return refused
        try:
            return await self._try_for_turn(watched)
        except Exception:
            # The submit that follows needs the database as well, and says so if it is away.
            log.exception("the turn at a provider could not be taken", provider=provider)
            return None

    async def give_back(self, provider: str) -> None:
        """Give back a turn that was taken and not used."""
        watched = self._watched(provider)
        if watched.has_turn:
            watched.has_turn = False
            self._become(watched, circuit.given_back(watched.current, self._clock.now()))

    async def succeeded(self, provider: str) -> None:
        """Note that it took a submit."""
        watched, now = self._watched(provider), self._clock.now()
        watched.current = msgspec.structs.replace(watched.current, last_success_at=now)
        self._answered(watched, Note(answered=True, last_success_at=now))

    async def failed(self, provider: str, fault: Fault) -> None:
        """Note how it did not take a submit."""
        watched = self._watched(provider)
        if circuit.is_outage(fault):
            self._count_failure(watched, fault, self._clock.now())
        elif circuit.ends_failures(fault) or (watched.has_turn and circuit.is_answer(fault)):
            self._answered(watched, Note(answered=True))
        else:
            await self.give_back(provider)

    async def polled(self, provider: str, fault: Fault | None) -> None:
        """Note that it answered a question about a job, or with a fault that it did not.

        That jobs can be asked about does not show that new ones are taken: it makes up for
        questions without answer alone.
        """
        watched, now = self._watched(provider), self._clock.now()
        if fault is None or circuit.is_answer(fault):
            watched.polls_failed = 0
            health = watched.current
            if health.state is HealthState.OPEN and circuit.call_of(health) == "poll":
                self._become(watched, circuit.after_answer(health))
            return
        if not circuit.is_outage(fault):
            return
        watched.polls_failed += 1
        if watched.current.state is not HealthState.CLOSED:
            return
        counted = msgspec.structs.replace(watched.current, failures=watched.polls_failed - 1)
        following = self._after_failure(counted, fault, now, "poll")
        if following.state is HealthState.OPEN:
            self._become(watched, following)

    async def standings(self) -> dict[str, Health]:
        """Return what is known of each provider that was ever asked, by name, read anew."""
        await self._sync()
        return {name: watched.current for name, watched in self._providers.items()}

    async def reset(self, provider: str) -> None:
        """Have a provider used again, whatever was seen of it; for the operator."""
        now = self._clock.now()
        await self._settle_writing()
        async with self._lock:
            await self._database.write(
                lambda connection: provider_health.reset(connection, provider, now=now)
            )
            self._providers.pop(provider, None)
        await self._sync()
        log.info("provider reset", provider=provider)

    async def close(self) -> None:
        """Write what is not written yet."""
        await self._settle_writing()
        if any(watched.is_dirty for watched in self._providers.values()):
            await self._quietly_sync()

    def _watched(self, provider: str) -> _Watched:
        found = self._providers.get(provider)
        if found is None:
            found = self._providers[provider] = _Watched(provider)
        return found

    def _answered(self, watched: _Watched, note: Note) -> None:
        watched.polls_failed = 0
        watched.note = watched.note.then(note)
        health = watched.current
        if health.state is HealthState.CLOSED:
            watched.current = circuit.after_answer(health)
        elif watched.has_turn:
            watched.has_turn = False
            self._become(watched, circuit.after_answer(health))
        self._note_later(watched)

    def _count_failure(self, watched: _Watched, fault: Fault, now: datetime) -> None:
        health = watched.current
        if health.state is not HealthState.CLOSED and not watched.has_turn:
            # It was sent before the provider was left alone, and tells nothing new.
            watched.note = watched.note.then(Note(last_failure_at=now))
            self._note_later(watched)
            return
        watched.has_turn = False
        following = self._after_failure(health, fault, now, "submit")
        if following.place != health.place:
            self._become(watched, following)
            return
        watched.current = following
        seen = Note(failures=1, last_error=following.last_error, last_failure_at=now)
        watched.note = watched.note.then(seen)
        self._note_later(watched)

    def _after_failure(self, health: Health, fault: Fault, now: datetime, call: str) -> Health:
        following = circuit.after_failure(health, fault, now, self._settings, call=call)
        if following.state is HealthState.CLOSED:
            return following
        if not self._settings.enabled:
            return msgspec.structs.replace(
                following, state=HealthState.CLOSED, opened_at=None, retry_at=None
            )
        error, mark = following.last_error, self._account_mark(health.provider)
        if error is None or mark is None:
            return following
        marked = msgspec.structs.replace(error, details={**error.details, ACCOUNT_MARK: mark})
        return msgspec.structs.replace(following, last_error=marked)

    def _become(self, watched: _Watched, following: Health) -> None:
        """Take a provider's new state, and let the other processes know soon."""
        watched.current = following
        watched.polls_failed = 0
        error = following.last_error
        tell = log.info if following.state is HealthState.CLOSED else log.warning
        tell(
            "provider health changed",
            provider=following.provider,
            state=following.state.value,
            failures=following.failures,
            retry_at=following.retry_at,
            error=None if error is None else error.code,
        )
        self._measures.count(
            Measure.CIRCUIT_CHANGED, provider=following.provider, state=following.state.value
        )
        self._write_later()

    def _is_due(self, health: Health, now: datetime) -> bool:
        if circuit.is_due(health, now):
            return True
        if health.state is HealthState.HALF_OPEN or health.last_error is None:
            return False
        # What one account ran into says nothing about another.
        mark = health.last_error.details.get(ACCOUNT_MARK)
        return mark is not None and mark != self._account_mark(health.provider)

    async def _try_for_turn(self, watched: _Watched) -> Refusal | None:
        await self._settle_writing()
        if watched.is_dirty:
            await self._sync()
        async with self._lock:
            now, known = self._clock.now(), watched.current
            if known.state is HealthState.CLOSED:
                return None
            if not self._is_due(known, now):
                return _refusal_of(known, now)
            following = circuit.turn_of(known, now)
            won = await self._database.write(
                lambda connection: provider_health.change(connection, known, following, now=now)
            )
            if won:
                watched.stored = watched.current = following
                watched.has_turn = True
                log.info("provider is tried again", provider=known.provider)
                return None
        await self._sync()
        if watched.current.state is HealthState.CLOSED:
            return None
        return _refusal_of(watched.current, now)

    async def _refresh(self) -> None:
        """Read what other processes wrote, unless that was done a moment ago."""
        if self._clock.monotonic() - self._read_at >= _STALE:
            await self._quietly_sync(unless_fresh=True)

    async def _quietly_sync(self, *, unless_fresh: bool = False) -> None:
        try:
            await self._sync(unless_fresh=unless_fresh)
        except Exception:
            # What is known has to do while the database is away.
            log.exception("the health of providers could not be shared")

    async def _sync(self, *, unless_fresh: bool = False) -> None:
        """Write what this process has seen, and read what the others have.

        Args:
            unless_fresh: Do nothing if that was done a moment ago, and leave for later what
                is merely worth showing.
        """
        async with self._lock:
            if unless_fresh and self._clock.monotonic() - self._read_at < _STALE:
                return
            now = self._clock.now()
            writes = self._take_writes(only_changes=unless_fresh)
            try:
                if writes:
                    found = await self._database.write(lambda c: _write_all(c, writes, now))
                else:
                    found = await self._database.read(provider_health.all_of)
            except BaseException:
                for name, item in writes.items():
                    watched = self._watched(name)
                    watched.note = item.note.then(watched.note)
                raise
            self._read_at = self._clock.monotonic()
            for health in found:
                self._take_over(health, writes.get(health.provider))

    def _take_writes(self, *, only_changes: bool) -> dict[str, _Write]:
        writes: dict[str, _Write] = {}
        for name, item in self._providers.items():
            if item.is_changed or (item.is_dirty and not only_changes):
                writes[name] = _Write(known=item.stored, following=item.current, note=item.note)
                item.note = _NOTHING
                item.noted_at = self._clock.monotonic()
        return writes

    def _take_over(self, health: Health, written: _Write | None) -> None:
        """Believe the database, but for what was seen here while it was asked."""
        watched = self._watched(health.provider)
        expected = watched.stored if written is None else written.following
        if health.place != expected.place:
            # Another process was quicker, or somebody has had it used again.
            watched.has_turn = False
            watched.polls_failed = 0
        watched.stored = health
        if watched.current.place == expected.place:
            pending = watched.note
            failures = pending.failures + (0 if pending.answered else health.failures)
            watched.current = msgspec.structs.replace(health, failures=failures)

    def _note_later(self, watched: _Watched) -> None:
        if self._clock.monotonic() - watched.noted_at >= _BETWEEN_NOTES:
            watched.noted_at = self._clock.monotonic()
            self._write_later()

    def _write_later(self) -> None:
        """Write in the background, so that no submit waits for it."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_changes())

    async def _write_changes(self) -> None:
        await self._quietly_sync()
        # One more time for what was seen while it was written.
        if any(watched.is_changed for watched in self._providers.values()):
            await self._quietly_sync()

    async def _settle_writing(self) -> None:
        if self._writing is not None:
            await asyncio.wait({self._writing})


def _write_all(c: Connection, writes: Mapping[str, _Write], now: datetime) -> list[Health]:
    for name, item in writes.items():
        if item.known.place != item.following.place:
            provider_health.change(c, item.known, item.following, now=now)
        elif item.note is not _NOTHING:
            provider_health.note(c, name, item.note, now=now)
    return provider_health.all_of(c)


def _refusal_of(health: Health, now: datetime) -> Refusal:
    error = "" if health.last_error is None else f" ({health.last_error.code})"
    if health.state is HealthState.HALF_OPEN:
        message = f"{health.provider} failed{error} and is being tried again"
    else:
        message = f"{health.provider} is left alone for a while: it failed{error}"
    return Refusal(message=f"{message}.", retry_after=circuit.retry_after(health, now))
