"""Usage: what was asked for, charged and spent at providers, told apart as one likes."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.app.workspaces import require_workspace
from mediawright.core.errors import InvalidRequestError
from mediawright.core.money import Currency, Money, plain
from mediawright.ledger.amounts import credit_words
from mediawright.store import api_keys
from mediawright.store import usage as usage_rows
from mediawright.store.usage import Dimension, UsageRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime

MOST_DAYS = 366
"""Days that one report may cover."""
MOST_GROUPS = 10_000
"""Rows that one report may have."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class UsageReport(msgspec.Struct, frozen=True, kw_only=True):
    """The usage of some days."""

    first: date
    last: date
    """The last day, which is included; days are UTC's, by when generations were asked for."""
    by: tuple[Dimension, ...]
    rows: tuple[UsageRow, ...]
    total: UsageRow
    key_names: dict[str, str]
    """The names of the keys that appear, by id."""


async def usage_of(
    runtime: Runtime,
    workspace_id: str,
    *,
    first: date | None = None,
    last: date | None = None,
    by: Sequence[Dimension] = (Dimension.DAY,),
) -> UsageReport:
    """Return what a workspace used.

    Args:
        runtime: The installation.
        workspace_id: Whose.
        first: The first day; by default the first of the last day's month.
        last: The last day, included; by default today, in UTC.
        by: By what it is told apart; nothing for the total alone.

    Raises:
        InvalidRequestError: `invalid_period`; `too_many_groups`.
        NotFoundError: There is no such workspace.
    """
    last = last or runtime.clock.now().date()
    first = first or last.replace(day=1)
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        raise InvalidRequestError(
            "invalid_period",
            f"Usage is told of 1 to {MOST_DAYS} days, from the earlier to the later.",
            pointer="/from",
        )
    shape = tuple(dict.fromkeys(by))
    # The very last day that can be named has no next one.
    end = datetime.combine(last, time.max, UTC) + timedelta(microseconds=last != date.max)

    def work(connection: Connection) -> UsageReport:
        require_workspace(connection, workspace_id)
        rows = usage_rows.usage(
            connection,
            workspace_id,
            since=datetime.combine(first, time.min, UTC),
            until=end,
            by=shape,
            limit=MOST_GROUPS + 1,
        )
        names: dict[str, str] = {}
        if Dimension.KEY in shape:
            keys = api_keys.for_workspace(connection, workspace_id)
            names = {key.id: key.name for key in keys}
        return UsageReport(
            first=first,
            last=last,
            by=shape,
            rows=tuple(rows) if shape else (),
            total=sum(rows, UsageRow()),
            key_names=names,
        )

    report = await runtime.database.read(work)
    if len(report.rows) > MOST_GROUPS:
        raise InvalidRequestError(
            "too_many_groups",
            f"These are more than {MOST_GROUPS} rows.",
            pointer="/by",
            hint="Ask for fewer days, or tell less apart.",
        )
    return report


def dimensions(words: str) -> tuple[Dimension, ...]:
    """Return what `day,model` names; nothing for an empty text.

    Raises:
        InvalidRequestError: `invalid_by`.
    """
    names = [word.strip() for word in words.split(",") if word.strip()]
    try:
        return tuple(Dimension(name) for name in names)
    except ValueError as error:
        allowed = [dimension.value for dimension in Dimension]
        raise InvalidRequestError(
            "invalid_by",
            "Usage cannot be told apart by that.",
            pointer="/by",
            hint=f"Name some of: {', '.join(allowed)}.",
            details={"allowed": allowed},
        ) from error


def usage_view(report: UsageReport) -> dict[str, Any]:
    """Return the public form of a report; amounts are exact decimal numbers as text."""
    return {
        "from": report.first.isoformat(),
        "to": report.last.isoformat(),
        "by": [dimension.value for dimension in report.by],
        "data": [row_view(report, row) for row in report.rows],
        "total": _sums(report.total),
    }


def row_view(report: UsageReport, row: UsageRow) -> dict[str, Any]:
    """Return the public form of one row: the names of its group, then its sums."""
    return {**_names(report, row), **_sums(row)}


def usage_csv(report: UsageReport) -> str:
    """Return the rows as CSV with a heading, to be read by a spreadsheet."""
    text = io.StringIO()
    heading = [*_names(report, UsageRow(group=(None,) * len(report.by))), *_sums(UsageRow())]
    writer = csv.DictWriter(text, heading)
    writer.writeheader()
    rows = report.rows if report.by else (report.total,)
    for row in rows:
        names = {name: _harmless(value or "") for name, value in _names(report, row).items()}
        writer.writerow({**names, **_sums(row)})
    return text.getvalue()


def _names(report: UsageReport, row: UsageRow) -> dict[str, str | None]:
    names: dict[str, str | None] = {}
    for dimension, value in zip(report.by, row.group, strict=True):
        if dimension is Dimension.KEY:
            names["key_id"] = value
            names["key_name"] = report.key_names.get(value or "")
        else:
            names[dimension.value] = value
    return names


def _sums(row: UsageRow) -> dict[str, Any]:
    return {
        "generations": row.generations,
        "succeeded": row.succeeded,
        "failed": row.failed,
        "cancelled": row.cancelled,
        "unfinished": row.unfinished,
        "charge_credits": credit_words(row.charge_micros),
        "refund_credits": credit_words(row.refund_micros),
        "cost_usd": _usd(row.cost_micros),
        "vendor_reported_usd": _usd(row.vendor_reported_micros),
        "computed_usd": _usd(row.computed_micros),
        "estimated_usd": _usd(row.estimated_micros),
        "cost_unknown": row.cost_unknown,
    }


def _usd(micros: int) -> str:
    return plain(Money.from_micros(micros, Currency.USD).amount)


def _harmless(value: str) -> str:
    """Return a name that a spreadsheet does not take for a formula."""
    return f"'{value}" if value.startswith(_FORMULA) else value
