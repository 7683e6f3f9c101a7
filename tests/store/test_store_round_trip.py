"""Whatever a record holds, it comes back the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediawright.core.errors import Problem
from mediawright.core.generation import Asset, Attempt, Generation, RoutePlan, Span
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.media import MediaFacts
from mediawright.core.money import Price
from mediawright.core.request import Adjustment, GenerationRequest, MediaInput, Parameters
from mediawright.store import assets, attempts, generations, spans

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What PostgreSQL keeps in a text column; the NUL character has tests of its own.
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
# Inside JSON there is nothing it cannot keep.
texts = st.text(st.characters(codec="utf-8"), max_size=12)
moments = st.integers(-(10**15), 10**16).map(lambda n: EPOCH + timedelta(microseconds=n))
micros = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | floats | texts
plain = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, plain, max_size=3)
decimals = st.decimals(-(10**9), 10**9, places=6)

prices = st.builds(
    Price,
    credits=st.none() | decimals,
    usd=st.none() | decimals,
    price_book_date=st.none() | texts,
    explanation=texts,
)
problems = st.builds(
    Problem,
    code=texts,
    message=texts,
    pointer=st.none() | texts,
    hint=st.none() | texts,
    details=objects,
)
parameters = st.builds(
    Parameters,
    **{
        field.name: st.none() | texts
        for field in msgspec.structs.fields(Parameters)
        if field.type == str | None
    },
    duration=st.none() | floats,
    seed=st.none() | micros,
    vendor=st.none() | st.dictionaries(texts, objects, max_size=2),
)
requests = st.builds(
    GenerationRequest,
    model=texts,
    prompt=st.none() | texts,
    inputs=st.lists(st.builds(MediaInput, url=st.none() | texts), max_size=3).map(tuple),
    parameters=parameters,
    provider=st.none() | texts,
    output_path=st.none() | texts,
    metadata=st.dictionaries(texts, texts, max_size=3),
)
routes = st.builds(RoutePlan, provider=texts, upstream_id=texts, fields=objects, price=prices)
adjustments = st.builds(Adjustment, pointer=texts, reason=texts, requested=plain, applied=plain)
optional_words = st.none() | words
generation_fields = st.fixed_dictionaries(
    {
        "request": requests,
        "routes": st.lists(routes, max_size=3).map(tuple),
        "price": prices,
        "adjustments": st.lists(adjustments, max_size=3).map(tuple),
        "problem": st.none() | problems,
        "model": words,
        "provider": optional_words,
        "progress": st.none() | floats,
        "stage": optional_words,
        "cancel_requested": st.booleans(),
        "overdue": st.booleans(),
        "charge_micros": st.none() | micros,
        "cost_micros": st.none() | micros,
        "estimated_seconds": st.none() | floats,
        "request_hash": optional_words,
        "executor": optional_words,
        "created_at": moments,
        "updated_at": moments,
        "started_at": st.none() | moments,
        "finished_at": st.none() | moments,
    }
)

attempt_fields = st.fixed_dictionaries(
    {
        "handle": st.none() | objects,
        "problem": st.none() | problems,
        "created_at": moments,
    }
)

often = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@often
@given(fields=generation_fields)
def test_generations_come_back_the_same(database, workspace_id, add_generation, fields):
    generation: Generation = add_generation(**fields)

    stored = database.read_now(lambda c: generations.get(c, workspace_id, generation.id))
    assert stored == generation
    labels = generation.request.metadata
    found = database.read_now(lambda c: generations.page(c, workspace_id, limit=1, metadata=labels))
    assert found == [generation]


@often
@given(fields=attempt_fields)
def test_attempts_come_back_the_same(database, add_generation, make_attempt, fields):
    generation = add_generation()
    attempt: Attempt = make_attempt(generation.id, **fields)
    database.write_now(lambda c: attempts.begin(c, generation.workspace_id, attempt))

    assert database.read_now(lambda c: attempts.latest(c, generation.id)) == attempt


@often
@given(data=st.data())
def test_assets_come_back_the_same(database, workspace_id, data):
    facts = data.draw(
        st.builds(
            MediaFacts,
            content_type=texts,
            byte_count=st.integers(0, 2**62),
            width=st.none() | st.integers(0, 2**31),
            seconds=st.none() | floats,
            frames_per_second=st.none() | floats,
            video_codec=st.none() | texts,
        )
    )
    asset = Asset(
        id=new_id(IdPrefix.ASSET),
        workspace_id=workspace_id,
        key=data.draw(words),
        facts=facts,
        sha256="00" * 32,
        created_at=data.draw(moments),
        text=data.draw(optional_words),
        seed=data.draw(st.none() | st.integers()),
        revised_prompt=data.draw(optional_words),
    )
    database.write_now(lambda c: assets.insert(c, asset))

    assert database.read_now(lambda c: assets.get(c, workspace_id, asset.id)) == asset


@often
@given(attributes=objects, started_at=moments, ended_at=st.none() | moments)
def test_spans_come_back_the_same(database, workspace_id, attributes, started_at, ended_at):
    span = Span(
        id=new_id(IdPrefix.SPAN),
        trace_id=new_id(IdPrefix.TRACE),
        workspace_id=workspace_id,
        name="image",
        kind="image",
        started_at=started_at,
        ended_at=ended_at,
        attributes=attributes,
    )
    database.write_now(lambda c: spans.insert(c, [span]))

    assert database.read_now(lambda c: spans.for_trace(c, workspace_id, span.trace_id)) == [span]
