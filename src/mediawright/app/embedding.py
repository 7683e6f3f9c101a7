"""The sandbox that an installation uses: none, one in this process, or one elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from mediawright.app.directory import SandboxAddress
from mediawright.core.errors import UnavailableError

if TYPE_CHECKING:
    from mediawright.app.settings import Settings
    from mediawright.sandbox.server import Sandbox


class SandboxChoice(Protocol):
    """Something that may imitate the providers."""

    async def start(self) -> SandboxAddress | None:
        """Return where the imitated providers answer, or `None` to use the real ones."""
        ...

    async def stop(self) -> None:
        """Undo `start`."""
        ...


def embedded_sandbox(settings: Settings) -> SandboxChoice:
    """Return the sandbox that the settings ask for."""
    if not settings.sandbox.enabled:
        return _NoSandbox()
    if settings.sandbox.url is not None:
        return _SandboxElsewhere(settings.sandbox.url)
    return _SandboxHere()


class _NoSandbox:
    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        return None


class _SandboxHere:
    def __init__(self) -> None:
        self._sandbox: Sandbox | None = None

    async def start(self) -> SandboxAddress:
        from mediawright.sandbox.server import Sandbox  # noqa: PLC0415 - only when asked for

        self._sandbox = Sandbox()
        await self._sandbox.start()
        return SandboxAddress(
            root=self._sandbox.root,
            base_urls=self._sandbox.base_urls,
            credentials=self._sandbox.credentials,
        )

    async def stop(self) -> None:
        if self._sandbox is not None:
            await self._sandbox.stop()
            self._sandbox = None


class _Vendor(msgspec.Struct, frozen=True):
    base_urls: dict[str, str]
    credential: str


class _Announcement(msgspec.Struct, frozen=True):
    vendors: dict[str, _Vendor]


class _SandboxElsewhere:
    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def start(self) -> SandboxAddress:
        import aiohttp  # noqa: PLC0415 - only when asked for

        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
                session.get(f"{self._url}/__sandbox__/") as reply,
            ):
                announced = msgspec.json.decode(await reply.read(), type=_Announcement)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            raise UnavailableError(
                "sandbox_unreachable",
                f"No sandbox answers at {self._url}.",
                hint="Start one: mediawright sandbox",
            ) from error
        return SandboxAddress(
            root=self._url,
            base_urls={name: vendor.base_urls for name, vendor in announced.vendors.items()},
            credentials={name: vendor.credential for name, vendor in announced.vendors.items()},
        )

    async def stop(self) -> None:
        return None
