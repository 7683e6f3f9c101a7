"""What generations cost while they wait, how fast they are begun, and how fast a killed server
is at them again.

Run: python benchmarks/waiting_generations.py [--counts 1000,5000,10000] [--json FILE]

One server process, a stub vendor on loopback in a process of its own whose tasks never end, a
question about each every 5 s. The lag is how much later than that a question comes. Beginning
counts `POST /v1/generate/media` by 32 clients, up to the moment when all are with the vendor.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
from processes import (
    Server,
    StubProcess,
    processor_seconds,
    resident_megabytes,
    table,
    write_json,
)

INTERVAL = 5.0
CLIENTS = 32
RECOVERED = 1_000
MEASURED_SECONDS = 30.0
PATIENCE = 300.0
CADENCE = {"first": INTERVAL, "growth": 1.0, "longest": INTERVAL, "jitter": 0.0}
SETTINGS: dict[str, Any] = {
    "jobs": {"cadence": {"video": CADENCE}},
    "workers": {"generations": 20_000},
}
AIMS = "aims: 10,000 in <= 350 MB and <= 30 % of a core, lag p99 <= 1 s; recovery of 1,000 <= 8 s"


async def begin(session: aiohttp.ClientSession, url: str, numbers: Iterator[int]) -> None:
    for number in numbers:
        body = {"model": "gen4.5", "prompt": f"waves {number}", "duration": 2}
        async with session.post(f"{url}/v1/generate/media", json=body) as reply:
            if not reply.ok:
                raise RuntimeError(await reply.text())


async def figures(session: aiohttp.ClientSession, stub: str) -> dict[str, Any]:
    async with session.get(f"{stub}/figures?interval={INTERVAL}") as reply:
        return await reply.json()


async def until(session: aiohttp.ClientSession, stub: str, name: str, count: int) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while (found := await figures(session, stub))[name] < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {found[name]} of {count} {name}")
        await asyncio.sleep(0.1)
    return found


async def measure(count: int, folder: Path) -> dict[str, Any]:
    """Return the figures of `count` waiting generations."""
    stub = StubProcess()
    server = Server(folder, stub.root, mode="hold", **SETTINGS)
    try:
        server.start()
        idle = resident_megabytes(server.pid)
        async with aiohttp.ClientSession() as session:
            began = time.monotonic()
            numbers = iter(range(count))
            await asyncio.gather(*(begin(session, server.url, numbers) for _ in range(CLIENTS)))
            await until(session, stub.root, "submits", count)
            begun = time.monotonic() - began
            await until(session, stub.root, "tasks_polled", count)
            await asyncio.sleep(2 * INTERVAL)
            result = await _measure_waiting(session, stub, server, count)
            result |= {"count": count, "idle_mb": idle, "begun_per_second": count / begun}
            if count == RECOVERED:
                result["recovery"] = await _measure_recovery(session, stub, server, count)
        return result
    finally:
        server.kill()
        stub.stop()


async def _measure_waiting(
    session: aiohttp.ClientSession, stub: StubProcess, server: Server, count: int
) -> dict[str, Any]:
    await session.post(f"{stub.root}/begin")
    used, began = processor_seconds(server.pid), time.monotonic()
    await asyncio.sleep(MEASURED_SECONDS)
    seconds = time.monotonic() - began
    found = await figures(session, stub.root)
    return {
        "mb": resident_megabytes(server.pid),
        "core": (processor_seconds(server.pid) - used) / seconds,
        "polls_due": count * seconds / INTERVAL,
        **found,
    }


async def _measure_recovery(
    session: aiohttp.ClientSession, stub: StubProcess, server: Server, count: int
) -> dict[str, Any]:
    server.kill()
    await session.post(f"{stub.root}/begin")
    starting = await asyncio.to_thread(server.start)
    found = await until(session, stub.root, "tasks_polled", count)
    return {
        "serving_again": starting,
        "first": found["first_poll"],
        "all": found["last_first_poll"],
        "resubmits": found["submits"] - count,
    }


def show(results: list[dict[str, Any]]) -> None:
    rows = [
        [
            f"{one['count']:,}",
            f"{one['begun_per_second']:.0f}/s",
            f"{one['mb']:.0f} MB",
            f"{(one['mb'] - one['idle_mb']) * 1024 / one['count']:.1f} kB",
            f"{one['core'] * 100:.1f} %",
            f"{one['polls'] / one['polls_due']:.3f}",
            f"{one['lag_p50'] * 1000:.0f} ms",
            f"{one['lag_p99'] * 1000:.0f} ms",
            f"{one['lag_max'] * 1000:.0f} ms",
        ]
        for one in results
    ]
    columns = ["waiting", "begun", "memory", "each", "of a core", "polls made/due"]
    print(table([*columns, "lag p50", "lag p99", "most"], rows))
    for one in itertools.chain(results):
        if found := one.get("recovery"):
            print(
                f"\nkilled with {one['count']:,} waiting: serving again after "
                f"{found['serving_again']:.1f} s, first polled after {found['first']:.1f} s, "
                f"all after {found['all']:.1f} s, submitted again {found['resubmits']}"
            )
    print(f"\nidle: {results[0]['idle_mb']:.0f} MB (aim: <= 150 MB)\n{AIMS}")


async def run(counts: list[int]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            results.append(await measure(count, Path(folder)))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="1000,5000,10000")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = asyncio.run(run([int(count) for count in arguments.counts.split(",")]))
    show(results)
    write_json(arguments.json, results)


if __name__ == "__main__":
    main()
