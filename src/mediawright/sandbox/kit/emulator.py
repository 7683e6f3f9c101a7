"""What every emulator is: a vendor's paths, key check and error bodies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mediawright.sandbox.kit.call import Call, Reply, VendorError
from mediawright.sandbox.kit.sandbox_kit import SandboxKit
from mediawright.sandbox.kit.scenario import RequestKind, Scenario, ScenarioName

Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One path of a vendor."""

    method: str
    path: str
    """Below `ROOT/vendor`, in aiohttp's form: `/v1/tasks/{id}`, `/queue/{application:.+}`."""
    handler: Handler
    kind: RequestKind
    job: str | None = None
    """The piece of the path, or else of the query, that names the job asked about."""
    needs_key: bool = True


class Emulator(ABC):
    """One vendor's API.

    Attributes:
        kit: The sandbox's clock, media and shelf.
        ids: A source of ids, for this vendor alone.
        jobs: This vendor's jobs.
    """

    name: ClassVar[str]
    credential: ClassVar[str]
    """A key that the emulator takes; every key without `bad` in it is good."""
    bases: ClassVar[Mapping[str, str]]
    """The base addresses of the vendor by name, as paths below `ROOT/vendor`."""

    def __init__(self, kit: SandboxKit) -> None:
        """Belong to a sandbox."""
        self.kit = kit
        self.ids = kit.new_ids(self.name)
        self.jobs = kit.new_jobs()

    @abstractmethod
    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths; where two match, the first is asked."""

    @abstractmethod
    def presented_key(self, call: Call) -> str | None:
        """Return the key a request carries, bare."""

    @abstractmethod
    def fault(self, scenario: Scenario, call: Call) -> Reply:
        """Return the vendor's reply to a request that meets the scenario.

        Asked for `rate_limited`, `server_error`, `moderated`, `bad_key` (also when no key came)
        and `out_of_credit`.
        """

    @abstractmethod
    def not_found(self, call: Call) -> Reply:
        """Return the vendor's reply for a path, or a method, that it does not have."""

    def garbage(self, call: Call) -> Reply:
        """Return a reply that makes no sense."""
        del call
        return Reply(body=b"<html><body>upstream \xff\xfe moved", content_type="text/html")

    def headers(self, call: Call) -> Mapping[str, str]:
        """Return headers that every reply carries."""
        del call
        return {}

    def reset(self) -> None:
        """Forget everything; extended by emulators that remember more than jobs."""
        self.ids.reset()
        self.jobs.reset()

    def refuse_if_moderated(self, call: Call) -> None:
        """End the request with the vendor's refusal, if moderation is to refuse it.

        For synchronous endpoints, after validation; jobs are refused by their own `advance`.

        Raises:
            VendorError: The refusal.
        """
        if call.scenario.name is ScenarioName.MODERATED:
            raise VendorError(self.fault(call.scenario, call))

    def publish(self, call: Call, data: bytes, content_type: str, extension: str) -> str:
        """Put a generated file on the shelf and return its URL.

        The scenario of `call` decides whether its downloads end early or are refused.
        """
        return self.kit.shelf.put(data, content_type, extension, call.scenario).url

    def inline(self, call: Call, data: bytes) -> bytes:
        """Return a generated file that goes out inside JSON, cut if the scenario says so."""
        if call.scenario.name is ScenarioName.TRUNCATED_FILE:
            return data[: len(data) // 2]
        return data
