"""The way of every request: read, judged, answered by its emulator, journaled, sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from mediawright.sandbox.kit.bodies import read_body, summarise
from mediawright.sandbox.kit.call import Call, Reply, VendorError
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.journal import JournalEntry, redact
from mediawright.sandbox.kit.progression import Progression, ProgressionError
from mediawright.sandbox.kit.replies import drop, send, send_cut
from mediawright.sandbox.kit.scenario import (
    PROGRESSION_HEADER,
    SCENARIO_HEADER,
    RequestKind,
    Scenario,
    ScenarioError,
    ScenarioName,
    read_directives,
)

WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_logger = logging.getLogger(__name__)

_REFUSED_AT_ONCE = frozenset(
    {
        ScenarioName.BAD_KEY,
        ScenarioName.RATE_LIMITED,
        ScenarioName.SERVER_ERROR,
        ScenarioName.OUT_OF_CREDIT,
    }
)
_SLOW_SECONDS = 0.2


def serve(emulator: Emulator, endpoint: Endpoint) -> WebHandler:
    """Return the web handler of an endpoint."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            call = await _read_call(emulator, endpoint, request)
        except (ScenarioError, ProgressionError) as error:
            return web.json_response({"sandbox_error": str(error)}, status=400)
        reply = await _answer(emulator, endpoint, call)
        reply = replace(reply, headers={**emulator.headers(call), **reply.headers})
        lost = call.scenario.name is ScenarioName.LOST_REPLY
        await _record(emulator, call, None if lost else reply.status)
        if lost:
            return drop(request)
        if reply.is_media and call.scenario.name is ScenarioName.TRUNCATED_FILE:
            return await send_cut(request, reply.status, reply.body, _all_headers(reply))
        return await send(request, reply)

    return handle


def serve_unknown(emulator: Emulator) -> WebHandler:
    """Return the web handler for every path that the vendor does not have."""

    async def answer(call: Call) -> Reply:
        return emulator.not_found(call)

    endpoint = Endpoint(
        method="*", path="/", handler=answer, kind=RequestKind.OTHER, needs_key=False
    )
    return serve(emulator, endpoint)


async def _read_call(emulator: Emulator, endpoint: Endpoint, request: web.Request) -> Call:
    kit = emulator.kit
    body = await read_body(request)
    directives = read_directives(words for words, _ in body.markers)
    job_id = endpoint.job and (
        request.match_info.get(endpoint.job) or request.query.get(endpoint.job)
    )
    job = emulator.jobs.find(job_id) if job_id else None
    source = "\n".join(text for _, text in body.markers)
    scenario = kit.scenarios.choose(
        vendor=emulator.name,
        kind=endpoint.kind,
        header=request.headers.get(SCENARIO_HEADER),
        marked=job.later if job else directives.scenarios,
        source=job.id if job else source,
    )
    progression_header = request.headers.get(PROGRESSION_HEADER)
    if progression_header is not None:
        progression = Progression.parse(progression_header)
    else:
        progression = directives.progression or kit.progression(emulator.name)
    return Call(
        vendor=emulator.name,
        kind=endpoint.kind,
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        match=request.match_info,
        body=body,
        scenario=scenario,
        progression=progression,
        later=tuple(item for item in directives.scenarios if not item.concerns(RequestKind.SUBMIT)),
        job=job,
    )


async def _answer(emulator: Emulator, endpoint: Endpoint, call: Call) -> Reply:
    if endpoint.needs_key:
        key = emulator.presented_key(call)
        if not key or "bad" in key:
            return emulator.fault(Scenario(name=ScenarioName.BAD_KEY), call)
    if call.scenario.name in _REFUSED_AT_ONCE:
        return emulator.fault(call.scenario, call)
    if call.scenario.name is ScenarioName.GARBAGE:
        return emulator.garbage(call)
    if call.scenario.name is ScenarioName.SLOW:
        seconds = call.scenario.seconds
        await asyncio.sleep(_SLOW_SECONDS if seconds is None else seconds)
    if call.job is not None and call.kind is RequestKind.POLL:
        call.job.count_poll()
    try:
        return await endpoint.handler(call)
    except VendorError as error:
        return error.reply
    except Exception:
        _logger.exception("the %s emulator broke at %s %s", call.vendor, call.method, call.path)
        return emulator.fault(Scenario(name=ScenarioName.SERVER_ERROR), call)


async def _record(emulator: Emulator, call: Call, status: int | None) -> None:
    journal = emulator.kit.journal
    await journal.add(
        JournalEntry(
            sequence=journal.next_sequence(),
            at=emulator.kit.clock.now(),
            vendor=call.vendor,
            kind=call.kind,
            method=call.method,
            path=call.path,
            query=redact(call.query),
            headers=redact(call.headers),
            body=summarise(call.body),
            status=status,
            scenario=call.scenario.name,
            job_id=call.job.id if call.job else None,
        )
    )


def _all_headers(reply: Reply) -> dict[str, str]:
    return {**reply.headers, "Content-Type": reply.content_type or "application/octet-stream"}
