"""The sans-IO base of every vendor adapter.

An adapter translates. It never waits, retries, stores or prices, and it performs no I/O:
it describes HTTP calls and reads replies, so that each step can be repeated after a crash
and tested without a network.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from typing import Any, ClassVar

import msgspec

from mediawright.core.provider import (
    Absent,
    Accepted,
    Broken,
    Done,
    Fault,
    FaultKind,
    Feature,
    LoadedInput,
    MediaCall,
    Waiting,
)
from mediawright.providerkit.hooks import HookNotice, HookRequest, HookRule
from mediawright.providerkit.http import HttpCall, HttpReply

Upload = Generator[HttpCall, HttpReply, str]
"""A conversation that ends with the reference (URL or URI) of an uploaded input."""


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """From `read_poll`: ask at once with this handle instead (status first, then result)."""

    handle: dict[str, Any]


class CredentialRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a vendor is authenticated."""

    variables: tuple[str, ...]
    """Environment variables that may hold the key; the first is the one to name."""
    header: str
    prefix: str = ""

    def headers(self, secret: str) -> dict[str, str]:
        """Return the headers that carry the key."""
        return {self.header: f"{self.prefix}{secret}"}


class Adapter(ABC):
    """One vendor's wire format.

    Args of the constructor: base URLs by name, overriding `default_base_urls` (the operator's
    configuration, or the sandbox).
    """

    name: ClassVar[str]
    """The provider's name in the catalogue."""
    title: ClassVar[str]
    documentation: ClassVar[str]
    credential: ClassVar[CredentialRule]
    default_base_urls: ClassVar[Mapping[str, str]]
    """Name -> URL without a trailing slash; `api` is the main one."""
    features: ClassVar[frozenset[Feature]] = frozenset()
    hooks: ClassVar[HookRule | None] = None
    """How its webhooks are verified; given with `Feature.WEBHOOK`."""

    def __init__(self, base_urls: Mapping[str, str] | None = None) -> None:
        """Take the vendor's own addresses, or those given."""
        merged = {**self.default_base_urls, **(base_urls or {})}
        self.base_urls = {name: url.rstrip("/") for name, url in merged.items()}

    @abstractmethod
    def submit(self, call: MediaCall, uploads: Mapping[int, str]) -> HttpCall:
        """Describe the paid request.

        Args:
            call: The job.
            uploads: References of inputs that were uploaded first, by index in `call.inputs`.

        Raises:
            InvalidRequestError: The vendor has no way to do what is asked.
        """

    @abstractmethod
    def read_submit(self, call: MediaCall, reply: HttpReply) -> Accepted | Done | Broken:
        """Read a 2xx reply to `submit`.

        Raises:
            UnreadableReplyError: The reply makes no sense (the job may exist all the same).
        """

    @abstractmethod
    def read_error(self, reply: HttpReply) -> Fault:
        """Read a reply that is not 2xx, to any call. Never raises."""

    def upload(self, media: LoadedInput) -> Upload | None:
        """Return the conversation that uploads an input, or `None` if it travels inline."""
        del media
        return None

    def poll(self, handle: dict[str, Any]) -> HttpCall:
        """Describe the question how the job stands."""
        raise self._synchronous()

    def read_poll(
        self, handle: dict[str, Any], reply: HttpReply
    ) -> Waiting | Done | Broken | Again:
        """Read a 2xx reply to `poll`. An unknown status word is `Waiting` with a warning."""
        raise self._synchronous()

    def read_poll_error(self, handle: dict[str, Any], reply: HttpReply) -> Waiting | Broken:
        """Read a reply to `poll` that is not 2xx.

        The job's own failure is `Broken`; trouble with asking is `Waiting`.
        """
        del handle
        fault = self.read_error(reply)
        if fault.kind in (FaultKind.NOT_FOUND, FaultKind.REFUSED):
            return Broken(fault=fault)
        return Waiting(
            stage="unreachable",
            retry_after=fault.retry_after,
            warning=fault.message,
            fault=fault,
        )

    def cancel(self, handle: dict[str, Any]) -> HttpCall | None:
        """Describe the request to stop a job, or `None` where the vendor has no such thing."""
        del handle
        return None

    def read_cancel(self, reply: HttpReply) -> bool:
        """Tell whether the vendor will stop the job."""
        return reply.is_success

    def attach(self, vendor_id: str, upstream_id: str) -> dict[str, Any] | None:
        """Return the handle of a job by the vendor's own name for it.

        `None` where there are no jobs to be asked about, because every answer comes at once.
        """
        del vendor_id, upstream_id
        return None

    def lookup(self, client_reference: str, upstream_id: str) -> HttpCall | None:
        """Describe the search for a job by our reference; `None` without `Feature.LOOKUP`."""
        del client_reference, upstream_id
        return None

    def read_lookup(self, client_reference: str, reply: HttpReply) -> Accepted | Absent:
        """Read a 2xx reply to `lookup`."""
        raise self._synchronous()

    def read_hook(self, request: HookRequest) -> HookNotice:
        """Read a webhook that was verified.

        Raises:
            UnreadableReplyError: It makes no sense.
        """
        del request
        raise RuntimeError(f"{self.name} sends no webhooks that are known")

    def _synchronous(self) -> RuntimeError:
        return RuntimeError(f"{self.name} answers every submit at once; nothing is polled")
