"""How an asynchronous job advances: at once, after N polls, or after T virtual seconds."""

from __future__ import annotations

import msgspec

QUEUED_PART = 0.25
"""The part of a job's time during which it is shown as queued."""


class ProgressionError(ValueError):
    """The text is no progression."""


class Progression(msgspec.Struct, frozen=True, kw_only=True):
    """When a job is finished. With neither field it is finished at the first poll."""

    polls: int = 0
    """Polls that show the job unfinished, before the one that shows it finished."""
    seconds: float = 0.0
    """Virtual seconds that must have passed since the submit."""

    @classmethod
    def parse(cls, text: str) -> Progression:
        """Read `now`, `polls=3` or `seconds=10`.

        Raises:
            ProgressionError: If the text is none of them.
        """
        name, _, amount = (part.strip() for part in text.partition("="))
        try:
            if name == "now" and not amount:
                return cls()
            if name == "polls" and int(amount) >= 0:
                return cls(polls=int(amount))
            if name == "seconds" and float(amount) >= 0:
                return cls(seconds=float(amount))
        except ValueError:
            pass
        raise ProgressionError(f"not a progression: {text!r} (use now, polls=3 or seconds=10)")

    def done(self, *, polls: int, seconds: float) -> float:
        """Return the part done, 0 to 1, after some polls and virtual seconds.

        Args:
            polls: How often the job was asked about, this time included.
            seconds: Virtual seconds since the submit.
        """
        by_polls = (polls - 1) / self.polls if self.polls else 1.0
        by_seconds = seconds / self.seconds if self.seconds else 1.0
        return max(0.0, min(1.0, by_polls, by_seconds))

    def __str__(self) -> str:
        if self.polls:
            return f"polls={self.polls}"
        return f"seconds={self.seconds:g}" if self.seconds else "now"
