"""The models of the media tools, against what their public description says of them."""

import tomllib
from pathlib import Path

import pytest

from mediawright.catalog.model import ModelStatus
from mediawright.catalog.public import public_model
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind, Operation

SAID = tomllib.loads(Path(__file__).with_name("media_tools.toml").read_text(encoding="utf-8"))
IDS = [*SAID["ids"]["images"], *SAID["ids"]["videos"]]


def said(table):
    """Give (value, model id) pairs of a table of values with lists of ids."""
    return [(value, model_id) for value, ids in SAID[table].items() for model_id in ids]


def rule_of(model, name):
    rules = [model.parameter(name, operation) for operation in model.operations]
    return next((rule for rule in rules if rule is not None), None)


def test_every_id_of_the_description_is_here(catalogue):
    assert [model_id for model_id in IDS if model_id not in catalogue] == []


@pytest.mark.rule(32, 43, shows=("accepts", "prices"))
@pytest.mark.parametrize("row", SAID["rate"], ids=lambda row: row["id"])
def test_names_and_rates(catalogue, check, *, now, media, clip_facts, row):
    """Rule 43: credits are charged by the second at the rate of the row."""
    model, presets = catalogue.find(row["id"])[0]
    charged = [row for row in public_model(model, now=now)["cost"] if row["currency"] == "credits"]
    if presets:
        (shown,) = [cost for cost in charged if cost.get("sku") == row["id"]]
        assert shown["title"] == row["title"]
    else:
        (shown,) = [cost for cost in charged if "sku" not in cost]
        assert model.title == row["title"]
    assert (shown["amount"], shown["unit"]) == (str(row["credits"]), "second")
    with_clip = row["id"].endswith("-video-ref")
    words = {"inputs": (media("reference_video", "a.mp4"),)} if with_clip else {}
    facts = {0: clip_facts(7)} if with_clip else {}
    checked = check(catalogue, row["id"], duration=8, facts=facts, **words)
    assert checked.price.credits == row["credits"] * (15 if with_clip else 8)
    assert checked.price.basis.value == "computed"


@pytest.mark.rule(43, shows=("accepts", "prices"))
@pytest.mark.parametrize("tier", SAID["tier_credits"])
def test_tiers_of_gpt_image_2(catalogue, check, tier):
    """Rule 43: each tier is sold by itself."""
    price = check(catalogue, "gpt-image-2", resolution=tier, aspect_ratio="4:3").price
    assert price.credits == SAID["tier_credits"][tier]


@pytest.mark.rule(30, shows="refuses")
@pytest.mark.parametrize("family", SAID["families"])
def test_family_labels(catalogue, check, family):
    """Rule 30: a label is answered with its variants, before anything else is looked at."""
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, family, prompt=None, provider="nobody", operation="text-to-speech")
    error = caught.value
    assert (error.code, error.kind.http_status) == ("variant_required", 400)
    assert error.details["family"] == family
    assert error.details["available_variants"] == SAID["families"][family]
    assert "price" in error.details["hint"]
    for variant in SAID["families"][family]:
        assert catalogue.get(variant).family == family


@pytest.mark.rule(29, shows=("accepts", "refuses"))
@pytest.mark.parametrize(("longest", "model_id"), said("prompt_max"))
def test_prompt_limits(catalogue, problems, longest, model_id):
    """Rule 29: the limit is met exactly, and never by cutting."""
    model = catalogue.get(model_id)
    words = {"operation": next(iter(model.operations)), "inputs": ()}
    if model.lifecycle.status is ModelStatus.ENDED:
        assert model.prompt.max_length == int(longest)
        return

    def codes(length):
        return [code for code, _ in problems(catalogue, model_id, prompt="x" * length, **words)]

    assert "prompt_too_long" not in codes(int(longest))
    assert "prompt_too_long" in codes(int(longest) + 1)


@pytest.mark.rule(6, 11, shows=("accepts", "refuses"))
@pytest.mark.parametrize(("model_id", "most"), SAID["pictures"].items())
def test_most_pictures(catalogue, check, *, problems, media, model_id, most):
    """Rule 11."""
    pictures = tuple(media("reference_image", f"{n}.png") for n in range(most + 1))
    words = {"operation": Operation.IMAGE_TO_IMAGE}
    assert check(catalogue, model_id, inputs=pictures[:most], **words).routes
    found = problems(catalogue, model_id, inputs=pictures, **words)
    assert found == [("invalid_media_count", "/inputs")]
    assert problems(catalogue, model_id, **words) == [("source_media_required", "/inputs")]


@pytest.mark.rule(23, 25, shows="refuses")
@pytest.mark.parametrize("model_id", IDS)
def test_who_honours_a_resolution(catalogue, problems, adjusted, model_id):
    """Rules 23 and 25: a tier is a parameter of few; elsewhere the id says it or nothing does."""
    rule = rule_of(catalogue.get(model_id), "resolution")
    values = SAID["resolutions"].get(model_id)
    if values is None:
        assert rule is None or rule.fixed is not None
        return
    assert list(rule.values) == values
    assert rule.default == values[0]
    if "4K" not in values:
        assert problems(catalogue, model_id, operation=None, resolution="4K")[0] in [
            ("invalid_resolution", "/parameters/resolution"),
            ("source_media_required", "/inputs"),
        ]


@pytest.mark.rule(26, shows="accepts")
@pytest.mark.parametrize("model_id", SAID["ids"]["images"])
def test_who_honours_a_quality(catalogue, model_id):
    """Rule 26: the words, the default, and that `standard` stands for the default."""
    model = catalogue.get(model_id)
    rule = rule_of(model, "quality")
    values = SAID["qualities"].get(model_id)
    if values is None:
        assert rule is None or model.family == "imagen-4"
        return
    assert list(rule.values) == values
    assert rule.default == values[0]
    assert rule.aliases.get("standard", "standard") == values[0]


@pytest.mark.rule(20, 28, shows=("accepts", "refuses"))
@pytest.mark.parametrize(("seconds", "model_id"), said("seconds"))
def test_durations(catalogue, problems, media, seconds, model_id):
    """Rules 20 and 28: whole seconds in a range, however they are written."""
    least, most = (int(bound) for bound in seconds.split("-"))
    inputs = (media("reference_video", "a.mp4"),) if model_id.endswith("-video-ref") else ()

    def found(duration):
        return problems(
            catalogue, model_id, operation="text-to-video", inputs=inputs, duration=duration
        )

    refused = [("invalid_duration", "/parameters/duration")]
    for fine in (least, most, float(least), f"{least}s", str(most)):
        assert found(fine) == []
    for wrong in (least - 1, most + 1, least + 0.5, "soon"):
        assert found(wrong) == refused


@pytest.mark.rule(27, 31, shows="accepts")
@pytest.mark.parametrize("model_id", IDS)
def test_who_honours_what(catalogue, model_id):
    """Rules 27 and 31."""
    model = catalogue.get(model_id)
    negative = model_id in SAID["honour"]["negative_prompt"]
    assert (rule_of(model, "negative_prompt") is not None) is negative
    assert model.supports_sound is (model_id in SAID["honour"]["supports_sound"])
    if model.kind is MediaKind.IMAGE:
        assert rule_of(model, "sound") is None
        assert rule_of(model, "duration") is None


@pytest.mark.rule(34, shows="accepts")
@pytest.mark.parametrize("model_id", SAID["ids"]["videos"])
def test_sound_classes(catalogue, model_id):
    """Rule 34."""
    toggles = model_id in SAID["honour"]["supports_sound"]
    silent = model_id in SAID["honour"]["silent"]
    expected = "toggle_via_sound_param" if toggles else "silent" if silent else "included"
    assert catalogue.get(model_id).video_audio.value == expected
