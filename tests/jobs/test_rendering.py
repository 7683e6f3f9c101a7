"""Smaller versions of files are made after delivery, by this process or by the next one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mediawright.app.follow import wait_for
from mediawright.app.generate import generate
from mediawright.app.intake import Draft
from mediawright.app.runtime import Runtime
from mediawright.app.settings import Settings
from mediawright.app.views import outputs_of
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.clock import SystemClock
from mediawright.core.generation import Asset
from mediawright.core.request import Parameters
from mediawright.store import assets
from mediawright.store.kinds import WorkerRole

PICTURE = Draft(model="local-sketch-image", prompt="waves", parameters=Parameters(size="64x64"))


class LaterClock(SystemClock):
    """An hour ahead."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


class Gate:
    """Holds the making of smaller versions up until it is opened."""

    def __init__(self, runtime: Runtime) -> None:
        self.open = asyncio.Event()
        self.reached = asyncio.Event()
        self._make = runtime.library.make_renditions
        runtime.library.make_renditions = self._wait  # type: ignore[method-assign]

    async def _wait(self, asset: Asset) -> Asset:
        self.reached.set()
        await self.open.wait()
        return await self._make(asset)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Runtime]:
    runtime = Runtime(settings, environment={})
    await runtime.start(role=WorkerRole.SERVER)
    yield runtime
    await runtime.close()


async def made_by(runtime: Runtime) -> Asset:
    generation = await generate(runtime, DEFAULT_WORKSPACE, PICTURE)
    ended = await wait_for(runtime, generation, seconds=30)
    (asset,) = await outputs_of(runtime, ended)
    return asset


async def as_stored(runtime: Runtime, asset: Asset) -> Asset | None:
    return await runtime.database.read(lambda c: assets.get(c, asset.workspace_id, asset.id))


async def due(runtime: Runtime) -> list[str]:
    later = LaterClock().now()
    found = await runtime.database.read(lambda c: assets.due_for_renditions(c, later, limit=10))
    return [asset.id for asset in found]


async def until_rendered(runtime: Runtime, asset: Asset) -> Asset:
    async with asyncio.timeout(30):
        while True:
            current = await as_stored(runtime, asset)
            assert current is not None
            if current.thumbnail_key is not None:
                return current
            await asyncio.sleep(0.01)


def files(runtime: Runtime) -> list[str]:
    found = (path for path in runtime.folder.files.rglob("*") if path.is_file())
    return [path.name for path in found if ".reservations" not in path.parts]


async def test_a_server_delivers_first(server: Runtime) -> None:
    gate = Gate(server)
    asset = await made_by(server)
    await gate.reached.wait()
    assert asset.thumbnail_key is None
    assert await due(server) == [asset.id]

    gate.open.set()
    rendered = await until_rendered(server, asset)
    assert rendered.thumbnail_key is not None
    path = server.library.path_of(rendered.thumbnail_key)
    assert path is not None
    assert path.stat().st_size > 0
    assert await due(server) == []


async def test_the_next_process_makes_what_was_left(settings: Settings) -> None:
    first = Runtime(settings, environment={})
    await first.start(role=WorkerRole.SERVER)
    gate = Gate(first)
    asset = await made_by(first)
    await gate.reached.wait()
    await first.close()

    second = Runtime(settings, environment={}, clock=LaterClock())
    await second.start()
    try:
        assert await second.renderer.sweep() == 1
        rendered = await as_stored(second, asset)
        assert rendered is not None
        assert rendered.thumbnail_key is not None
        assert await second.renderer.sweep() == 0
    finally:
        await second.close()


async def test_what_was_just_stored_is_left_to_who_stored_it(server: Runtime) -> None:
    gate = Gate(server)
    asset = await made_by(server)
    await gate.reached.wait()
    assert await server.renderer.sweep() == 0
    assert await due(server) == [asset.id]


async def test_nothing_stays_of_a_file_that_is_deleted_meanwhile(server: Runtime) -> None:
    gate = Gate(server)
    asset = await made_by(server)
    await gate.reached.wait()
    await server.database.write(lambda c: assets.remove(c, asset.workspace_id, asset.id))
    gate.open.set()
    async with asyncio.timeout(30):
        while files(server):
            await asyncio.sleep(0.01)
    assert await as_stored(server, asset) is None


async def test_a_file_that_is_gone_is_given_up(server: Runtime) -> None:
    gate = Gate(server)
    asset = await made_by(server)
    await gate.reached.wait()
    await server.library.delete(asset)
    gate.open.set()
    async with asyncio.timeout(30):
        while await due(server):
            await asyncio.sleep(0.01)
    current = await as_stored(server, asset)
    assert current is not None
    assert current.thumbnail_key is None


async def test_an_embedded_installation_delivers_everything_at_once(settings: Settings) -> None:
    runtime = Runtime(settings, environment={})
    await runtime.start()
    try:
        asset = await made_by(runtime)
        assert asset.thumbnail_key is not None
        assert await due(runtime) == []
    finally:
        await runtime.close()
