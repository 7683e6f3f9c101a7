"""A server in a thread of its own, and clients for it over real sockets."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from mediawright.api.server import ApiServer
from mediawright.app.api_keys import create_key, first_key
from mediawright.app.directory import SandboxAddress
from mediawright.app.embedding import embedded_sandbox
from mediawright.app.runtime import Runtime
from mediawright.app.settings import (
    AccountSettings,
    MediaSettings,
    SandboxSettings,
    ServerSettings,
    Settings,
)
from mediawright.app.workspaces import DEFAULT_WORKSPACE, ensure_workspace
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.states import GenerationState
from mediawright.store import assets, generations

T = TypeVar("T")
_TIDY_SECONDS = 30.0
PICTURE = {"prompt": "a lighthouse at dusk", "model": "local-sketch-image", "size": "64x64"}
LONG_FILM = {
    "prompt": "waves",
    "model": "local-sketch-video",
    "size": "256x256",
    "duration": 30,
}
CREDITS = Decimal(500)
TLS = ssl.create_default_context()
"""Never used; each client would otherwise read all certificates of the machine again."""


class Member:
    """A caller with a workspace of its own."""

    def __init__(self, server: RunningServer, workspace_id: str, key: str) -> None:
        self.workspace_id = workspace_id
        self.key = key
        self._server = server
        self.http = server.client(key)

    def make(self, **changes: Any) -> dict[str, Any]:
        """Have a small picture made, and return the finished generation."""
        reply = self.start(**changes, prefer="wait=30")
        assert reply.status_code == 200, reply.text
        body = reply.json()
        assert body["status"] == "completed", body
        return body

    def start(
        self, *, prefer: str | None = None, key: str | None = None, **changes: Any
    ) -> httpx.Response:
        headers = {"Prefer": prefer, "Idempotency-Key": key}
        return self.http.post(
            "/v1/generate/media",
            json={**PICTURE, **changes},
            headers={name: value for name, value in headers.items() if value is not None},
        )

    def ended(self, generation_id: str) -> dict[str, Any]:
        reply = self.http.get(f"/v1/generations/{generation_id}", headers={"Prefer": "wait=30"})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def left_behind(self) -> tuple[Any, ...]:
        """Return everything that a request could leave: rows, credits, files."""
        runtime = self._server.runtime
        until_empty(runtime.folder.replies)

        async def look() -> tuple[Any, ...]:
            rows = await runtime.database.read(
                lambda c: (
                    len(generations.page(c, self.workspace_id, limit=500)),
                    len(assets.page(c, self.workspace_id, limit=500)),
                )
            )
            return rows, await runtime.ledger.balance(self.workspace_id)

        folders = (runtime.folder.files, runtime.folder.staging, runtime.folder.replies)
        files = sorted(
            str(path) for folder in folders for path in folder.rglob("*") if path.is_file()
        )
        return self._server.run(look()), files


def until_empty(*folders: Path) -> None:
    """Return when no file is left in folders for what is temporary, soon after an answer."""
    deadline = time.monotonic() + _TIDY_SECONDS
    while any(path.is_file() for folder in folders for path in folder.rglob("*")):
        assert time.monotonic() < deadline, "temporary files are left"
        time.sleep(0.01)


class RunningServer:
    """An installation behind a socket."""

    def __init__(
        self,
        data_dir: Path,
        *,
        sandbox: bool = False,
        sandbox_address: SandboxAddress | None = None,
        initial_credits: Decimal = CREDITS,
        media: MediaSettings | None = None,
        **server: Any,
    ) -> None:
        self._settings = Settings(
            data_dir=data_dir,
            media=media or MediaSettings(),
            account=AccountSettings(initial_credits=initial_credits),
            server=ServerSettings(**{"port": 0, "longest_wait": 30.0, "heartbeat": 0.2, **server}),
            sandbox=SandboxSettings(enabled=sandbox),
        )
        self._sandbox_address = sandbox_address
        self._thread = threading.Thread(target=self._work, name="api-server")
        self._started: Future[None] = Future()
        self._clients: list[httpx.Client] = []
        self.first_key: str | None = None

    def __enter__(self) -> RunningServer:
        self._thread.start()
        self._started.result(timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        self.loop.call_soon_threadsafe(self._told.set)
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the server's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=60)

    def call(self, work: Callable[[], T]) -> T:
        async def called() -> T:
            return work()

        return self.run(called())

    def client(self, key: str | None = None, **headers: str) -> httpx.Client:
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        client = httpx.Client(
            base_url=self.address, headers=headers, timeout=60, trust_env=False, verify=TLS
        )
        self._clients.append(client)
        return client

    def add_running(self, member: Member, like: dict[str, Any], stage: str) -> str:
        """Add a generation that another process seems to be working on; return its id.

        Args:
            member: Whose.
            like: A finished generation of theirs.
            stage: What the provider says.
        """
        database = self.runtime.database
        generation_id = new_id(IdPrefix.GENERATION)

        async def add() -> None:
            finished = await database.read(
                lambda c: generations.get(c, member.workspace_id, like["generation_id"])
            )
            assert finished is not None
            running = msgspec.structs.replace(
                finished,
                id=generation_id,
                state=GenerationState.RUNNING,
                stage=stage,
                executor="another process",
            )
            await database.write(lambda c: generations.insert(c, running))

        self.run(add())
        return generation_id

    def new_member(self, workspace_id: str | None = None) -> Member:
        """Return a caller with a new workspace, or with a key of a known one."""
        chosen = workspace_id or new_id(IdPrefix.WORKSPACE)

        async def prepare() -> str:
            await ensure_workspace(self.runtime, chosen)
            return (await create_key(self.runtime, chosen, "test"))[1]

        return Member(self, chosen, self.run(prepare()))

    def _work(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if not self._started.done():
                self._started.set_exception(error)
            raise

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        sandbox = embedded_sandbox(self._settings)
        address = self._sandbox_address or await sandbox.start()
        self.runtime = Runtime(self._settings, environment={}, sandbox=address)
        try:
            await self.runtime.start()
            server = ApiServer(self.runtime)
            self.address = await server.start()
            self.first_key = await first_key(self.runtime, DEFAULT_WORKSPACE)
            self._started.set_result(None)
            await self._told.wait()
            await server.stop()
        finally:
            await self.runtime.close()
            await sandbox.stop()
