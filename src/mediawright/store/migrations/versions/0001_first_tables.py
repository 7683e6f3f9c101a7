"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
UNFINISHED = (
    "state IN ('awaiting_approval', 'queued', 'submitting', 'running', 'storing', 'unknown')"
)


def upgrade() -> None:
    """Make every table of the first release."""
    _workspaces()
    _generations()
    _attempts()
    _assets()
    _ledger_entries()
    _spans()
    _events()


def _belongs_to_workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id"], ["workspaces.id"], name=f"fk_{table}_workspace_id"
    )


def _belongs_to_generation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["generation_id"], ["generations.id"], name=f"fk_{table}_generation_id"
    )


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def _workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("balance_micros", sa.BigInteger, nullable=False),
        sa.Column("held_micros", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("key_hash", sa.LargeBinary, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        _belongs_to_workspace("api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    )
    op.create_index("ix_api_keys_workspace_id_id", "api_keys", ["workspace_id", "id"])


def _generations() -> None:
    op.create_table(
        "generations",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("api_key_id", ID),
        sa.Column("trace_id", ID, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("provider", sa.Text),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("routes", sa.Text, nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        sa.Column("adjustments", sa.Text, nullable=False),
        sa.Column("progress", sa.Double),
        sa.Column("stage", sa.Text),
        sa.Column("problem", sa.Text),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("overdue", sa.Boolean, nullable=False),
        sa.Column("charge_micros", sa.BigInteger),
        sa.Column("cost_micros", sa.BigInteger),
        sa.Column("cost_basis", sa.Text, nullable=False),
        sa.Column("estimated_seconds", sa.Double),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("request_hash", sa.Text),
        sa.Column("executor", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_generations"),
        sa.CheckConstraint(
            "state IN ('awaiting_approval', 'queued', 'submitting', 'running', 'storing', "
            "'succeeded', 'failed', 'refused', 'cancelled', 'expired', 'unknown')",
            name=op.f("ck_generations_state"),
        ),
        sa.CheckConstraint(
            "cost_basis IN ('vendor_reported', 'computed', 'estimated', 'unknown')",
            name=op.f("ck_generations_cost_basis"),
        ),
        sa.UniqueConstraint(
            "workspace_id", "idempotency_key", name="uq_generations_workspace_id_idempotency_key"
        ),
        _belongs_to_workspace("generations"),
    )
    op.create_index("ix_generations_workspace_id_id", "generations", ["workspace_id", "id"])
    for column in ("state", "model", "operation"):
        op.create_index(
            f"ix_generations_workspace_id_{column}_id",
            "generations",
            ["workspace_id", column, "id"],
        )
    _partial_index("ix_generations_unfinished", "generations", ["id"], UNFINISHED)
    _partial_index(
        "ix_generations_unbooked_cancellation",
        "generations",
        ["executor", "id"],
        "state = 'cancelled' AND charge_micros IS NULL",
    )
    op.create_table(
        "generation_labels",
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("generation_id", ID, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "digest", "generation_id", name="pk_generation_labels"
        ),
        _belongs_to_generation("generation_labels"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_generation_labels_generation_id", "generation_labels", ["generation_id"]
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("generation_id", ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("upstream_id", sa.Text, nullable=False),
        sa.Column("client_reference", sa.Text, nullable=False),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("executor", sa.Text, nullable=False),
        sa.Column("handle", sa.Text),
        sa.Column("problem", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("generation_id", "number", name="pk_attempts"),
        sa.CheckConstraint(
            "state IN ('intent', 'acknowledged', 'rejected', 'unknown')",
            name=op.f("ck_attempts_state"),
        ),
        _belongs_to_generation("attempts"),
        _belongs_to_workspace("attempts"),
    )


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("generation_id", ID),
        sa.Column("output_index", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("thumbnail_key", sa.Text),
        sa.Column("optimized_key", sa.Text),
        sa.Column("text", sa.Text),
        sa.Column("seed", sa.Text),
        sa.Column("revised_prompt", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_assets"),
        sa.CheckConstraint(
            "kind IN ('image', 'video', 'audio', 'text')", name=op.f("ck_assets_kind")
        ),
        sa.UniqueConstraint(
            "generation_id", "output_index", name="uq_assets_generation_id_output_index"
        ),
        _belongs_to_generation("assets"),
        _belongs_to_workspace("assets"),
    )
    op.create_index("ix_assets_workspace_id_id", "assets", ["workspace_id", "id"])
    op.create_index("ix_assets_workspace_id_kind_id", "assets", ["workspace_id", "kind", "id"])


def _ledger_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("generation_id", ID),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount_micros", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_ledger_entries"),
        sa.CheckConstraint(
            "kind IN ('hold', 'capture', 'release', 'refund', 'top_up', 'adjustment')",
            name=op.f("ck_ledger_entries_kind"),
        ),
        sa.UniqueConstraint("generation_id", "kind", name="uq_ledger_entries_generation_id_kind"),
        _belongs_to_generation("ledger_entries"),
        _belongs_to_workspace("ledger_entries"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_ledger_entries_workspace_id_sequence", "ledger_entries", ["workspace_id", "sequence"]
    )


def _spans() -> None:
    op.create_table(
        "spans",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("trace_id", ID, nullable=False),
        sa.Column("parent_id", ID),
        sa.Column("generation_id", ID),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_spans"),
        sa.CheckConstraint("status IN ('unset', 'ok', 'error')", name=op.f("ck_spans_status")),
        _belongs_to_workspace("spans"),
    )
    op.create_index("ix_spans_trace_id", "spans", ["trace_id"])
    op.create_index("ix_spans_generation_id", "spans", ["generation_id"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", SEQUENCE, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("generation_id", ID),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_events"),
        _belongs_to_workspace("events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_workspace_id_sequence", "events", ["workspace_id", "sequence"])
