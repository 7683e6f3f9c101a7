"""The tables.

Every row belongs to a workspace. Times are whole microseconds since 1970 in UTC and money
is whole millionths, so that both databases keep and sum them exactly; structures are JSON
text. Ids sort by time, hence lists are paged by id and need no other order.
"""

from __future__ import annotations

from collections.abc import Iterable

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
    false,
)
from sqlalchemy.dialects import postgresql

from mediawright.core.money import PriceBasis
from mediawright.core.operations import MediaKind
from mediawright.core.states import AttemptState, GenerationState
from mediawright.store.conditions import (
    AT_PROVIDER,
    BEGUN,
    FINISHED_WELL,
    OPEN_AT_PROVIDER,
    PENDING_DELIVERY,
    QUEUED,
    REFUND,
    RENDITIONS_DUE,
    UNBOOKED_CANCELLATION,
    UNFINISHED,
    UNHANDLED,
    UNRESOLVED,
    listed,
)
from mediawright.store.kinds import (
    BudgetAction,
    BudgetPeriod,
    DeliveryState,
    HealthState,
    LedgerKind,
    SpanStatus,
    WorkerRole,
)


def _one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({listed(words)})", name=column)


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
    # The workspace's own limits; the settings' where there are none.
    Column("requests_per_minute", Integer),
    Column("concurrent_generations", Integer),
    # Millionths that are added to each 1 of a price in US dollars; the settings' where empty.
    Column("markup_micros", BigInteger),
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
    Column("requests_per_minute", Integer),
    Column("concurrent_generations", Integer),
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
    # Routes that could not be taken, and why, as JSON.
    Column("skipped_routes", Text, nullable=False, server_default="[]"),
    # The number of the attempt it was last given a place for; until that attempt is written,
    # the place is taken all the same.
    Column("admitted_attempt", Integer),
    _one_of("state", GenerationState),
    _one_of("cost_basis", PriceBasis),
    UniqueConstraint("workspace_id", "idempotency_key"),
    Index(None, "workspace_id", "id"),
    Index(None, "workspace_id", "state", "id"),
    Index(None, "workspace_id", "model", "id"),
    Index(None, "workspace_id", "operation", "id"),
    # Sliding windows of a workspace's and of a key's requests.
    Index(None, "workspace_id", "created_at"),
    Index(None, "api_key_id", "created_at"),
    # The same of those that were begun, where they are queued and not refused.
    Index(
        "ix_generations_workspace_id_started_at",
        "workspace_id",
        "started_at",
        sqlite_where=BEGUN,
        postgresql_where=BEGUN,
    ),
    Index(
        "ix_generations_api_key_id_started_at",
        "api_key_id",
        "started_at",
        sqlite_where=BEGUN,
        postgresql_where=BEGUN,
    ),
    Index(
        "ix_generations_key_unfinished",
        "api_key_id",
        "state",
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    ),
    Index(
        "ix_generations_queued",
        "provider",
        "workspace_id",
        "id",
        # These two so that the queue is read without the table.
        "api_key_id",
        "state",
        sqlite_where=QUEUED,
        postgresql_where=QUEUED,
    ),
    Index(
        "ix_generations_at_provider",
        "provider",
        "workspace_id",
        "state",
        sqlite_where=AT_PROVIDER,
        postgresql_where=AT_PROVIDER,
    ),
    Index(
        "ix_generations_executor",
        "executor",
        "id",
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    ),
    Index("ix_generations_unfinished", "id", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
    Index(
        "ix_generations_unbooked_cancellation",
        "executor",
        "id",
        sqlite_where=UNBOOKED_CANCELLATION,
        postgresql_where=UNBOOKED_CANCELLATION,
    ),
    # The latest of a model, for how long they took.
    Index(
        "ix_generations_finished_well",
        "model",
        "operation",
        "id",
        sqlite_where=FINISHED_WELL,
        postgresql_where=FINISHED_WELL,
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

quotes = Table(
    "quotes",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    # The generation that it was used for; a quote is used once.
    Column("generation_id", _ID, ForeignKey("generations.id")),
    Column("operation", Text, nullable=False),
    Column("request", Text, nullable=False),
    # A digest of what the price is for.
    Column("request_hash", Text, nullable=False),
    Column("adjustments", Text, nullable=False),
    Column("routes", Text, nullable=False),
    Column("skipped_routes", Text, nullable=False),
    Column("price", Text, nullable=False),
    # Exact decimals as text.
    Column("credits_per_usd", Text, nullable=False),
    Column("markup", Text, nullable=False),
    Column("estimated_seconds", Double),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
)

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
    # The provider's own name for the job.
    Column("vendor_id", Text),
    # When it was last tried to find out what became of it.
    Column("checked_at", BigInteger),
    # When it became certain that the provider does nothing more for it.
    Column("closed_at", BigInteger),
    PrimaryKeyConstraint("generation_id", "number"),
    _one_of("state", AttemptState),
    # The sliding window of a provider's submits.
    Index(None, "provider", "created_at"),
    Index(
        "ix_attempts_unresolved",
        "generation_id",
        "number",
        sqlite_where=UNRESOLVED,
        postgresql_where=UNRESOLVED,
    ),
    Index(
        "ix_attempts_open",
        "generation_id",
        "number",
        sqlite_where=OPEN_AT_PROVIDER,
        postgresql_where=OPEN_AT_PROVIDER,
    ),
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
    # Whether its smaller versions are still to be made.
    Column("renditions_due", Boolean, nullable=False, server_default=false()),
    _one_of("kind", MediaKind),
    # Uploads have no generation; for them the database sees no two equal pairs.
    UniqueConstraint("generation_id", "output_index"),
    Index(None, "workspace_id", "id"),
    Index(None, "workspace_id", "kind", "id"),
    Index(
        "ix_assets_renditions_due",
        "id",
        sqlite_where=RENDITIONS_DUE,
        postgresql_where=RENDITIONS_DUE,
    ),
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
    # The operator's name for a top-up or adjustment, so that repeating it books nothing twice.
    Column("reference", Text),
    _one_of("kind", LedgerKind),
    # Each kind once for a generation: what is held, captured or released twice is a defect.
    UniqueConstraint("generation_id", "kind"),
    Index(None, "workspace_id", "reference", unique=True),
    Index(None, "workspace_id", "sequence"),
    # Refunds are few and stand in no generation's row.
    Index(
        "ix_ledger_entries_refunds",
        "workspace_id",
        "created_at",
        sqlite_where=REFUND,
        postgresql_where=REFUND,
    ),
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

budgets = Table(
    "budgets",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    # Empty for a budget of the whole workspace, so that it can be part of a unique key.
    Column("api_key_id", _ID, nullable=False),
    Column("period", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("limit_micros", BigInteger, nullable=False),
    Column("allow_unknown_price", Boolean, nullable=False),
    # The latest warning: in which period, and that how many per cent were used.
    Column("warned_period", BigInteger),
    Column("warned_percent", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    _one_of("period", BudgetPeriod),
    _one_of("action", BudgetAction),
    UniqueConstraint("workspace_id", "api_key_id", "period", "action"),
)

spending = Table(
    "spending",
    metadata,
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    # Empty for the whole workspace.
    Column("api_key_id", _ID, nullable=False),
    Column("period", Text, nullable=False),
    Column("period_start", BigInteger, nullable=False),
    Column("spent_micros", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "api_key_id", "period", "period_start"),
    _one_of("period", BudgetPeriod),
    sqlite_with_rowid=False,
)
"""What is held and charged in each day and month, kept up to date with the ledger."""

workers = Table(
    "workers",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("role", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("process_id", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("stopping", Boolean, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    # By the database's clock, which all workers share.
    Column("seen_at", BigInteger, nullable=False),
    _one_of("role", WorkerRole),
)
"""The processes at work. They serve all workspaces and belong to none."""

provider_events = Table(
    "provider_events",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column("generation_id", _ID, ForeignKey("generations.id"), nullable=False),
    Column("attempt_number", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    # The provider's name for the delivery; a second one of that name is a repeat.
    Column("delivery_id", Text, nullable=False),
    Column("vendor_id", Text),
    Column("body", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("handled_at", BigInteger),
    UniqueConstraint("provider", "delivery_id"),
    Index(None, "generation_id"),
    Index(
        "ix_provider_events_unhandled",
        "sequence",
        sqlite_where=UNHANDLED,
        postgresql_where=UNHANDLED,
    ),
    sqlite_autoincrement=True,
)
"""Verified webhooks of providers, as they came in."""

provider_health = Table(
    "provider_health",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("opened_at", BigInteger),
    Column("retry_at", BigInteger),
    Column("last_error", Text),
    Column("last_success_at", BigInteger),
    Column("last_failure_at", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    _one_of("state", HealthState),
)
"""How each provider's account fares. The accounts are the operator's, not a workspace's."""

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text),
    # Sealed with the installation's master key.
    Column("secret", Text, nullable=False),
    # Names of events as JSON; `["*"]` for all.
    Column("event_types", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index(None, "workspace_id", "id"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("workspace_id", _ID, ForeignKey("workspaces.id"), nullable=False),
    Column(
        "endpoint_id", _ID, ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False
    ),
    Column("event_sequence", BigInteger, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("generation_id", _ID),
    Column("state", Text, nullable=False),
    # What was sent, from the first try on, so that every try sends the same.
    Column("payload", Text),
    Column("tries", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    # The latest tries as JSON: when, status or error, milliseconds.
    Column("log", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("delivered_at", BigInteger),
    _one_of("state", DeliveryState),
    UniqueConstraint("endpoint_id", "event_sequence"),
    Index(None, "workspace_id", "id"),
    Index(None, "endpoint_id", "id"),
    Index(
        "ix_webhook_deliveries_pending",
        "next_at",
        sqlite_where=PENDING_DELIVERY,
        postgresql_where=PENDING_DELIVERY,
    ),
)
