"""The server's socket: where it listens, and how it stops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from mediawright.api.server import ApiServer
from mediawright.app.runtime import Runtime
from mediawright.app.settings import ServerSettings, Settings
from mediawright.core.errors import UnavailableError
from mediawright.jobs import jobs


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    made = Runtime(Settings(data_dir=tmp_path), environment={})
    await made.start()
    yield made
    await made.close()


def prepared(runtime: Runtime, host: str = "127.0.0.1", port: int = 0) -> ApiServer:
    server = ServerSettings(host=host, port=port)
    runtime.settings = msgspec.structs.replace(runtime.settings, server=server)
    return ApiServer(runtime)


async def status(address: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{address}/healthz")).status_code


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_it_says_where_it_listens(runtime: Runtime, host: str) -> None:
    server = prepared(runtime, host=host)
    address = await server.start()
    assert address.startswith(f"http://{host}:")
    port = int(address.rpartition(":")[2])
    assert port > 0
    assert await status(f"http://127.0.0.1:{port}") == 200
    await server.stop()
    with pytest.raises(httpx.ConnectError):
        await status(f"http://127.0.0.1:{port}")


async def test_stopping_twice_and_starting_again(runtime: Runtime) -> None:
    first = prepared(runtime)
    address = await first.start()
    await asyncio.gather(first.stop(), first.stop(), first.wait())
    again = prepared(runtime, port=int(address.rpartition(":")[2]))
    assert await again.start() == address
    assert await status(address) == 200
    await again.stop()


async def test_an_address_that_is_taken(runtime: Runtime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError) as raised:
            await prepared(runtime, port=port).start()
    assert raised.value.code == "address_in_use"
    assert str(port) in raised.value.message
    assert "--port" in (raised.value.hint or "")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_of_another_machine(runtime: Runtime, host: str) -> None:
    with pytest.raises(UnavailableError) as raised:
        await prepared(runtime, host=host).start()
    assert raised.value.code == "address_not_available"
    assert host in raised.value.message


async def test_a_reply_under_way_is_finished(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = prepared(runtime)
    address = await server.start()
    begun, finish = asyncio.Event(), asyncio.Event()

    async def slow(_: object) -> None:
        begun.set()
        await finish.wait()

    monkeypatch.setattr(runtime.database, "read", slow)
    reply = asyncio.create_task(status(address))
    await begun.wait()
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    finish.set()
    assert await reply == 200
    await stopping


async def test_a_database_that_is_away_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks after cancellations goes on afterwards, and the server can still be closed."""
    monkeypatch.setattr(jobs, "_LOOK_AGAIN", 0.01)
    runtime = Runtime(Settings(data_dir=tmp_path), environment={})
    await runtime.start()
    read, failures, is_back = runtime.database.read, 3, asyncio.Event()

    async def away(work: Callable[[Connection], Any]) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            raise OperationalError("SELECT", {}, Exception("disk I/O error"))
        is_back.set()
        return await read(work)

    monkeypatch.setattr(runtime.database, "read", away)
    async with asyncio.timeout(10):
        await is_back.wait()
    await runtime.close()
