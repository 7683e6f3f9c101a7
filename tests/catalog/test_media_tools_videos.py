"""Rules of the video models of the media tools: Seedance 2, Kling 3.0, motion control."""

from decimal import Decimal

import pytest

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind


def clips(media, role, number):
    extension = {"reference_image": "png", "reference_video": "mp4", "reference_audio": "mp3"}[role]
    return tuple(media(role, f"{n}.{extension}") for n in range(number))


@pytest.mark.rule(13, 14, 15, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("role", "most", "code"),
    [
        ("reference_video", 3, "too_many_videos"),
        ("reference_audio", 3, "too_many_audios"),
        ("reference_image", 9, "too_many_images"),
    ],
)
def test_most_references(catalogue, problems, *, media, role, most, code):
    """Rules 13, 14 and 15."""
    model = "seedance-2-480p-video-ref"
    video = () if role == "reference_video" else clips(media, "reference_video", 1)
    for number, expected in ((most, []), (most + 1, [(code, "/inputs")])):
        inputs = clips(media, role, number) + video
        assert problems(catalogue, model, operation="text-to-video", inputs=inputs) == expected


@pytest.mark.rule(16, 17, 18, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("role", "kind", "content_type", "code"),
    [
        ("reference_video", MediaKind.VIDEO, "video/mp4", "reference_video_too_long"),
        ("reference_audio", MediaKind.AUDIO, "audio/mpeg", "reference_audio_too_long"),
    ],
)
def test_lengths_of_references(
    catalogue, problems, *, media, clip_facts, role, kind, content_type, code
):
    """Rules 16, 17 and 18, with the least of two seconds that providers ask for."""
    video = clips(media, "reference_video", 1) if role != "reference_video" else ()
    inputs = clips(media, role, 2) + video

    def found(*seconds):
        facts = {n: clip_facts(length, kind, content_type) for n, length in enumerate(seconds)}
        return problems(
            catalogue,
            "seedance-2-720p-video-ref",
            operation="text-to-video",
            inputs=inputs,
            facts=facts,
        )

    assert found(7, 8) == []
    assert found() == []
    assert found(8, 8) == [(code, "/inputs")]
    assert found(16, 2)[0] == (code, "/inputs/0")
    assert found(1, 8) == [(code.replace("long", "short"), "/inputs/0")]


@pytest.mark.rule(15, 19, shows=("accepts", "refuses"))
def test_frames_of_seedance(catalogue, check, problems, media):
    """Rule 19: one picture, perhaps a second, no third and no video."""
    words = {"operation": "image-to-video"}
    model = "seedance-2-720p"

    def found(*inputs):
        return problems(catalogue, model, inputs=inputs, **words)

    first, second, third = clips(media, "reference_image", 3)
    checked = check(catalogue, model, inputs=(first, second), **words)
    assert [item.role.value for item in checked.request.inputs] == ["first_frame", "last_frame"]
    assert found() == [("source_media_required", "/inputs")]
    assert found(first, second, third) == [("too_many_images", "/inputs/2")]
    assert ("reference_video_not_allowed", "/inputs") in found(
        first, media("reference_video", "a.mp4")
    )
    assert found(first, media("reference_audio", "a.mp3")) == [
        ("audio_with_frames_unsupported", "/inputs")
    ]
    assert problems(catalogue, f"{model}-video-ref", inputs=(first,), **words)[0] == (
        "unsupported_generation_type",
        "/operation",
    )


@pytest.mark.rule(21, shows="refuses")
def test_a_reference_video_belongs_to_its_own_row(catalogue, problems, media):
    """Rule 21."""
    video = clips(media, "reference_video", 1)
    for model, inputs in (("seedance-2-480p", video), ("seedance-2-480p-video-ref", ())):
        found = problems(catalogue, model, operation="text-to-video", inputs=inputs)
        assert found == [("variant_mismatch", "/model")]


def test_sound_alone_is_no_reference(catalogue, problems, media):
    audio = clips(media, "reference_audio", 1)
    found = problems(catalogue, "seedance-2-480p", operation="text-to-video", inputs=audio)
    assert found == [("audio_needs_visual_reference", "/inputs")]


@pytest.mark.rule(33, shows=("accepts", "prices"))
@pytest.mark.parametrize("sound", [None, True, False])
def test_sound_of_seedance_is_on_and_free(catalogue, check, sound):
    """Rule 33."""
    words = {} if sound is None else {"sound": sound}
    checked = check(catalogue, "seedance-2-fast-720p", duration=4, **words)
    assert checked.price.credits == 136
    assert checked.routes[0].fields["generate_audio"] is (sound is not False)


@pytest.mark.rule(41, 42, shows=("accepts", "prices"))
@pytest.mark.parametrize(
    ("lengths", "charged"), [((3,), 3 + 5), ((6, 9), 15 + 5), ((15.05,), 15 + 5), ((), 15 + 5)]
)
def test_seconds_charged_with_reference_videos(
    catalogue, check, *, media, clip_facts, lengths, charged
):
    """Rules 41 and 42: the true sum up to 15 s, and 15 s where nobody knows it."""
    inputs = clips(media, "reference_video", max(len(lengths), 1))
    sound = clips(media, "reference_audio", 1)
    facts = {n: clip_facts(seconds) for n, seconds in enumerate(lengths)}
    checked = check(
        catalogue, "seedance-2-720p-video-ref", inputs=inputs + sound, facts=facts, duration=5
    )
    assert checked.price.credits == Decimal(29) * charged
    assert checked.price.basis.value == ("computed" if lengths else "estimated")


def test_the_kinds_of_requests_take_their_own_routes(catalogue, check, media):
    def upstream(**words):
        checked = check(catalogue, "seedance-2-720p", provider="fal", **words)
        return [plan.upstream_id.rsplit("/", 1)[-1] for plan in checked.routes]

    picture = clips(media, "reference_image", 1)
    assert upstream(operation="text-to-video") == ["text-to-video"]
    assert upstream(operation="text-to-video", inputs=picture) == ["reference-to-video"]
    assert upstream(operation="image-to-video", inputs=picture) == ["image-to-video"]


# Kling 3.0 and motion control


@pytest.mark.rule(31, 32, shows=("accepts", "prices"))
@pytest.mark.parametrize(
    ("model", "silent", "loud"), [("kling-3-0-std", 17, 23), ("kling-3-0-pro", 21, 30)]
)
def test_sound_of_kling(catalogue, check, *, adjusted, model, silent, loud):
    """Rules 31 and 32: silent unless asked, dearer with sound, one id for both."""
    assert check(catalogue, model, duration=10).price.credits == 10 * silent
    assert check(catalogue, model, duration=10, sound=True).price.credits == 10 * loud
    named = check(catalogue, f"{model}-audio", duration=10)
    assert (named.request.model, named.request.parameters.sound) == (model, True)
    assert named.price.credits == 10 * loud


@pytest.mark.rule(10, 11, shows=("accepts", "refuses"))
def test_pictures_of_kling(catalogue, check, problems, media):
    """Rule 11f: one or two pictures, JPEG or PNG."""
    words = {"operation": "image-to-video"}

    def found(*names):
        inputs = tuple(media("reference_image", name) for name in names)
        return problems(catalogue, "kling-3-0-pro", inputs=inputs, **words)

    assert found("a.png") == found("a.jpg", "b.jpeg") == []
    assert found("a.webp") == [("unsupported_format", "/inputs/0")]
    assert found("a.png", "b.png", "c.png") == [("invalid_media_count", "/inputs/2")]


@pytest.mark.rule(11, 12, shows=("accepts", "refuses"))
@pytest.mark.rule(43, shows="prices")
@pytest.mark.parametrize("version", ["2-6", "3-0"])
@pytest.mark.parametrize("resolution", ["720p", "1080p"])
def test_motion_control(catalogue, check, *, problems, media, clip_facts, version, resolution):
    """Rules 11a and 12: one picture and one clip of thirty seconds at most."""
    model = f"kling-{version}-motion-control-{resolution}"
    picture, clip = media("reference_image"), media("reference_video", "a.mp4")

    def found(*inputs, seconds=10, **more):
        facts = {1: clip_facts(seconds, **more)}
        return problems(catalogue, model, prompt=None, inputs=inputs, facts=facts)

    assert found(picture, clip) == []
    assert found(picture) == [("invalid_media_count", "/inputs")]
    assert found(picture, clip, clip) == [("invalid_media_count", "/inputs")]
    assert found(picture, clip, seconds=31) == [("video_too_long", "/inputs/1")]
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, model, operation="text-to-video")
    assert caught.value.code == "unsupported_generation_type"
    priced = check(catalogue, model, inputs=(picture, clip), facts={1: clip_facts(10)}).price
    unknown = check(catalogue, model, inputs=(picture, clip)).price
    assert unknown.usd == 3 * priced.usd


@pytest.mark.rule(11, 28, shows=("accepts", "refuses"))
@pytest.mark.rule(31, shows=("accepts", "prices"))
@pytest.mark.parametrize("model", ["kling-2-6-text-to-video", "kling-2-6-image-to-video"])
def test_kling_2_6(catalogue, check, problems, *, media, model):
    """Rules 11b, 28 and 31, with the shorter prompts of kie.ai."""
    inputs = (media("first_frame"),) if "image" in model else ()
    for duration in (5, "10s"):
        assert problems(catalogue, model, inputs=inputs, duration=duration) == []
    assert problems(catalogue, model, inputs=inputs, duration=7) == [
        ("invalid_duration", "/parameters/duration")
    ]
    two = (media("reference_image"), media("reference_image", "b.png"))
    assert problems(catalogue, model, inputs=two)[0][0] in {
        "invalid_media_count",
        "source_media_not_allowed",
    }
    silent = check(catalogue, model, inputs=inputs, duration=10)
    loud = check(catalogue, model, inputs=inputs, duration=10, sound=True)
    assert (silent.price.usd, loud.price.usd) == (Decimal("0.7"), Decimal("1.4"))
    assert loud.routes[0].fields["mode"] == "pro"
    assert [plan.provider for plan in silent.routes] == ["kling", "kie", "fal"]
    long = check(catalogue, model, inputs=inputs, prompt="x" * 1001)
    assert [plan.provider for plan in long.routes] == ["kling", "fal"]
