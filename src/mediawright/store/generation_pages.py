"""The statements behind a page of generations: every filter ends at an index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, select, union_all
from sqlalchemy.sql.elements import KeyedColumnElement

from mediawright.core.operations import Operation
from mediawright.core.states import GenerationState
from mediawright.store.tables import generation_labels, generations

_DIGEST_BYTES = 16


class Shape(NamedTuple):
    """What a page's statement depends on: which filters there are, not their values."""

    before: bool
    states: int
    model: bool
    operation: bool
    labels: int


class Filters(NamedTuple):
    """What a page leaves in."""

    before: str | None
    states: tuple[GenerationState, ...] | None
    model: str | None
    operation: Operation | None
    labels: tuple[bytes, ...]

    @property
    def shape(self) -> Shape:
        """The statement it takes."""
        return Shape(
            before=self.before is not None,
            states=len(self.states or ()),
            model=self.model is not None,
            operation=self.operation is not None,
            labels=len(self.labels),
        )

    def values(self, workspace_id: str, limit: int) -> dict[str, Any]:
        """Return the statement's parameters."""
        values: dict[str, Any] = {"workspace_id": workspace_id, "most": limit}
        if self.before is not None:
            values["before"] = self.before
        if self.model is not None:
            values["model"] = self.model
        if self.operation is not None:
            values["operation"] = self.operation.value
        values |= {f"state_{n}": state.value for n, state in enumerate(self.states or ())}
        values |= {f"digest_{n}": digest for n, digest in enumerate(self.labels)}
        return values


def label_digests(metadata: Mapping[str, str]) -> Iterator[bytes]:
    """Return the digest of each label, in the order of their names."""
    for name in sorted(metadata):
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        # The length keeps apart what would read the same with the border elsewhere.
        encoded = name.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
        digest.update(metadata[name].encode("utf-8", "surrogatepass"))
        yield digest.digest()


@lru_cache(maxsize=256)
def page_statement(shape: Shape) -> Select[Any]:
    """Return the statement for a page: newest first, with `Filters.values` as parameters."""
    if shape.labels:
        return _by_label(shape)
    if shape.states > 1:
        return _by_states(shape)
    conditions = _conditions(shape, generations.c.id)
    if shape.states:
        conditions.append(generations.c.state == bindparam("state_0"))
    return (
        select(generations)
        .where(*conditions)
        .order_by(generations.c.id.desc())
        .limit(bindparam("most"))
    )


def _by_states(shape: Shape) -> Select[Any]:
    """One short walk along the index for each state, and the newest of what they find.

    Asked for several states at once, a database reads all their rows before it sorts them.
    """
    walks = [
        select(generations.c.id)
        .where(*_conditions(shape, generations.c.id))
        .where(generations.c.state == bindparam(f"state_{n}"))
        .order_by(generations.c.id.desc())
        .limit(bindparam("most"))
        .subquery()
        for n in range(shape.states)
    ]
    found = union_all(*(select(walk.c.id) for walk in walks)).subquery()
    return (
        select(generations)
        .where(generations.c.id.in_(select(found.c.id)))
        .order_by(generations.c.id.desc())
        .limit(bindparam("most"))
    )


def _by_label(shape: Shape) -> Select[Any]:
    """Walk along the first label's generations and keep those that have the others too.

    The workspace is asked for in the labels alone: were it asked for in the generations as
    well, SQLite would walk along all of these instead.
    """
    first = generation_labels.alias("label_0")
    statement = (
        select(generations)
        .join_from(first, generations, generations.c.id == first.c.generation_id)
        .where(
            first.c.workspace_id == bindparam("workspace_id"),
            first.c.digest == bindparam("digest_0"),
            *_filters(shape, first.c.generation_id),
        )
        .order_by(first.c.generation_id.desc())
        .limit(bindparam("most"))
    )
    for n in range(1, shape.labels):
        other = generation_labels.alias(f"label_{n}")
        statement = statement.where(
            select(other.c.generation_id)
            .where(
                other.c.workspace_id == bindparam("workspace_id"),
                other.c.digest == bindparam(f"digest_{n}"),
                other.c.generation_id == first.c.generation_id,
            )
            .exists()
        )
    if shape.states:
        states: list[BindParameter[str]] = [bindparam(f"state_{n}") for n in range(shape.states)]
        statement = statement.where(generations.c.state.in_(states))
    return statement


def _conditions(shape: Shape, walked: KeyedColumnElement[Any]) -> list[ColumnElement[bool]]:
    return [generations.c.workspace_id == bindparam("workspace_id"), *_filters(shape, walked)]


def _filters(shape: Shape, walked: KeyedColumnElement[Any]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if shape.before:
        conditions.append(walked < bindparam("before"))
    if shape.model:
        conditions.append(generations.c.model == bindparam("model"))
    if shape.operation:
        conditions.append(generations.c.operation == bindparam("operation"))
    return conditions
