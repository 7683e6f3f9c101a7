"""The data itself: what ships is sound, and what is broken is named."""

import pytest

from mediawright.catalog.loader import CatalogueError, build_catalogue, load_catalogue
from mediawright.catalog.model import ModelStatus

GOOD = """
[[model]]
id = "one"
title = "One"
summary = "A picture."
kind = "image"
source = { text = "a test", seen_on = 2026-11-01 }
operations.text-to-image = {}
parameters.aspect_ratio = { values = ["1:1", "16:9"], default = "1:1" }
routes = [{ provider = "alpha", upstream_id = "one", fields = { aspect_ratio = "ratio" } }]
"""


def faults_of(*texts):
    with pytest.raises(CatalogueError) as caught:
        build_catalogue([(f"file{index}.toml", text) for index, text in enumerate(texts)])
    assert caught.value.code == "catalogue_invalid"
    for fault in caught.value.details["faults"]:
        assert fault in caught.value.message
    return caught.value.details["faults"]


def test_the_sample_is_good():
    assert build_catalogue([("good.toml", GOOD)]).get("one").id == "one"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('title = "One"', "", "missing required field `title`"),
        ('kind = "image"', 'kind = "picture"', "Invalid enum value 'picture'"),
        ('summary = "A picture."', 'sumary = "A picture."', "sumary"),
        ('upstream_id = "one"', 'upstream_id = "one", price = 3', "unknown field `price`"),
        ("text-to-image", "text-to-picture", "text-to-picture"),
        ("2026-11-01", '"yesterday"', "/source".replace("/", ".")),
        ('default = "1:1"', 'default = "4:3"', "'4:3' is not among the values"),
        ('default = "1:1"', "default = 1", "is of the wrong type"),
        ('default = "1:1"', 'aliases = { wide = "2:1" }', "an alias means '2:1'"),
        ('default = "1:1"', "minimum = 3, maximum = 2", "the minimum is above the maximum"),
        ('default = "1:1"', 'pattern = "("', "the pattern is wrong"),
        ("parameters.aspect_ratio", "parameters.ratio", "/parameters/ratio"),
        ('aspect_ratio = "ratio"', 'ratio = "ratio"', "/routes/0/fields/ratio"),
        (', fields = { aspect_ratio = "ratio" }', "", "aspect_ratio is set"),
        (
            'upstream_id = "one"',
            'upstream_id = "one", operations = ["text-to-video"]',
            "no text-to-video",
        ),
        (
            'upstream_id = "one"',
            'upstream_id = "one", limits = { ratio = {} }',
            "/routes/0/limits/ratio",
        ),
        ('upstream_id = "one"', 'upstream_id = "one", implied = ["x"]', "/routes/0/implied/x"),
        (
            'upstream_id = "one"',
            'upstream_id = "one", input_fields = { mask = "m" }',
            "takes no mask",
        ),
        ("operations.text-to-image = {}", "operations = {}", "length >= 1"),
        ('id = "one"', 'id = "one"\nrules = [{ name = "nonsense" }]', "there is no rule nonsense"),
        (
            'id = "one"',
            'id = "one"\nrules = [{ name = "aspect_ratio_incompatible_with_high_res" }]',
            "needs the option resolutions",
        ),
        ('id = "one"', 'id = "one"\nlifecycle = { successor = "two" }', "there is no model two"),
        ('id = "one"', 'id = "one"\naliases = ["one"]', "already means"),
        ('id = "one"', 'id = "one"\nignored = { x = "y" }', "/ignored/x"),
        ('id = "one"', 'id = "one"\npresets = { p = { x = 1 } }', "/presets/p/x"),
        (
            'id = "one"',
            'id = "one"\nswitches = { quality = { a = "two" } }',
            "there is no model two",
        ),
        ('id = "one"', 'id = "one"\ndimensions = { measure = "feet" }', "'feet' is neither"),
        (
            'id = "one"',
            'id = "one"\ndimensions = { table = { 1K = { "1:1" = "big" } } }',
            "/dimensions/table/1K/1:1",
        ),
        (
            'id = "one"',
            'id = "one"\nprices = [{ currency = "USD", unit = "image", amount = 0.5 }]',
            "Expected `str`, got `float`",
        ),
        (
            'id = "one"',
            'id = "one"\nprices = [{ currency = "USD", unit = "image", amount = "-1" }]',
            "matching regex",
        ),
        (
            'id = "one"',
            'id = "one"\nprices = [{ currency = "USD", unit = "token", amount = "1" }]',
            "name the kind of token",
        ),
        (
            "[[model]]",
            '[[model]]\nprices = [{ currency = "USD", unit = "call", amount = "1", when.x = 1 }]',
            "x is not a parameter or fact",
        ),
        ('values = ["1:1", "16:9"]', 'values = "$ratios"', "there is no list '$ratios'"),
        ('id = "one"', 'id = "one"\nlike = "base"', "there is no template 'base'"),
        ("[[model]]", "[model]", "write [[model]]"),
        ("[[model]]", "[modle]\n[[model]]", "unknown section [modle]"),
        ("[[model]]", "[[model", "not valid TOML"),
    ],
)
def test_broken_data_is_named_with_its_place(old, new, fault):
    assert old in GOOD
    faults = faults_of(GOOD.replace(old, new, 1))
    assert any(fault in line for line in faults), faults
    assert all(line.startswith("file0.toml") for line in faults)


def test_every_fault_of_every_file_is_told_at_once():
    first = GOOD.replace('title = "One"', "")
    second = GOOD.replace('id = "one"', 'id = "two"').replace('default = "1:1"', 'default = "4:3"')
    faults = faults_of(first, second)
    assert [line.split(":")[0] for line in faults] == ["file0.toml", "file1.toml"]
    assert "/model/0 (one)" in faults[0]


def test_an_id_is_used_once_in_a_file_and_replaced_by_a_later_file():
    assert "used twice" in faults_of(GOOD + GOOD)[0]
    later = GOOD.replace('title = "One"', 'title = "Another"')
    both = build_catalogue([("a.toml", GOOD), ("b.toml", later)])
    assert both.get("one").title == "Another"


def test_families_must_name_models_and_not_be_one():
    family = '[[family]]\nlabel = "one"\nvariants = ["one", "two"]\nhint = "Ask."\n'
    faults = faults_of(family + GOOD)
    assert any("there is no model two" in line for line in faults)
    assert any("there is a model of that name" in line for line in faults)


def test_a_model_needs_a_route_for_each_operation():
    faults = faults_of(
        GOOD.replace(
            "operations.text-to-image = {}",
            "operations.text-to-image = {}\noperations.text-to-video = {}",
        ).replace('upstream_id = "one"', 'upstream_id = "one", operations = ["text-to-image"]')
    )
    assert faults == ["file0.toml: /model/0 (one): /operations/text-to-video: no route serves it"]


def test_templates_merge_and_lists_splice():
    text = """
[list]
ratios = ["1:1", "16:9"]

[template.base]
title = "Base"
summary = "A picture."
kind = "image"
source = { text = "a test", seen_on = 2026-11-01 }
operations.text-to-image = {}
parameters.aspect_ratio = { values = ["auto", "$ratios", "9:16"] }
parameters.count = { default = 1 }

[template.more]
like = "base"
parameters.count = { default = 2 }

[[model]]
like = "more"
id = "one"
title = "One"
parameters.seed = {}
routes = [{ provider = "alpha", upstream_id = "one", implied = ["count"] }]
"""
    model = build_catalogue([("t.toml", text)]).get("one")
    assert model.title == "One"
    assert model.parameters["aspect_ratio"].values == ("auto", "1:1", "16:9", "9:16")
    assert model.parameters["count"].default == 2
    assert set(model.parameters) == {"aspect_ratio", "count", "seed"}


def test_a_template_that_refers_to_itself_is_a_fault():
    text = '[template.a]\nlike = "b"\n[template.b]\nlike = "a"\n[[model]]\nlike = "a"\nid = "x"\n'
    assert "refers to itself" in faults_of(text)[0]


def test_own_rows_are_added_to_what_ships(tmp_path):
    (tmp_path / "own.toml").write_text(GOOD)
    catalogue = load_catalogue(tmp_path)
    assert catalogue.get("one").title == "One"
    assert "gpt-image-2" in catalogue
    assert load_catalogue(tmp_path) is catalogue
    assert "one" not in load_catalogue()
    assert load_catalogue(tmp_path / "own.toml").get("one").title == "One"


def test_own_rows_that_cannot_be_read(tmp_path):
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(tmp_path / "missing.toml")
    assert "cannot be read" in caught.value.message


def test_what_ships_is_complete(catalogue):
    assert len(catalogue) == len({model.id for model in catalogue})
    for model in catalogue:
        assert model.title
        assert model.summary.endswith(".")
        assert model.source.seen_on.year >= 2026
        assert model.routes or model.lifecycle.status is ModelStatus.ENDED
        for route in model.routes:
            assert route.prices or model.prices or route.price_note
        if model.kind.value == "video":
            assert model.video_audio is not None
