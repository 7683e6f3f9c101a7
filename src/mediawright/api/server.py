"""The application behind a socket: bound, served and stopped in order."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from mediawright.api.application import create_application
from mediawright.api.closing import Closing
from mediawright.core.errors import UnavailableError

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime

_PATIENCE_SECONDS = 10
"""What replies under way get to finish in when the server stops."""
_BACKLOG = 2048


class ApiServer:
    """Serves a started installation over HTTP.

    Signals are the business of whoever runs it.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Prepare the server; nothing is bound yet."""
        self._settings = runtime.settings.server
        self._closing = Closing()
        config = uvicorn.Config(
            create_application(runtime, self._closing),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_PATIENCE_SECONDS,
        )
        self._server = _Uvicorn(config, self._closing)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Begin to serve.

        Returns:
            The address, such as `http://127.0.0.1:8765`.

        Raises:
            UnavailableError: `address_in_use` or `address_not_available`.
        """
        sockets = await _bind(self._settings.host, self._settings.port)
        self._serving = asyncio.create_task(self._server.serve(sockets))
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait((self._serving, ready), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._serving.done():
            self._serving.result()
        port: int = sockets[0].getsockname()[1]
        host = self._settings.host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def wait(self) -> None:
        """Return when the server has stopped."""
        if self._serving is not None:
            await asyncio.shield(self._serving)

    async def stop(self) -> None:
        """Take no more requests, end streams and waits, and let other replies finish."""
        self._server.should_exit = True
        await self.wait()


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, closing: Closing) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._closing = closing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing.begin()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # Uvicorn would raise them again after serving, which ends the process before the
        # installation is closed.
        yield


async def _bind(host: str, port: int) -> list[socket.socket]:
    """Return a bound socket for each of the host's addresses, all with the same port."""
    loop = asyncio.get_running_loop()
    bound: list[socket.socket] = []
    failures: list[OSError] = []
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        found = []
        failures.append(error)
    for family, _, _, _, address in dict.fromkeys(found):
        chosen = bound[0].getsockname()[1] if bound else port
        try:
            bound.append(_listener(family, (address[0], chosen, *address[2:])))
        except OSError as error:
            failures.append(error)
    taken = any(error.errno == errno.EADDRINUSE for error in failures)
    # A machine without IPv6 may still have its address under `localhost`.
    if bound and not taken:
        return bound
    for listener in bound:
        listener.close()
    if taken:
        raise UnavailableError(
            "address_in_use",
            f"Something else listens on port {port} of {host}.",
            hint="Stop it, or choose another port: --port PORT.",
        ) from failures[0]
    raise UnavailableError(
        "address_not_available",
        f"Nothing can listen on port {port} of {host}: {failures[0].strerror}.",
        hint="Choose an address of this machine: --host ADDRESS.",
    ) from failures[0]


def _listener(family: int, address: tuple[object, ...]) -> socket.socket:
    # With the protocol named, asyncio switches Nagle's algorithm off for the connections;
    # otherwise every second small reply waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
