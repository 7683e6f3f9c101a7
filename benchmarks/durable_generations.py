"""How many generations a second go all the way through the durable engine.

Run: python benchmarks/durable_generations.py [--count 1000] [--clients 32] [--json FILE]

Each is queued with its hold, submitted, polled, downloaded, probed, stored and charged. The
stub vendor on loopback makes jobs that are finished when they are asked about for the first
time. The floor is the same conversation without us: submit, poll, download.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
from processes import Server, StubProcess, processor_seconds, table, write_json

SETTINGS: dict[str, Any] = {
    "jobs": {"cadence": {"image": {"first": 0.05, "longest": 0.2}}},
    "workers": {"generations": 20_000},
}


async def through_us(session: aiohttp.ClientSession, url: str, numbers: Iterator[int]) -> None:
    for number in numbers:
        body = {"model": "gen4_image", "prompt": f"waves {number}"}
        headers = {"Prefer": "wait=60"}
        async with session.post(f"{url}/v1/generate/media", json=body, headers=headers) as reply:
            document = await reply.json()
        if document.get("status") != "completed":
            raise RuntimeError(document)


async def direct(session: aiohttp.ClientSession, stub: str, numbers: Iterator[int]) -> None:
    root = f"{stub}/runway/now/v1"
    for number in numbers:
        body = {"model": "gen4_image", "promptText": f"waves {number}"}
        async with session.post(f"{root}/text_to_image", json=body) as reply:
            task = (await reply.json())["id"]
        async with session.get(f"{root}/tasks/{task}") as reply:
            output = (await reply.json())["output"][0]
        async with session.get(output) as reply:
            await reply.read()


async def run(count: int, clients: int, folder: Path) -> dict[str, Any]:
    stub = StubProcess()
    server = Server(folder, stub.root, **SETTINGS)
    try:
        server.start()
        async with aiohttp.ClientSession() as session:
            floor = await _rate(clients, count, lambda n: direct(session, stub.root, n))
            await _rate(clients, 2 * clients, lambda n: through_us(session, server.url, n))
            used = processor_seconds(server.pid)
            ours = await _rate(clients, count, lambda n: through_us(session, server.url, n))
            used = processor_seconds(server.pid) - used
        return {
            "count": count,
            "clients": clients,
            "floor_per_second": floor,
            "per_second": ours,
            "processor_ms_each": used / count * 1000,
        }
    finally:
        server.stop()
        stub.stop()


async def _rate(clients: int, count: int, work: Any) -> float:
    numbers = iter(range(count))
    began = time.monotonic()
    await asyncio.gather(*(work(numbers) for _ in range(clients)))
    return count / (time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(run(arguments.count, arguments.clients, Path(folder)))
    ratio = result["floor_per_second"] / result["per_second"]
    print(
        table(
            ["durable generations", "clients", "rate", "floor", "floor/ours", "processor each"],
            [
                [
                    f"{result['count']:,}",
                    str(result["clients"]),
                    f"{result['per_second']:.0f}/s",
                    f"{result['floor_per_second']:.0f}/s",
                    f"{ratio:.1f}",
                    f"{result['processor_ms_each']:.1f} ms",
                ]
            ],
        )
    )
    write_json(arguments.json, result)


if __name__ == "__main__":
    main()
