import pytest

from mediawright.catalog.model import ModelStatus
from mediawright.catalog.preflight import PreflightSettings
from mediawright.core.errors import InvalidRequestError, NotFoundError
from mediawright.core.operations import MediaKind, Operation


def test_get_resolves_ids_aliases_and_presets(catalogue, sample):
    assert catalogue.get("flux-schnell").id == "flux-schnell"
    assert catalogue.get("fal-ai/flux/schnell").id == "flux-schnell"
    assert sample.get("clip-2-720p-silent").id == "clip-2-720p"


@pytest.mark.rule(2, shows="refuses")
def test_unknown_model_names_close_matches(catalogue):
    with pytest.raises(NotFoundError) as caught:
        catalogue.get("gpt-imgae-2")
    assert caught.value.code == "model_not_found"
    assert caught.value.details["close_matches"][0] == "gpt-image-2"
    assert "gpt-image-2" in caught.value.hint


def test_unknown_model_without_anything_close_points_to_the_list(catalogue):
    with pytest.raises(NotFoundError) as caught:
        catalogue.get("zzzzzzzzzzzz")
    assert caught.value.details["close_matches"] == []
    assert "models list" in caught.value.hint


@pytest.mark.rule(30, shows="refuses")
def test_family_label_asks_for_a_variant_before_anything_else(sample, ask, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(sample, "clip-2", prompt=None, provider="nobody", count=99)
    error = caught.value
    assert error.code == "variant_required"
    assert error.pointer == "/model"
    assert error.details == {
        "family": "clip-2",
        "available_variants": ["clip-2-720p", "clip-2-720p-video-ref"],
        "hint": error.hint,
    }
    assert "resolution" in error.hint


@pytest.mark.rule(2, shows="refuses")
@pytest.mark.parametrize("name", ["", "   ", None, 7])
def test_a_model_must_be_named(catalogue, check, name):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, name)
    assert caught.value.code == "model_required"


def test_listing_filters(catalogue, now):
    def ids(**filters):
        return {model.id for model in catalogue.models(now=now, **filters)}

    assert {"local-sketch-video", "gen4_turbo", "gen4.5"} <= ids(kind=MediaKind.VIDEO)
    assert not ids(kind=MediaKind.VIDEO) & ids(kind=MediaKind.IMAGE)
    assert ids(operation=Operation.SPEECH_TO_TEXT, provider="openai") == {
        "gpt-transcribe",
        "whisper-1",
    }
    assert ids(provider="local") == {
        "local-sketch-image",
        "local-sketch-video",
        "local-sketch-music",
        "local-voice",
        "local-listener",
    }
    ended = {model.id for model in catalogue if model.lifecycle.status is ModelStatus.ENDED}
    assert ids(live=False) == ended
    assert ids(live=True) == {model.id for model in catalogue} - ended


def test_listing_tells_the_dead_from_the_living(sample, now):
    dead = {model.id for model in sample.models(live=False, now=now)}
    assert dead == {"old-paint", "older-paint"}
    later = now.replace(year=2027)
    assert {model.id for model in sample.models(live=False, now=later)} == dead | {"leaving"}


def test_another_name_is_reported(catalogue, check, adjusted):
    checked = check(catalogue, "flux/schnell")
    assert checked.request.model == "flux-schnell"
    assert adjusted(checked)["/model"] == ("replaced", "flux-schnell")


def test_a_preset_sets_its_parameters(sample, check, adjusted):
    checked = check(sample, "clip-2-720p-silent", sound=True)
    assert checked.request.model == "clip-2-720p"
    assert checked.request.parameters.sound is False
    assert adjusted(checked)["/model"] == ("replaced", "clip-2-720p")


def test_an_ended_model_is_served_by_its_successor(sample, check, adjusted):
    checked = check(sample, "old-paint")
    assert checked.model.id == "paint"
    assert adjusted(checked)["/model"] == ("replaced", "paint")


def test_substitution_can_be_switched_off(sample, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(sample, "old-paint", settings=PreflightSettings(use_successors=False))
    assert caught.value.code == "model_ended"
    assert caught.value.details == {"successor": "paint", "ends_on": "2026-05-12"}


def test_an_ended_model_without_substitute_is_refused_with_its_successor(sample, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(sample, "older-paint")
    assert caught.value.code == "model_ended"
    assert "paint" in caught.value.hint


def test_an_announced_end_warns_and_then_refuses(sample, check, adjusted, now):
    early = now.replace(month=8)
    assert "/model" not in adjusted(check(sample, "leaving", when=early))
    warned = check(sample, "leaving")
    assert adjusted(warned)["/model"] == ("warned", None)
    reason = next(item.reason for item in warned.adjustments if item.pointer == "/model")
    assert "2026-12-01" in reason
    assert "paint" in reason
    last_day = now.replace(month=12, day=1)
    assert check(sample, "leaving", when=last_day).routes
    with pytest.raises(InvalidRequestError) as caught:
        check(sample, "leaving", when=now.replace(month=12, day=2))
    assert caught.value.code == "model_ended"


def test_a_model_lives_on_while_one_route_does(sample, check, adjusted, now):
    assert [plan.provider for plan in check(sample, "paint").routes] == ["alpha", "beta"]
    later = check(sample, "paint", when=now.replace(month=12))
    assert [plan.provider for plan in later.routes] == ["alpha"]
    assert "/model" not in adjusted(later)


def test_a_quality_that_names_a_sibling_switches_to_it(sample, check, adjusted):
    checked = check(sample, "paint", quality="fast")
    assert checked.model.id == "paint-fast"
    assert adjusted(checked)["/model"] == ("replaced", "paint-fast")
    assert check(sample, "paint", quality="standard").model.id == "paint"


@pytest.mark.parametrize(
    ("provider", "code"),
    [("nobody", "unknown_provider"), ("fal", "unsupported_by_provider"), (7, "unknown_provider")],
)
def test_a_named_provider_must_serve_the_model(catalogue, check, provider, code):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, "gen4_turbo", provider=provider)
    assert caught.value.code == code
    assert caught.value.pointer == "/provider"


def test_a_provider_without_models_is_known_when_the_operator_says_so(catalogue, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(
            catalogue,
            "gen4_turbo",
            provider="stability",
            settings=PreflightSettings(providers=frozenset({"stability"})),
        )
    assert caught.value.code == "unsupported_by_provider"


def test_a_named_provider_is_the_only_route(catalogue, check):
    everyone = [p.provider for p in check(catalogue, "gpt-image-2").routes]
    assert everyone == ["openai", "kie", "fal"]
    assert [p.provider for p in check(catalogue, "gpt-image-2", provider="fal").routes] == ["fal"]


def test_a_named_provider_must_offer_the_operation(sample, check, media):
    with pytest.raises(InvalidRequestError) as caught:
        check(sample, "paint", provider="beta", inputs=(media("reference_image"),))
    assert caught.value.code == "unsupported_by_provider"
    assert caught.value.details["allowed"] == ["alpha"]
