"""A reader of Server-Sent Events, as strict as the standard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx


class Received(NamedTuple):
    id: int
    type: str
    data: dict[str, Any]


class EventStream:
    def __init__(self, reply: httpx.Response) -> None:
        self.reply = reply
        self._lines = reply.iter_lines()
        self.comments = 0
        self.retry: int | None = None

    def next(self) -> Received:
        """Return the next event, and count the comments before it."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                event = Received(int(fields["id"]), fields["event"], json.loads(fields["data"]))
                assert event.data["type"] == event.type
                return event
            elif "retry" in fields:
                self.retry = int(fields.pop("retry"))
        raise EOFError

    def until(self, event_type: str) -> list[Received]:
        """Return the events up to the first one of that type."""
        events: list[Received] = []
        while not events or events[-1].type != event_type:
            events.append(self.next())
        return events

    def wait_for_comment(self) -> None:
        for line in self._lines:
            if line.startswith(":"):
                self.comments += 1
                return
        raise EOFError


@contextmanager
def following(http: httpx.Client, **query: Any) -> Iterator[EventStream]:
    last = query.pop("last_event_id", None)
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with http.stream("GET", "/v1/events", params=query, headers=headers) as reply:
        assert reply.status_code == 200, reply.read()
        yield EventStream(reply)
