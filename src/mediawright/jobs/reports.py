"""What a provider's own report about a job does here, and the look for reports left lying.

A report is a hint. It wakes the wait, which then asks the provider for the truth, and it tells
the provider's name for a job whose acknowledgement was lost. So it does not matter how often
it comes, when, or in which order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from mediawright.core.errors import MediawrightError
from mediawright.core.provider import Accepted
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.chores import Chore
from mediawright.jobs.fencing import is_fenced
from mediawright.jobs.reconciling import adopt
from mediawright.store import provider_events

if TYPE_CHECKING:
    from mediawright.jobs.context import JobContext
    from mediawright.jobs.ports import Resume
    from mediawright.store.provider_events import OpenEvent

log = structlog.get_logger(__name__)

_LOOK_AGAIN = 1.0
"""Seconds between two looks at reports that another process may have received."""
_PAGE = 500


class Reports:
    """Acts on reports: at once on those that come in here, soon on those of other processes."""

    def __init__(
        self, context: JobContext, works_on: Callable[[str], bool], resume: Resume
    ) -> None:
        """Prepare.

        Args:
            context: The parts to work with.
            works_on: Tells whether this process runs a generation.
            resume: Has one run again.
        """
        self._context = context
        self._works_on = works_on
        self._resume = resume

    def chores(self) -> tuple[Chore, ...]:
        """Return what has to be done again and again."""
        return (Chore("look for reports", _LOOK_AGAIN, self.look),)

    async def act(self, report: OpenEvent) -> None:
        """Do what follows from a report; doing it again is harmless.

        It counts as handled once the process that runs the generation knows of it, or the
        generation's books are closed.
        """
        generation_id = report.event.generation_id
        adopted = await self._adopt(report)
        self._context.signals.changed(generation_id)
        if adopted and (report.is_settled or self._works_on(generation_id)):
            now = self._context.clock.now()
            await self._context.database.write(
                lambda connection: provider_events.mark_handled(
                    connection, report.event.sequence, now
                )
            )

    async def look(self) -> None:
        """Act on every report that nobody has acted on."""
        after = 0
        while True:
            last = after
            page = await self._context.database.read(
                lambda connection, last=last: provider_events.unhandled(
                    connection, limit=_PAGE, after=last
                )
            )
            for report in page:
                try:
                    await self.act(report)
                except Exception:
                    # The next look tries it again; the others must not wait for it.
                    log.exception(
                        "acting on a report failed", generation_id=report.event.generation_id
                    )
            if len(page) < _PAGE:
                return
            after = page[-1].event.sequence

    async def _adopt(self, report: OpenEvent) -> bool:
        """Make use of the provider's name for the job; tell whether nothing of that is left."""
        event = report.event
        if report.attempt_state is AttemptState.ACKNOWLEDGED or event.vendor_id is None:
            return True
        if report.attempt_state is AttemptState.REJECTED:
            log.warning(
                "a provider reports a job that it had declined",
                generation_id=event.generation_id,
                provider=event.provider,
                vendor_id=event.vendor_id,
            )
        try:
            provider = self._context.providers.get(event.provider)
        except MediawrightError:
            # Its key is missing for now, so nothing could be asked of it either.
            return False
        handle = provider.attach(event.vendor_id, report.upstream_id)
        if handle is None:
            return True
        accepted = Accepted(handle=handle, vendor_id=event.vendor_id)
        generation = await adopt(self._context, event.generation_id, event.attempt_number, accepted)
        if generation.state is GenerationState.RUNNING and not self._works_on(generation.id):
            await self._run_again(generation.id)
        return True

    async def _run_again(self, generation_id: str) -> None:
        try:
            await self._resume(generation_id)
        except MediawrightError as error:
            # Another process is in charge of it, and sees the change.
            if not is_fenced(error):
                raise
