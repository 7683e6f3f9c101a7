"""The shapes of replies about processes, as the OpenAPI document shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from mediawright.store.kinds import WorkerRole


class WorkerBody(BaseModel):
    """A process at work."""

    id: str
    role: WorkerRole
    host: str
    process_id: int
    version: str
    started_at: datetime
    seen_at: datetime = Field(description="Its last sign of life.")
    stopping: bool = Field(description="Whether it takes nothing on any more.")
    generations: int = Field(description="How many it has under way.")


class WorkersBody(BaseModel):
    """All processes at work."""

    workers: list[WorkerBody] = Field(description="The oldest first.")
