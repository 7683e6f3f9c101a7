"""Routes to providers that nothing here can speak to yet: listed, and refused by name."""

import pytest

from mediawright.catalog.preflight import PreflightSettings
from mediawright.catalog.public import public_model
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import InputRole, MediaKind
from mediawright.core.request import MediaInput

BETA = frozenset({"beta"})
NOBODY = frozenset({"local"})


def only(*adapters):
    return PreflightSettings(adapters=frozenset(adapters))


def refusal(check, *arguments, **words):
    with pytest.raises(InvalidRequestError) as caught:
        check(*arguments, **words)
    return caught.value


def test_routes_without_an_adapter_are_passed_over(sample, check):
    checked = check(sample, "clip-2-720p", settings=only("beta"))
    assert [plan.provider for plan in checked.routes] == ["beta"]
    assert checked.price == checked.routes[0].price
    everywhere = check(sample, "clip-2-720p")
    assert [plan.provider for plan in everywhere.routes] == ["alpha", "beta"]


def test_a_model_without_any_is_refused_by_naming_what_is_missing(sample, check):
    error = refusal(check, sample, "clip-2-720p", settings=only("local"))
    assert error.code == "provider_not_available"
    assert error.pointer == "/model"
    assert error.kind.http_status == 400
    assert error.details == {"providers": ["alpha", "beta"]}
    assert "alpha and beta" in error.message
    assert error.hint


def test_a_named_provider_without_an_adapter(sample, check):
    error = refusal(check, sample, "clip-2-720p", provider="alpha", settings=only("beta"))
    assert (error.code, error.pointer) == ("provider_not_available", "/provider")
    assert error.details == {"providers": ["alpha"]}


def test_an_operation_that_only_an_absent_provider_serves(sample, check):
    picture = MediaInput(
        role=InputRole.REFERENCE_IMAGE, kind=MediaKind.IMAGE, url="https://host.test/a.png"
    )
    error = refusal(check, sample, "paint", inputs=(picture,), settings=only("beta"))
    assert (error.code, error.pointer) == ("provider_not_available", "/operation")
    assert error.details == {"providers": ["alpha"]}


def test_what_a_usable_route_refuses_comes_before_what_is_missing(sample, check, media):
    inputs = tuple(media("reference_image", f"{n}.png") for n in range(5))
    words = {"operation": "text-to-video", "inputs": inputs, "provider": None}
    assert check(sample, "clip-2-720p", settings=only("beta"), **words).routes
    error = refusal(check, sample, "clip-2-720p", settings=only("alpha"), **words)
    assert error.code == "invalid_media_count"


def test_a_successor_takes_over_where_the_data_allows_it(sample, check, adjusted):
    checked = check(sample, "old-paint", settings=only("alpha"))
    assert checked.model.id == "paint"
    error = refusal(check, sample, "old-paint", settings=only("local"))
    assert error.code == "provider_not_available"
    assert error.details == {"providers": ["alpha", "beta"]}


def test_an_ended_model_stays_ended(sample, check):
    error = refusal(check, sample, "older-paint", settings=only("local"))
    assert error.code == "model_ended"


def test_the_description_lists_and_explains(sample, now):
    model = sample.get("clip-2-720p")
    here = public_model(model, now=now, adapters=BETA)
    assert (here["live"], here["unavailable_reason"]) == (True, None)
    assert [route["available"] for route in here["routes"]] == [False, True]
    assert [route["live"] for route in here["routes"]] == [True, True]
    nowhere = public_model(model, now=now, adapters=NOBODY)
    assert (nowhere["live"], nowhere["unavailable_reason"]) == (False, "provider_not_available")
    dead = public_model(sample.get("old-paint"), now=now, adapters=BETA)
    assert (dead["live"], dead["unavailable_reason"]) == (False, "ended")


def test_the_cost_shown_is_that_of_the_route_that_would_be_taken(sample, now):
    model = sample.get("clip-2-720p")

    def dollars(adapters):
        rows = public_model(model, now=now, adapters=adapters)["cost"]
        return [row["unit"] for row in rows if row["currency"] == "USD"]

    assert dollars(None) == ["token"]
    assert dollars(BETA) == ["second"]


def test_the_listing_tells_them_apart(sample, now):
    usable = {model.id for model in sample.models(live=True, now=now, adapters=BETA)}
    others = {model.id for model in sample.models(live=False, now=now, adapters=BETA)}
    assert usable == {"clip-2-720p", "clip-2-720p-video-ref", "paint"}
    assert others == {model.id for model in sample} - usable
