"""Many clients, many faults, and a server that is killed every few seconds.

At the end our books are held against the journal of the vendors, and every line must balance.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
from tests.crash.chaos_plan import Wish, wishes
from tests.crash.evidence import Evidence, collect, read_journal, read_rows, tag_of
from tests.crash.reconciliation import Line, Report, reconcile
from tests.crash.server_process import FAST_CADENCE, ServerProcess
from tests.remote_sandbox import RemoteSandbox

STORM_VENDORS = ("openai", "fal", "runway", "elevenlabs")
PATIENCE = 240.0
"""Seconds in which a generation must have ended, all kills included."""
SWEEP_PATIENCE = 200.0
"""Seconds in which replies that a kill has left behind are looked after."""
SETTINGS: dict[str, Any] = {
    "jobs": {
        "cadence": FAST_CADENCE,
        "download_retries": 2,
        "hook_patience": 15.0,
        "circuit": {"cooldown": 0.3, "longest": 1.0, "account_cooldown": 0.3, "patience": 10.0},
    }
}
"""Sections of the settings file: what takes long is ended before the next kill."""


@dataclass(frozen=True, kw_only=True)
class ChaosSettings:
    """How wild it gets."""

    generations: int = 2_000
    clients: int = 32
    seed: int = 1
    kill_after: tuple[float, float] = (2.0, 6.0)
    """The server is killed so many seconds after it has begun to serve."""
    storm_every: float = 15.0
    """Seconds between two storms of 429s at one vendor."""
    storm_requests: int = 20


@dataclass(kw_only=True)
class Answered:
    """What the clients saw."""

    requests: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    """Requests without a reply, and replies that asked to come again, by what came."""
    ids: dict[int, set[str]] = field(default_factory=dict)
    """The generations that each wish was told of."""
    states: dict[str, str] = field(default_factory=dict)
    """The last state that a client saw of each generation."""
    refused: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Outcome:
    """What a run came to."""

    report: Report
    summary: str
    kills: int


async def run_chaos(folder: Path, settings: ChaosSettings) -> Outcome:
    """Run it in an empty folder and return the reconciliation."""
    journal = folder / "journal.jsonl"
    sandbox = await asyncio.to_thread(RemoteSandbox, "--journal", str(journal))
    server = ServerProcess(folder, sandbox.root, settings=SETTINGS, is_reachable=True)
    began = time.monotonic()
    kills = 0
    answered = Answered()
    try:
        # What nobody knows about is asked about by nobody, and must end all the same.
        progression = {"progression": "seconds=1", "vendor": "fal"}
        await asyncio.to_thread(sandbox.ask, "progression", progression)
        await asyncio.to_thread(server.start)
        killer = asyncio.create_task(_kill_again_and_again(server, settings))
        storms = asyncio.create_task(_storms(sandbox, settings))
        try:
            await _serve_wishes(server, settings, answered)
        finally:
            storms.cancel()
            killer.cancel()
            kills = await _end(killer)
        if server.process is None:
            await asyncio.to_thread(server.start)
        await _until_quiet(server, answered)
        code = await asyncio.to_thread(server.stop)
    finally:
        await asyncio.to_thread(server.stop)
        sandbox.stop()
    seconds = time.monotonic() - began
    entries = read_journal(journal)
    evidence = collect(server.database_url, server.data_folder, entries)
    report = reconcile(evidence)
    report.lines[:0] = _client_lines(evidence, answered, settings)
    report.findings.extend(_client_findings(evidence, answered))
    if code != 0:
        report.findings.append(f"the server ended with {code}: {server.log_text()}")
    figures = (
        f"{settings.generations} generations wished for (seed {settings.seed}) by "
        f"{settings.clients} clients in {seconds:.0f} s; the server was killed {kills} times; "
        f"{answered.requests} requests, of which came again: {dict(answered.broken)}"
    )
    hooks = sum(entry["kind"] == "hook" for entry in entries)
    figures += f"; {hooks} webhooks were sent"
    summary = "\n\n".join([figures, *_tables(evidence, settings)])
    return Outcome(report=report, summary=summary, kills=kills)


async def _kill_again_and_again(server: ServerProcess, settings: ChaosSettings) -> int:
    random = Random(settings.seed)
    kills = 0
    try:
        while True:
            await asyncio.sleep(random.uniform(*settings.kill_after))
            await asyncio.to_thread(server.kill)
            kills += 1
            # Seen through even when the clients are done, so that no process is left over.
            await asyncio.shield(asyncio.create_task(asyncio.to_thread(server.start)))
    except asyncio.CancelledError:
        return kills


async def _end(killer: asyncio.Task[int]) -> int:
    kills = await killer
    await asyncio.sleep(0)
    return kills


async def _storms(sandbox: RemoteSandbox, settings: ChaosSettings) -> None:
    random = Random(settings.seed + 1)
    while True:
        await asyncio.sleep(settings.storm_every)
        storm = {
            "vendor": random.choice(STORM_VENDORS),
            "name": "rate_limited",
            "seconds": 1,
            "times": settings.storm_requests,
        }
        await asyncio.to_thread(sandbox.ask, "scenario", storm)


async def _serve_wishes(server: ServerProcess, settings: ChaosSettings, answered: Answered) -> None:
    queue = wishes(settings.generations, settings.seed)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = _Client(server, session, answered)
        workers = [asyncio.create_task(client.work(queue)) for _ in range(settings.clients)]
        await asyncio.gather(*workers)


class _Client:
    """Asks as a careful program does: under a key, and again when there is no answer."""

    def __init__(
        self, server: ServerProcess, session: aiohttp.ClientSession, answered: Answered
    ) -> None:
        self._server = server
        self._session = session
        self._answered = answered

    async def work(self, queue: Iterator[Wish]) -> None:
        for wish in queue:
            await self._fulfil(wish)

    async def _fulfil(self, wish: Wish) -> None:
        found = await self._start(wish)
        if found is None:
            return
        if wish.is_repeated:
            await self._start(wish)
        if wish.cancel_after is not None:
            await asyncio.sleep(wish.cancel_after)
            await self._ask("POST", f"/v1/generations/{found}/cancel")
        await self._follow(found)

    async def _start(self, wish: Wish) -> str | None:
        headers = {"Idempotency-Key": wish.key}
        status, view = await self._ask("POST", "/v1/generate/media", wish.body, headers)
        if status not in (200, 202):
            self._answered.refused.append(f"wish {wish.number}: {status} {view}")
            return None
        self._answered.ids.setdefault(wish.number, set()).add(view["generation_id"])
        return view["generation_id"]

    async def _follow(self, generation_id: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status, view = await self._ask("GET", f"/v1/generations/{generation_id}")
            if status != 200:
                self._answered.refused.append(f"{generation_id}: {status} {view}")
                return
            self._answered.states[generation_id] = view["state"]
            if view["charge_credits"] is not None or view["attention"] == "submit_unknown":
                return
            await asyncio.sleep(0.5)

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Ask until there is an answer that asking again would not change."""
        while True:
            self._answered.requests += 1
            try:
                async with self._session.request(
                    method, f"{self._server.url}{path}", json=body, headers=headers
                ) as reply:
                    document = await reply.json()
                    if reply.status < 500 and reply.status != 429:
                        return reply.status, document
                    came = f"{reply.status} {document['error']}"
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                came = type(error).__name__
            self._answered.broken[came] += 1
            await asyncio.sleep(0.3)


async def _until_quiet(server: ServerProcess, answered: Answered) -> None:
    """Let what was left to the background come to its end."""
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = _Client(server, session, answered)
        for status in ("pending", "queued", "processing"):
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                _, page = await client._ask("GET", f"/v1/generations?status={status}&limit=100")
                if all(item["state"] == "unknown" for item in page["data"]):
                    break
                await asyncio.sleep(0.5)
    deadline = time.monotonic() + SWEEP_PATIENCE
    while time.monotonic() < deadline and (
        any(server.replies.iterdir()) or _renditions_due(server)
    ):
        await asyncio.sleep(0.5)


def _renditions_due(server: ServerProcess) -> bool:
    assets = read_rows(server.database_url, "assets")
    return any(row["renditions_due"] for row in assets)


def _client_lines(evidence: Evidence, answered: Answered, settings: ChaosSettings) -> list[Line]:
    states = {row["id"]: row["state"] for row in evidence.generations}
    told = {generation for ids in answered.ids.values() for generation in ids}
    same = sum(states.get(generation) == state for generation, state in answered.states.items())
    return [
        Line(what="wishes = wishes answered", left=settings.generations, right=len(answered.ids)),
        Line(what="wishes answered = generations told of", left=len(answered.ids), right=len(told)),
        Line(what="generations told of = generations", left=len(told), right=len(states)),
        Line(
            what="states that clients saw last = states (unknown may be resolved)",
            left=len(answered.states),
            right=same + _resolved(answered, states),
        ),
    ]


def _resolved(answered: Answered, states: dict[str, str]) -> int:
    return sum(
        seen == "unknown" and states.get(generation) not in (None, "unknown")
        for generation, seen in answered.states.items()
    )


def _client_findings(evidence: Evidence, answered: Answered) -> Iterator[str]:
    known = {row["id"] for row in evidence.generations}
    for number, ids in answered.ids.items():
        if len(ids) > 1:
            yield f"the key of wish {number} made {len(ids)} generations"
        if lost := ids - known:
            yield f"wish {number} was told of {lost}, which is not there"
    yield from answered.refused


def _tables(evidence: Evidence, settings: ChaosSettings) -> Iterator[str]:
    yield _outcomes_table(evidence, settings)
    yield _unknown_table(evidence)


def _outcomes_table(evidence: Evidence, settings: ChaosSettings) -> str:
    troubles = {f"ref-{wish.number}": wish for wish in wishes(settings.generations, settings.seed)}
    counts: Counter[tuple[str, str]] = Counter()
    states: set[str] = set()
    for row in evidence.generations:
        wish = troubles[tag_of(row["request"])]
        trouble = wish.trouble if wish.cancel_after is None else "(any, with a cancellation)"
        counts[trouble, row["state"]] += 1
        states.add(row["state"])
    columns = sorted(states)
    lines = [f"{'trouble':<36}" + "".join(f"{state:>11}" for state in columns)]
    for trouble in sorted({trouble for trouble, _ in counts}):
        figures = "".join(f"{counts[trouble, state] or '.':>11}" for state in columns)
        lines.append(f"{trouble:<36}{figures}")
    return "\n".join(lines)


def _unknown_table(evidence: Evidence) -> str:
    """Return what is unknown: where, and what the vendor's journal says of it."""
    by_generation = evidence.submits_by_generation()
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in evidence.generations:
        if row["state"] != "unknown":
            continue
        submits = by_generation.get(row["id"], [])
        taken = [submit for submit in submits if submit.is_taken]
        said = "nothing of it was heard"
        if taken:
            said = "taken"
        elif submits:
            said = f"answered {submits[-1].status}"
        scenario = submits[-1].scenario if submits else "-"
        counts[row["provider"] or "-", said, scenario] += 1
    lines = [f"{'unknown at':<14}{'the vendor:':<26}{'scenario':<18}{'count':>8}"]
    for (provider, said, scenario), count in sorted(counts.items()):
        lines.append(f"{provider:<14}{said:<26}{scenario:<18}{count:>8}")
    return "\n".join(lines)


def show(outcome: Outcome) -> bool:
    """Print what a run came to; tell whether everything balances."""
    verdict = "every line balances" if outcome.report.balances else "IT DOES NOT BALANCE"
    sys.stdout.write(f"{outcome.summary}\n\n{outcome.report.text()}\n\n{verdict}\n")
    return outcome.report.balances
