"""Webhooks of providers: the addresses we give out, and what comes in at them."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from mediawright.core.errors import MediawrightError, NotFoundError, UnavailableError
from mediawright.core.measures import Measure
from mediawright.store import attempts, generations, provider_events

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.app.directory import Directory
    from mediawright.app.runtime import Runtime
    from mediawright.app.settings import ServerSettings
    from mediawright.providerkit.signatures import HookRequest
    from mediawright.store.provider_events import OpenEvent
    from mediawright.store.secret_box import SecretBox

log = structlog.get_logger(__name__)

PATH = "/v1/hooks"
"""Where webhooks of providers come in."""
_TOKEN_BYTES = 24


class HookAddresses:
    """Gives every attempt an address that nobody else knows, and recognises it."""

    def __init__(
        self,
        settings: ServerSettings,
        providers: Directory,
        box: Callable[[], SecretBox],
        *,
        sandboxed: bool,
    ) -> None:
        """Know where providers can reach us.

        Args:
            settings: The server's.
            providers: Tells whose webhooks can be verified.
            box: Returns the installation's secrets, from which the addresses are derived. Blocks.
            sandboxed: Whether providers are imitated; they reach plain http too.
        """
        self.obstacle = _obstacle(settings, sandboxed=sandboxed)
        """Why providers are not asked to report, if they are not."""
        self._base = (settings.public_url or "").rstrip("/")
        self._providers = providers
        self._box = box
        self._key: bytes | None = None

    async def open(self) -> None:
        """Begin to give out addresses; for processes whose installation is served."""
        await self._opened()

    def of(self, provider: str, generation_id: str, attempt: int) -> str | None:
        """Return where the provider reports on an attempt; `None` if it cannot, or is not to."""
        if self.obstacle is not None or self._key is None:
            return None
        reader = self._providers.hook_reader(provider)
        if reader is None or not reader.is_ready:
            return None
        token = _token(self._key, provider, generation_id, attempt)
        return f"{self._base}{PATH}/{provider}/{generation_id}/{attempt}/{token}"

    async def is_ours(self, provider: str, generation_id: str, attempt: str, token: str) -> bool:
        """Tell whether the pieces of an address are as we have given them out."""
        expected = _token(await self._opened(), provider, generation_id, attempt)
        return hmac.compare_digest(expected.encode(), token.encode())

    async def _opened(self) -> bytes:
        if self._key is None:
            self._key = await asyncio.to_thread(lambda: self._box().derive("hooks"))
        return self._key


async def check_address(
    runtime: Runtime, provider: str, generation_id: str, attempt: str, token: str
) -> int:
    """Return the number of the attempt, if the address is one that we gave to a provider.

    Raises:
        NotFoundError: `hook_not_found`; nothing was looked up to find out.
    """
    if not await runtime.hook_addresses.is_ours(provider, generation_id, attempt, token):
        raise _not_found()
    return int(attempt)


async def receive(
    runtime: Runtime, provider: str, generation_id: str, attempt: int, request: HookRequest
) -> bool:
    """Take a webhook that came in at an address of ours.

    Returns:
        Whether it is new; a repeat is as welcome.

    Raises:
        NotFoundError: `hook_not_found`: there is no such attempt at that provider.
        SignatureError: The provider did not send it, or not lately.
        InvalidRequestError: `hook_unreadable`.
        UnavailableError: It cannot be verified or written down now; the provider tries again.
    """
    try:
        return await _receive(runtime, provider, generation_id, attempt, request)
    except MediawrightError as error:
        _count(runtime, provider, error.code)
        raise
    except Exception as error:
        log.exception("a webhook could not be taken", provider=provider)
        _count(runtime, provider, "hook_not_taken")
        raise UnavailableError(
            "hook_not_taken",
            "The webhook could not be written down.",
            hint="Send it again; the server's log has the details.",
        ) from error


async def _receive(
    runtime: Runtime, provider: str, generation_id: str, attempt: int, request: HookRequest
) -> bool:
    reader = runtime.providers.hook_reader(provider)
    workspace_id = await runtime.database.read(
        lambda connection: _owner(connection, provider, generation_id, attempt)
    )
    if reader is None or workspace_id is None:
        raise _not_found()
    notice = await reader.read(request)
    now = runtime.clock.now()

    def work(connection: Connection) -> tuple[bool, OpenEvent | None]:
        is_new = provider_events.insert(
            connection,
            workspace_id=workspace_id,
            generation_id=generation_id,
            attempt_number=attempt,
            provider=provider,
            delivery_id=notice.delivery_id,
            vendor_id=notice.vendor_id,
            body=request.body.decode("utf-8", "replace"),
            now=now,
        )
        return is_new, provider_events.of_delivery(connection, provider, notice.delivery_id)

    is_new, report = await runtime.database.write(work)
    _count(runtime, provider, "new" if is_new else "repeated")
    if report is None or report.event.generation_id != generation_id:
        # Somebody sends on what was meant for another address; it says nothing about this one.
        log.warning("a webhook came to the wrong address", provider=provider)
    elif report.event.handled_at is None:
        await _act(runtime, report)
    return is_new


def _owner(connection: Connection, provider: str, generation_id: str, attempt: int) -> str | None:
    generation = generations.get(connection, None, generation_id)
    found = attempts.get(connection, generation_id, attempt)
    if generation is None or found is None or found.provider != provider:
        return None
    return generation.workspace_id


async def _act(runtime: Runtime, report: OpenEvent) -> None:
    try:
        await runtime.reports.act(report)
    except Exception:
        # It is written down: whoever looks for reports tries again.
        log.exception("acting on a webhook failed", generation_id=report.event.generation_id)


def _count(runtime: Runtime, provider: str, outcome: str) -> None:
    runtime.measures.count(Measure.HOOK_RECEIVED, provider=provider, outcome=outcome)


def _not_found() -> NotFoundError:
    return NotFoundError("hook_not_found", "No webhook is expected at this address.")


def _token(key: bytes, provider: str, generation_id: str, attempt: int | str) -> str:
    message = f"{provider}/{generation_id}/{attempt}".encode()
    digest = hmac.digest(key, message, "sha256")
    return base64.urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode()


def _obstacle(settings: ServerSettings, *, sandboxed: bool) -> str | None:
    if not settings.provider_webhooks:
        return "server.provider_webhooks is false"
    if not settings.public_url:
        return "server.public_url is not set"
    scheme = urlsplit(settings.public_url).scheme
    if scheme != "https" and not (sandboxed and scheme == "http"):
        return "server.public_url is not https"
    return None
