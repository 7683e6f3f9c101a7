"""The sandbox in a thread of its own, for callers that have no event loop to spare."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

from mediawright.sandbox.kit.journal import Journal
from mediawright.sandbox.kit.settings import SandboxSettings
from mediawright.sandbox.server import Sandbox


class BackgroundSandbox:
    """A running sandbox; use it as a context manager, or call `start` and `stop`."""

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        """Prepare a sandbox.

        Raises:
            ValueError: If the settings name a vendor that has no emulator.
        """
        self._sandbox = Sandbox(settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen, on a free port if `port` is 0; returns when the sandbox answers.

        Raises:
            OSError: If the port is taken.
        """
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
        thread.start()
        self._loop, self._thread = loop, thread
        try:
            asyncio.run_coroutine_threadsafe(self._sandbox.start(host, port), loop).result()
        except BaseException:
            self._end_thread()
            raise

    def stop(self) -> None:
        """Stop listening and end the thread."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._sandbox.stop(), self._loop).result()
            self._end_thread()

    def __enter__(self) -> BackgroundSandbox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def root(self) -> str:
        """The address of the whole sandbox."""
        return self._sandbox.root

    @property
    def base_urls(self) -> Mapping[str, Mapping[str, str]]:
        """The base addresses of each vendor by name."""
        return self._sandbox.base_urls

    @property
    def credentials(self) -> Mapping[str, str]:
        """A good key of each vendor."""
        return self._sandbox.credentials

    @property
    def ca_certificate_pem(self) -> bytes | None:
        """The certificate to trust, with TLS."""
        return self._sandbox.ca_certificate_pem

    @property
    def journal(self) -> Journal:
        """What was asked so far."""
        return self._sandbox.journal

    def reset(self) -> None:
        """Go back to the state at the start."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._call_reset(), self._loop).result()

    async def _call_reset(self) -> None:
        self._sandbox.reset()

    def _end_thread(self) -> None:
        if self._loop is None or self._thread is None:
            return
        loop = self._loop
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()
        self._loop = self._thread = None
