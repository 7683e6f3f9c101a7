"""A provider that takes fewer kinds of files than the model is passed over, or named."""

import pytest

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind

I2V = "image-to-video"


@pytest.fixture
def providers(catalogue, check):
    def run(model, *inputs, facts=None, **words):
        checked = check(catalogue, model, operation=I2V, inputs=inputs, facts=facts, **words)
        return [plan.provider for plan in checked.routes]

    return run


@pytest.mark.rule(10, shows="accepts")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", ["kling", "kie", "fal"]),
        ("a.jpg", ["kling", "kie", "fal"]),
        ("a.webp", ["fal"]),
        ("a", ["kling", "kie", "fal"]),
    ],
)
def test_formats_decide_who_gets_a_picture(providers, media, name, expected):
    assert providers("kling-2-6-image-to-video", media("first_frame", name)) == expected


@pytest.mark.rule(10, shows="accepts")
def test_what_a_picture_is_like_decides_where_it_is_known(providers, media, image_facts):
    picture = media("first_frame")
    model = "kling-2-5-image-to-video-pro"
    assert providers(model, picture, facts={0: image_facts(300, 300)}) == ["kling", "kie", "fal"]
    assert providers(model, picture, facts={0: image_facts(299, 300)}) == ["kie", "fal"]
    assert providers(model, picture, facts={0: image_facts(3000, 1000)}) == ["kie", "fal"]
    assert providers("v1-pro-fast-i2v", picture, facts={0: image_facts(6001, 3000)}) == [
        "kie",
        "fal",
    ]


@pytest.mark.rule(10, shows="refuses")
def test_a_named_provider_says_what_it_does_not_take(catalogue, check, media):
    with pytest.raises(InvalidRequestError) as caught:
        check(
            catalogue,
            "kling-2-6-image-to-video",
            inputs=(media("first_frame", "a.webp"),),
            provider="kling",
        )
    error = caught.value
    assert (error.code, error.pointer) == ("unsupported_format", "/inputs/0")
    assert error.details == {"given": "webp", "allowed": ["jpeg", "png"], "provider": "kling"}


@pytest.mark.rule(12, shows="accepts")
def test_clips_of_motion_control_by_provider(providers, media, clip_facts):
    model = "kling-3-0-motion-control-1080p"
    picture = media("first_frame")
    for name, expected in (
        ("a.mp4", ["kling", "kie", "fal"]),
        ("a.mov", ["kling", "kie", "fal"]),
        ("a.webm", ["fal"]),
    ):
        assert providers(model, picture, media("reference_video", name), prompt=None) == expected
    small = clip_facts(5, width=640, height=330)
    clip = media("reference_video", "a.mp4")
    assert providers(model, picture, clip, facts={1: small}, prompt=None) == ["kie", "fal"]


@pytest.mark.rule(10, shows=("accepts", "refuses"))
def test_references_of_seedance_by_provider(catalogue, check, media, clip_facts):
    clip = media("reference_video", "a.mp4")

    def first(**facts):
        known = {0: clip_facts(5, MediaKind.VIDEO, "video/mp4", **facts)}
        checked = check(catalogue, "seedance-2-720p-video-ref", inputs=(clip,), facts=known)
        return checked.routes[0].provider

    assert first(width=1280, height=720, frames_per_second=24.0) == "bytedance"
    assert first(width=1280, height=720, frames_per_second=15.0) == "kie"
    assert first(width=400, height=240, frames_per_second=24.0) == "kie"
