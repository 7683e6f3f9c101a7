"""What all emulators of one sandbox share."""

from __future__ import annotations

import secrets

from mediawright.sandbox.kit.clock import VirtualClock
from mediawright.sandbox.kit.hooks import Courier
from mediawright.sandbox.kit.ids import SeededIds
from mediawright.sandbox.kit.jobs import JobBook
from mediawright.sandbox.kit.journal import Journal
from mediawright.sandbox.kit.media import MediaMaker
from mediawright.sandbox.kit.progression import Progression
from mediawright.sandbox.kit.scenario import ScenarioBook
from mediawright.sandbox.kit.settings import SandboxSettings
from mediawright.sandbox.kit.shelf import Shelf

_PATIENCE = 2.0
"""Real seconds."""


class SandboxKit:
    """The clock, journal, scenarios, webhooks, media and shelf of one sandbox.

    Attributes:
        root: The sandbox's own address, without a slash at the end; known once it runs.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        """Set up what the settings ask for."""
        self.settings = settings
        self.root = ""
        self.seed = secrets.randbits(32) if settings.seed is None else settings.seed
        self.clock = VirtualClock()
        self.journal = Journal(settings.journal_path)
        self.scenarios = ScenarioBook()
        self.courier = Courier(self.clock, self.journal)
        self.media = MediaMaker(settings.media)
        self.shelf = Shelf(
            root=lambda: self.root, ids=self.new_ids("media"), outbound=settings.outbound
        )
        self._progression = settings.progression
        self._progressions: dict[str, Progression] = {}

    def new_ids(self, name: str) -> SeededIds:
        """Return a source of ids under the sandbox's seed."""
        return SeededIds(self.seed, name)

    def new_jobs(self) -> JobBook:
        """Return an empty book of jobs on the sandbox's clock."""
        # Tiny media are made in no time, and tests want to know which poll ends a job.
        return JobBook(self.clock, None if self.settings.media == "tiny" else _PATIENCE)

    def progression(self, vendor: str) -> Progression:
        """Return how a vendor's jobs advance when the request does not say."""
        return self._progressions.get(vendor, self._progression)

    def set_progression(self, progression: Progression, vendor: str | None = None) -> None:
        """Change how jobs of a vendor, or of all vendors, advance from now on."""
        if vendor is None:
            self._progression = progression
            self._progressions.clear()
        else:
            self._progressions[vendor] = progression

    async def close(self) -> None:
        """Stop making media and sending webhooks."""
        await self.courier.close()
        await self.media.close()

    def reset(self) -> None:
        """Go back to the state at the start; the journal's file stays."""
        self.courier.reset()
        self.clock.reset()
        self.journal.clear()
        self.scenarios.reset()
        self.shelf.reset()
        self._progression = self.settings.progression
        self._progressions.clear()
