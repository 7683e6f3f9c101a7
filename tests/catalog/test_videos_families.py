"""Wan, Seedance 1, Grok, Veo, Sora and P-Video: counts, durations, routes, lifecycle."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from mediawright.catalog.loader import build_catalogue, built_in_sources
from mediawright.catalog.public import public_model
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind
from mediawright.core.request import Shot

I2V = "image-to-video"
T2V = "text-to-video"


@pytest.fixture(scope="session")
def pictures(media):
    def make(number):
        return tuple(media("reference_image", f"{n}.png") for n in range(number))

    return make


def codes(found):
    return [code for code, _ in found]


# Counts of files


@pytest.mark.rule(11, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("model", "operation", "allowed"),
    [
        ("kling-2-6-image-to-video", I2V, {1}),
        ("wan-2-5", I2V, {1}),
        ("grok-image-to-video", I2V, {1}),
        ("v1-pro-fast-i2v", I2V, {1}),
        ("kling-2-5-image-to-video-pro", I2V, {1, 2}),
        ("kling-3-0-std", I2V, {1, 2}),
        ("kling-3-0-pro", I2V, {1, 2}),
        ("seedance-1-5-pro", T2V, {0, 1}),
        ("seedance-1-5-pro", I2V, {2}),
        ("seedance-2-480p", I2V, {1, 2}),
        ("veo3-1", T2V, {0, 1}),
        ("veo3-1", I2V, {1, 2, 3}),
        ("veo3-1-fast", I2V, {1, 2, 3}),
        ("p-video-720p", I2V, {1, 2}),
    ],
)
def test_how_many_pictures_a_model_takes(
    catalogue, check, *, problems, pictures, model, operation, allowed
):
    for number in range(5):
        words = {"operation": operation, "inputs": pictures(number)}
        if number in allowed:
            assert check(catalogue, model, **words).routes
            continue
        expected = "source_media_required" if number == 0 else "invalid_media_count"
        if model.startswith("seedance-2") and number:
            expected = "too_many_images"
        assert expected in codes(problems(catalogue, model, **words))


@pytest.mark.rule(7, 39, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    "model", ["grok-text-to-video-6s", "wan-2-5", "kling-2-5-text-to-video-pro", "kling-3-0-std"]
)
def test_text_to_video_takes_no_files(catalogue, check, problems, *, pictures, model):
    assert check(catalogue, model, operation=T2V).routes
    found = problems(catalogue, model, operation=T2V, inputs=pictures(1))
    assert found == [("source_media_not_allowed", "/inputs")]


@pytest.mark.rule(9, shows="refuses")
@pytest.mark.parametrize("model", ["wan-2-5", "veo3-1", "seedance-1-5-pro", "kling-3-0-pro"])
def test_picture_models_take_no_clips(catalogue, problems, media, model):
    found = problems(catalogue, model, operation=I2V, inputs=(media("reference_video", "a.mp4"),))
    assert found[0] == ("unsupported_media_kind", "/inputs/0")


@pytest.mark.rule(39, shows=("accepts", "refuses"))
def test_the_kind_of_generation_is_checked_before_pictures_are_counted(
    catalogue, check, problems, pictures
):
    model = "seedance-1-5-pro"
    found = problems(catalogue, model, operation="image-to-image", inputs=pictures(3))
    assert found == [("unsupported_generation_type", "/operation")]
    roles = [item.role.value for item in check(catalogue, model, inputs=pictures(2)).request.inputs]
    assert roles == ["first_frame", "last_frame"]
    assert check(catalogue, model, inputs=pictures(1)).operation.value == T2V


@pytest.mark.rule(11, shows=("accepts", "adjusts"))
@pytest.mark.parametrize(
    ("number", "roles"),
    [
        (1, ["first_frame"]),
        (2, ["first_frame", "last_frame"]),
        (3, ["reference_image"] * 3),
    ],
)
@pytest.mark.parametrize("model", ["veo3-1", "veo3-1-fast"])
def test_the_number_of_pictures_says_what_veo_does_with_them(
    catalogue, check, *, adjusted, pictures, model, number, roles
):
    checked = check(catalogue, model, operation=I2V, inputs=pictures(number))
    assert [item.role.value for item in checked.request.inputs] == roles
    reported = {pointer for pointer in adjusted(checked) if pointer.startswith("/inputs")}
    assert len(reported) == (0 if number == 3 else number)
    again = check(catalogue, model, operation=I2V, inputs=checked.request.inputs)
    assert again.request.inputs == checked.request.inputs
    assert not [p for p in adjusted(again) if p.startswith("/inputs")]


@pytest.mark.rule(11, 52, shows=("accepts", "refuses"))
def test_veo_keeps_roles_that_the_caller_named(catalogue, check, problems, media):
    first, last = media("first_frame"), media("last_frame", "b.png")
    words = {"operation": I2V}
    roles = check(catalogue, "veo3-1", inputs=(last, first), **words).request.inputs
    assert [item.role.value for item in roles] == ["last_frame", "first_frame"]
    assert codes(problems(catalogue, "veo3-1", inputs=(last,), **words)) == [
        "last_frame_without_first_frame"
    ]
    mixed = (first, last, media("reference_image", "c.png"))
    assert codes(problems(catalogue, "veo3-1", inputs=mixed, **words)) == [
        "frames_and_references_mixed"
    ]


@pytest.mark.rule(4, shows="accepts")
def test_without_a_type_the_pictures_choose_it(catalogue, check, pictures):
    chosen = [
        check(catalogue, "veo3-1", inputs=pictures(number)).operation.value for number in range(4)
    ]
    assert chosen == [T2V, T2V, I2V, I2V]


def test_each_mode_of_veo_has_its_own_routes(catalogue, check, pictures):
    def routes(model, operation, number):
        checked = check(catalogue, model, operation=operation, inputs=pictures(number))
        return [(plan.provider, plan.upstream_id) for plan in checked.routes]

    assert routes("veo3-1", T2V, 0) == [
        ("runway", "veo3.1"),
        ("kie", "veo3"),
        ("fal", "fal-ai/veo3.1"),
    ]
    assert routes("veo3-1", T2V, 1) == [("fal", "fal-ai/veo3.1/reference-to-video")]
    assert routes("veo3-1", I2V, 1)[-1] == ("fal", "fal-ai/veo3.1/image-to-video")
    assert routes("veo3-1", I2V, 2)[-1] == ("fal", "fal-ai/veo3.1/first-last-frame-to-video")
    assert routes("veo3-1", I2V, 3) == [("fal", "fal-ai/veo3.1/reference-to-video")]
    assert routes("veo3-1-fast", I2V, 3) == [("kie", "veo3_fast")]
    assert routes("veo3-1-fast", T2V, 0)[-1] == ("google", "veo-3.1-lite-generate-001")


def test_a_route_of_veo_ends_with_its_day(catalogue, check):
    def providers(day):
        when = datetime(2026, 11, day, tzinfo=UTC)
        return [plan.provider for plan in check(catalogue, "veo3-1", when=when).routes]

    assert providers(17) == ["runway", "kie", "fal", "google"]
    assert providers(18) == ["runway", "kie", "fal"]


# Durations


@pytest.mark.rule(28, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("model", "operation", "number", "allowed"),
    [
        ("kling-2-6-text-to-video", T2V, 0, {5, 10}),
        ("kling-2-6-image-to-video", I2V, 1, {5, 10}),
        ("wan-2-5", T2V, 0, {5, 10}),
        ("wan-2-5", I2V, 1, {5, 10}),
        ("v1-pro-fast-i2v", I2V, 1, {5, 10}),
        ("seedance-1-5-pro", T2V, 0, {4, 8, 12}),
        ("seedance-1-5-pro", I2V, 2, {4, 8, 12}),
    ],
)
def test_listed_durations_and_no_others(
    catalogue, check, *, problems, pictures, model, operation, number, allowed
):
    words = {"operation": operation, "inputs": pictures(number)}
    for seconds in range(1, 16):
        for written in (seconds, str(seconds), f"{seconds}s"):
            found = problems(catalogue, model, duration=written, **words)
            refused = [("invalid_duration", "/parameters/duration")]
            assert found == ([] if seconds in allowed else refused)
    default = check(catalogue, model, **words)
    assert default.request.parameters.duration == min(allowed)


@pytest.mark.rule(28, shows="adjusts")
@pytest.mark.parametrize(
    ("model", "number", "seconds"),
    [
        ("grok-text-to-video-6s", 0, 6.0),
        ("grok-image-to-video", 1, 6.0),
        ("kling-2-5-image-to-video-pro", 1, 5.0),
        ("veo3-1", 0, 8.0),
        ("veo3-1-fast", 0, 8.0),
    ],
)
def test_a_fixed_duration_ignores_what_is_asked(
    catalogue, check, *, adjusted, now, pictures, model, number, seconds
):
    checked = check(catalogue, model, duration=11, inputs=pictures(number))
    assert adjusted(checked)["/parameters/duration"] == ("dropped", seconds)
    assert checked.request.parameters.duration == seconds
    described = public_model(catalogue.get(model), now=now)["duration"]
    assert described == {"configurable": False, "seconds": seconds}


# Sound


@pytest.mark.rule(34, shows="accepts")
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("wan-2-5", "included"),
        ("veo3-1", "included"),
        ("veo3-1-fast", "included"),
        ("sora-2", "included"),
        ("sora-2-pro", "included"),
        ("sora-2-pro-storyboard", "included"),
        ("grok-text-to-video-6s", "included"),
        ("grok-image-to-video", "included"),
        ("seedance-1-5-pro", "toggle_via_sound_param"),
        ("v1-pro-fast-i2v", "silent"),
        ("p-video-720p", "included"),
        ("seedance-2-480p", "included"),
    ],
)
def test_classes_of_sound(catalogue, now, model, expected):
    described = public_model(catalogue.get(model), now=now)
    assert described["capabilities"] == {"video_audio": expected}
    assert described["supports_sound"] is (expected == "toggle_via_sound_param")


@pytest.mark.rule(31, shows="adjusts")
@pytest.mark.parametrize(
    ("model", "number"),
    [("wan-2-5", 0), ("veo3-1", 0), ("grok-text-to-video-6s", 0), ("v1-pro-fast-i2v", 1)],
)
def test_sound_is_ignored_where_there_is_no_toggle(
    catalogue, check, *, adjusted, pictures, model, number
):
    checked = check(catalogue, model, sound=True, inputs=pictures(number))
    assert adjusted(checked)["/parameters/sound"][0] == "dropped"
    assert checked.price == check(catalogue, model, inputs=pictures(number)).price


@pytest.mark.rule(31, 32, shows=("accepts", "prices"))
@pytest.mark.parametrize(
    ("ratio", "seconds", "tokens"),
    [("16:9", 4, 86_400), ("1:1", 8, 172_800), ("21:9", 12, 260_466)],
)
def test_sound_of_seedance_1_5_costs_twice_as_much(catalogue, check, ratio, seconds, tokens):
    words = {"aspect_ratio": ratio, "duration": seconds}
    silent = check(catalogue, "seedance-1-5-pro", **words)
    loud = check(catalogue, "seedance-1-5-pro", sound=True, **words)
    assert silent.price.usd == (Decimal(tokens) * Decimal("1.2") / 10**6).quantize(
        Decimal("0.000001")
    )
    assert loud.price.usd == 2 * silent.price.usd
    assert [plan.fields["generate_audio"] for plan in silent.routes] == [False] * 3
    assert [plan.fields["generate_audio"] for plan in loud.routes] == [True] * 3


# What is honoured


@pytest.mark.rule(27, 40, shows="accepts")
def test_wan_honours_negative_prompt_and_seed(catalogue, check, problems, media):
    words = {"negative_prompt": "rain", "seed": 7, "aspect_ratio": "9:16"}
    text = check(catalogue, "wan-2-5", operation=T2V, **words).routes
    assert text[0].fields == {
        "input": {"negative_prompt": "rain"},
        "parameters": {"size": "720*1280", "duration": 5, "seed": 7, "watermark": False},
    }
    assert text[1].fields["seed"] == 7
    picture = check(
        catalogue, "wan-2-5", operation=I2V, inputs=(media("first_frame"),), **words
    ).routes
    assert picture[0].fields["parameters"]["resolution"] == "720P"
    assert "aspect_ratio" not in picture[1].fields
    assert problems(catalogue, "wan-2-5", negative_prompt="x" * 501) == [
        ("invalid_negative_prompt", "/parameters/negative_prompt")
    ]


@pytest.mark.rule(27, shows="adjusts")
@pytest.mark.parametrize("model", ["veo3-1", "grok-text-to-video-6s", "seedance-1-5-pro"])
def test_others_ignore_a_negative_prompt(catalogue, check, adjusted, model):
    checked = check(catalogue, model, negative_prompt="rain")
    assert adjusted(checked)["/parameters/negative_prompt"][0] == "dropped"


@pytest.mark.rule(22, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("model", "ratios", "default"),
    [
        ("wan-2-5", ["16:9", "9:16", "1:1"], "1:1"),
        ("seedance-1-5-pro", ["1:1", "4:3", "3:4", "16:9", "9:16", "21:9"], "1:1"),
        ("grok-text-to-video-6s", ["2:3", "3:2", "1:1", "16:9", "9:16"], "1:1"),
        ("veo3-1", ["16:9", "9:16"], "16:9"),
        ("veo3-1-fast", ["16:9", "9:16"], "16:9"),
        ("kling-2-5-text-to-video-pro", ["16:9", "9:16", "1:1"], "1:1"),
    ],
)
def test_ratios_of_the_model_and_no_others(
    catalogue, check, *, problems, now, model, ratios, default
):
    assert public_model(catalogue.get(model), now=now)["aspect_ratios"] == ratios
    for ratio in ratios:
        assert problems(catalogue, model, operation=T2V, aspect_ratio=ratio) == []
    assert problems(catalogue, model, operation=T2V, aspect_ratio="10:1") == [
        ("invalid_aspect_ratio", "/parameters/aspect_ratio")
    ]
    assert check(catalogue, model, operation=T2V).request.parameters.aspect_ratio == default


@pytest.mark.rule(23, shows="adjusts")
@pytest.mark.parametrize(
    ("model", "number", "resolution"),
    [
        ("wan-2-5", 0, "720p"),
        ("v1-pro-fast-i2v", 1, "720p"),
        ("seedance-1-5-pro", 0, "720p"),
        ("grok-text-to-video-6s", 0, "480p"),
        ("veo3-1", 0, "720p"),
    ],
)
def test_a_resolution_is_not_the_callers(
    catalogue, check, *, adjusted, pictures, model, number, resolution
):
    checked = check(catalogue, model, resolution="4K", inputs=pictures(number))
    assert adjusted(checked)["/parameters/resolution"] == ("dropped", resolution)


@pytest.mark.rule(29, shows=("accepts", "refuses"))
def test_a_provider_with_shorter_prompts_is_passed_over(catalogue, check, problems):
    def providers(model, length):
        return [plan.provider for plan in check(catalogue, model, prompt="x" * length).routes]

    assert providers("grok-text-to-video-6s", 4096) == ["xai", "kie", "fal"]
    assert providers("grok-text-to-video-6s", 4097) == ["kie", "fal"]
    assert providers("veo3-1", 1001) == ["kie", "fal"]
    for model in ("grok-text-to-video-6s", "veo3-1", "veo3-1-fast"):
        assert problems(catalogue, model, prompt="x" * 5001)[0][0] == "prompt_too_long"


# Runway serves Seedance 2 as well


@pytest.mark.rule(20, shows="accepts")
@pytest.mark.parametrize(
    ("model", "upstream", "ratio", "pixels"),
    [
        ("seedance-2-480p", "seedance2", "21:9", "992:432"),
        ("seedance-2-720p", "seedance2", "16:9", "1280:720"),
        ("seedance-2-1080p", "seedance2", "3:4", "1248:1664"),
        ("seedance-2-fast-720p", "seedance2_fast", "1:1", "960:960"),
    ],
)
def test_seedance_2_on_runway(catalogue, check, *, model, upstream, ratio, pixels):
    words = {"provider": "runway", "aspect_ratio": ratio, "duration": 15, "seed": 3}
    (plan,) = check(catalogue, model, **words).routes
    assert plan.upstream_id == upstream
    assert plan.fields == {"duration": 15, "audio": True, "seed": 3, "ratio": pixels}


def test_runway_does_not_follow_the_picture(catalogue, problems):
    found = problems(catalogue, "seedance-2-480p", provider="runway", aspect_ratio="adaptive")
    assert found == [("invalid_aspect_ratio", "/parameters/aspect_ratio")]


# P-Video with sound handed in


@pytest.mark.rule(9, 43, shows=("accepts", "prices"))
def test_sound_handed_in_sets_the_length_of_p_video(
    catalogue, check, *, adjusted, media, clip_facts
):
    inputs = (media("first_frame"), media("reference_audio", "a.mp3"))
    words = {"inputs": inputs, "operation": I2V, "duration": 3}

    def price(seconds):
        facts = {1: clip_facts(seconds, MediaKind.AUDIO, "audio/mpeg")} if seconds else {}
        return check(catalogue, "p-video-1080p", facts=facts, **words).price.usd

    assert price(7) == Decimal("0.28")
    assert price(90) == price(None) == Decimal("0.8")
    assert check(catalogue, "p-video-1080p", inputs=inputs[:1], duration=3).price.usd == Decimal(
        "0.12"
    )
    checked = check(catalogue, "p-video-1080p", **words)
    assert adjusted(checked)["/parameters/duration"][0] == "warned"
    assert checked.routes[0].fields["input_fields"]["reference_audio"] == "audio"


# Sora has ended; what it took is still written down


REVIVED = """
[[model]]
like = "{id}"
id = "{id}"
lifecycle = {{ status = "live" }}

[[model.routes]]
provider = "gateway"
upstream_id = "{id}"
fields = {{ aspect_ratio = "aspect_ratio", duration = "n_frames"{more} }}
input_fields = {{ first_frame = "image_urls[]" }}
"""
MORE = {
    "sora-2": "",
    "sora-2-pro": ', quality = "size"',
    "sora-2-pro-storyboard": ', shots = "shots"',
}


@pytest.fixture(scope="session")
def revived():
    """The catalogue of an operator who has a gateway that still serves Sora."""
    rows = "".join(REVIVED.format(id=model_id, more=more) for model_id, more in MORE.items())
    return build_catalogue([*built_in_sources(), ("own.toml", rows)])


@pytest.mark.parametrize("model", MORE)
def test_sora_has_ended_and_says_what_to_use(catalogue, check, now, model):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, model)
    error = caught.value
    successor = catalogue.get(model).lifecycle.successor
    assert (error.code, error.pointer) == ("model_ended", "/model")
    assert error.details == {"successor": successor, "ends_on": "2026-09-24"}
    assert error.hint == f"Use {successor}."
    described = public_model(catalogue.get(model), now=now)
    assert (described["live"], described["unavailable_reason"]) == (False, "ended")
    assert public_model(catalogue.get(successor), now=now)["live"]


@pytest.mark.rule(11, 28, shows=("accepts", "refuses"))
def test_sora_took_one_picture_and_ten_or_fifteen_seconds(revived, check, problems, pictures):
    for model in ("sora-2", "sora-2-pro"):
        for seconds in (10, "15s"):
            assert check(revived, model, duration=seconds).routes
        assert codes(problems(revived, model, duration=12)) == ["invalid_duration"]
        words = {"operation": I2V}
        assert check(revived, model, inputs=pictures(1), **words).routes
        assert codes(problems(revived, model, **words)) == ["source_media_required"]
        assert codes(problems(revived, model, inputs=pictures(2), **words)) == [
            "invalid_media_count"
        ]
    assert check(revived, "sora-2", duration=15).price.usd == Decimal("1.5")
    for word in ("portrait", "9:16"):
        fields = check(revived, "sora-2", aspect_ratio=word).routes[0].fields
        assert fields["aspect_ratio"] == "9:16"


@pytest.mark.rule(26, shows=("accepts", "prices"))
@pytest.mark.parametrize(
    ("words", "quality", "usd"),
    [
        ({}, "standard", "3"),
        ({"quality": "standard"}, "standard", "3"),
        ({"quality": "pro"}, "hd", "5"),
        ({"quality": "high"}, "hd", "5"),
        ({"quality": "hd"}, "hd", "5"),
    ],
)
def test_quality_of_sora_2_pro(revived, check, words, quality, usd):
    checked = check(revived, "sora-2-pro", **words)
    assert checked.request.parameters.quality == quality
    assert checked.price.usd == Decimal(usd)


@pytest.mark.rule(26, shows="refuses")
def test_unknown_quality_of_sora_2_pro(revived, problems):
    found = problems(revived, "sora-2-pro", quality="ultra")
    assert found == [("invalid_quality", "/parameters/quality")]


def shots(*seconds):
    return tuple(Shot(scene=f"scene {n}", duration=length) for n, length in enumerate(seconds))


STORYBOARD = "sora-2-pro-storyboard"


@pytest.mark.rule(11, 28, 38, shows=("accepts", "adjusts"))
@pytest.mark.parametrize("seconds", [(10,), (5, 5), (7.5, 7.5), (10, 15), (0.1, 0.2, 9.7)])
def test_the_shots_of_a_storyboard_set_its_duration(revived, check, *, adjusted, pictures, seconds):
    total = round(sum(seconds), 3)
    for inputs in ((), pictures(1)):
        checked = check(revived, STORYBOARD, prompt=None, shots=shots(*seconds), inputs=inputs)
        assert checked.request.parameters.duration == total
        assert adjusted(checked)["/parameters/duration"] == ("defaulted", total)
        fields = checked.routes[0].fields
        assert fields["n_frames"] == total
        assert [shot["duration"] for shot in fields["shots"]] == list(seconds)
        again = check(
            revived, STORYBOARD, prompt=None, shots=checked.request.parameters.shots, inputs=inputs
        )
        assert again.request == checked.request


@pytest.mark.rule(38, shows="adjusts")
def test_a_duration_beside_the_shots_is_ignored(revived, check, adjusted):
    checked = check(revived, STORYBOARD, shots=shots(10, 15), duration=10)
    assert adjusted(checked)["/parameters/duration"] == ("dropped", 25.0)
    assert checked.request.parameters.duration == 25


@pytest.mark.rule(28, 38, shows="refuses")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (shots(5, 6), ("invalid_duration", "/parameters/shots")),
        (shots(25, 5), ("invalid_duration", "/parameters/shots")),
        ((), ("invalid_shots", "/parameters/shots")),
        ("a film", ("invalid_shots", "/parameters/shots")),
        (({"scene": "a", "duration": 10},), ("invalid_shots", "/parameters/shots/0")),
        ((Shot(scene=" ", duration=10),), ("invalid_shots", "/parameters/shots/0/scene")),
        ((Shot(scene="a"),), ("invalid_shots", "/parameters/shots/0/duration")),
        ((Shot(scene="a", duration=-5),), ("invalid_shots", "/parameters/shots/0/duration")),
        ((Shot(scene="a", duration="long"),), ("invalid_shots", "/parameters/shots/0/duration")),
        (None, ("invalid_shots", "/parameters/shots")),
    ],
)
def test_shots_that_make_no_storyboard_are_refused(revived, problems, given, expected):
    assert problems(revived, STORYBOARD, shots=given) == [expected]


@pytest.mark.rule(11, 38, shows="refuses")
def test_a_storyboard_takes_one_picture_at_most(revived, problems, pictures):
    words = {"operation": T2V, "shots": shots(10)}
    assert problems(revived, STORYBOARD, inputs=pictures(2), **words) == [
        ("invalid_media_count", "/inputs/1")
    ]


@pytest.mark.rule(38, shows="refuses")
@pytest.mark.parametrize("model", ["seedance-2-720p", "kling-3-0-pro"])
def test_other_models_take_no_shots(catalogue, problems, model):
    found = problems(catalogue, model, shots=shots(10))
    assert found == [("unsupported_by_model", "/parameters/shots")]


# What callers are told beforehand


@pytest.mark.rule(11, 47, shows="accepts")
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("wan-2-5", {T2V: (0, 0), I2V: (1, 1)}),
        ("grok-text-to-video-6s", {T2V: (0, 0)}),
        ("kling-2-5-image-to-video-pro", {I2V: (1, 2)}),
        ("seedance-1-5-pro", {T2V: (0, 1), I2V: (2, 2)}),
        ("kling-2-6-motion-control-720p", {I2V: (2, 2)}),
        ("veo3-1", {T2V: (0, 1), I2V: (1, 3)}),
        ("sora-2-pro-storyboard", {T2V: (0, 1), I2V: (1, 1)}),
    ],
)
def test_required_counts_are_described(catalogue, now, model, expected):
    counts = public_model(catalogue.get(model), now=now)["input_counts"]
    assert {name: (told["minimum"], told["maximum"]) for name, told in counts.items()} == expected


@pytest.mark.rule(11, 47, shows="accepts")
def test_what_pictures_of_veo_are_for_is_described(catalogue, now):
    counts = public_model(catalogue.get("veo3-1"), now=now)["input_counts"][I2V]
    assert counts["roles_by_number"] == [
        ["first_frame"],
        ["first_frame", "last_frame"],
        ["reference_image"] * 3,
    ]


@pytest.mark.rule(40, 47, shows=("accepts", "adjusts"))
@pytest.mark.parametrize(
    ("model", "seeded"),
    [
        ("wan-2-5", True),
        ("seedance-2-480p", True),
        ("p-video-1080p", True),
        ("v1-pro-fast-i2v", False),
        ("seedance-1-5-pro", False),
        ("grok-text-to-video-6s", False),
        ("veo3-1", False),
        ("kling-3-0-std", False),
    ],
)
def test_who_takes_a_seed(catalogue, check, *, adjusted, now, pictures, model, seeded):
    described = public_model(catalogue.get(model), now=now)
    assert described["supports_seed"] is seeded
    number = described["input_counts"].get(T2V, {"minimum": 1})["minimum"]
    reported = adjusted(check(catalogue, model, seed=5, inputs=pictures(number)))
    assert (reported.get("/parameters/seed", ("",))[0] == "dropped") is not seeded
