"""What reference videos cost, to the last digit: rules 41 and 42, and C28."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.preflight import preflight
from mediawright.core.media import MediaFacts
from mediawright.core.money import PriceBasis
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import GenerationRequest, MediaInput, Parameters

RATES = {
    "seedance-2-480p-video-ref": 13,
    "seedance-2-720p-video-ref": 29,
    "seedance-2-1080p-video-ref": 65,
    "seedance-2-fast-480p-video-ref": 12,
    "seedance-2-fast-720p-video-ref": 24,
}
PLAIN_RATES = {
    "seedance-2-480p": 18,
    "seedance-2-720p": 40,
    "seedance-2-1080p": 93,
    "seedance-2-fast-480p": 16,
    "seedance-2-fast-720p": 34,
}
WORST_CASE = Decimal(15)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_CATALOGUE = load_catalogue()


def clip(seconds: Decimal) -> MediaFacts:
    return MediaFacts(
        kind=MediaKind.VIDEO,
        content_type="video/mp4",
        byte_count=5_000,
        seconds=float(seconds),
    )


def priced(model, lengths, duration):
    """Return the price with a clip for each length; `None` is one whose length nobody knows."""
    inputs = tuple(
        MediaInput(
            role=InputRole.REFERENCE_VIDEO, kind=MediaKind.VIDEO, url=f"https://host.test/{n}.mp4"
        )
        for n in range(len(lengths))
    )
    request = GenerationRequest(
        model=model,
        operation=Operation.TEXT_TO_VIDEO,
        prompt="a red kite",
        inputs=inputs,
        parameters=Parameters(duration=duration),
    )
    facts = {n: clip(length) for n, length in enumerate(lengths) if length is not None}
    return preflight(_CATALOGUE, request, now=NOW, input_facts=facts).price


@pytest.mark.rule(41, shows=("accepts", "prices"))
@pytest.mark.parametrize(("model", "duration"), list(product(PLAIN_RATES, (4, 5, 15))))
def test_without_a_reference_video_the_output_is_charged(model, duration):
    assert priced(model, (), duration).credits == PLAIN_RATES[model] * duration


@pytest.mark.rule(41, shows=("accepts", "prices"))
@pytest.mark.parametrize("model", RATES)
@pytest.mark.parametrize(
    ("lengths", "sum_"),
    [
        (("3",), "3"),
        (("4.1", "3.3"), "7.4"),
        (("2.02", "2.0200001", "2.03"), "6.0700001"),
        (("5.041667",), "5.041667"),
        (("7.5", "7.5"), "15"),
        # Containers round their length; what is let through is not charged.
        (("15.05",), "15"),
        (("7.55", "7.5"), "15"),
    ],
)
def test_known_lengths_are_charged_to_the_last_digit(model, lengths, sum_):
    price = priced(model, [Decimal(length) for length in lengths], 5)
    assert price.credits == (Decimal(sum_) + 5) * RATES[model]
    assert price.basis is PriceBasis.COMPUTED


@pytest.mark.rule(42, shows=("accepts", "prices"))
@pytest.mark.parametrize("model", RATES)
@pytest.mark.parametrize("lengths", [(None,), (None, None), (Decimal(3), None)])
def test_where_a_length_is_not_known_fifteen_seconds_are_charged(model, lengths):
    price = priced(model, lengths, 5)
    assert price.credits == (WORST_CASE + 5) * RATES[model]
    assert price.basis is PriceBasis.ESTIMATED


@pytest.mark.rule(41, shows="prices")
@given(
    lengths=st.lists(
        st.integers(2_000_000, 5_000_000).map(lambda micros: Decimal(micros) / 1_000_000),
        min_size=1,
        max_size=3,
    ),
    duration=st.integers(4, 15),
    model=st.sampled_from(sorted(RATES)),
)
def test_any_lengths_are_charged_exactly(lengths, duration, model):
    price = priced(model, lengths, duration)
    assert price.credits == (sum(lengths) + duration) * RATES[model]
