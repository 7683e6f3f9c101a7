"""The tables.

Every row belongs to a workspace. Times are whole microseconds since 1970 in UTC and money
is whole millionths, so that both databases keep and sum them exactly; structures are JSON
text. Ids sort by time, hence lists are paged by id and need no other order.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

from mediawright.core.money import PriceBasis
from mediawright.core.operations import MediaKind
from mediawright.core.states import TERMINAL_STATES, AttemptState, GenerationState


class LedgerKind(StrEnum):
    """Why a workspace's credits changed."""

    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    TOP_UP = "top_up"
    ADJUSTMENT = "adjustment"


class SpanStatus(StrEnum):
    """How a span ended."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({_listed(words)})", name=column)


UNFINISHED = text(
    f"state IN ({_listed(state for state in GenerationState if state not in TERMINAL_STATES)})"
)
"""Spelt out and not bound, because only then do both databases use the partial indexes."""

UNBOOKED_CANCELLATION = text(
    f"state = '{GenerationState.CANCELLED.value}' AND charge_micros IS NULL"
)
"""Cancelled for its owner, while the provider has still to be told and the hold settled."""

# Compared byte by byte on both databases, whatever the locale of the server.
_ID = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
# SQLite numbers rows by itself only in a column declared INTEGER, which holds 64 bits there.
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Kept up to date with every ledger entry, so that a balance needs no sum.
    Column("balance_micros", BigInteger, nullable=False),
    Column("held_micros", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
    Index(None, "workspace_id", "id"),
)

generations = Table(
    "generations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column("api_key_id", _ID),
    Column("trace_id", _ID, nullable=False),
    Column("state", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("provider", Text),
    Column("request", Text, nullable=False),
    Column("routes", Text, nullable=False),
    Column("price", Text, nullable=False),
    Column("adjustments", Text, nullable=False),
    Column("progress", Double),
    Column("stage", Text),
    Column("problem", Text),
    Column("cancel_requested", Boolean, nullable=False),
    Column("overdue", Boolean, nullable=False),
    Column("charge_micros", BigInteger),
    Column("cost_micros", BigInteger),
    Column("cost_basis", Text, nullable=False),
    Column("estimated_seconds", Double),
    Column("idempotency_key", Text),
    Column("request_hash", Text),
    Column("executor", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    _one_of("state", GenerationState),
    _one_of("cost_basis", PriceBasis),
    UniqueConstraint("workspace_id", "idempotency_key"),
    Index(None, "workspace_id", "id"),
    Index(None, "workspace_id", "state", "id"),
    Index(None, "workspace_id", "model", "id"),
    Index(None, "workspace_id", "operation", "id"),
    Index("ix_generations_unfinished", "id", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
    Index(
        "ix_generations_unbooked_cancellation",
        "executor",
        "id",
        sqlite_where=UNBOOKED_CANCELLATION,
        postgresql_where=UNBOOKED_CANCELLATION,
    ),
)

generation_labels = Table(
    "generation_labels",
    metadata,
    Column("workspace_id", _ID, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("generation_id", _ID, ForeignKey("generations.id"), nullable=False),
    # The key is the index that lists a label's generations in order.
    PrimaryKeyConstraint("workspace_id", "digest", "generation_id"),
    Index(None, "generation_id"),
    sqlite_with_rowid=False,
)
"""The metadata of requests, so that generations are found by it: a row for each name and
value. They are kept as a digest, because they may be longer than an index can hold."""

attempts = Table(
    "attempts",
    metadata,
    Column("generation_id", _ID, ForeignKey("generations.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("upstream_id", Text, nullable=False),
    Column("client_reference", Text, nullable=False),
    Column("request_hash", Text, nullable=False),
    Column("executor", Text, nullable=False),
    Column("handle", Text),
    Column("problem", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("generation_id", "number"),
    _one_of("state", AttemptState),
)

assets = Table(
    "assets",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column("generation_id", _ID, ForeignKey("generations.id")),
    Column("output_index", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("thumbnail_key", Text),
    Column("optimized_key", Text),
    Column("text", Text),
    # As digits: the seeds of some vendors do not fit into 64 bits.
    Column("seed", Text),
    Column("revised_prompt", Text),
    Column("created_at", BigInteger, nullable=False),
    _one_of("kind", MediaKind),
    # Uploads have no generation; for them the database sees no two equal pairs.
    UniqueConstraint("generation_id", "output_index"),
    Index(None, "workspace_id", "id"),
    Index(None, "workspace_id", "kind", "id"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column("generation_id", _ID, ForeignKey("generations.id")),
    Column("kind", Text, nullable=False),
    Column("amount_micros", BigInteger, nullable=False),
    Column("note", Text),
    Column("created_at", BigInteger, nullable=False),
    _one_of("kind", LedgerKind),
    # Each kind once for a generation: what is held, captured or released twice is a defect.
    UniqueConstraint("generation_id", "kind"),
    Index(None, "workspace_id", "sequence"),
    sqlite_autoincrement=True,
)

spans = Table(
    "spans",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column("trace_id", _ID, nullable=False),
    Column("parent_id", _ID),
    Column("generation_id", _ID),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    _one_of("status", SpanStatus),
    Index(None, "trace_id"),
    Index(None, "generation_id"),
)

events = Table(
    "events",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("generation_id", _ID),
    Column("data", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index(None, "workspace_id", "sequence"),
    sqlite_autoincrement=True,
)
