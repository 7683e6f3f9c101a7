"""A request to an emulator, and its reply, freed of the web framework."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mediawright.sandbox.kit.bodies import Body
from mediawright.sandbox.kit.progression import Progression
from mediawright.sandbox.kit.scenario import RequestKind, Scenario

if TYPE_CHECKING:
    from mediawright.sandbox.kit.jobs import Job


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What an emulator answers."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    stream: AsyncIterator[bytes] | None = None
    """Written piece by piece instead of `body`."""
    is_media: bool = False
    """Whether the body is a generated file, which a scenario may cut short."""

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """Answer a JSON value."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status=status, body=body, content_type="application/json", headers=headers or {})

    @classmethod
    def text(cls, text: str, status: int = 200, content_type: str = "text/plain") -> Reply:
        """Answer text."""
        return cls(status=status, body=text.encode(), content_type=f"{content_type}; charset=utf-8")

    @classmethod
    def media(
        cls, data: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Answer a generated file."""
        return cls(body=data, content_type=content_type, headers=headers or {}, is_media=True)

    @classmethod
    def events(cls, stream: AsyncIterator[bytes]) -> Reply:
        """Answer server-sent events, as `event` writes them."""
        return cls(content_type="text/event-stream; charset=utf-8", stream=stream)


def event(value: Any, name: str | None = None) -> bytes:
    """Return one server-sent event with a JSON value."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


class VendorError(Exception):
    """Ends a request, or the work of a job, with the vendor's error reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


@dataclass(kw_only=True)
class Call:
    """One request to an emulator."""

    vendor: str
    kind: RequestKind
    method: str
    path: str
    """From the root of the sandbox, such as `/openai/v1/models`."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Their names compare without regard to case."""
    match: Mapping[str, str]
    """The named pieces of the endpoint's path."""
    body: Body
    scenario: Scenario
    """What goes wrong with this request. The kit acts on most of it; see `Emulator`."""
    progression: Progression
    """How a job made by this request advances."""
    later: tuple[Scenario, ...] = ()
    """Scenarios of the prompt for the polls, results and cancels of the job."""
    job: Job | None = None
    """The job asked about, if the endpoint names one and it exists; or the one just made."""
