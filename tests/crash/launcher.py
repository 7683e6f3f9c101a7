"""Runs the command line in a process that kills itself at a named point.

Run: python tests/crash/launcher.py POINT serve --port 0

The points lie around public functions that every generation passes; nothing in the program
itself knows of them. The process is killed as `kill -9` does it, the first time that the point
is reached.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

POINTS = (
    "before_intent",
    "after_intent",
    "after_post",
    "after_reply",
    "reply_kept",
    "after_acknowledgement",
    "in_wait",
    "in_download",
    "in_store",
    "before_settle",
    "after_settle",
)
SECONDS_TO_LEAVE = 1.0
"""In which a request has surely left; the vendor must take longer to answer it."""
_POLLS = 2


class Doom:
    """Ends the process at its point."""

    def __init__(self, point: str) -> None:
        if point not in POINTS:
            raise ValueError(f"unknown point {point!r} (known: {', '.join(POINTS)})")
        self.point = point

    def strike(self, point: str) -> None:
        """Be killed if this is the point."""
        if point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)


class _Marks(threading.local):
    """What the transaction of this thread has written so far."""

    def __init__(self) -> None:
        self.points: list[str] = []


def arm(doom: Doom) -> None:
    """Put the points around the functions."""
    marks = _Marks()
    _watch_transactions(doom, marks)
    _watch_attempts(doom, marks)
    _watch_money(doom, marks)
    _watch_provider(doom)
    _watch_files(doom)


def _watch_transactions(doom: Doom, marks: _Marks) -> None:
    """Strike after the commit of a transaction that has left marks."""
    from mediawright.store.database import Database

    original = Database.write

    async def write(self: Database, work: Callable[[Any], Any]) -> Any:
        written: list[str] = []

        def tracked(connection: Any) -> Any:
            marks.points = []
            result = work(connection)
            written[:] = marks.points
            return result

        result = await original(self, tracked)
        for point in written:
            doom.strike(point)
        return result

    Database.write = write  # type: ignore[method-assign]


def _watch_attempts(doom: Doom, marks: _Marks) -> None:
    from mediawright.core.states import AttemptState
    from mediawright.store import attempts

    begin, settle = attempts.begin, attempts.settle

    def watched_begin(*arguments: Any, **named: Any) -> Any:
        doom.strike("before_intent")
        marks.points.append("after_intent")
        return begin(*arguments, **named)

    def watched_settle(c: Any, generation_id: str, number: int, state: Any, **named: Any) -> Any:
        if state is AttemptState.ACKNOWLEDGED:
            marks.points.append("after_acknowledgement")
        return settle(c, generation_id, number, state, **named)

    attempts.begin, attempts.settle = watched_begin, watched_settle


def _watch_money(doom: Doom, marks: _Marks) -> None:
    from mediawright.ledger.ledger import Ledger

    capture = Ledger.capture

    def watched(*arguments: Any, **named: Any) -> Any:
        doom.strike("before_settle")
        marks.points.append("after_settle")
        return capture(*arguments, **named)

    Ledger.capture = watched  # type: ignore[method-assign]


def _watch_provider(doom: Doom) -> None:
    from mediawright.core.provider import Declined, Waiting
    from mediawright.jobs.replies import ReplyJournal
    from mediawright.providerkit.http_provider import HttpProvider

    submit, poll, save = HttpProvider.submit, HttpProvider.poll, ReplyJournal.save
    waited: list[int] = []

    async def watched_submit(*arguments: Any, **named: Any) -> Any:
        sending = asyncio.create_task(submit(*arguments, **named))
        if doom.point == "after_post":
            await asyncio.sleep(SECONDS_TO_LEAVE)
            doom.strike("after_post")
        reply = await sending
        if not isinstance(reply, Declined):
            doom.strike("after_reply")
        return reply

    async def watched_poll(*arguments: Any, **named: Any) -> Any:
        polled = await poll(*arguments, **named)
        if isinstance(polled, Waiting):
            waited.append(1)
            if len(waited) >= _POLLS:
                doom.strike("in_wait")
        return polled

    async def watched_save(*arguments: Any, **named: Any) -> Any:
        kept = await save(*arguments, **named)
        doom.strike("reply_kept")
        return kept

    HttpProvider.submit = watched_submit  # type: ignore[method-assign]
    HttpProvider.poll = watched_poll  # type: ignore[method-assign]
    ReplyJournal.save = watched_save  # type: ignore[method-assign]


def _watch_files(doom: Doom) -> None:
    from mediawright.assets.local_drive import LocalDrive
    from mediawright.providerkit.driver import Driver

    download, put_file = Driver.download, LocalDrive.put_file
    put_small = LocalDrive.put_small_now

    async def watched_download(self: Driver, *arguments: Any, **named: Any) -> Any:
        fetching = asyncio.create_task(download(self, *arguments, **named))
        if doom.point == "in_download":
            folder: Path = self._staging
            before = set(folder.iterdir()) if folder.is_dir() else set()
            while not fetching.done():
                if folder.is_dir() and set(folder.iterdir()) - before:
                    doom.strike("in_download")
                await asyncio.sleep(0)
            doom.strike("in_download")
        return await fetching

    async def watched_put(*arguments: Any, **named: Any) -> Any:
        result = await put_file(*arguments, **named)
        # The media are at their place, and no row speaks of them.
        doom.strike("in_store")
        return result

    def watched_put_small(*arguments: Any, **named: Any) -> Any:
        results = put_small(*arguments, **named)
        doom.strike("in_store")
        return results

    Driver.download = watched_download  # type: ignore[method-assign]
    LocalDrive.put_small_now = watched_put_small  # type: ignore[method-assign]
    LocalDrive.put_file = watched_put  # type: ignore[method-assign]


def main() -> None:
    """Arm the point of the first argument and run the command line with the others."""
    point, *arguments = sys.argv[1:]
    arm(Doom(point))
    from mediawright.cli.main import main as run

    sys.argv = ["mediawright", *arguments]
    run()


if __name__ == "__main__":
    main()
