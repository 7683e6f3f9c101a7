"""The sandbox's own routes under `/__sandbox__/`: status, clock, scenarios, journal."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import msgspec
from aiohttp import web

from mediawright.sandbox.kit.emulator import Emulator
from mediawright.sandbox.kit.progression import Progression, ProgressionError
from mediawright.sandbox.kit.sandbox_kit import SandboxKit
from mediawright.sandbox.kit.scenario import RequestKind, Scenario, ScenarioError

ADMIN_PATH = "/__sandbox__"


class AdminError(Exception):
    """An admin request that cannot be carried out; the text says why."""


class Admin:
    """Steers one sandbox.

    Every answer is JSON; a request that cannot be carried out gets 400 and
    `{"error": "..."}`, with the known names where a name was unknown.
    """

    def __init__(self, kit: SandboxKit, emulators: Mapping[str, Emulator]) -> None:
        """Steer a sandbox and its emulators."""
        self._kit = kit
        self._emulators = emulators

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(f"{ADMIN_PATH}/", _answering(self._status)),
            web.post(f"{ADMIN_PATH}/reset", _answering(self._reset)),
            web.get(f"{ADMIN_PATH}/clock", _answering(self._clock)),
            web.post(f"{ADMIN_PATH}/clock", _answering(self._advance)),
            web.get(f"{ADMIN_PATH}/scenario", _answering(self._scenarios)),
            web.post(f"{ADMIN_PATH}/scenario", _answering(self._set_scenario)),
            web.delete(f"{ADMIN_PATH}/scenario", _answering(self._clear_scenarios)),
            web.get(f"{ADMIN_PATH}/progression", _answering(self._progressions)),
            web.post(f"{ADMIN_PATH}/progression", _answering(self._set_progression)),
            web.get(f"{ADMIN_PATH}/journal", _answering(self._journal)),
            web.delete(f"{ADMIN_PATH}/journal", _answering(self._clear_journal)),
        ]

    def reset(self) -> None:
        """Forget jobs, files, scenarios, the journal in memory and the clock's moves."""
        self._kit.reset()
        for emulator in self._emulators.values():
            emulator.reset()

    async def _status(self, request: web.Request) -> Any:
        del request
        return {
            "name": "mediawright sandbox",
            "root": self._kit.root,
            "seed": self._kit.seed,
            "media": self._kit.settings.media,
            "now": self._kit.clock.now(),
            "vendors": {
                name: {
                    "base_urls": base_urls(self._kit.root, emulator),
                    "credential": emulator.credential,
                }
                for name, emulator in self._emulators.items()
            },
        }

    async def _reset(self, request: web.Request) -> Any:
        del request
        self.reset()
        return {"reset": True}

    async def _clock(self, request: web.Request) -> Any:
        del request
        return {"now": self._kit.clock.now(), "ahead": self._kit.clock.ahead}

    async def _advance(self, request: web.Request) -> Any:
        seconds = (await _fields(request, "advance")).get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise AdminError('send {"advance": SECONDS} with a number of 0 or more')
        self._kit.clock.advance(seconds)
        return await self._clock(request)

    async def _scenarios(self, request: web.Request) -> Any:
        del request
        return {
            "scenarios": [
                {
                    "vendor": item.vendor,
                    "met": item.met,
                    **msgspec.to_builtins(item.scenario),
                }
                for item in self._kit.scenarios.standing()
            ]
        }

    async def _set_scenario(self, request: web.Request) -> Any:
        fields = await _fields(request)
        vendor = self._vendor(fields.pop("vendor", None))
        self._kit.scenarios.set(Scenario.from_fields(fields), vendor)
        return await self._scenarios(request)

    async def _clear_scenarios(self, request: web.Request) -> Any:
        self._kit.scenarios.clear(self._vendor(request.query.get("vendor")))
        return await self._scenarios(request)

    async def _progressions(self, request: web.Request) -> Any:
        del request
        return {name: str(self._kit.progression(name)) for name in self._emulators}

    async def _set_progression(self, request: web.Request) -> Any:
        fields = await _fields(request, "progression", "vendor")
        progression = Progression.parse(str(fields.get("progression")))
        self._kit.set_progression(progression, self._vendor(fields.get("vendor")))
        return await self._progressions(request)

    async def _journal(self, request: web.Request) -> Any:
        vendor = self._vendor(request.query.get("vendor"))
        kind = request.query.get("kind")
        if kind is not None and kind not in [*RequestKind]:
            raise AdminError(f"unknown kind {kind!r} (known: {', '.join(RequestKind)})")
        return {"entries": self._kit.journal.entries(vendor=vendor, kind=kind)}

    async def _clear_journal(self, request: web.Request) -> Any:
        del request
        self._kit.journal.clear()
        return {"entries": []}

    def _vendor(self, name: Any) -> str | None:
        if name is None or name in self._emulators:
            return cast("str | None", name)
        raise AdminError(f"unknown vendor {name!r} (known: {', '.join(self._emulators)})")


def base_urls(root: str, emulator: Emulator) -> dict[str, str]:
    """Return an emulator's base addresses by name."""
    return {name: f"{root}/{emulator.name}{path}" for name, path in emulator.bases.items()}


def _answering(
    handler: Callable[[web.Request], Awaitable[Any]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            value, status = await handler(request), 200
        except (AdminError, ScenarioError, ProgressionError) as error:
            value, status = {"error": str(error)}, 400
        return web.Response(
            status=status, body=msgspec.json.encode(value), content_type="application/json"
        )

    return answer


async def _fields(request: web.Request, *known: str) -> dict[str, Any]:
    try:
        value = json.loads(await request.read())
    except ValueError:
        raise AdminError("the body is not JSON") from None
    if not isinstance(value, dict):
        raise AdminError("the body is not a JSON object")
    fields = cast("dict[str, Any]", value)
    unknown = [name for name in fields if known and name not in known]
    if unknown:
        raise AdminError(f"unknown field {unknown[0]!r} (known: {', '.join(known)})")
    return fields
