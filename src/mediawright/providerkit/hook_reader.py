"""Reads webhooks of one provider: gets the keys, verifies, and asks the adapter what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from mediawright.core.errors import InvalidRequestError, MediawrightError, UnavailableError
from mediawright.providerkit.hooks import AskedSecret, HookNotice, PublishedKeys, SecretVariable
from mediawright.providerkit.http import MISREAD, HttpCall, UnreadableReplyError
from mediawright.providerkit.signatures import (
    HookRequest,
    Key,
    UnknownKeyError,
    public_keys,
    secret_keys,
    verify,
)
from mediawright.providerkit.urls import origin_of

if TYPE_CHECKING:
    from mediawright.core.clock import Clock
    from mediawright.providerkit.adapter import Adapter
    from mediawright.providerkit.driver import Driver

log = structlog.get_logger(__name__)

_FRESH = 12 * 3600.0
"""Seconds for which keys are used without asking again."""
_LONGEST = 24 * 3600.0
"""Seconds after which keys are used no more (fal dossier section 4)."""
_REFRESH_PAUSE = 300.0
"""Seconds between two looks for a new key because none fitted."""
_FAILURE_PAUSE = 10.0
"""Seconds for which a provider that did not hand out its keys is left alone."""
_PATIENCE = 5.0
"""Seconds that the provider gets to hand them out; it wants its webhook answered itself."""


class HookReader:
    """Turns webhooks into notices, or refuses them."""

    def __init__(
        self,
        adapter: Adapter,
        driver: Driver,
        clock: Clock,
        *,
        environment: Mapping[str, str],
        api_key: str | None,
    ) -> None:
        """Read for one provider.

        Args:
            adapter: Its wire format.
            driver: Fetches keys.
            clock: Time.
            environment: Where secrets are read from.
            api_key: The provider's, if there is one.
        """
        self._adapter = adapter
        self._clock = clock
        self._environment = environment
        self._ring = _KeyRing(adapter, driver, clock, api_key)

    @property
    def is_ready(self) -> bool:
        """Whether webhooks of the provider can be verified."""
        rule = self._adapter.hooks
        if rule is None:
            return False
        if isinstance(rule.keys, SecretVariable):
            return self._secret(rule.keys) is not None
        return not isinstance(rule.keys, AskedSecret) or self._ring.has_api_key

    async def read(self, request: HookRequest) -> HookNotice:
        """Return what a webhook says, once it is certain who sent it.

        Raises:
            SignatureError: It is not the provider's, or is old.
            InvalidRequestError: `hook_unreadable`: it is, and makes no sense.
            UnavailableError: `hook_keys_unavailable`: the keys to verify it cannot be had now.
        """
        await self._verify(request)
        try:
            return self._adapter.read_hook(request)
        except MISREAD as error:
            raise InvalidRequestError(
                "hook_unreadable", f"The webhook of {self._adapter.title} makes no sense."
            ) from error

    async def _verify(self, request: HookRequest) -> None:
        rule = self._adapter.hooks
        if rule is None:
            raise self._unavailable("It sends none that are known.")
        if rule.signature is None:
            return
        now = self._clock.now()
        if rule.keys is None or isinstance(rule.keys, SecretVariable):
            secret = self._secret(rule.keys)
            if secret is None:
                raise self._unavailable("No secret is configured.")
            verify(rule.signature, request, secret_keys(secret), now)
            return
        keys = await self._ring.keys(rule.keys)
        try:
            verify(rule.signature, request, keys, now)
        except UnknownKeyError:
            newer = await self._ring.newer(rule.keys, keys)
            if newer is None:
                raise
            verify(rule.signature, request, newer, now)

    def _secret(self, source: SecretVariable | None) -> str | None:
        names = source.variables if source else ()
        return next((text for name in names if (text := self._environment.get(name))), None)

    def _unavailable(self, reason: str) -> UnavailableError:
        return _unavailable(self._adapter, reason)


class _KeyRing:
    """Keys that are fetched: kept for a day, and looked for again when one is missing."""

    def __init__(self, adapter: Adapter, driver: Driver, clock: Clock, api_key: str | None) -> None:
        self._adapter = adapter
        self._driver = driver
        self._clock = clock
        self._credential = adapter.credential.headers(api_key.strip()) if api_key else {}
        self._lock = asyncio.Lock()
        self._keys: tuple[Key, ...] = ()
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")

    @property
    def has_api_key(self) -> bool:
        """Whether a secret can be asked for."""
        return bool(self._credential)

    async def keys(self, source: PublishedKeys | AskedSecret) -> tuple[Key, ...]:
        """Return the keys, fetching them if need be."""
        async with self._lock:
            age = self._clock.monotonic() - self._fetched_at
            if age > _FRESH and self._since_asked() > _FAILURE_PAUSE:
                try:
                    await self._fetch(source)
                except UnavailableError:
                    if age > _LONGEST:
                        raise
            elif age > _LONGEST:
                raise _unavailable(self._adapter, "They could not be fetched just now.")
            return self._keys

    async def newer(
        self, source: PublishedKeys | AskedSecret, known: tuple[Key, ...]
    ) -> tuple[Key, ...] | None:
        """Return other keys than those, or `None` if there are none or it was just looked."""
        async with self._lock:
            if self._keys == known and self._since_asked() > _REFRESH_PAUSE:
                try:
                    await self._fetch(source)
                except UnavailableError:
                    return None
            return None if self._keys == known else self._keys

    def _since_asked(self) -> float:
        return self._clock.monotonic() - self._asked_at

    async def _fetch(self, source: PublishedKeys | AskedSecret) -> None:
        self._asked_at = self._clock.monotonic()
        base = self._adapter.base_urls[source.base]
        call = HttpCall(
            method="GET",
            url=f"{base}{source.path}",
            authenticated=isinstance(source, AskedSecret),
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                reply = await self._driver.send(
                    call, credential=self._credential, trusted_origins=frozenset({origin_of(base)})
                )
            if not reply.is_success:
                raise _unavailable(self._adapter, f"Asking for them gave HTTP {reply.status}.")
            if isinstance(source, PublishedKeys):
                keys = public_keys(reply.body)
            else:
                keys = secret_keys(_text(reply.json()[source.member]))
        except (MediawrightError, TimeoutError, *MISREAD) as error:
            log.warning(
                "webhook keys could not be fetched", provider=self._adapter.name, reason=str(error)
            )
            raise _unavailable(self._adapter, "They could not be fetched.") from error
        self._keys = keys
        self._fetched_at = self._clock.monotonic()


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise UnreadableReplyError("the secret is no text")
    return value


def _unavailable(adapter: Adapter, reason: str) -> UnavailableError:
    return UnavailableError(
        "hook_keys_unavailable",
        f"The keys that verify webhooks of {adapter.title} are not at hand. {reason}",
        hint="The provider will send the webhook again, and its jobs are polled all the same.",
    )
