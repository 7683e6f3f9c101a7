"""Limits, budgets, webhooks, workers and the health of providers."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
UNFINISHED = (
    "state IN ('awaiting_approval', 'queued', 'submitting', 'running', 'storing', 'unknown')"
)


def upgrade() -> None:
    """Add the columns, indexes and tables of the second release."""
    _add_columns()
    _name_providers()
    _index_generations()
    _index_attempts()
    _mark_renditions()
    _budgets()
    _count_spending()
    _workers()
    _provider_events()
    _provider_health()
    _webhooks()


def _belongs_to_workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id"], ["workspaces.id"], name=f"fk_{table}_workspace_id"
    )


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def _add_columns() -> None:
    for table in ("workspaces", "api_keys"):
        op.add_column(table, sa.Column("requests_per_minute", sa.Integer))
        op.add_column(table, sa.Column("concurrent_generations", sa.Integer))
    op.add_column(
        "generations",
        sa.Column("skipped_routes", sa.Text, nullable=False, server_default="[]"),
    )
    op.add_column("generations", sa.Column("admitted_attempt", sa.Integer))
    op.add_column("attempts", sa.Column("vendor_id", sa.Text))
    op.add_column("attempts", sa.Column("checked_at", sa.BigInteger))
    op.add_column("attempts", sa.Column("closed_at", sa.BigInteger))
    op.add_column("ledger_entries", sa.Column("reference", sa.Text))
    op.create_index(
        "ix_ledger_entries_workspace_id_reference",
        "ledger_entries",
        ["workspace_id", "reference"],
        unique=True,
    )
    op.create_index(
        "ix_ledger_entries_refunds",
        "ledger_entries",
        ["workspace_id", "created_at"],
        sqlite_where=sa.text("kind = 'refund'"),
        postgresql_where=sa.text("kind = 'refund'"),
    )


def _name_providers() -> None:
    """Say at which provider generations wait; until now only those at one said so."""
    first = (
        "json_extract(routes, '$[0].provider')"
        if op.get_bind().dialect.name == "sqlite"
        else "routes::json -> 0 ->> 'provider'"
    )
    op.execute(
        f"UPDATE generations SET provider = {first} "
        "WHERE provider IS NULL AND state IN ('awaiting_approval', 'queued')"
    )


def _index_generations() -> None:
    for column in ("workspace_id", "api_key_id"):
        op.create_index(
            f"ix_generations_{column}_created_at", "generations", [column, "created_at"]
        )
        _partial_index(
            f"ix_generations_{column}_started_at",
            "generations",
            [column, "started_at"],
            "started_at IS NOT NULL",
        )
    _partial_index(
        "ix_generations_key_unfinished", "generations", ["api_key_id", "state"], UNFINISHED
    )
    _partial_index(
        "ix_generations_queued",
        "generations",
        ["provider", "workspace_id", "id", "api_key_id", "state"],
        "state = 'queued'",
    )
    _partial_index(
        "ix_generations_at_provider",
        "generations",
        ["provider", "workspace_id", "state"],
        "state IN ('submitting', 'running')",
    )
    _partial_index("ix_generations_executor", "generations", ["executor", "id"], UNFINISHED)


def _index_attempts() -> None:
    op.create_index("ix_attempts_provider_created_at", "attempts", ["provider", "created_at"])
    _partial_index(
        "ix_attempts_unresolved",
        "attempts",
        ["generation_id", "number"],
        "state IN ('intent', 'unknown')",
    )
    _partial_index(
        "ix_attempts_open",
        "attempts",
        ["generation_id", "number"],
        "state = 'acknowledged' AND closed_at IS NULL",
    )
    # What was settled before is over for good.
    op.execute(
        "UPDATE attempts SET closed_at = updated_at WHERE state = 'acknowledged' AND EXISTS "
        "(SELECT 1 FROM generations WHERE generations.id = attempts.generation_id "
        "AND generations.charge_micros IS NOT NULL)"
    )


def _mark_renditions() -> None:
    op.add_column(
        "assets",
        sa.Column("renditions_due", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    _partial_index("ix_assets_renditions_due", "assets", ["id"], "renditions_due")


def _budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("api_key_id", ID, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("limit_micros", sa.BigInteger, nullable=False),
        sa.Column("allow_unknown_price", sa.Boolean, nullable=False),
        sa.Column("warned_period", sa.BigInteger),
        sa.Column("warned_percent", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_budgets"),
        sa.CheckConstraint("period IN ('day', 'month')", name=op.f("ck_budgets_period")),
        sa.CheckConstraint("action IN ('refuse', 'warn')", name=op.f("ck_budgets_action")),
        sa.UniqueConstraint(
            "workspace_id",
            "api_key_id",
            "period",
            "action",
            name="uq_budgets_workspace_id_api_key_id_period_action",
        ),
        _belongs_to_workspace("budgets"),
    )
    op.create_table(
        "spending",
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("api_key_id", ID, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("period_start", sa.BigInteger, nullable=False),
        sa.Column("spent_micros", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "api_key_id", "period", "period_start", name="pk_spending"
        ),
        sa.CheckConstraint("period IN ('day', 'month')", name=op.f("ck_spending_period")),
        _belongs_to_workspace("spending"),
        sqlite_with_rowid=False,
    )


def _count_spending() -> None:
    """Book what was held and charged until now into the days and months of the holds."""
    days = sa.text(
        """
        SELECT entries.workspace_id, generations.api_key_id,
               generations.created_at - generations.created_at % 86400000000 AS day,
               -SUM(entries.amount_micros) AS spent
        FROM ledger_entries AS entries
        JOIN generations ON generations.id = entries.generation_id
        GROUP BY entries.workspace_id, generations.api_key_id,
                 generations.created_at - generations.created_at % 86400000000
        """
    )
    spent: Counter[tuple[str, str, str, int]] = Counter()
    for workspace_id, api_key_id, day, micros in op.get_bind().execute(days):
        for key in {"", api_key_id or ""}:
            spent[workspace_id, key, "day", day] += int(micros)
            spent[workspace_id, key, "month", _month_of(day)] += int(micros)
    names = ("workspace_id", "api_key_id", "period", "period_start", "spent_micros")
    rows: list[dict[str, Any]] = [
        dict(zip(names, (*key, micros), strict=True)) for key, micros in spent.items()
    ]
    if rows:
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in names]
        table = sa.table("spending", *columns)
        op.bulk_insert(table, rows)


def _month_of(micros: int) -> int:
    first = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(day=1)
    return int(first.timestamp()) * 1_000_000


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", ID, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("process_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("stopping", sa.Boolean, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
        sa.CheckConstraint(
            "role IN ('server', 'worker', 'embedded')", name=op.f("ck_workers_role")
        ),
    )


def _provider_events() -> None:
    op.create_table(
        "provider_events",
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("generation_id", ID, nullable=False),
        sa.Column("attempt_number", sa.Integer, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("vendor_id", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("handled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("sequence", name="pk_provider_events"),
        sa.UniqueConstraint(
            "provider", "delivery_id", name="uq_provider_events_provider_delivery_id"
        ),
        _belongs_to_workspace("provider_events"),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name="fk_provider_events_generation_id"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_provider_events_generation_id", "provider_events", ["generation_id"])
    _partial_index(
        "ix_provider_events_unhandled", "provider_events", ["sequence"], "handled_at IS NULL"
    )


def _provider_health() -> None:
    op.create_table(
        "provider_health",
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("retry_at", sa.BigInteger),
        sa.Column("last_error", sa.Text),
        sa.Column("last_success_at", sa.BigInteger),
        sa.Column("last_failure_at", sa.BigInteger),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("provider", name="pk_provider_health"),
        sa.CheckConstraint(
            "state IN ('closed', 'open', 'half_open')", name=op.f("ck_provider_health_state")
        ),
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("event_types", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("disabled_reason", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
        _belongs_to_workspace("webhook_endpoints"),
    )
    op.create_index(
        "ix_webhook_endpoints_workspace_id_id", "webhook_endpoints", ["workspace_id", "id"]
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("endpoint_id", ID, nullable=False),
        sa.Column("event_sequence", sa.BigInteger, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("generation_id", ID),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'failed')",
            name=op.f("ck_webhook_deliveries_state"),
        ),
        sa.UniqueConstraint(
            "endpoint_id",
            "event_sequence",
            name="uq_webhook_deliveries_endpoint_id_event_sequence",
        ),
        _belongs_to_workspace("webhook_deliveries"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name="fk_webhook_deliveries_endpoint_id",
            ondelete="CASCADE",
        ),
    )
    for column in ("workspace_id", "endpoint_id"):
        op.create_index(
            f"ix_webhook_deliveries_{column}_id", "webhook_deliveries", [column, "id"]
        )
    _partial_index(
        "ix_webhook_deliveries_pending", "webhook_deliveries", ["next_at"], "state = 'pending'"
    )
