"""What input files must be like: rules 8, 10, 12, 16-18 and 58-60, by the facts of the files."""

from __future__ import annotations

import pytest

from mediawright.catalog.preflight import PreflightSettings
from mediawright.catalog.surfaces import VIDEO_TOOL_LIMITS
from mediawright.catalog.values import classify_media_url
from mediawright.core.errors import InvalidRequestError
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind

VIDEO_TOOL = PreflightSettings(surface=VIDEO_TOOL_LIMITS)
REFERENCES = "seedance-2-480p-video-ref"
PLAIN = "seedance-2-480p"
MOTION = "kling-3-0-motion-control-720p"


def clip(seconds=5.0, **changes):
    facts = {
        "kind": MediaKind.VIDEO,
        "content_type": "video/mp4",
        "byte_count": 1_000_000,
        "width": 1280,
        "height": 720,
        "seconds": seconds,
        "frames_per_second": 30.0,
        "video_codec": "h264",
        "audio_codec": "aac",
    }
    return MediaFacts(**{**facts, **changes})


def song(seconds=5.0, **changes):
    facts = {
        "kind": MediaKind.AUDIO,
        "content_type": "audio/mpeg",
        "byte_count": 1_000_000,
        "seconds": seconds,
        "audio_codec": "mp3",
    }
    return MediaFacts(**{**facts, **changes})


def photo(width=1024, height=1024, **changes):
    facts = {
        "kind": MediaKind.IMAGE,
        "content_type": "image/png",
        "byte_count": 1_000_000,
        "width": width,
        "height": height,
    }
    return MediaFacts(**{**facts, **changes})


@pytest.fixture
def found(catalogue, problems, media):
    """Codes for a request with files, given as (role, facts)."""

    def run(model, *files, settings=None, **words):
        inputs = tuple(
            media(role, f"{n}.{extension_of(facts)}") for n, (role, facts) in enumerate(files)
        )
        facts = {n: item for n, (_, item) in enumerate(files) if item is not None}
        words.setdefault("operation", "text-to-video")
        return problems(catalogue, model, inputs=inputs, facts=facts, settings=settings, **words)

    return run


def extension_of(facts):
    if facts is None:
        return "mp4"
    return {MediaKind.IMAGE: "png", MediaKind.VIDEO: "mp4", MediaKind.AUDIO: "mp3"}[facts.kind]


LISTED = {
    "https://a.test/x.jpg": MediaKind.IMAGE,
    "https://a.test/x.JPEG?w=2&name=x.mp4": MediaKind.IMAGE,
    "https://a.test/x.png#y.mp3": MediaKind.IMAGE,
    "https://a.test/dir.mp4/x.webp": MediaKind.IMAGE,
    "https://a.test/x.mp4": MediaKind.VIDEO,
    "https://a.test/x.mov?token=a.b": MediaKind.VIDEO,
    "https://a.test/x.webm": MediaKind.VIDEO,
    "https://a.test/x.mp3": MediaKind.AUDIO,
    "https://a.test/x.wav": MediaKind.AUDIO,
    "https://a.test/x.m4a": MediaKind.AUDIO,
}


@pytest.mark.rule(8, shows="accepts")
@pytest.mark.parametrize("url", LISTED)
def test_urls_are_classified_by_their_extension(url):
    assert classify_media_url(url) is LISTED[url]


@pytest.mark.rule(8, shows="refuses")
@pytest.mark.parametrize(
    "url",
    ["https://a.test/x.gif", "https://a.test/x", "https://a.test/x?f=y.png", "https://a.png", ""],
)
def test_urls_with_any_other_ending_are_refused(url):
    with pytest.raises(InvalidRequestError) as caught:
        classify_media_url(url, pointer="/inputs/2")
    assert (caught.value.code, caught.value.pointer) == ("unknown_media_type", "/inputs/2")
    assert "png" in caught.value.details["allowed"]


@pytest.mark.rule(10, shows="accepts")
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_pictures_of_the_three_formats_pass_up_to_ten_megabytes(found, kind):
    facts = photo(content_type=f"image/{kind}", byte_count=10_000_000)
    assert found("nano-banana", ("reference_image", facts), operation="image-to-image") == []


@pytest.mark.rule(10, shows="refuses")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"content_type": "image/gif"}, "unsupported_format"),
        ({"content_type": "image/heic"}, "unsupported_format"),
        ({"byte_count": 10_000_001}, "file_too_large"),
    ],
)
def test_other_pictures_are_refused(found, changes, code):
    facts = photo(**changes)
    refused = found("nano-banana", ("reference_image", facts), operation="image-to-image")
    assert refused == [(code, "/inputs/0")]


def motion(found, facts, settings=None):
    return found(
        MOTION,
        ("reference_image", photo()),
        ("reference_video", facts),
        operation="image-to-video",
        settings=settings,
    )


@pytest.mark.rule(12, shows="accepts")
@pytest.mark.parametrize("kind", ["video/mp4", "video/webm"])
def test_the_clip_of_motion_control_lasts_up_to_thirty_seconds(found, kind):
    facts = clip(30.0, content_type=kind, byte_count=100_000_000)
    assert [code for code, _ in motion(found, facts) if code in MOTION_CODES] == []


MOTION_CODES = {"video_too_long", "file_too_large", "unsupported_format"}


@pytest.mark.rule(12, shows="refuses")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seconds": 30.2}, "video_too_long"),
        ({"byte_count": 100_000_001}, "file_too_large"),
        ({"content_type": "video/x-matroska"}, "unsupported_format"),
    ],
)
def test_other_clips_of_motion_control_are_refused(found, changes, code):
    assert (code, "/inputs/1") in motion(found, clip(**changes))


@pytest.mark.rule(16, 18, shows="accepts")
@pytest.mark.parametrize("lengths", [(15.0,), (7.5, 7.5), (5.0, 5.0, 5.0), (2.0,)])
def test_reference_videos_of_fifteen_seconds_in_all_pass(found, lengths):
    files = [("reference_video", clip(seconds)) for seconds in lengths]
    assert found(REFERENCES, *files) == []


@pytest.mark.rule(16, shows="refuses")
def test_reference_videos_that_last_longer_together_are_refused(found):
    files = [("reference_video", clip(8.0)), ("reference_video", clip(7.2))]
    assert found(REFERENCES, *files) == [("reference_video_too_long", "/inputs")]


@pytest.mark.rule(17, shows=("accepts", "refuses"))
def test_reference_sound_that_lasts_longer_together_is_refused(found):
    files = [("reference_audio", song(8.0)), ("reference_audio", song(7.2))]
    refused = found(PLAIN, ("reference_image", photo()), *files)
    assert refused == [("reference_audio_too_long", "/inputs")]
    assert found(PLAIN, ("reference_image", photo()), files[0]) == []


@pytest.mark.rule(18, shows="refuses")
@pytest.mark.parametrize("role", ["reference_video", "reference_audio"])
def test_a_single_reference_that_lasts_longer_is_refused(found, role):
    facts = clip(15.2) if role == "reference_video" else song(15.2)
    model = REFERENCES if role == "reference_video" else PLAIN
    files = (
        [(role, facts)]
        if role == "reference_video"
        else [
            ("reference_image", photo()),
            (role, facts),
        ]
    )
    place = f"/inputs/{len(files) - 1}"
    assert (f"{role}_too_long", place) in found(model, *files)


@pytest.mark.rule(16, 17, 18, shows="accepts")
def test_lengths_that_nobody_knows_are_let_through(found):
    assert found(REFERENCES, *[("reference_video", None)] * 3) == []


PICTURES = ["jpeg", "png", "webp", "bmp", "tiff", "gif", "heic", "heif"]


@pytest.mark.rule(58, shows="accepts")
@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("sides", [(300, 300), (6000, 6000), (2500, 1000), (1000, 2500)])
def test_pictures_for_the_video_tool(found, kind, sides):
    facts = photo(*sides, content_type=f"image/{kind}", byte_count=30_000_000)
    refused = found(PLAIN, ("reference_image", facts), settings=VIDEO_TOOL)
    # The model's own route may be stricter (C32).
    assert [code for code, _ in refused if code != "unsupported_format"] == []


@pytest.mark.rule(58, shows="refuses")
@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (photo(content_type="image/avif"), "unsupported_format"),
        (photo(byte_count=30_000_001), "file_too_large"),
        (photo(2510, 1000), "image_ratio_out_of_range"),
        (photo(999, 2510), "image_ratio_out_of_range"),
        (photo(299, 400), "image_side_out_of_range"),
        (photo(6001, 6000), "image_side_out_of_range"),
    ],
)
def test_pictures_that_the_video_tool_refuses(found, facts, code):
    refused = found(PLAIN, ("reference_image", facts), settings=VIDEO_TOOL)
    assert refused == [(code, "/inputs/0")]


@pytest.mark.rule(59, shows="accepts")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"content_type": "video/quicktime", "video_codec": "hevc", "audio_codec": "mp3"},
        {"audio_codec": None, "frames_per_second": 23.976},
        {"width": 854, "height": 480, "frames_per_second": 59.94},
        {"width": 1080, "height": 1920, "frames_per_second": 24.0},
        {"seconds": 2.0},
    ],
)
def test_clips_for_the_video_tool(found, changes):
    assert found(REFERENCES, ("reference_video", clip(**changes)), settings=VIDEO_TOOL) == []


@pytest.mark.rule(59, shows="refuses")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"content_type": "video/webm"}, "unsupported_format"),
        ({"video_codec": "vp9"}, "unsupported_format"),
        ({"audio_codec": "opus"}, "unsupported_format"),
        ({"width": 640, "height": 360}, "unsupported_format"),
        ({"width": 3840, "height": 2160}, "unsupported_format"),
        ({"frames_per_second": 15.0}, "unsupported_format"),
        ({"frames_per_second": 120.0}, "unsupported_format"),
        ({"seconds": 1.8}, "reference_video_too_short"),
        ({"seconds": 15.2}, "reference_video_too_long"),
    ],
)
def test_clips_that_the_video_tool_refuses(found, changes, code):
    refused = found(REFERENCES, ("reference_video", clip(**changes)), settings=VIDEO_TOOL)
    assert (code, "/inputs/0") in refused


@pytest.mark.rule(59, shows="refuses")
def test_a_fourth_clip_is_refused_by_its_name(found):
    files = [("reference_video", clip(3.0))] * 4
    assert ("too_many_videos", "/inputs") in found(REFERENCES, *files, settings=VIDEO_TOOL)


@pytest.mark.rule(60, shows="accepts")
@pytest.mark.parametrize("kind", ["audio/mpeg", "audio/wav"])
def test_sound_for_the_video_tool(found, kind):
    facts = song(15.0, content_type=kind, byte_count=15_000_000)
    files = (("reference_image", photo()), ("reference_audio", facts))
    assert found(PLAIN, *files, settings=VIDEO_TOOL) == []


@pytest.mark.rule(60, shows="refuses")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"content_type": "audio/mp4"}, "unsupported_format"),
        ({"byte_count": 15_000_001}, "file_too_large"),
        ({"seconds": 1.8}, "reference_audio_too_short"),
        ({"seconds": 15.2}, "reference_audio_too_long"),
    ],
)
def test_sound_that_the_video_tool_refuses(found, changes, code):
    files = (("reference_image", photo()), ("reference_audio", song(**changes)))
    assert (code, "/inputs/1") in found(PLAIN, *files, settings=VIDEO_TOOL)


@pytest.mark.rule(60, shows="refuses")
def test_a_fourth_sound_is_refused_by_its_name(found):
    files = [("reference_image", photo()), *[("reference_audio", song(3.0))] * 4]
    assert ("too_many_audios", "/inputs") in found(PLAIN, *files, settings=VIDEO_TOOL)
