"""Rules of the generate request that no other file shows from both sides."""

import pytest
from pydantic import ValidationError

from mediawright.api.request_bodies import GenerateBody
from mediawright.core.errors import InvalidRequestError, NotFoundError

RATIO = "/parameters/aspect_ratio"


@pytest.mark.rule(1, shows="accepts")
def test_a_prompt_is_kept_as_it_is(catalogue, check):
    assert check(catalogue, "nano-banana", prompt=" a kite\n").request.prompt == " a kite\n"


@pytest.mark.rule(1, shows="refuses")
@pytest.mark.parametrize("prompt", [None, "", " \n", 7, ["a kite"]])
def test_a_request_without_a_prompt_is_refused(catalogue, problems, prompt):
    assert problems(catalogue, "nano-banana", prompt=prompt) == [("prompt_required", "/prompt")]


@pytest.mark.rule(2, shows="accepts")
def test_a_model_that_exists_is_taken(catalogue, check):
    assert check(catalogue, "nano-banana").model.id == "nano-banana"


@pytest.mark.rule(2, shows="refuses")
def test_a_model_must_be_named_and_exist(catalogue, check):
    for name in ("", None):
        with pytest.raises(InvalidRequestError) as caught:
            check(catalogue, name)
        assert (caught.value.code, caught.value.pointer) == ("model_required", "/model")
    with pytest.raises(NotFoundError) as missing:
        check(catalogue, "nano-bananas")
    assert (missing.value.code, missing.value.kind.http_status) == ("model_not_found", 404)


@pytest.mark.rule(3, shows="accepts")
@pytest.mark.parametrize(
    ("operation", "model", "roles"),
    [
        ("text-to-image", "nano-banana", ()),
        ("image-to-image", "nano-banana", ("reference_image",)),
        ("text-to-video", "wan-2-5", ()),
        ("image-to-video", "wan-2-5", ("first_frame",)),
    ],
)
def test_each_type_of_generation_is_done(catalogue, check, *, media, operation, model, roles):
    inputs = tuple(media(role) for role in roles)
    assert check(catalogue, model, operation=operation, inputs=inputs).operation.value == operation


@pytest.mark.rule(4, shows="refuses")
@pytest.mark.parametrize(
    ("model", "operation"),
    [
        ("nano-banana", "text-to-video"),
        ("wan-2-5", "text-to-image"),
        ("kling-2-6-text-to-video", "image-to-video"),
        ("p-image-edit", "text-to-image"),
    ],
)
def test_what_a_model_does_not_do_is_refused(catalogue, check, model, operation):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, model, operation=operation)
    error = caught.value
    assert (error.code, error.pointer) == ("unsupported_generation_type", "/operation")
    assert operation not in error.details["allowed"]


@pytest.mark.rule(5, shows="accepts")
def test_one_address_is_a_list_of_one():
    def sources(given):
        return GenerateBody(prompt="x", model="m", source_media_urls=given).source_media_urls

    url = "https://h.test/a.png"
    assert sources(url) == sources([url]) == [url]
    assert sources(None) is None


@pytest.mark.rule(5, shows="refuses")
@pytest.mark.parametrize("given", [7, {"url": "https://h.test/a.png"}, [7], [None], True])
def test_source_media_are_addresses_and_nothing_else(given):
    with pytest.raises(ValidationError) as caught:
        GenerateBody.model_validate({"prompt": "x", "model": "m", "source_media_urls": given})
    assert {fault["loc"][0] for fault in caught.value.errors()} == {"source_media_urls"}


@pytest.mark.rule(6, shows="accepts")
def test_source_media_make_an_edit(catalogue, check, media):
    words = {"operation": "image-to-image", "inputs": (media("reference_image"),)}
    assert check(catalogue, "nano-banana", **words).routes


@pytest.mark.rule(9, shows="accepts")
def test_sound_and_clips_go_where_they_are_taken(catalogue, check, media):
    inputs = (
        media("reference_image"),
        media("reference_video", "a.mp4"),
        media("reference_audio", "a.mp3"),
    )
    assert check(catalogue, "seedance-2-720p-video-ref", inputs=inputs).routes


@pytest.mark.rule(9, shows="refuses")
@pytest.mark.parametrize("name", ["a.mp4", "a.mp3"])
def test_picture_models_take_neither_clips_nor_sound(catalogue, problems, media, name):
    role = "reference_video" if name == "a.mp4" else "reference_audio"
    words = {"operation": "image-to-image", "inputs": (media(role, name),)}
    assert ("unsupported_media_kind", "/inputs/0") in problems(catalogue, "nano-banana", **words)


@pytest.mark.rule(19, shows="accepts")
@pytest.mark.parametrize("number", [1, 2])
def test_one_frame_or_two_open_and_close_a_film_of_seedance(catalogue, check, media, number):
    inputs = tuple(media("reference_image", f"{n}.png") for n in range(number))
    checked = check(catalogue, "seedance-2-720p", operation="image-to-video", inputs=inputs)
    roles = [item.role.value for item in checked.request.inputs]
    assert roles == ["first_frame", "last_frame"][:number]


@pytest.mark.rule(21, shows="accepts")
@pytest.mark.parametrize("model", ["seedance-2-480p", "seedance-2-fast-720p"])
def test_each_row_takes_its_own_requests(catalogue, check, media, model):
    clip = (media("reference_video", "a.mp4"),)
    assert check(catalogue, model, operation="text-to-video").model.id == model
    referring = f"{model}-video-ref"
    words = {"operation": "text-to-video", "inputs": clip}
    assert check(catalogue, referring, **words).model.id == referring


@pytest.mark.rule(22, shows="adjusts")
@pytest.mark.parametrize(
    ("model", "ratio"), [("nano-banana", "1:1"), ("veo3-1", "16:9"), ("gpt-image-2", "1:1")]
)
def test_a_ratio_that_is_not_given_is_filled_in(catalogue, check, *, adjusted, model, ratio):
    checked = check(catalogue, model)
    assert checked.request.parameters.aspect_ratio == ratio
    assert adjusted(checked)[RATIO] == ("defaulted", ratio)


@pytest.mark.rule(23, shows="accepts")
@pytest.mark.parametrize(
    ("model", "tiers"),
    [
        ("gpt-image-2", ["1K", "2K", "4K"]),
        ("nano-banana-pro", ["1K", "2K", "4K"]),
        ("nano-banana-2", ["1K", "2K", "4K"]),
        ("flux-2", ["1K", "2K"]),
    ],
)
def test_tiers_where_they_count(catalogue, check, *, adjusted, model, tiers):
    for tier in tiers:
        checked = check(catalogue, model, resolution=tier, aspect_ratio="16:9")
        assert checked.request.parameters.resolution == tier
        assert "/parameters/resolution" not in adjusted(checked)
    default = check(catalogue, model)
    assert adjusted(default)["/parameters/resolution"] == ("defaulted", "1K")


@pytest.mark.rule(23, shows="refuses")
@pytest.mark.parametrize("model", ["gpt-image-2", "nano-banana-pro", "nano-banana-2", "flux-2"])
@pytest.mark.parametrize("tier", ["8K", "", "1080p"])
def test_tiers_that_there_are_not(catalogue, problems, model, tier):
    found = problems(catalogue, model, resolution=tier, aspect_ratio="16:9")
    assert found == [("invalid_resolution", "/parameters/resolution")]


@pytest.mark.rule(25, shows="accepts")
@pytest.mark.parametrize("model", ["nano-banana-pro", "nano-banana-2"])
def test_every_ratio_goes_with_every_tier(catalogue, problems, model):
    for ratio in catalogue.get(model).parameters["aspect_ratio"].values:
        for tier in ("1K", "2K", "4K"):
            assert problems(catalogue, model, aspect_ratio=ratio, resolution=tier) == []


@pytest.mark.rule(25, shows="refuses")
def test_flux_2_has_no_4k(catalogue, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, "flux-2", resolution="4K")
    assert caught.value.code == "invalid_resolution"
    assert caught.value.details["allowed"] == ["1K", "2K"]


@pytest.mark.rule(26, shows="refuses")
@pytest.mark.parametrize("model", ["seedream-v4", "seedream-v4-5"])
def test_a_word_that_is_no_quality_is_refused(catalogue, problems, model):
    found = problems(catalogue, model, quality="splendid")
    assert found == [("invalid_quality", "/parameters/quality")]


@pytest.mark.rule(33, shows="adjusts")
def test_what_becomes_of_sound_with_seedance_is_reported(catalogue, check, adjusted):
    left = check(catalogue, "seedance-2-720p", operation="text-to-video")
    assert adjusted(left)["/parameters/sound"] == ("defaulted", True)
    for sound in (True, False):
        said = check(catalogue, "seedance-2-720p", operation="text-to-video", sound=sound)
        assert said.request.parameters.sound is sound
        assert said.price == left.price


@pytest.mark.rule(34, shows="adjusts")
@pytest.mark.parametrize("model", ["wan-2-5", "veo3-1", "grok-text-to-video-6s"])
def test_no_switch_for_sound_does_not_mean_silence(catalogue, check, *, adjusted, model):
    checked = check(catalogue, model, operation="text-to-video", sound=False)
    assert adjusted(checked)["/parameters/sound"][0] == "dropped"
    assert checked.model.supports_sound is False
    assert checked.model.video_audio.value == "included"


@pytest.mark.rule(40, shows="refuses")
@pytest.mark.parametrize("seed", ["seven", 1.5, True, -1, 2**70])
def test_a_seed_that_is_no_number_in_range_is_refused(catalogue, problems, seed):
    assert problems(catalogue, "flux-2", seed=seed) == [("invalid_seed", "/parameters/seed")]
