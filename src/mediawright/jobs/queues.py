"""In which order what is queued starts, so that no workspace starves another.

The next is the one whose workspace has least at its account: what runs there and what of its
queue comes before it, counted together. Among equals the older one is first. A workspace with
ten thousand in its queue is thus asked for one more only after every other was given as many.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mediawright.store import admissions
from mediawright.store.admissions import Waiting
from mediawright.store.caller_limits import Scope

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.jobs.caller_room import CallerRoom
    from mediawright.store.admissions import Head

_PAGE = 16
"""How many of a queue are read at first; then as many as were taken from it already."""


class Picked(NamedTuple):
    """A generation that may start."""

    id: str
    account: str
    workspace_id: str


class _Queue:
    """What one workspace waits for at one account."""

    def __init__(self, account: str, head: Head, running: int) -> None:
        self.account = account
        self.workspace_id = head.workspace_id
        self.running = running
        self.taken = 0
        self.after = ""
        self.read: deque[Waiting] = deque([Waiting(head.id, head.api_key_id)])
        self.held_keys: set[str] = set()

    @property
    def rank(self) -> int:
        return self.running + self.taken + 1

    def first(self, connection: Connection, most: int) -> Waiting | None:
        """Return the next, reading on where what was read is used up."""
        if not self.read:
            self.read.extend(
                admissions.queued(
                    connection,
                    self.account,
                    self.workspace_id,
                    after=self.after,
                    most=min(most, max(_PAGE, self.taken)),
                    held_keys=self.held_keys,
                )
            )
        return self.read[0] if self.read else None

    def take(self) -> None:
        self.after = self.read.popleft().id
        self.taken += 1

    def hold(self, api_key_id: str) -> None:
        """Leave out what came with a key that has no room."""
        self.after = self.read[0].id
        self.held_keys.add(api_key_id)
        self.read.clear()


class Queues:
    """The queues of all accounts that have room."""

    def __init__(
        self,
        connection: Connection,
        room: Mapping[str, int],
        heads: Mapping[str, Sequence[Head]],
        callers: CallerRoom | None,
    ) -> None:
        """Put the queues in their order.

        Args:
            connection: The open transaction, which holds the locks.
            room: How many more each account takes.
            heads: The queues of the accounts that have room.
            callers: What is left to callers; `None` if they do not wait for their own limits.
        """
        self._connection = connection
        self._room = dict(room)
        self._callers = callers
        self._heap: list[tuple[int, str, int, _Queue]] = []
        self._pushed = 0
        for account, found in heads.items():
            running = admissions.places_by_workspace(connection, account)
            for head in found:
                queue = _Queue(account, head, running.get(head.workspace_id, 0))
                self._push(queue, head.id)

    def pick(self, most: int) -> list[Picked]:
        """Return those that may start now, in their order."""
        picked: list[Picked] = []
        while self._heap and len(picked) < most:
            _, shown, _, queue = heapq.heappop(self._heap)
            if self._room[queue.account] <= 0 or not self._workspace_has_room(queue):
                continue
            first = queue.first(self._connection, most)
            if first is None:
                continue
            if shown != first.id:
                self._push(queue, first.id)
            elif self._must_wait(first):
                queue.hold(first.api_key_id or "")
                self._push(queue, "")
            else:
                self._take(queue, first)
                picked.append(Picked(first.id, queue.account, queue.workspace_id))
        return picked

    def _push(self, queue: _Queue, shown: str) -> None:
        """Put a queue where its rank and its first generation's age belong.

        An empty name stands before all others: that queue's next is read once it is its turn.
        """
        self._pushed += 1
        heapq.heappush(self._heap, (queue.rank, shown, self._pushed, queue))

    def _take(self, queue: _Queue, first: Waiting) -> None:
        queue.take()
        self._room[queue.account] -= 1
        if self._callers is not None:
            self._callers.take(queue.workspace_id, first.api_key_id)
        self._push(queue, "")

    def _workspace_has_room(self, queue: _Queue) -> bool:
        callers = self._callers
        return callers is None or callers.of(Scope.WORKSPACE, queue.workspace_id) > 0

    def _must_wait(self, first: Waiting) -> bool:
        callers, key = self._callers, first.api_key_id
        return callers is not None and key is not None and callers.of(Scope.KEY, key) <= 0
