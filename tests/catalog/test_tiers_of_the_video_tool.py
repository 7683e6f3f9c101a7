"""The five tiers of the video tool, against its capability matrix and media specifications."""

from decimal import Decimal

import pytest

from mediawright.catalog.preflight import PreflightSettings
from mediawright.catalog.surfaces import VIDEO_TOOL_LIMITS
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind
from mediawright.core.provider import INPUT_FIELDS

TOOL = PreflightSettings(surface=VIDEO_TOOL_LIMITS)
FLAGSHIPS = ["seedance-flagship", "seedance-flagship-fast"]
TIERS = [*FLAGSHIPS, "seedance-pro", "seedance-lite-i2v", "seedance-lite-t2v"]
RATIOS = ["21:9", "16:9", "4:3", "1:1", "3:4", "9:16"]
FRAME = ("first_frame",)
BOTH = ("first_frame", "last_frame")
FULL = ("reference_image",) * 9 + ("reference_video",) * 3 + ("reference_audio",) * 3

# What the tool's matrix says: tier -> what it takes.
TAKES = {
    "seedance-flagship": {
        (): True,
        FRAME: True,
        BOTH: True,
        ("reference_image",) * 9: True,
        FULL: True,
        ("reference_video",): True,
    },
    "seedance-flagship-fast": {
        (): True,
        FRAME: True,
        BOTH: True,
        ("reference_image",) * 9: True,
        FULL: True,
        ("reference_video",): True,
    },
    "seedance-pro": {
        (): True,
        FRAME: True,
        BOTH: True,
        ("reference_image",): False,
        ("reference_video",): False,
        FULL: False,
    },
    "seedance-lite-i2v": {
        FRAME: True,
        BOTH: False,
        ("reference_image",): False,
        ("reference_video",): False,
        ("reference_audio",): False,
    },
    "seedance-lite-t2v": {
        (): True,
        FRAME: False,
        BOTH: False,
        ("reference_image",): False,
        ("reference_video",): False,
        ("reference_audio",): False,
    },
}


@pytest.fixture(scope="session")
def files(media):
    """Make inputs of these roles."""

    def make(*roles):
        names = {MediaKind.IMAGE: "png", MediaKind.VIDEO: "mp4", MediaKind.AUDIO: "wav"}
        kinds = [media(role) for role in roles]
        return tuple(
            media(role, f"{n}.{names[item.kind]}")
            for n, (role, item) in enumerate(zip(roles, kinds, strict=True))
        )

    return make


@pytest.mark.rule(53, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("tier", "roles", "fine"),
    [(tier, roles, fine) for tier, table in TAKES.items() for roles, fine in table.items()],
)
def test_a_tier_takes_what_the_matrix_says(catalogue, check, *, problems, files, tier, roles, fine):
    inputs = files(*roles)
    if fine:
        assert check(catalogue, tier, inputs=inputs).routes
        return
    found = problems(catalogue, tier, inputs=inputs)
    assert found[0][0] == "unsupported_by_model"


@pytest.mark.rule(53, shows="refuses")
def test_references_of_pro_are_refused_by_naming_the_flagships(catalogue, check, files):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, "seedance-pro", inputs=files("reference_image"))
    error = caught.value
    assert error.code == "unsupported_by_model"
    assert error.hint == "Use seedance-flagship or seedance-flagship-fast."
    assert error.details["instead"] == FLAGSHIPS


@pytest.mark.rule(53, shows="refuses")
@pytest.mark.parametrize("tier", ["seedance-pro", "seedance-lite-i2v", "seedance-lite-t2v"])
def test_clips_are_for_the_flagships(catalogue, check, files, tier):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, tier, inputs=files("reference_video"))
    assert caught.value.code == "unsupported_by_model"
    assert "seedance-flagship" in caught.value.hint


@pytest.mark.rule(53, shows="accepts")
@pytest.mark.parametrize("tier", FLAGSHIPS)
def test_edits_and_extensions_go_by_reference_video(catalogue, check, files, tier):
    checked = check(catalogue, tier, inputs=files("reference_video"))
    assert checked.operation.value == "video-to-video"
    asked = check(catalogue, tier, inputs=files("reference_video"), operation="text-to-video")
    assert asked.operation.value == "text-to-video"
    flags = catalogue.get(tier).flags
    assert (flags["edit"], flags["extend"]) == (True, True)


@pytest.mark.rule(6, 53, shows="refuses")
@pytest.mark.parametrize("tier", [*FLAGSHIPS, "seedance-pro", "seedance-lite-i2v"])
def test_image_to_video_needs_a_picture(catalogue, problems, tier):
    found = problems(catalogue, tier, operation="image-to-video")
    assert found == [("source_media_required", "/inputs")]


@pytest.mark.rule(51, shows="accepts")
@pytest.mark.parametrize("tier", FLAGSHIPS)
def test_each_role_reaches_its_field(catalogue, check, files, tier):
    frames = check(catalogue, tier, inputs=files(*BOTH))
    (kie,) = [plan for plan in frames.routes if plan.provider == "kie"]
    assert kie.fields[INPUT_FIELDS] == {
        "first_frame": "first_frame_url",
        "last_frame": "last_frame_url",
    }
    references = check(catalogue, tier, inputs=files(*FULL))
    (kie,) = [plan for plan in references.routes if plan.provider == "kie"]
    assert set(kie.fields[INPUT_FIELDS]) == {
        "reference_image",
        "reference_video",
        "reference_audio",
    }


@pytest.mark.rule(51, shows="refuses")
def test_a_role_of_another_medium_is_refused(catalogue, problems, media):
    wrong = (media("first_frame", "a.mp4", kind=MediaKind.VIDEO),)
    found = problems(catalogue, "seedance-flagship", inputs=wrong)
    assert found[0] == ("role_media_mismatch", "/inputs/0/role")


@pytest.mark.rule(51, shows=("accepts", "adjusts"))
def test_pictures_without_a_role_open_and_close_an_image_to_video(catalogue, check, files):
    """Surfaces give pictures the role of a reference where nobody said what they are for."""
    checked = check(
        catalogue,
        "seedance-flagship",
        operation="image-to-video",
        inputs=files("reference_image", "reference_image"),
    )
    assert [item.role.value for item in checked.request.inputs] == ["first_frame", "last_frame"]


@pytest.mark.rule(52, shows="refuses")
@pytest.mark.parametrize("tier", [*FLAGSHIPS, "seedance-pro"])
def test_a_last_frame_needs_a_first_one(catalogue, problems, files, tier):
    assert problems(catalogue, tier, inputs=files("last_frame")) == [
        ("last_frame_without_first_frame", "/inputs")
    ]


@pytest.mark.rule(52, shows="refuses")
@pytest.mark.parametrize("tier", FLAGSHIPS)
@pytest.mark.parametrize("reference", ["reference_image", "reference_video", "reference_audio"])
@pytest.mark.parametrize("operation", [None, "image-to-video", "text-to-video"])
def test_frames_and_references_do_not_mix(
    catalogue, problems, *, files, tier, reference, operation
):
    inputs = files("first_frame", reference)
    found = problems(catalogue, tier, inputs=inputs, operation=operation)
    assert found == [("frames_and_references_mixed", "/inputs")]


@pytest.mark.rule(52, shows="refuses")
def test_a_frame_and_a_reference_do_not_mix_in_the_small_tiers(catalogue, problems, files):
    for tier in ("seedance-pro", "seedance-lite-i2v"):
        codes = [
            code
            for code, _ in problems(catalogue, tier, inputs=files("first_frame", "reference_image"))
        ]
        assert codes == ["frames_and_references_mixed"]


@pytest.mark.rule(54, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("tier", "least", "most"),
    [
        ("seedance-flagship", 4, 15),
        ("seedance-flagship-fast", 4, 15),
        ("seedance-pro", 4, 12),
        ("seedance-lite-i2v", 2, 12),
        ("seedance-lite-t2v", 2, 12),
    ],
)
def test_each_tier_has_its_own_durations(catalogue, problems, *, files, tier, least, most):
    inputs = files("first_frame") if tier == "seedance-lite-i2v" else ()
    rule = catalogue.get(tier).parameters["duration"]
    assert (rule.minimum, rule.maximum, rule.whole) == (least, most, True)
    refused = [("invalid_duration", "/parameters/duration")]
    for wrong in (least - 1, most + 1, least + 0.5):
        assert problems(catalogue, tier, inputs=inputs, duration=wrong) == refused
    # The lite tiers are left with a provider that makes five or ten seconds.
    fine = (5, 10) if "lite" in tier else (least, most)
    for seconds in fine:
        assert problems(catalogue, tier, inputs=inputs, duration=seconds) == []


@pytest.mark.rule(55, shows=("accepts", "refuses"))
@pytest.mark.parametrize("tier", [*FLAGSHIPS, "seedance-pro", "seedance-lite-t2v"])
def test_ratios(catalogue, problems, check, tier):
    for ratio in RATIOS:
        checked = check(catalogue, tier, aspect_ratio=ratio)
        assert checked.applied.values["aspect_ratio"] == ratio
    assert problems(catalogue, tier, aspect_ratio="2:1") == [
        ("invalid_aspect_ratio", "/parameters/aspect_ratio")
    ]
    adaptive = problems(catalogue, tier, aspect_ratio="adaptive")
    assert bool(adaptive) is (tier == "seedance-lite-t2v")


@pytest.mark.rule(55, shows=("accepts", "refuses"))
def test_adaptive_is_not_for_references_of_the_lite_tier(catalogue, problems, files):
    words = {"inputs": files("reference_image"), "aspect_ratio": "adaptive"}
    assert problems(catalogue, "seedance-lite-i2v", **words) == [
        ("invalid_aspect_ratio", "/parameters/aspect_ratio")
    ]
    frame = {"inputs": files("first_frame"), "aspect_ratio": "adaptive"}
    assert problems(catalogue, "seedance-lite-i2v", **frame) == []


@pytest.mark.rule(56, shows=("accepts", "refuses"))
@pytest.mark.parametrize("tier", TIERS)
def test_the_highest_resolution_is_the_tiers(catalogue, problems, files, tier):
    inputs = files("first_frame") if tier == "seedance-lite-i2v" else ()
    full = tier in ("seedance-flagship", "seedance-pro")
    for resolution in ("480p", "720p"):
        assert problems(catalogue, tier, inputs=inputs, resolution=resolution) == []
    refused = [("invalid_resolution", "/parameters/resolution")]
    found = problems(catalogue, tier, inputs=inputs, resolution="1080p")
    assert found == ([] if full else refused)
    assert problems(catalogue, tier, inputs=inputs, resolution="4k") == refused


@pytest.mark.rule(57, shows="accepts")
@pytest.mark.parametrize("tier", FLAGSHIPS)
def test_flagships_make_sound_unless_told_not_to(catalogue, check, tier):
    assert check(catalogue, tier).routes[0].fields["generate_audio"] is True
    assert check(catalogue, tier, sound=False).routes[0].fields["generate_audio"] is False


@pytest.mark.rule(57, shows="adjusts")
def test_other_tiers_stay_silent_and_say_so(catalogue, check, adjusted):
    checked = check(catalogue, "seedance-pro", sound=True)
    assert checked.routes[0].fields["generate_audio"] is False
    assert adjusted(checked)["/parameters/sound"] == ("dropped", None)
    assert "/parameters/sound" not in adjusted(check(catalogue, "seedance-pro"))
    lite = check(catalogue, "seedance-lite-t2v", sound=True)
    assert adjusted(lite)["/parameters/sound"] == ("dropped", None)


@pytest.mark.rule(57, shows="accepts")
def test_marks_and_last_frames_are_off_unless_asked_for(catalogue, check):
    plain = check(catalogue, "seedance-flagship")
    assert plain.routes[0].fields["watermark"] is False
    assert "return_last_frame" not in plain.routes[0].fields
    asked = check(catalogue, "seedance-flagship", watermark=True, return_last_frame=True)
    assert asked.routes[0].fields["watermark"] is True
    assert asked.routes[0].fields["return_last_frame"] is True
    assert [plan.provider for plan in asked.routes] == ["bytedance"]
    framed = check(catalogue, "seedance-flagship", return_last_frame=True)
    assert [plan.provider for plan in framed.routes] == ["bytedance", "kie"]


@pytest.mark.rule(57, shows=("accepts", "adjusts"))
@pytest.mark.parametrize("tier", FLAGSHIPS)
def test_web_search_is_for_prompts_alone(catalogue, check, *, adjusted, files, tier):
    searched = check(catalogue, tier, web_search=True)
    assert searched.routes[0].fields["tools"] == [{"type": "web_search"}]
    assert [plan.provider for plan in searched.routes] == ["bytedance", "kie"]
    assert "tools" not in check(catalogue, tier).routes[0].fields
    for roles in (("reference_image",), ("first_frame",)):
        attached = check(catalogue, tier, web_search=True, inputs=files(*roles))
        assert adjusted(attached)["/parameters/web_search"] == ("dropped", None)
        assert "tools" not in attached.routes[0].fields


@pytest.mark.rule(58, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"content_type": "image/heic"}, None),
        ({"content_type": "image/svg+xml"}, "unsupported_format"),
        ({"byte_count": 30_000_000}, None),
        ({"byte_count": 30_000_001}, "file_too_large"),
        ({"width": 300, "height": 700}, None),
        ({"width": 299, "height": 500}, "image_side_out_of_range"),
        ({"width": 6001, "height": 4000}, "image_side_out_of_range"),
        ({"width": 2600, "height": 1000}, "image_ratio_out_of_range"),
        ({"width": 390, "height": 1000}, "image_ratio_out_of_range"),
    ],
)
@pytest.mark.parametrize("tier", ["seedance-flagship", "seedance-pro", "seedance-lite-i2v"])
def test_pictures(catalogue, problems, *, files, image_facts, tier, changes, code):
    found = problems(
        catalogue,
        tier,
        inputs=files("first_frame"),
        facts={0: image_facts(**changes)},
        settings=TOOL,
    )
    assert [item for item, _ in found] == ([] if code is None else [code])


@pytest.mark.rule(58, shows=("accepts", "refuses"))
@pytest.mark.parametrize(("tier", "number"), [("seedance-flagship", 9), ("seedance-lite-i2v", 4)])
def test_more_pictures_than_there_may_be(catalogue, problems, *, files, tier, number):
    many = files(*["reference_image"] * (number + 1))
    assert problems(catalogue, tier, inputs=many) == [("too_many_images", "/inputs")]
    most = problems(catalogue, tier, inputs=many[:number])
    assert [code for code, _ in most] == (
        [] if tier == "seedance-flagship" else ["unsupported_by_model"]
    )


@pytest.mark.rule(59, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("seconds", "changes", "code"),
    [
        ([5], {}, None),
        ([2, 13], {}, None),
        ([1.5], {}, "reference_video_too_short"),
        ([15.5], {}, "reference_video_too_long"),
        ([8, 8], {}, "reference_video_too_long"),
        ([3] * 4, {}, "too_many_videos"),
        ([5], {"content_type": "video/webm"}, "unsupported_format"),
        ([5], {"video_codec": "vp9"}, "unsupported_format"),
        ([5], {"frames_per_second": 23.976}, None),
        ([5], {"frames_per_second": 15.0}, "unsupported_format"),
        ([5], {"height": 700}, "unsupported_format"),
    ],
)
def test_clips(catalogue, problems, *, files, clip_facts, seconds, changes, code):
    plain = {"width": 1280, "height": 720, "video_codec": "h264", **changes}
    facts = {n: clip_facts(length, **plain) for n, length in enumerate(seconds)}
    inputs = files(*["reference_video"] * len(seconds))
    found = problems(catalogue, "seedance-flagship", inputs=inputs, facts=facts, settings=TOOL)
    assert [item for item, _ in found][:1] == ([] if code is None else [code])


@pytest.mark.rule(60, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("seconds", "content_type", "code"),
    [
        ([5], "audio/wav", None),
        ([5, 10], "audio/mpeg", None),
        ([5], "audio/flac", "unsupported_format"),
        ([1], "audio/wav", "reference_audio_too_short"),
        ([16], "audio/wav", "reference_audio_too_long"),
        ([8, 8], "audio/wav", "reference_audio_too_long"),
        ([3] * 4, "audio/wav", "too_many_audios"),
    ],
)
def test_sounds(catalogue, problems, *, files, clip_facts, seconds, content_type, code):
    facts = {
        n + 1: clip_facts(length, MediaKind.AUDIO, content_type) for n, length in enumerate(seconds)
    }
    inputs = files("reference_image", *["reference_audio"] * len(seconds))
    found = problems(catalogue, "seedance-flagship", inputs=inputs, facts=facts, settings=TOOL)
    assert [item for item, _ in found][:1] == ([] if code is None else [code])


@pytest.mark.rule(62, shows="accepts")
@pytest.mark.parametrize("tier", ["seedance-flagship", "seedance-pro"])
def test_adaptive_follows_the_picture(catalogue, check, *, files, image_facts, tier):
    checked = check(
        catalogue, tier, inputs=files("first_frame"), facts={0: image_facts(1000, 1500)}
    )
    assert checked.applied.values["aspect_ratio"] == "adaptive"
    assert checked.applied.width * 1.49 < checked.applied.height < checked.applied.width * 1.51
    wide = check(
        catalogue,
        tier,
        inputs=files("first_frame"),
        facts={0: image_facts(1000, 1500)},
        aspect_ratio="16:9",
    )
    assert (wide.applied.width, wide.applied.height) == (1280, 720)


@pytest.mark.parametrize(
    ("tier", "words", "usd"),
    [
        # Five seconds of 1280x720 are 108,000 tokens.
        ("seedance-flagship", {"aspect_ratio": "16:9"}, "0.756"),
        ("seedance-flagship-fast", {"aspect_ratio": "16:9"}, "0.6048"),
        ("seedance-pro", {"aspect_ratio": "16:9"}, "0.1296"),
        ("seedance-flagship", {"aspect_ratio": "16:9", "resolution": "1080p"}, "1.8711"),
    ],
)
def test_what_a_tier_costs_by_the_token(catalogue, check, tier, words, usd):
    price = check(catalogue, tier, **words).price
    assert price.usd == Decimal(usd)
    assert price.basis.value == "estimated"


@pytest.mark.parametrize(("seconds", "tokens"), [(7, 12 * 21600), (None, 20 * 21600)])
def test_reference_clips_are_charged_with_the_output(
    catalogue, check, *, files, clip_facts, seconds, tokens
):
    """A second of 1280x720 is 21,600 tokens; an unknown clip counts as fifteen seconds."""
    facts = {} if seconds is None else {0: clip_facts(seconds, width=1280, height=720)}
    checked = check(
        catalogue,
        "seedance-flagship",
        inputs=files("reference_video"),
        facts=facts,
        aspect_ratio="16:9",
    )
    assert checked.price.usd == Decimal("4.3") * tokens / 1_000_000


@pytest.mark.parametrize("tier", TIERS)
def test_tiers_go_by_the_tools_words_too(catalogue, tier):
    model = catalogue.get(tier)
    assert catalogue.get(model.title) is model
    assert catalogue.get(model.title.lower().replace(" ", "-")) is model
    assert catalogue.get("seedance-1-5-pro").id == "seedance-1-5-pro"
