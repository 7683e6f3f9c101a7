"""What `models show` says of video models, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.public import public_model
from mediawright.catalog.schema import parameter_schema
from mediawright.cli.model_pages import notes, parameter_rows, price_lines

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def kling() -> dict[str, Any]:
    model = load_catalogue().get("kling-3-0-std")
    schema = parameter_schema(model)
    return {**public_model(model, now=NOW), "parameter_schema": schema, "ready": True}


@pytest.mark.rule(32, shows="prices")
def test_a_row_that_is_sold_under_its_own_name_shows_it(kling: dict[str, Any]) -> None:
    assert price_lines(kling)[:2] == [
        (
            "price of Kling 3.0 Std (with audio) (kling-3-0-std-audio): "
            "23 credits per second when sound is true"
        ),
        "price: 17 credits per second when sound is false",
    ]


@pytest.mark.rule(36, shows="accepts")
def test_elements_are_shown_as_a_list(kling: dict[str, Any]) -> None:
    (row,) = [row for row in parameter_rows(kling) if row[0] == "kling_elements"]
    assert row[1] == "a list, as JSON; speak of an element as @name in the prompt"


def test_a_route_for_one_kind_of_generation_says_which(kling: dict[str, Any]) -> None:
    routes = [line for line in notes(kling) if "fal-ai/" in line]
    assert routes[0].endswith("/text-to-video (queued) for text-to-video")
    assert routes[1].endswith("/image-to-video (queued) for image-to-video")
