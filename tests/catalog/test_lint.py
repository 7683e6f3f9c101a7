"""Linting: what ships is clean, and whatever is wrong or wanting in a row is told."""

from datetime import UTC, datetime

import pytest

from mediawright.catalog.lint import Severity, errors_of, lint
from mediawright.catalog.loader import built_in_sources, load_catalogue
from mediawright.catalog.trials import trials

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ADAPTERS = frozenset({"local", "fal"})
GOOD = """
[[family]]
label = "kites"
variants = ["one"]
hint = "Ask."

[[model]]
id = "one"
title = "One"
summary = "A picture."
kind = "image"
family = "kites"
source = { text = "a test", seen_on = 2026-11-01 }
operations.text-to-image = {}
parameters.quality = { values = ["low", "high"], default = "low" }
parameters.steps = { minimum = 2, maximum = 8, default = 4 }

[[model.routes]]
provider = "fal"
upstream_id = "kites/one"
fields = { quality = "quality", steps = "steps" }
prices = [
  { currency = "USD", unit = "image", amount = "0.1", when.quality = "low" },
  { currency = "USD", unit = "image", amount = "0.2", when.quality = "high" },
]
"""
ENDED = """
[[model]]
id = "old"
title = "Old"
summary = "A picture."
kind = "image"
source = { text = "a test", seen_on = 2026-11-01 }
operations.text-to-image = {}
lifecycle = { status = "ended", successor = "one" }
"""


def report_of(*texts):
    sources = [(f"file{index}.toml", text) for index, text in enumerate(texts)]
    return lint(sources, now=NOW, adapters=ADAPTERS)


def test_what_ships_is_clean():
    report = lint(built_in_sources(), now=NOW, adapters=ADAPTERS)
    assert errors_of(report) == []
    assert report.is_clean
    assert report.models == len(load_catalogue())
    assert report.requests > 20 * report.models


def test_a_good_file_has_nothing_to_tell():
    report = report_of(GOOD + ENDED)
    assert report.findings == ()
    # Nothing chosen, two qualities, two ends of the steps, and each of these with each.
    assert (report.models, report.families, report.requests) == (2, 1, 9)


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"),
    [
        ('provider = "fal"', 'provider = "fall"', "/routes/0/provider", "fall", "mean fal?"),
        ('provider = "fal"', 'provider = "acme"', "/routes/0/provider", "acme", "runway"),
        ('"kites/one"', '" "', "/routes/0/upstream_id", "empty", "own id"),
        ("2026-11-01", "2026-11-21", "/source/seen_on", "still to come", "day"),
        ('text = "a test"', 'text = " "', "/source/text", "not named", "from"),
        (
            'amount = "0.1"',
            'amount = "0.1", seen_on = 2027-01-01',
            "/routes/0/prices/0",
            "come",
            "",
        ),
        (', when.quality = "high"', ', when.quality = "best"', "one", "quality high", "price_note"),
        ('variants = ["one"]', "variants = []", "(kites)", "no variants", "Name"),
        ('variants = ["one"]', 'variants = ["two"]', "", "no model two", "add one"),
        ('variants = ["one"]', 'variants = ["old"]', "(kites)", "old is of the family None", "Set"),
        ('variants = ["one"]', "variants = []", "(kites)", "one is of this family", "Add it"),
        ('provider = "fal"', 'provider = "fal"\nended = true', "(one)", "no route is", "ended"),
        ('successor = "one"', 'note = "gone"', "(old)", "without a successor", "Name"),
        ('successor = "one"', 'successor = "old"', "(old)", "is alive", "Name one"),
        ("default = 4", "default = 9", "/parameters/steps", "9 is out of the range", "between"),
        ('id = "old"', 'id = "old"\naliases = ["one"]', "(old)", "already means", "another"),
        ('id = "old"', 'id = "old"\nrules = [{ name = "x" }]', "/rules", "no rule x", "variant_m"),
        ('title = "Old"', "", "(old)", "missing required field", "Add"),
        ('quality = "quality", ', "", "/routes/0/fields", "not passed on", "implied"),
        ("[[family]]", "[[family", "file0.toml", "not valid TOML", "Correct"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_to_do(old, new, place, message, hint):
    text = GOOD + ENDED
    assert old in text
    report = report_of(text.replace(old, new, 1))
    found = [
        item
        for item in errors_of(report)
        if place in item.place and message in item.message and hint in item.hint
    ]
    assert found, report.findings
    assert not report.is_clean


def test_faults_of_several_rows_are_told_at_once():
    both = GOOD.replace('provider = "fal"', 'provider = "acme"') + ENDED.replace(
        'successor = "one"', 'note = "gone"'
    )
    messages = [item.message for item in errors_of(report_of(both))]
    assert messages == ["there is no provider acme", "it has ended without a successor"]


def test_a_price_that_is_not_known_needs_a_note():
    text = GOOD.replace(', when.quality = "high"', ', when.quality = "best"')
    noted = text.replace('upstream_id = "kites/one"', 'upstream_id = "x"\nprice_note = "not said"')
    assert not report_of(text).is_clean
    assert report_of(noted).is_clean


def test_a_row_that_nothing_can_be_asked_of_is_told():
    text = GOOD.replace(
        "[[model.routes]]",
        '[[model.rules]]\nname = "variant_mismatch"\n'
        'options = { with_video = "x", without_video = "x" }\n\n[[model.routes]]',
    )
    (found,) = errors_of(report_of(text))
    assert "variant_mismatch" in found.message


def test_providers_without_an_adapter_are_listed_and_no_error():
    report = report_of(GOOD.replace('provider = "fal"', 'provider = "kie"'))
    assert [(item.severity, item.place) for item in report.findings] == [(Severity.NOTE, "kie")]
    assert report.is_clean


def test_an_announced_end_without_a_successor_is_noted():
    text = GOOD.replace('id = "one"', 'id = "one"\nlifecycle = { ends_on = 2027-03-01 }')
    (found,) = report_of(text).findings
    assert (found.severity, found.message) == (Severity.NOTE, "it will end without a successor")


def test_own_rows_may_take_the_place_of_those_that_ship():
    own = GOOD.replace('id = "one"', 'id = "nano-banana"').replace('["one"]', '["nano-banana"]')
    report = lint([*built_in_sources(), ("own.toml", own)], now=NOW, adapters=ADAPTERS)
    assert errors_of(report) == []


def test_trials_choose_every_value_and_all_that_prices_depend_on(catalogue):
    chosen = [trial.values for trial in trials(catalogue.get("gpt-image-2"))]
    ratios = catalogue.get("gpt-image-2").parameters["aspect_ratio"].values
    pairs = {(item.get("resolution"), item.get("aspect_ratio")) for item in chosen}
    assert pairs >= {(tier, ratio) for tier in ("1K", "2K", "4K", None) for ratio in ratios}
    assert {} in chosen
