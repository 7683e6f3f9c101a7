"""Loopback servers, and a pretended internet whose public addresses lead to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.providerkit.tiny_vendor import SECRET, TinyAdapter

from mediawright.core.clock import SystemClock
from mediawright.providerkit.driver import Driver
from mediawright.providerkit.http_provider import HttpProvider
from mediawright.providerkit.sessions import DriverSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A loopback server that remembers who came."""

    port: int
    requests: list[web.BaseRequest] = field(default_factory=list)
    connections: int = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class ScriptedResolver(AbstractResolver):
    """Answers each name from its list of answers, the last one again and again."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        script = self.answers.get(host)
        if not script:
            raise socket.gaierror(socket.EAI_NONAME, "unknown name")
        addresses = script.pop(0) if len(script) > 1 else script[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


class PretendedInternet:
    """Leads connections to chosen public addresses to loopback servers, and notes all others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.resolver = ScriptedResolver()
        self.routes: dict[tuple[str, int], int] = {}
        self.tried: list[tuple[str, int]] = []
        loop = asyncio.get_running_loop()
        connect = loop.sock_connect

        async def sock_connect(sock: socket.socket, address: tuple[str, int]) -> None:
            self.tried.append(address[:2])
            port = self.routes.get(address[:2])
            if port is None:
                raise ConnectionRefusedError(111, "nobody lives there")
            await connect(sock, ("127.0.0.1", port))

        monkeypatch.setattr(loop, "sock_connect", sock_connect)

    def put(self, host: str, address: str, server: Server, port: int = 80) -> None:
        """Give a host name a public address that leads to a server."""
        self.resolver.answers[host] = [[address]]
        self.routes[(address, port)] = server.port


@pytest.fixture
async def internet(monkeypatch):
    return PretendedInternet(monkeypatch)


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Handler], Awaitable[Server]]]:
    async with contextlib.AsyncExitStack() as stack:

        async def start(handler: Handler) -> Server:
            server = Server(0)

            async def remember(request: web.BaseRequest) -> web.StreamResponse:
                server.requests.append(request)
                return await handler(request)

            running = web.Server(remember, access_log=None)
            runner = web.ServerRunner(running, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            server.port = runner.addresses[0][1]
            return server

        yield start


@pytest.fixture
async def serve_raw() -> AsyncIterator[Callable[[RawHandler], Awaitable[Server]]]:
    """Serve bytes as a test writes them; the connection is cut when the handler returns."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(handler: RawHandler) -> Server:
            server = Server(0)
            tasks: set[asyncio.Task[None]] = set()

            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                server.connections += 1
                tasks.add(asyncio.current_task())
                try:
                    await handler(reader, writer)
                    await writer.drain()
                except (asyncio.CancelledError, ConnectionError):
                    pass
                finally:
                    writer.transport.abort() if writer.is_closing() else writer.close()

            async def stop() -> None:
                running.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            running = await asyncio.start_server(handle, "127.0.0.1", 0)
            stack.push_async_callback(stop)
            server.port = running.sockets[0].getsockname()[1]
            return server

        yield start


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    return tmp_path / "staging"


@pytest.fixture
async def make_driver(staging: Path) -> AsyncIterator[Callable[..., Driver]]:
    async with contextlib.AsyncExitStack() as stack:

        def make(**options) -> Driver:
            limits = options.pop("limits", {})
            driver = Driver(
                staging=staging,
                clock=SystemClock(),
                settings=DriverSettings(**limits),
                **options,
            )
            stack.push_async_callback(driver.close)
            return driver

        yield make


@pytest.fixture
def provide(make_driver):
    """Return what makes the small vendor's provider for a server."""

    def provide(server, *, secret=SECRET, limits=None, **options) -> HttpProvider:
        adapter = TinyAdapter({"api": f"{server.origin}/v1"})
        return HttpProvider(adapter, make_driver(limits=limits or {}, **options), secret)

    return provide


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
