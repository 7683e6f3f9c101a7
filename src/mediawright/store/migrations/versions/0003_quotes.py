"""Quotes, the markup of a workspace, and how long generations took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
FINISHED_WELL = "state = 'succeeded' AND started_at IS NOT NULL"


def upgrade() -> None:
    """Add the table of quotes, a column and an index."""
    op.add_column("workspaces", sa.Column("markup_micros", sa.BigInteger))
    op.create_table(
        "quotes",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("generation_id", ID),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("adjustments", sa.Text, nullable=False),
        sa.Column("routes", sa.Text, nullable=False),
        sa.Column("skipped_routes", sa.Text, nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        sa.Column("credits_per_usd", sa.Text, nullable=False),
        sa.Column("markup", sa.Text, nullable=False),
        sa.Column("estimated_seconds", sa.Double),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quotes"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_quotes_workspace_id"
        ),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name="fk_quotes_generation_id"
        ),
    )
    op.create_index("ix_quotes_expires_at", "quotes", ["expires_at"])
    op.create_index(
        "ix_generations_finished_well",
        "generations",
        ["model", "operation", "id"],
        sqlite_where=sa.text(FINISHED_WELL),
        postgresql_where=sa.text(FINISHED_WELL),
    )
