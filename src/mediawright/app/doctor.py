"""Looks over an installation: what works, what is missing, what to do."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from mediawright._version import __version__
from mediawright.app.providers import ProviderView, circuit_words, list_providers
from mediawright.app.workers import list_workers
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.errors import MediawrightError
from mediawright.core.states import GenerationState
from mediawright.jobs.faults import ACCOUNT_CODES
from mediawright.store import generations
from mediawright.store.kinds import HealthState

if TYPE_CHECKING:
    from datetime import datetime

    from mediawright.app.runtime import Runtime

_LITTLE_SPACE = 1024**3
"""Bytes below which finished files may soon find no room."""


class FindingState(StrEnum):
    """How a part is."""

    OK = "ok"
    ABSENT = "absent"
    """Not set up, and not needed by everybody."""
    FAILING = "failing"
    """It is set up, and does not work for the time being."""
    BROKEN = "broken"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found about one part."""

    subject: str
    state: FindingState
    text: str
    hint: str | None = None

    @property
    def is_broken(self) -> bool:
        """Whether something has to be done."""
        return self.state is FindingState.BROKEN


async def examine(runtime: Runtime) -> list[Finding]:
    """Return what there is to know about an installation; nothing is changed or spent."""
    return [
        _installation(runtime),
        await _database(runtime),
        await _generations(runtime),
        *await _workers(runtime),
        await _disk(runtime),
        *_engines(runtime),
        *_extras(),
        *await _providers(runtime),
        _reports(runtime),
    ]


def _installation(runtime: Runtime) -> Finding:
    source = runtime.settings.source or "defaults and environment"
    return Finding(
        subject="mediawright",
        state=FindingState.OK,
        text=f"{__version__}, settings from {source}, {len(runtime.catalogue)} models",
    )


async def _database(runtime: Runtime) -> Finding:
    try:
        balance = await runtime.ledger.balance(DEFAULT_WORKSPACE)
    except MediawrightError as error:
        return Finding(
            subject="database", state=FindingState.BROKEN, text=error.message, hint=error.hint
        )
    kind = "SQLite" if runtime.database.is_sqlite else "PostgreSQL"
    return Finding(
        subject="database",
        state=FindingState.OK,
        text=f"{kind}; {balance.available} left, {balance.held} held",
    )


async def _generations(runtime: Runtime) -> Finding:
    counts = await runtime.database.read(generations.counts_by_state)
    unknown = counts.get(GenerationState.UNKNOWN, 0)
    words = ", ".join(f"{number} {state.value}" for state, number in sorted(counts.items()))
    return Finding(
        subject="generations",
        state=FindingState.BROKEN if unknown else FindingState.OK,
        text=words or "none yet",
        hint="Nobody knows whether a provider took these; look at its dashboard. "
        "Their holds are kept: mediawright generations list"
        if unknown
        else None,
    )


async def _workers(runtime: Runtime) -> list[Finding]:
    """Return who works on a shared database; a data folder's one process locks it instead."""
    if runtime.database.is_sqlite:
        return []
    found = await list_workers(runtime)
    words = ", ".join(
        f"{item.worker.role.value} on {item.worker.host} ({item.generations} under way)"
        for item in found
    )
    return [
        Finding(
            subject="workers",
            state=FindingState.OK if found else FindingState.ABSENT,
            text=words or "none; queued generations wait",
            hint=None if found else "Start one: mediawright worker, or mediawright serve",
        )
    ]


async def _disk(runtime: Runtime) -> Finding:
    folder = runtime.folder.root
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    little = usage.free < _LITTLE_SPACE
    return Finding(
        subject="data folder",
        state=FindingState.BROKEN if little else FindingState.OK,
        text=f"{folder} ({usage.free / 1024**3:.1f} GiB free)",
        hint="Make room, or choose another folder with --data-dir." if little else None,
    )


def _engines(runtime: Runtime) -> list[Finding]:
    findings: list[Finding] = []
    for model in runtime.catalogue:
        for route in model.routes:
            if route.provider != "local":
                continue
            try:
                facts = runtime.local.facts(route.upstream_id)
            except MediawrightError as error:
                findings.append(
                    Finding(
                        subject=model.id,
                        state=FindingState.ABSENT,
                        text=error.message,
                        hint=error.hint,
                    )
                )
                continue
            text = "; ".join(f"{name}: {value}" for name, value in facts.items())
            findings.append(Finding(subject=model.id, state=FindingState.OK, text=text))
    return findings


def _extras() -> list[Finding]:
    extras = {"server": "uvicorn", "postgres": "psycopg", "sandbox-tls": "trustme"}
    return [
        Finding(
            subject=f"extra {name}",
            state=FindingState.OK if importlib.util.find_spec(module) else FindingState.ABSENT,
            text="installed"
            if importlib.util.find_spec(module)
            else f"pip install 'mediawright[{name}]' adds it",
        )
        for name, module in extras.items()
    ]


async def _providers(runtime: Runtime) -> list[Finding]:
    now = runtime.clock.now()
    found = [view for view in await list_providers(runtime) if view.facts.variable is not None]
    return [_provider(view, now) for view in found]


def _provider(view: ProviderView, now: datetime) -> Finding:
    facts, health = view.facts, view.health
    if not facts.enabled:
        state, text = FindingState.ABSENT, "switched off in the settings"
    elif not facts.ready:
        state, text = FindingState.ABSENT, f"no key; set {facts.variable} to use it"
    else:
        where = "imitated by the sandbox" if facts.sandboxed else f"key in {facts.variable}"
        state, text = FindingState.OK, where
        if health.state is not HealthState.CLOSED:
            return _failing(view, f"{where}; {circuit_words(view, now)}")
    return Finding(subject=facts.name, state=state, text=text)


def _reports(runtime: Runtime) -> Finding:
    obstacle = runtime.hook_addresses.obstacle
    if obstacle is not None:
        text = f"none are asked for, because {obstacle}; providers are polled"
        return Finding(subject="provider webhooks", state=FindingState.ABSENT, text=text)
    return Finding(
        subject="provider webhooks",
        state=FindingState.OK,
        text=f"come to {runtime.settings.server.public_url} while the server runs",
    )


def _failing(view: ProviderView, text: str) -> Finding:
    """Return what is told of a provider that is left alone; some causes mend themselves."""
    error = view.health.last_error
    if error is None or error.code not in ACCOUNT_CODES:
        return Finding(subject=view.facts.name, state=FindingState.FAILING, text=text)
    return Finding(
        subject=view.facts.name,
        state=FindingState.BROKEN,
        text=text,
        hint=f"{error.message} {error.hint} Then: mediawright providers reset {view.facts.name}",
    )
