"""What becomes of a request as the clock goes past the ends of models and routes."""

from datetime import UTC, datetime

import pytest

from mediawright.catalog.model import ModelStatus
from mediawright.catalog.preflight import PreflightSettings
from mediawright.catalog.public import public_model
from mediawright.core.errors import InvalidRequestError

HERE = PreflightSettings(adapters=frozenset({"openai", "fal", "runway", "elevenlabs", "local"}))
EVERYWHERE = PreflightSettings()


def on(month, day, year=2026):
    return datetime(year, month, day, 12, tzinfo=UTC)


def words(checked, pointer):
    return [item.reason for item in checked.adjustments if item.pointer == pointer]


def test_long_before_its_end_nothing_is_said(catalogue, check, adjusted):
    checked = check(catalogue, "gpt-1.5-image-high", when=on(9, 1), settings=HERE)
    assert [plan.provider for plan in checked.routes] == ["openai"]
    assert not {"/model", "/provider"} & set(adjusted(checked))


def test_a_model_warns_before_its_end_and_names_what_comes_after(catalogue, check):
    checked = check(catalogue, "gpt-1.5-image-high", when=on(11, 20), settings=HERE)
    assert words(checked, "/model") == [
        "gpt-1.5-image-high ends on 2026-12-01; gpt-image-2 comes after it"
    ]


@pytest.mark.parametrize(("days", "warned"), [(11, True), (10, False)])
def test_how_early_it_warns_is_a_setting(catalogue, check, days, warned):
    settings = PreflightSettings(adapters=HERE.adapters, end_warning_days=days)
    checked = check(catalogue, "gpt-1.5-image-high", when=on(11, 20), settings=settings)
    assert bool(words(checked, "/model")) is warned


def test_the_last_day_is_a_day_of_service(catalogue, check):
    checked = check(catalogue, "gpt-1.5-image-high", when=on(12, 1), settings=HERE)
    assert checked.model.id == "gpt-1.5-image-high"


def test_after_its_end_the_successor_serves_it(catalogue, check, adjusted):
    checked = check(catalogue, "gpt-1.5-image-high", when=on(12, 2), settings=HERE)
    assert checked.model.id == "gpt-image-2"
    assert adjusted(checked)["/model"] == ("replaced", "gpt-image-2")


def test_without_successors_it_is_refused_and_the_successor_named(catalogue, check):
    settings = PreflightSettings(use_successors=False)
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, "dall-e-3", settings=settings)
    assert caught.value.code == "model_ended"
    assert caught.value.pointer == "/model"
    assert caught.value.hint == "Use gpt-image-2."
    assert caught.value.details == {"successor": "gpt-image-2", "ends_on": "2026-05-12"}


def test_a_live_route_keeps_a_model_alive_after_the_end_of_another(catalogue, check):
    checked = check(catalogue, "gpt-1.5-image-high", when=on(12, 2), settings=EVERYWHERE)
    assert checked.model.id == "gpt-1.5-image-high"
    assert [plan.provider for plan in checked.routes] == ["kie"]
    (said,) = words(checked, "/provider")
    assert said.startswith("openai no longer serves gpt-1.5-image-high as gpt-image-1.5 since ")
    assert said.endswith("2026-12-01; kie takes its place")
    assert [(item.provider, item.reason) for item in checked.ended_routes] == [
        ("openai", "route_ended")
    ]


def test_the_end_of_the_route_in_use_is_announced_with_the_next_one(catalogue, check):
    checked = check(catalogue, "gpt-1.5-image-high", settings=EVERYWHERE)
    assert [plan.provider for plan in checked.routes] == ["openai", "kie"]
    assert words(checked, "/provider") == ["openai serves it until 2026-12-01; kie comes after it"]
    assert checked.ended_routes == ()


def test_a_named_provider_that_no_longer_serves_it(catalogue, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, "gpt-1.5-image-high", when=on(12, 2), provider="openai")
    assert (caught.value.code, caught.value.pointer) == ("unsupported_by_provider", "/provider")
    assert "since 2026-12-01" in caught.value.message
    assert caught.value.details["allowed"] == ["kie"]


def test_a_route_that_was_switched_off_without_a_day(catalogue, check):
    checked = check(catalogue, "seedance-lite-t2v")
    assert [plan.provider for plan in checked.routes] == ["kie"]
    (said,) = words(checked, "/provider")
    assert said.startswith("bytedance no longer serves seedance-lite-t2v")
    assert said.endswith("seedance-1-0-lite-t2v-250428; kie takes its place")


@pytest.mark.parametrize("size", ["256x256", "512x512"])
def test_a_size_of_an_ended_model_is_written_as_its_successors(catalogue, check, adjusted, size):
    checked = check(catalogue, "dall-e-2", size=size, settings=HERE)
    assert checked.model.id == "gpt-image-2"
    assert checked.routes[0].fields["size"] == "1024x1024"
    assert checked.price.credits == 11
    assert adjusted(checked)["/parameters/size"] == ("replaced", "1024x1024")
    again = check(
        catalogue,
        checked.model.id,
        size=checked.request.parameters.size,
        settings=HERE,
    )
    assert again.request.parameters.size == "1024x1024"


@pytest.mark.parametrize(("ratio", "size"), [("2:3", "1024x1536"), ("3:2", "1536x1024")])
def test_a_ratio_that_the_successor_has_as_a_size(catalogue, check, *, adjusted, ratio, size):
    checked = check(
        catalogue, "gpt-1.5-image-medium", when=on(12, 2), settings=HERE, aspect_ratio=ratio
    )
    assert checked.model.id == "gpt-image-2"
    assert checked.routes[0].fields["size"] == size
    assert adjusted(checked)["/parameters/aspect_ratio"] == ("replaced", f"size {size}")


def test_values_go_over_unchanged_where_the_successor_has_them(catalogue, check, adjusted):
    checked = check(catalogue, "dall-e-3", size="1792x1024", quality="hd", style="vivid")
    assert checked.routes[0].fields["size"] == "1792x1024"
    assert adjusted(checked)["/parameters/quality"][0] == "dropped"
    assert adjusted(checked)["/parameters/style"][0] == "dropped"


@pytest.mark.parametrize(
    ("ended", "successor"),
    [
        ("dall-e-2", "gpt-image-2"),
        ("dall-e-3", "gpt-image-2"),
        ("gpt-image-1", "gpt-image-2"),
        ("grok-2-image", "grok-imagine-image"),
        ("imagegeneration", "nano-banana-2"),
        ("gen2", "gen4_image"),
        ("gen3a_turbo", "gen4_turbo"),
        ("gen-3-alpha", "gen4.5"),
        ("pika-1.0", "pika-2.2"),
    ],
)
def test_the_dead_stay_listed_with_what_to_use_instead(catalogue, now, ended, successor):
    model = catalogue.get(ended)
    assert model.lifecycle.status is ModelStatus.ENDED
    assert model in catalogue.models(live=False, now=now)
    assert model not in catalogue.models(live=True, now=now)
    shown = public_model(model, now=now)
    assert (shown["live"], shown["unavailable_reason"]) == (False, "ended")
    assert shown["lifecycle"]["successor"] == successor
    assert shown["lifecycle"]["substitute"] is True


def test_a_model_moves_from_the_living_to_the_dead_with_the_clock(catalogue):
    adapters = HERE.adapters

    def living(when):
        return "gpt-4o-mini-tts" in {
            model.id for model in catalogue.models(live=True, now=when, adapters=adapters)
        }

    assert living(on(1, 6, 2027))
    assert not living(on(1, 7, 2027))


def test_every_ended_model_names_a_living_successor_or_says_why(catalogue, now):
    for model in catalogue:
        life = model.lifecycle
        if life.status is not ModelStatus.ENDED:
            continue
        assert life.successor is not None or life.note, model.id
        if life.successor is not None:
            assert catalogue.get(life.successor).live_routes(now.date()), model.id
