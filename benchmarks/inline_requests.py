"""Image requests that are answered at once: against the stub itself, and against LiteLLM.

Run: python benchmarks/inline_requests.py [--install] [--seconds 5] [--json FILE]

One stub vendor speaks OpenAI's images API; the same clients ask it directly (the floor),
through `POST /v1/generate/media` of a server of ours with `Prefer: wait`, and through a LiteLLM
proxy with one worker. Ours writes a generation, an attempt, a charge, events and a trace, and
keeps the file; LiteLLM passes the reply on and keeps nothing.

LiteLLM goes into an environment of its own: `--install` makes one in a temporary folder, and
`--litellm PROGRAM` names one that is there. Without either only the floor and ours are run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from processes import (
    Server,
    StubProcess,
    free_port,
    resident_megabytes,
    stop,
    table,
    write_json,
)

CLIENTS = (1, 8, 32)
SIZES = {"small": "small reply", "large": "1.3 MB reply"}
START_PATIENCE = 180.0
WARM_UP_SECONDS = 1.0
Request = Callable[[aiohttp.ClientSession], Awaitable[int]]


class LiteLLM:
    """A LiteLLM proxy in front of the stub."""

    def __init__(self, program: str, folder: Path, stub: str, size: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        config = folder / "litellm.yaml"
        parameters = {
            "model": "openai/gpt-image-1",
            "api_base": f"{stub}/openai/{size}/v1",
            "api_key": "stub",
        }
        models = [{"model_name": "gpt-image-1", "litellm_params": parameters}]
        # Neither side asks for a key.
        general = {"dangerously_permit_weak_or_unset_master_key": True}
        sections = {"model_list": models, "general_settings": general}
        config.write_text(yaml.safe_dump(sections))
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with (folder / "litellm.log").open("w") as log:
            self._process = subprocess.Popen(
                [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)],
                stdout=log,
                stderr=log,
                text=True,
                env={
                    **environment,
                    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                    "LITELLM_LOG": "ERROR",
                    "PATH": f"{Path(program).parent}:{os.environ['PATH']}",
                },
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self, session: aiohttp.ClientSession) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                async with session.get(f"{self.url}/health/liveliness") as reply:
                    if reply.ok:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.5)
        raise RuntimeError("LiteLLM did not start")

    def stop(self) -> None:
        stop(self._process)


async def post(session: aiohttp.ClientSession, url: str, body: Any, **headers: str) -> int:
    async with session.post(url, json=body, headers=headers) as reply:
        content = await reply.read()
        if not reply.ok:
            raise RuntimeError(content[:500])
        return len(content)


def asking_stub(stub: str, size: str) -> Request:
    body = {"model": "gpt-image-1", "prompt": "a kite over the bay"}
    return lambda session: post(session, f"{stub}/openai/{size}/v1/images/generations", body)


def asking_litellm(proxy: LiteLLM) -> Request:
    body = {"model": "gpt-image-1", "prompt": "a kite over the bay"}
    return lambda session: post(session, f"{proxy.url}/v1/images/generations", body)


def asking_us(server: Server) -> Request:
    body = {"model": "gpt-image-2", "provider": "openai", "prompt": "a kite over the bay"}
    url = f"{server.url}/v1/generate/media"

    async def ask(session: aiohttp.ClientSession) -> int:
        async with session.post(url, json=body, headers={"Prefer": "wait=60"}) as reply:
            document = await reply.json()
        if document.get("status") != "completed":
            raise RuntimeError(document)
        return document["outputs"][0]["bytes"]

    return ask


async def measure(request: Request, clients: int, seconds: float) -> dict[str, float]:
    """Return rate and latencies (in ms) of that many clients that ask again and again."""
    taken: list[float] = []

    async def client(session: aiohttp.ClientSession, until: float, into: list[float]) -> None:
        while time.perf_counter() < until:
            began = time.perf_counter()
            await request(session)
            into.append((time.perf_counter() - began) * 1000)

    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        warm = time.perf_counter() + WARM_UP_SECONDS
        await asyncio.gather(*(client(session, warm, []) for _ in range(clients)))
        began = time.perf_counter()
        until = began + seconds
        await asyncio.gather(*(client(session, until, taken) for _ in range(clients)))
        lasted = time.perf_counter() - began
    taken.sort()
    return {
        "rate": len(taken) / lasted,
        "p50": statistics.median(taken),
        "p99": taken[int(len(taken) * 0.99)],
    }


async def run(program: str | None, seconds: float, folder: Path) -> list[dict[str, Any]]:
    stub = StubProcess()
    try:
        return [await _run_size(program, seconds, folder / size, stub, size) for size in SIZES]
    finally:
        stub.stop()


async def _run_size(
    program: str | None, seconds: float, folder: Path, stub: StubProcess, size: str
) -> dict[str, Any]:
    server = Server(folder, stub.root, size=size)
    proxy = None
    try:
        server.start()
        memory = {"ours": resident_megabytes(server.pid)}
        ways = {"floor": asking_stub(stub.root, size), "ours": asking_us(server)}
        if program is not None:
            proxy = LiteLLM(program, folder, stub.root, size)
            async with aiohttp.ClientSession() as session:
                await proxy.wait(session)
            memory["litellm"] = resident_megabytes(proxy.pid)
            ways["litellm"] = asking_litellm(proxy)
        figures = {
            way: {clients: await measure(request, clients, seconds) for clients in CLIENTS}
            for way, request in ways.items()
        }
        return {"size": size, "idle_mb": memory, "figures": figures}
    finally:
        server.stop()
        if proxy is not None:
            proxy.stop()


def show(results: list[dict[str, Any]]) -> None:
    rows: list[list[str]] = []
    for result in results:
        figures = result["figures"]
        peer = figures.get("litellm")
        for clients in CLIENTS:
            for way, found in figures.items():
                one = found[clients]
                ratio = ["", ""]
                if way == "ours" and peer is not None:
                    ratio = [
                        f"{one['p50'] / peer[clients]['p50']:.2f}",
                        f"{one['rate'] / peer[clients]['rate']:.1f}",
                    ]
                label = f"{SIZES[result['size']]}, {clients} clients: {way}"
                rows.append(
                    [
                        label,
                        f"{one['rate']:.0f}/s",
                        f"{one['p50']:.2f} ms",
                        f"{one['p99']:.2f} ms",
                        *ratio,
                    ]
                )
    columns = ["image requests", "rate", "p50", "p99", "p50 / LiteLLM's", "rate / LiteLLM's"]
    print(table(columns, rows))
    memory = ", ".join(f"{way} {found:.0f} MB" for way, found in results[0]["idle_mb"].items())
    print(f"\nidle server: {memory} (aim: <= 150 MB)")
    print("aims: small p50 <= 0.33 x, rate at 32 clients >= 5 x, 1.3 MB at 8 clients >= 5 x")


def install(folder: Path) -> str:
    """Install LiteLLM into an environment of its own and return its program."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "litellm[proxy]"]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return str(folder / "bin" / "litellm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="install LiteLLM beforehand")
    parser.add_argument("--litellm", help="a litellm program that is there")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = install(folder / "litellm") if arguments.install else arguments.litellm
        results = asyncio.run(run(program, arguments.seconds, folder))
    show(results)
    write_json(arguments.json, results)


if __name__ == "__main__":
    main()
