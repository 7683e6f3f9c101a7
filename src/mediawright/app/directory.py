"""Which providers can be used, with which key, at which address."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from mediawright.app.settings import PROVIDER_ALIASES, Settings
from mediawright.core.errors import InvalidRequestError, MissingApiKeyError, Problem
from mediawright.providerkit.hook_reader import HookReader
from mediawright.providerkit.http_provider import HttpProvider
from mediawright.providers.registry import adapter_class, provider_names

if TYPE_CHECKING:
    from mediawright.core.clock import Clock
    from mediawright.core.measures import Measures
    from mediawright.core.provider import Feature, MediaProvider
    from mediawright.providerkit.adapter import Adapter
    from mediawright.providerkit.driver import Driver

LOCAL = "local"


class SandboxAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where imitated providers answer, and with which keys."""

    root: str
    base_urls: Mapping[str, Mapping[str, str]]
    credentials: Mapping[str, str]


class ProviderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What `doctor` shows of a provider."""

    name: str
    title: str
    enabled: bool
    variable: str | None
    """The environment variable its key is read from, or would be."""
    ready: bool
    sandboxed: bool = False
    features: frozenset[Feature] = frozenset()


class Directory:
    """Makes each provider once, when it is first needed."""

    def __init__(
        self,
        *,
        settings: Settings,
        driver: Driver,
        local: MediaProvider,
        environment: Mapping[str, str],
        clock: Clock,
        sandbox: SandboxAddress | None = None,
        measures: Measures | None = None,
    ) -> None:
        """Know where keys and addresses come from.

        Args:
            settings: The operator's.
            driver: Carries all provider traffic.
            local: The embedded engines as a provider.
            environment: Where keys are read from.
            clock: Time.
            sandbox: In place of the real providers, all of them.
            measures: Who wants to know how long calls take.
        """
        self._settings = settings
        self._driver = driver
        self._environment = environment
        self._clock = clock
        self._sandbox = sandbox
        self._measures = measures
        self._made: dict[str, MediaProvider] = {LOCAL: local}
        self._readers: dict[str, HookReader | None] = {}

    def get(self, name: str) -> MediaProvider:
        """Return the provider, ready to be called.

        Raises:
            MissingApiKeyError: No key is configured for it.
            InvalidRequestError: There is no such provider, or it is switched off.
        """
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def hook_reader(self, name: str) -> HookReader | None:
        """Return what reads a provider's webhooks; `None` if it sends none or is unknown."""
        if name not in self._readers and name in provider_names():
            self._readers[name] = self._make_reader(adapter_class(name))
        return self._readers.get(name)

    def resolve(self, name: str) -> str:
        """Return our name for a provider that may be known under another.

        Raises:
            InvalidRequestError: `unknown_provider` (rule 67).
        """
        resolved = self.canonical(name)
        if resolved != LOCAL and resolved not in provider_names():
            raise InvalidRequestError(
                "unknown_provider",
                f"There is no provider {name!r}.",
                pointer="/provider",
                details={"allowed": sorted(self.names())},
            )
        return resolved

    @staticmethod
    def canonical(name: str) -> str:
        """Return our name for what may be another's name for a provider of ours."""
        return PROVIDER_ALIASES.get(name, name)

    def names(self) -> list[str]:
        """Return the names of all providers."""
        return [LOCAL, *provider_names()]

    def is_ready(self, name: str) -> bool:
        """Tell whether the provider could be called now."""
        if name == LOCAL:
            return True
        if name not in provider_names() or not self._settings.provider(name).enabled:
            return False
        return self._secret(adapter_class(name)) is not None

    def obstacle(self, name: str) -> Problem | None:
        """Return why a provider cannot be called as things are set up, if it cannot."""
        if self.is_ready(name):
            return None
        if name not in provider_names():
            message = f"This version cannot speak to {name} yet."
            return Problem(code="provider_not_available", message=message)
        if self._settings.provider(name).enabled:
            return self.missing_key(name).to_problem()
        return self._switched_off(name).to_problem()

    def account_mark(self, name: str) -> str | None:
        """Return what tells one account at a provider from another: a digest of key and address."""
        if name not in provider_names():
            return None
        adapter = adapter_class(name)
        account = [self._secret(adapter), *sorted(self._base_urls(name).items())]
        told = msgspec.json.encode(account)
        return hashlib.blake2b(told, digest_size=8, person=b"account").hexdigest()

    def facts(self) -> list[ProviderFacts]:
        """Return what there is to know about every provider."""
        facts = [
            ProviderFacts(
                name=LOCAL,
                title="Embedded engines",
                enabled=True,
                variable=None,
                ready=True,
                features=self._made[LOCAL].features,
            )
        ]
        for name in provider_names():
            adapter = adapter_class(name)
            facts.append(
                ProviderFacts(
                    name=name,
                    title=adapter.title,
                    enabled=self._settings.provider(name).enabled,
                    variable=self._variable(adapter),
                    ready=self.is_ready(name),
                    sandboxed=self._sandbox is not None,
                    features=adapter.features,
                )
            )
        return facts

    def missing_key(self, name: str) -> MissingApiKeyError:
        """Return the error that says which variable would hold the provider's key."""
        adapter = adapter_class(name)
        return MissingApiKeyError(adapter.title, adapter.credential.variables[0])

    def _make(self, name: str) -> MediaProvider:
        self.resolve(name)
        if not self._settings.provider(name).enabled:
            raise self._switched_off(name)
        adapter = adapter_class(name)
        secret = self._secret(adapter)
        if secret is None:
            raise self.missing_key(name)
        return HttpProvider(
            adapter(self._base_urls(name)), self._driver, secret, measures=self._measures
        )

    def _make_reader(self, adapter: type[Adapter]) -> HookReader | None:
        if adapter.hooks is None:
            return None
        return HookReader(
            adapter(self._base_urls(adapter.name)),
            self._driver,
            self._clock,
            environment=self._environment,
            api_key=self._secret(adapter),
        )

    @staticmethod
    def _switched_off(name: str) -> InvalidRequestError:
        return InvalidRequestError(
            "provider_disabled",
            f"The provider {name} is switched off in the settings.",
            pointer="/provider",
            hint=f"Set media.providers.{name}.enabled to true.",
        )

    def _base_urls(self, name: str) -> Mapping[str, str]:
        if self._sandbox is not None:
            return self._sandbox.base_urls[name]
        return self._settings.provider(name).base_urls

    def _secret(self, adapter: type[Adapter]) -> str | None:
        if self._sandbox is not None:
            return self._sandbox.credentials.get(adapter.name)
        return self._environment.get(self._variable(adapter)) or None

    def _variable(self, adapter: type[Adapter]) -> str:
        variables = adapter.credential.variables
        return next((name for name in variables if self._environment.get(name)), variables[0])
