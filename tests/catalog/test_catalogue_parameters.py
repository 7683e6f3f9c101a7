import pytest

from mediawright.catalog.preflight import PreflightSettings
from mediawright.catalog.values import (
    classify_media_url,
    parse_duration,
    parse_generation_type,
)
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import EditMode, MediaKind, Operation


@pytest.mark.rule(4, shows=("accepts", "adjusts"))
def test_operation_is_chosen_from_inputs_and_reported(catalogue, check, adjusted, media):
    plain = check(catalogue, "gen4.5")
    assert plain.operation is Operation.TEXT_TO_VIDEO
    assert adjusted(plain)["/operation"] == ("defaulted", "text-to-video")
    with_picture = check(catalogue, "gen4.5", inputs=(media("first_frame"),))
    assert with_picture.operation is Operation.IMAGE_TO_VIDEO
    only = check(catalogue, "gen4_turbo", inputs=(media("first_frame"),))
    assert only.operation is Operation.IMAGE_TO_VIDEO
    stated = check(catalogue, "gen4.5", operation="text-to-video")
    assert "/operation" not in adjusted(stated)


def test_operation_with_optional_references_stays_text_to_video(sample, check, media):
    referenced = check(sample, "clip-2-720p", inputs=(media("reference_image"),))
    assert referenced.operation is Operation.TEXT_TO_VIDEO
    framed = check(sample, "clip-2-720p", inputs=(media("first_frame"),))
    assert framed.operation is Operation.IMAGE_TO_VIDEO


@pytest.mark.rule(4, shows="refuses")
def test_operation_must_be_the_models(catalogue, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, "gen4_turbo", operation="text-to-image")
    assert caught.value.code == "unsupported_generation_type"
    assert caught.value.details["allowed"] == ["image-to-video"]


@pytest.mark.rule(1, shows="refuses")
@pytest.mark.parametrize("prompt", [None, "", "  \n "])
def test_prompt_is_required(catalogue, problems, prompt):
    assert problems(catalogue, "flux-schnell", prompt=prompt) == [("prompt_required", "/prompt")]


@pytest.mark.parametrize("prompt", ["a\0b", "a\ud800b"])
def test_prompt_must_be_text_that_can_be_kept(catalogue, problems, prompt):
    assert problems(catalogue, "flux-schnell", prompt=prompt) == [("invalid_prompt", "/prompt")]
    assert problems(catalogue, "gpt-4o-mini-tts", instructions=prompt) == [
        ("invalid_instructions", "/parameters/instructions")
    ]
    assert problems(catalogue, prompt)[0][0] == "model_not_found"


def test_prompt_may_be_optional_or_unused(catalogue, check, adjusted, media):
    check(catalogue, "gen4_turbo", prompt=None, inputs=(media("first_frame"),))
    heard = check(
        catalogue, "local-listener", inputs=(media("reference_audio", "a.wav"),), prompt="names"
    )
    assert heard.request.prompt is None
    assert adjusted(heard)["/prompt"][0] == "dropped"


@pytest.mark.rule(29, shows=("accepts", "refuses"))
def test_prompt_length_is_counted_and_never_cut(catalogue, check, problems):
    assert check(catalogue, "eleven_multilingual_v2", prompt="x" * 10_000).request.prompt
    too_long = [("prompt_too_long", "/prompt")]
    assert problems(catalogue, "eleven_multilingual_v2", prompt="x" * 10_001) == too_long
    assert problems(catalogue, "flux-schnell", prompt="x" * 32_001) == too_long
    stricter = PreflightSettings(prompt_max=10)
    assert problems(catalogue, "flux-schnell", prompt="x" * 11, settings=stricter) == too_long


def test_prompt_length_may_be_counted_in_utf16(catalogue, check, problems):
    assert check(catalogue, "gen4_image", prompt="🪁" * 500).routes
    assert problems(catalogue, "gen4_image", prompt="🪁" * 500 + "x")[0][0] == "prompt_too_long"


def test_a_route_with_a_shorter_prompt_is_skipped(sample, check, problems):
    assert [p.provider for p in check(sample, "clip-2-720p", prompt="x" * 1000).routes] == [
        "alpha",
        "beta",
    ]
    assert [p.provider for p in check(sample, "clip-2-720p", prompt="x" * 1001).routes] == ["beta"]
    assert problems(sample, "clip-2-720p", prompt="x" * 1001, provider="alpha") == [
        ("prompt_too_long", "/prompt")
    ]


@pytest.mark.parametrize(
    ("words", "code", "pointer"),
    [
        ({"aspect_ratio": "7:3"}, "invalid_aspect_ratio", "/parameters/aspect_ratio"),
        ({"quality": "8K"}, "invalid_quality", "/parameters/quality"),
        ({"quality": 2}, "invalid_quality", "/parameters/quality"),
        ({"seed": 101}, "invalid_seed", "/parameters/seed"),
        ({"seed": 1.5}, "invalid_seed", "/parameters/seed"),
        ({"seed": True}, "invalid_seed", "/parameters/seed"),
        ({"count": 0}, "invalid_n", "/parameters/count"),
        ({"count": 5}, "invalid_n", "/parameters/count"),
        ({"negative_prompt": "x" * 11}, "invalid_negative_prompt", "/parameters/negative_prompt"),
        ({"edit_mode": EditMode.UPSCALE}, "unsupported_by_model", "/parameters/edit_mode"),
    ],
)
def test_bad_values_are_refused(sample, problems, words, code, pointer):
    assert problems(sample, "paint", **words) == [(code, pointer)]


@pytest.mark.parametrize("duration", [3, 3.9, 15.5, 16, 4.5, float("nan"), "soon", True])
def test_bad_durations_are_refused(sample, problems, duration):
    assert problems(sample, "clip-2-720p", duration=duration) == [
        ("invalid_duration", "/parameters/duration")
    ]


@pytest.mark.parametrize("duration", [4, 15.0, "7s", "7"])
def test_good_durations_pass(sample, check, duration):
    applied = check(sample, "clip-2-720p", duration=duration).request.parameters.duration
    assert applied == (7 if isinstance(duration, str) else duration)


def test_refusals_name_what_is_allowed(sample, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(sample, "paint", aspect_ratio="7:3")
    assert caught.value.details == {"given": "7:3", "allowed": ["1:1", "16:9", "auto"]}
    assert caught.value.hint == "Use one of 1:1, 16:9, auto."
    with pytest.raises(InvalidRequestError) as caught:
        check(sample, "clip-2-720p", duration=99)
    assert caught.value.details == {"given": 99, "minimum": 4, "maximum": 15}
    assert caught.value.hint == "Use a whole number from 4 to 15."


@pytest.mark.rule(26, shows="adjusts")
def test_defaults_are_filled_in_and_reported(sample, check, adjusted):
    checked = check(sample, "paint")
    assert checked.request.parameters.quality == "1K"
    assert adjusted(checked)["/parameters/quality"] == ("defaulted", "1K")
    assert "/parameters/seed" not in adjusted(checked)


def test_other_words_are_mapped_and_reported(sample, check, adjusted):
    for given, applied in (("standard", "1K"), ("HD", "2K"), ("2k", "2K")):
        checked = check(sample, "paint", quality=given)
        assert checked.request.parameters.quality == applied
        assert adjusted(checked)["/parameters/quality"] == ("replaced", applied)
    assert "/parameters/quality" not in adjusted(check(sample, "paint", quality="2K"))


def test_what_a_model_ignores_is_dropped_and_reported(sample, check, adjusted):
    checked = check(sample, "paint", sound=True, duration=5, resolution="4K", lyrics="la")
    assert checked.request.parameters.sound is None
    dropped = {pointer for pointer, (kind, _) in adjusted(checked).items() if kind == "dropped"}
    assert dropped == {f"/parameters/{n}" for n in ("sound", "duration", "resolution", "lyrics")}
    reasons = {item.pointer: item.reason for item in checked.adjustments}
    assert reasons["/parameters/sound"] == "pictures are silent"


def test_a_fixed_value_wins_and_says_so(sample, check, adjusted):
    checked = check(sample, "clip-2-720p", resolution="1080p")
    assert checked.request.parameters.resolution == "720p"
    assert adjusted(checked)["/parameters/resolution"] == ("dropped", "720p")
    agreed = check(sample, "clip-2-720p", resolution="720p")
    assert "/parameters/resolution" not in adjusted(agreed)


def test_clamped_values_are_moved_and_reported(sample, catalogue, check, adjusted):
    assert check(sample, "paint", guidance_scale=7).request.parameters.guidance_scale == 7
    checked = check(sample, "paint", guidance_scale=50)
    assert checked.request.parameters.guidance_scale == 20
    moved = [item for item in checked.adjustments if item.kind.value == "clamped"]
    assert [(item.pointer, item.requested, item.applied) for item in moved] == [
        ("/parameters/guidance_scale", 50, 20)
    ]
    tune = check(catalogue, "local-sketch-music", duration=0.2)
    assert tune.request.parameters.duration == 1


def test_required_parameters_must_be_given(problems, sample):
    from mediawright.catalog.loader import build_catalogue

    text = """
[[model]]
id = "speak"
title = "Speak"
summary = "Speech."
kind = "audio"
source = { text = "a test", seen_on = 2026-11-01 }
operations.text-to-speech = {}
parameters.voice = { values = ["ann", "bob"], required = true }
routes = [{ provider = "alpha", upstream_id = "speak", fields = { voice = "voice" } }]
"""
    one = build_catalogue([("one.toml", text)])
    assert problems(one, "speak") == [("invalid_voice", "/parameters/voice")]
    assert problems(one, "speak", voice="Ann") == []


def test_size_and_ratio_together_keep_the_size(catalogue, check, adjusted):
    checked = check(catalogue, "flux-schnell", size="1280x720", aspect_ratio="1:1")
    assert checked.request.parameters.size == "1280x720"
    assert checked.request.parameters.aspect_ratio is None
    assert adjusted(checked)["/parameters/aspect_ratio"][0] == "dropped"


def test_a_size_becomes_a_ratio_where_only_ratios_are_known(sample, check, adjusted):
    checked = check(sample, "paint", size="1920x1080")
    assert checked.request.parameters.aspect_ratio == "16:9"
    assert adjusted(checked)["/parameters/size"] == ("replaced", "16:9")
    odd = check(sample, "paint", size="1000x333")
    assert odd.request.parameters.aspect_ratio == "1:1"
    assert adjusted(odd)["/parameters/size"][0] == "dropped"
    auto = check(sample, "paint", size="auto")
    assert auto.request.parameters.aspect_ratio == "auto"


def test_a_ratio_becomes_a_size_where_only_sizes_are_known(sample, check, adjusted, problems):
    checked = check(sample, "leaving", aspect_ratio="16:9")
    assert checked.request.parameters.size == "1344x768"
    assert adjusted(checked)["/parameters/aspect_ratio"] == ("replaced", "1344x768")
    assert problems(sample, "leaving", size="640x640") == [("invalid_size", "/parameters/size")]


@pytest.mark.parametrize(
    "size",
    ["1000x1000", "4096x1024", "256x256", "3840x3840", "2048x640", "big", "0x0", "1e3x2", 1024],
)
def test_sizes_out_of_bounds_are_refused(catalogue, problems, size):
    assert problems(catalogue, "gpt-image-2", size=size) == [("invalid_size", "/parameters/size")]


@pytest.mark.parametrize(
    ("size", "tier"), [("1536x1024", "1K"), ("2048x2048", "2K"), ("3840x2160", "4K")]
)
def test_an_explicit_size_has_its_tier_and_price(catalogue, check, adjusted, size, tier):
    checked = check(catalogue, "gpt-image-2", size=size, resolution="1K")
    assert checked.request.parameters.resolution == tier
    assert checked.price.credits == {"1K": 11, "2K": 15, "4K": 21}[tier]
    assert checked.routes[0].fields["size"] == size


@pytest.mark.rule(40, shows=("accepts", "adjusts"))
def test_seed_is_passed_where_it_can_be_and_warned_about_elsewhere(sample, check, adjusted):
    checked = check(sample, "paint", seed=7)
    assert [plan.fields.get("seed") for plan in checked.routes] == [None, 7]
    warning = next(item for item in checked.adjustments if item.pointer == "/parameters/seed")
    assert warning.kind.value == "warned"
    assert "alpha" in warning.reason
    assert "beta" not in warning.reason


def test_a_route_that_cannot_carry_a_parameter_is_skipped(sample, check, problems):
    checked = check(sample, "paint", guidance_scale=5)
    assert [plan.provider for plan in checked.routes] == ["alpha", "beta"]
    audible = check(sample, "clip-2-720p", duration=12)
    assert [plan.provider for plan in audible.routes] == ["beta"]
    assert problems(sample, "clip-2-720p", duration=12, provider="alpha") == [
        ("invalid_duration", "/parameters/duration")
    ]


def test_vendor_settings_go_to_their_provider_untouched(sample, check, adjusted):
    checked = check(
        sample,
        "paint",
        vendor={"alpha": {"settings": {"boost": [1]}, "x": None}, "gamma": {"y": 1}},
        guidance_scale=5,
    )
    assert checked.routes[0].fields["settings"] == {"guidance": 5, "boost": [1]}
    assert checked.routes[0].fields["x"] is None
    assert "x" not in checked.routes[1].fields
    assert checked.request.parameters.vendor == {"alpha": {"settings": {"boost": [1]}, "x": None}}
    assert adjusted(checked)["/parameters/vendor/gamma"][0] == "dropped"


@pytest.mark.parametrize(
    "settings",
    [{"n": 10}, {"settings": {"guidance": 9}}, {"settings": 3}, {"prompt": "x"}, {"model": "y"}],
)
def test_vendor_settings_may_not_undo_what_was_priced(sample, problems, settings):
    found = problems(sample, "paint", vendor={"alpha": settings}, provider="alpha")
    assert found[0][0] == "vendor_setting_not_allowed"
    assert found[0][1].startswith("/parameters/vendor/alpha/")


@pytest.mark.parametrize("vendor", [[], "x", {"alpha": 3}, {1: {}}, {"alpha": {2: 3}}])
def test_vendor_settings_must_be_tables(sample, problems, vendor):
    assert problems(sample, "paint", vendor=vendor) == [("invalid_vendor", "/parameters/vendor")]


def test_all_problems_are_collected_in_a_stable_order(sample, check, problems, media):
    words = {
        "prompt": None,
        "operation": "text-to-image",
        "inputs": (media("reference_image"),),
        "count": 9,
        "quality": "8K",
    }
    expected = [
        ("prompt_required", "/prompt"),
        ("source_media_not_allowed", "/inputs"),
        ("invalid_quality", "/parameters/quality"),
        ("invalid_n", "/parameters/count"),
    ]
    assert problems(sample, "paint", **words) == expected
    with pytest.raises(InvalidRequestError) as caught:
        check(sample, "paint", **words)
    assert caught.value.code == "prompt_required"
    listed = [(item["code"], item["pointer"]) for item in caught.value.details["problems"]]
    assert listed == expected


def test_a_single_problem_has_no_list(sample, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(sample, "paint", prompt=None)
    assert "problems" not in caught.value.details


@pytest.mark.rule(28, shows="accepts")
def test_durations_are_read_in_every_spelling():
    assert [parse_duration(value) for value in ("5s", "5", 5, 2.5, " 10 S ")] == [5, 5, 5, 2.5, 10]
    for value in ("s", "", "-5", None, True, float("inf"), [5]):
        with pytest.raises(InvalidRequestError) as caught:
            parse_duration(value)
        assert caught.value.code == "invalid_duration"


@pytest.mark.rule(3, shows=("accepts", "refuses"))
def test_generation_types():
    assert parse_generation_type("image-to-video") is Operation.IMAGE_TO_VIDEO
    for value in ("text-to-nothing", "video", None, 3):
        with pytest.raises(InvalidRequestError) as caught:
            parse_generation_type(value)
        assert caught.value.code == "invalid_generation_type"


@pytest.mark.rule(8, shows="accepts")
@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://a.test/x.JPG", MediaKind.IMAGE),
        ("https://a.test/x.jpeg?sig=a.mp4", MediaKind.IMAGE),
        ("https://a.test/a.b/x.webm#t=1", MediaKind.VIDEO),
        ("x.m4a", MediaKind.AUDIO),
    ],
)
def test_media_urls_are_classified_by_extension(url, kind):
    assert classify_media_url(url) is kind


@pytest.mark.rule(8, shows="refuses")
@pytest.mark.parametrize("url", ["https://a.test/x", "https://a.test/x.exe", "", "https://[/x.png"])
def test_other_extensions_are_unknown(url):
    with pytest.raises(InvalidRequestError) as caught:
        classify_media_url(url, pointer="/inputs/2")
    assert caught.value.code == "unknown_media_type"
    assert caught.value.pointer == "/inputs/2"
