"""What an adapter says about its provider's webhooks, and what it reads out of one."""

from __future__ import annotations

import msgspec

from mediawright.providerkit.signatures import HookRequest, SignatureRule

__all__ = [
    "AskedSecret",
    "HookNotice",
    "HookRequest",
    "HookRule",
    "KeySource",
    "PublishedKeys",
    "SecretVariable",
]


class SecretVariable(msgspec.Struct, frozen=True, kw_only=True):
    """The operator sets the secret: environment variables that may hold it, the first to name."""

    variables: tuple[str, ...]


class PublishedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The provider publishes its keys as a JSON Web Key Set."""

    base: str
    """The base address, by its name in the adapter's `base_urls`."""
    path: str


class AskedSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The provider tells the secret to whoever has the API key."""

    base: str
    """The base address, by its name in the adapter's `base_urls`."""
    path: str
    member: str
    """The member of the JSON reply that holds it."""


KeySource = SecretVariable | PublishedKeys | AskedSecret


class HookRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider's webhooks are known to be its own."""

    signature: SignatureRule | None = None
    """`None` where the provider signs nothing; then only our own secret address protects it,
    and the webhook must be taken for no more than a hint."""
    keys: KeySource | None = None
    """Where the keys of the signature come from."""


class HookNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified webhook says."""

    delivery_id: str
    """The same for every repeat of the delivery, and for nothing else of the provider."""
    vendor_id: str | None
    """The provider's own name for the job."""
    finished: bool
    """Whether the job has ended, one way or the other."""
