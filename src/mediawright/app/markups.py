"""What is added to the prices of providers: the installation's markup, or a workspace's own."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from mediawright.app.settings import HIGHEST_MARKUP, LOWEST_MARKUP
from mediawright.app.workspaces import require_workspace
from mediawright.core.errors import InvalidRequestError
from mediawright.core.money import MICRO
from mediawright.ledger.amounts import exact_micros
from mediawright.store import workspaces

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime
    from mediawright.catalog.preflight import PreflightSettings
    from mediawright.core.clock import Clock
    from mediawright.store.database import Database

FRESH = 5.0
"""Seconds for which a workspace's markup is taken as it was read, so that requests need no
query for it; another process's change counts after so long at the latest."""
_MOST_KEPT = 10_000


class Markups:
    """Knows how the requests of each workspace are checked and priced.

    A price in credits of the catalogue's own is never marked up; one that comes of US dollars is
    multiplied by the credits per dollar and by one plus the markup.
    """

    def __init__(self, database: Database, clock: Clock, settings: PreflightSettings) -> None:
        """Read markups of workspaces, and use the settings' for those that have none."""
        self._database = database
        self._clock = clock
        self._settings = settings
        self._read: dict[str, tuple[float, PreflightSettings]] = {}
        self._by_markup: dict[int, PreflightSettings] = {}

    async def settings_for(self, workspace_id: str) -> PreflightSettings:
        """Return how a workspace's requests are checked and priced."""
        found = self._read.get(workspace_id)
        now = self._clock.monotonic()
        if found is not None and now - found[0] < FRESH:
            return found[1]
        micros = await self._database.read(
            lambda connection: workspaces.markup_micros(connection, workspace_id)
        )
        if len(self._read) >= _MOST_KEPT:
            self._read.clear()
        settings = self._settings if micros is None else self._with(micros)
        self._read[workspace_id] = (now, settings)
        return settings

    def forget(self, workspace_id: str) -> None:
        """Read a workspace's markup anew when it is next needed."""
        self._read.pop(workspace_id, None)

    def _with(self, micros: int) -> PreflightSettings:
        known = self._by_markup.get(micros)
        if known is None:
            if len(self._by_markup) >= _MOST_KEPT:
                self._by_markup.clear()
            prices = msgspec.structs.replace(self._settings.prices, markup=_part(micros))
            known = msgspec.structs.replace(self._settings, prices=prices)
            self._by_markup[micros] = known
        return known


class Markup(msgspec.Struct, frozen=True, kw_only=True):
    """What is added to a workspace's prices that come of US dollars."""

    applied: Decimal
    """As a part: 0.2 makes 1 dollar of a provider's price 1.20 dollars of credits."""
    is_own: bool
    """Whether it is the workspace's own, and not the settings'."""


async def markup_of(runtime: Runtime, workspace_id: str) -> Markup:
    """Return the markup of a workspace.

    Raises:
        NotFoundError: `workspace_not_found`.
    """

    def work(connection: Connection) -> Markup:
        require_workspace(connection, workspace_id)
        return markup_in(runtime, connection, workspace_id)

    return await runtime.database.read(work)


def markup_in(runtime: Runtime, connection: Connection, workspace_id: str) -> Markup:
    """Return the markup of a workspace that exists."""
    micros = workspaces.markup_micros(connection, workspace_id)
    if micros is None:
        return Markup(applied=runtime.settings.account.markup, is_own=False)
    return Markup(applied=_part(micros), is_own=True)


async def set_markup(runtime: Runtime, workspace_id: str, markup: Decimal | None) -> Markup:
    """Give a workspace a markup of its own; the caller must be an operator.

    It holds for requests and quotes that come after it; quotes that were made keep theirs.

    Args:
        runtime: The installation.
        workspace_id: Whose.
        markup: What is added, as a part with at most six decimal places, from -1 (nothing is
            charged) to 100; `None` leaves it to the settings.

    Raises:
        NotFoundError: `workspace_not_found`.
        InvalidRequestError: `invalid_markup`.
    """
    micros = None if markup is None else _micros(markup)

    def work(connection: Connection) -> Markup:
        require_workspace(connection, workspace_id)
        workspaces.set_markup(connection, workspace_id, micros)
        return markup_in(runtime, connection, workspace_id)

    changed = await runtime.database.write(work)
    runtime.markups.forget(workspace_id)
    return changed


def _micros(markup: Decimal) -> int:
    try:
        micros = exact_micros(markup, "/markup")
    except InvalidRequestError as error:
        raise _invalid() from error
    if not LOWEST_MARKUP <= _part(micros) <= HIGHEST_MARKUP:
        raise _invalid()
    return micros


def _invalid() -> InvalidRequestError:
    return InvalidRequestError(
        "invalid_markup",
        f"A markup is a number from {LOWEST_MARKUP} to {HIGHEST_MARKUP} with at most six places.",
        pointer="/markup",
        hint="0.2 adds a fifth, -0.1 takes a tenth off.",
        details={"minimum": int(LOWEST_MARKUP), "maximum": int(HIGHEST_MARKUP)},
    )


def _part(micros: int) -> Decimal:
    return (micros * MICRO).normalize()
