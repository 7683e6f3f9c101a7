"""The sandbox as a server inside an event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from mediawright.sandbox.kit.admin import Admin, base_urls
from mediawright.sandbox.kit.journal import Journal
from mediawright.sandbox.kit.pipeline import serve, serve_unknown
from mediawright.sandbox.kit.sandbox_kit import SandboxKit
from mediawright.sandbox.kit.settings import SandboxSettings
from mediawright.sandbox.kit.shelf import MEDIA_PATH
from mediawright.sandbox.registry import load_emulators

if TYPE_CHECKING:
    from mediawright.sandbox.kit.emulator import Emulator

_LARGEST_BODY = 512 * 1024 * 1024
_SHUTDOWN_SECONDS = 1.0


class Sandbox:
    """Emulators of vendors behind one address, with faults on demand.

    Attributes:
        ca_certificate_pem: The certificate of the authority that signed the server's, with TLS.
    """

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        """Prepare a sandbox; nothing listens before `start`.

        Raises:
            ValueError: If the settings name a vendor that has no emulator.
            ImportError: If an emulator's module is missing.
        """
        settings = settings or SandboxSettings()
        self.ca_certificate_pem: bytes | None = None
        self._kit = SandboxKit(settings)
        self._emulators: dict[str, Emulator] = {
            name: emulator(self._kit) for name, emulator in load_emulators(settings.vendors).items()
        }
        self._admin = Admin(self._kit, self._emulators)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen, on a free port if `port` is 0.

        Raises:
            OSError: If the port is taken.
        """
        tls = self._kit.settings.tls
        context = await asyncio.to_thread(self._tls_context, host) if tls else None
        runner = web.AppRunner(
            self._application(),
            handle_signals=False,
            access_log=None,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        await runner.setup()
        site = web.TCPSite(runner, host, port, ssl_context=context)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
        scheme = "https" if context else "http"
        self._kit.root = f"{scheme}://{reachable}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening and drop open connections; jobs and files stay until a new start."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
            for emulator in self._emulators.values():
                emulator.jobs.interrupt()
            await self._kit.close()

    async def __aenter__(self) -> Sandbox:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def root(self) -> str:
        """The address of the whole sandbox, such as `http://127.0.0.1:4010`."""
        return self._kit.root

    @property
    def base_urls(self) -> Mapping[str, Mapping[str, str]]:
        """The base addresses of each vendor by name, such as `["openai"]["api"]`."""
        return {
            name: base_urls(self._kit.root, emulator) for name, emulator in self._emulators.items()
        }

    @property
    def credentials(self) -> Mapping[str, str]:
        """A good key of each vendor."""
        return {name: emulator.credential for name, emulator in self._emulators.items()}

    @property
    def journal(self) -> Journal:
        """What was asked so far; readable from any thread."""
        return self._kit.journal

    def reset(self) -> None:
        """Go back to the state at the start; only from the sandbox's own loop."""
        self._admin.reset()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.add_routes(self._admin.routes())
        application.router.add_get(f"{MEDIA_PATH}{{name}}", self._kit.shelf.serve)
        for name, emulator in self._emulators.items():
            for endpoint in emulator.endpoints():
                application.router.add_route(
                    endpoint.method, f"/{name}{endpoint.path}", serve(emulator, endpoint)
                )
            application.router.add_route("*", f"/{name}/{{path:.*}}", serve_unknown(emulator))
        return application

    def _tls_context(self, host: str) -> ssl.SSLContext:
        import trustme  # noqa: PLC0415 - an optional package

        authority = trustme.CA()
        self.ca_certificate_pem = authority.cert_pem.bytes()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate = authority.issue_cert(host, "127.0.0.1", "localhost")
        certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - also takes pyOpenSSL's
        return context
