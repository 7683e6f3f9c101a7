from decimal import Decimal

import pytest

from mediawright.catalog.applied import applied_of
from mediawright.catalog.loader import build_catalogue
from mediawright.catalog.preflight import PreflightSettings
from mediawright.catalog.pricing import PriceSettings, cost_of_usage
from mediawright.core.money import Money, PriceBasis
from mediawright.core.provider import Usage

ROW = """
[[model]]
id = "row"
title = "Row"
summary = "For prices."
kind = "{kind}"
source = {{ text = "a test", seen_on = 2026-11-01 }}
parameters.count = {{ minimum = 1, maximum = 4 }}
parameters.duration = {{ minimum = 1, maximum = 60 }}
parameters.sound = {{}}
parameters.size = {{ size = {{}} }}
operations.{operation} = {{}}
[[model.routes]]
provider = "alpha"
upstream_id = "row"
implied = ["count", "duration", "sound", "size"]
prices = [{prices}]
"""


@pytest.fixture
def priced(check):
    """Price a request against rows written in the test."""

    def run(prices, operation="text-to-image", **words):
        kind = {"image": "image", "video": "video"}.get(operation.split("-")[-1], "audio")
        text = ROW.format(kind=kind, operation=operation, prices=prices)
        return check(build_catalogue([("row.toml", text)]), "row", **words).price

    return run


def test_per_image(priced):
    price = priced('{ currency = "credits", unit = "image", amount = "11" }', count=3)
    assert price.credits == 33
    assert price.usd is None
    assert price.basis is PriceBasis.COMPUTED
    assert price.explanation == "3 images x 11 credits"
    assert price.price_book_date == "2026-11-01"


def test_per_second_is_exact(priced):
    price = priced(
        '{ currency = "USD", unit = "second", amount = "0.07" }',
        operation="text-to-video",
        duration=0.1 + 0.2 + 4.8,
        count=2,
    )
    assert price.usd == Decimal("0.714")
    assert price.credits == Decimal("71.4")


def test_rows_are_chosen_by_conditions(priced):
    rows = (
        '{ currency = "credits", unit = "second", amount = "30", when = { sound = true } },'
        '{ currency = "credits", unit = "second", amount = "21" }'
    )
    words = {"operation": "text-to-video", "duration": 5}
    assert priced(rows, sound=True, **words).credits == 150
    assert priced(rows, sound=False, **words).credits == 105
    assert priced(rows, **words).credits == 105


def test_conditions_take_lists_and_ranges(priced):
    rows = (
        '{ currency = "credits", unit = "call", amount = "1", when = { count = [1, 2] } },'
        '{ currency = "credits", unit = "call", amount = "2", when = { count = { minimum = 4 } } }'
    )
    assert priced(rows, count=2).credits == 1
    assert priced(rows, count=4).credits == 2
    assert priced(rows, count=3).credits is None
    assert priced(rows, count=3).basis is PriceBasis.UNKNOWN
    assert priced(rows).credits is None


def test_per_characters_in_started_packages(priced):
    rows = '{ currency = "credits", unit = "character", amount = "1", per = "50", round_up = true }'
    assert priced(rows, operation="text-to-speech", prompt="x" * 50).credits == 1
    assert priced(rows, operation="text-to-speech", prompt="x" * 51).credits == 2
    exact = '{ currency = "USD", unit = "character", amount = "0.08", per = "1000" }'
    assert priced(exact, operation="text-to-speech", prompt="x" * 125).usd == Decimal("0.01")


def test_per_megapixel_rounded_up_for_each_picture(priced):
    rows = '{ currency = "USD", unit = "megapixel", amount = "0.003", round_up = true }'
    assert priced(rows, size="1000x1000").usd == Decimal("0.003")
    assert priced(rows, size="1000x1001").usd == Decimal("0.006")
    assert priced(rows, size="1000x500", count=3).usd == Decimal("0.009")
    assert priced(rows).usd is None


def test_base_minimum_and_parts(priced):
    rows = (
        '{ currency = "USD", unit = "megapixel", amount = "0.015", base = "0.015" },'
        '{ currency = "USD", unit = "call", amount = "0.001", part = "fee" }'
    )
    price = priced(rows, size="2000x1000", count=2)
    assert price.usd == Decimal("0.091")
    assert price.explanation == ("2 x 2 MP x 0.015 USD + 2 x 0.015 USD + 1 request x 0.001 USD")
    floor = '{ currency = "credits", unit = "second", amount = "28", minimum = "56" }'
    video = {"operation": "text-to-video"}
    assert priced(floor, duration=1, **video).credits == 56
    assert priced(floor, duration=3, **video).credits == 84


def test_tokens_are_estimated_and_say_so(priced):
    rows = (
        '{ currency = "USD", unit = "token", token = "output", amount = "30", per = "1000000",'
        ' estimate = { flat = "1000" } },'
        '{ currency = "USD", unit = "token", token = "input_text", amount = "5",'
        ' per = "1000000", estimate = { per_character = "0.25" } }'
    )
    price = priced(rows, prompt="x" * 400, count=2)
    assert price.usd == Decimal("0.0605")
    assert price.basis is PriceBasis.ESTIMATED


def test_what_cannot_be_measured_stays_unknown(priced):
    rows = '{ currency = "USD", unit = "second", amount = "0.07" }'
    price = priced(rows, operation="text-to-video")
    assert price.usd is None
    assert price.credits is None
    assert not price.is_known
    free = priced('{ currency = "USD", unit = "call", amount = "0" }')
    assert free.usd == 0
    assert free.credits == 0


def test_credits_come_from_dollars_at_the_operators_rate(sample, check):
    assert check(sample, "paint").price.credits == 3
    dearer = PreflightSettings(
        prices=PriceSettings(credits_per_usd=Decimal(1000), markup=Decimal("0.25"))
    )
    assert check(sample, "paint", settings=dearer).price.credits == Decimal("37.5")


def test_named_credits_know_no_rate(sample, check):
    dearer = PreflightSettings(prices=PriceSettings(credits_per_usd=Decimal(1)))
    price = check(sample, "clip-2-720p", settings=dearer, duration=4).price
    assert price.credits == 160


def test_each_route_has_its_own_dollars_and_the_same_credits(sample, check):
    routes = check(sample, "clip-2-720p", duration=10, aspect_ratio="16:9").routes
    assert [plan.price.credits for plan in routes] == [400, 400]
    assert [plan.price.usd for plan in routes] == [Decimal("1.512"), Decimal("1.51")]


def test_a_route_without_a_price_is_unknown_not_free(sample, check):
    routes = check(sample, "paint").routes
    assert routes[1].provider == "beta"
    assert routes[1].price.credits is None
    assert routes[1].price.basis is PriceBasis.UNKNOWN


def test_reference_seconds_known_capped_and_worst_case(sample, check, media, clip_facts):
    clips = tuple(media("reference_video", f"{n}.mp4") for n in range(2))
    words = {"inputs": clips, "duration": 5}

    def priced(facts):
        return check(sample, "clip-2-720p-video-ref", facts=facts, **words).price

    known = priced({0: clip_facts(3), 1: clip_facts(4.5)})
    assert known.credits == Decimal("362.5")
    assert known.basis is PriceBasis.COMPUTED
    nearly_over = priced({0: clip_facts(7.5), 1: clip_facts(7.55)})
    assert nearly_over.credits == 29 * 20
    unknown = priced({0: clip_facts(3)})
    assert unknown.credits == 29 * 20
    assert unknown.basis is PriceBasis.ESTIMATED


def _cost(check, catalogue, model_id, usage, **words):
    checked = check(catalogue, model_id, **words)
    plan = checked.routes[0]
    route = checked.model.find_route(plan.provider, plan.upstream_id, checked.operation)
    applied = applied_of(checked.model, checked.request, words.get("facts"))
    return cost_of_usage(checked.model, route, usage, applied)


def test_what_the_vendor_bills_wins(catalogue, check, media):
    usage = Usage(cost=Money.usd("0.25"), seconds=5)
    found = _cost(check, catalogue, "gen4_turbo", usage, inputs=(media("first_frame"),))
    assert found == (Decimal("0.25"), PriceBasis.VENDOR_REPORTED)


def test_what_the_vendor_used_comes_next(catalogue, check):
    usage = Usage(input_tokens=112, input_image_tokens=100, output_tokens=1000)
    assert _cost(check, catalogue, "gpt-image-2", usage) == (
        Decimal("0.03086"),
        PriceBasis.COMPUTED,
    )
    spoken = _cost(check, catalogue, "eleven_multilingual_v2", Usage(characters=500))
    assert spoken == (Decimal("0.04"), PriceBasis.COMPUTED)


def test_recordings_are_billed_by_their_length(catalogue, check, media):
    words = {"inputs": (media("reference_audio", "a.wav"),), "prompt": None}
    heard = _cost(check, catalogue, "gpt-transcribe", Usage(seconds=90.0), **words)
    assert heard == (Decimal("0.00675"), PriceBasis.COMPUTED)
    assert _cost(check, catalogue, "gpt-transcribe", Usage(), **words) is None


def test_without_a_report_the_request_is_what_counts(catalogue, check, media):
    words = {"inputs": (media("first_frame"),), "duration": 10}
    assert _cost(check, catalogue, "gen4_turbo", Usage(), **words) == (
        Decimal("0.5"),
        PriceBasis.COMPUTED,
    )
    assert _cost(check, catalogue, "gpt-image-2", Usage())[1] is PriceBasis.ESTIMATED


def test_a_bill_in_credits_is_not_taken_for_dollars(catalogue, check, media):
    usage = Usage(cost=Money.credits(25))
    words = {"inputs": (media("first_frame"),), "duration": 5}
    assert _cost(check, catalogue, "gen4_turbo", usage, **words) == (
        Decimal("0.25"),
        PriceBasis.COMPUTED,
    )
