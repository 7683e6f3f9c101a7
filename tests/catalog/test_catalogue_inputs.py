import pytest

from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.preflight import PreflightSettings
from mediawright.catalog.surfaces import NO_LIMITS, VIDEO_TOOL_LIMITS
from mediawright.core.operations import InputRole, MediaKind
from mediawright.core.request import MediaInput


@pytest.fixture
def problem_codes(sample, problems):
    def run(model, **words):
        return [code for code, _ in problems(sample, model, **words)]

    return run


VIDEO_TOOL = PreflightSettings(surface=VIDEO_TOOL_LIMITS)


@pytest.mark.rule(6, shows="refuses")
def test_source_media_are_required(catalogue, problems):
    assert problems(catalogue, "gen4_turbo") == [("source_media_required", "/inputs")]
    assert problems(catalogue, "gpt-image-2", operation="image-to-image") == [
        ("source_media_required", "/inputs")
    ]
    assert problems(catalogue, "whisper-1", prompt=None) == [("source_media_required", "/inputs")]


@pytest.mark.rule(7, shows="refuses")
def test_source_media_are_not_always_allowed(catalogue, problems, media):
    picture = (media("reference_image"),)
    assert problems(catalogue, "flux-schnell", inputs=picture) == [
        ("source_media_not_allowed", "/inputs")
    ]
    assert problems(catalogue, "gpt-image-2", operation="text-to-image", inputs=picture) == [
        ("source_media_not_allowed", "/inputs")
    ]


@pytest.mark.rule(7, shows="accepts")
def test_optional_references_are_allowed(sample, check, media):
    assert check(
        sample, "clip-2-720p", operation="text-to-video", inputs=(media("reference_image"),)
    ).routes


@pytest.mark.rule(9, shows="refuses")
def test_kinds_must_fit_the_model(catalogue, problems, media):
    clip = (media("reference_video", "a.mp4"),)
    assert problems(catalogue, "gen4_turbo", inputs=clip)[0] == (
        "unsupported_media_kind",
        "/inputs/0",
    )


def test_kind_and_role_must_agree(catalogue, problems, media):
    wrong = (media("first_frame", "a.mp4", kind=MediaKind.VIDEO),)
    assert problems(catalogue, "gen4_turbo", inputs=wrong)[0] == (
        "role_media_mismatch",
        "/inputs/0/role",
    )


def test_a_picture_takes_the_place_the_model_has_for_it(catalogue, check, adjusted, media):
    framed = check(catalogue, "gen4_turbo", inputs=(media("reference_image"),))
    assert framed.request.inputs[0].role is InputRole.FIRST_FRAME
    assert adjusted(framed)["/inputs/0/role"] == ("replaced", "first_frame")
    both = check(
        catalogue,
        "local-sketch-video",
        inputs=(media("reference_image"), media("reference_image", "b.png")),
    )
    assert [item.role.value for item in both.request.inputs] == ["first_frame", "last_frame"]
    edited = check(catalogue, "gpt-image-2", inputs=(media("first_frame"),))
    assert edited.request.inputs[0].role is InputRole.REFERENCE_IMAGE


def test_a_last_frame_or_mask_is_never_moved(catalogue, problems, media):
    frames = (media("first_frame"), media("last_frame"))
    assert problems(catalogue, "gen4_turbo", inputs=frames) == [
        ("unsupported_by_model", "/inputs/1")
    ]
    masked = (media("first_frame"), media("mask"))
    assert problems(catalogue, "gen4_turbo", inputs=masked) == [
        ("unsupported_by_model", "/inputs/1")
    ]


def test_counts(catalogue, sample, problems, check, media):
    def pictures(number):
        return tuple(media("reference_image", f"{n}.png") for n in range(number))

    assert check(catalogue, "gpt-image-2", inputs=pictures(16)).routes
    assert problems(catalogue, "gpt-image-2", inputs=pictures(17)) == [
        ("invalid_media_count", "/inputs")
    ]
    two_frames = (media("first_frame"), media("first_frame", "b.png"))
    assert problems(catalogue, "gen4_turbo", inputs=two_frames) == [
        ("invalid_media_count", "/inputs")
    ]
    assert problems(catalogue, "gen4_turbo", inputs=pictures(2)) == [
        ("invalid_media_count", "/inputs/1")
    ]
    assert problems(catalogue, "gpt-image-2", inputs=(media("mask"),)) == [
        ("invalid_media_count", "/inputs")
    ]


def test_counts_may_have_their_own_codes(sample, problems, check, media):
    words = {"operation": "text-to-video"}
    images = tuple(media("reference_image", f"{n}.png") for n in range(10))
    assert problems(sample, "clip-2-720p", inputs=images, **words) == [
        ("too_many_images", "/inputs")
    ]
    clips = tuple(media("reference_video", f"{n}.mp4") for n in range(4))
    assert problems(sample, "clip-2-720p-video-ref", inputs=clips, **words) == [
        ("too_many_videos", "/inputs")
    ]
    sounds = (media("reference_image"), *(media("reference_audio", f"{n}.mp3") for n in range(4)))
    assert problems(sample, "clip-2-720p", inputs=sounds, **words) == [
        ("too_many_audios", "/inputs")
    ]


def test_all_inputs_together_may_be_limited(sample, problems, media):
    many = (
        media("first_frame"),
        media("last_frame"),
        *(media("reference_audio", f"{n}.mp3") for n in range(3)),
    )
    found = problems(sample, "clip-2-720p", operation="image-to-video", inputs=many)
    assert found[0] == ("invalid_media_count", "/inputs")


def test_a_route_may_take_fewer(sample, check, problems, media):
    pictures = tuple(media("reference_image", f"{n}.png") for n in range(5))
    checked = check(sample, "clip-2-720p", inputs=pictures)
    assert [plan.provider for plan in checked.routes] == ["beta"]
    assert problems(sample, "clip-2-720p", inputs=pictures, provider="alpha") == [
        ("invalid_media_count", "/inputs")
    ]


def test_formats_are_told_by_bytes_or_by_name(sample, check, problems, media, image_facts):
    assert check(sample, "paint", inputs=(media("reference_image", "a.jpeg"),)).routes
    webp = (media("reference_image", "a.webp"),)
    refused = [("unsupported_format", "/inputs/0")]
    assert problems(sample, "paint", inputs=webp) == refused
    named_png = (media("reference_image", "a.png"),)
    lying = {0: image_facts(content_type="image/webp")}
    assert problems(sample, "paint", inputs=named_png, facts=lying) == refused
    honest = {0: image_facts()}
    assert check(sample, "paint", inputs=webp, facts=honest).routes


def test_bytes_and_sides(sample, check, problems, media, image_facts):
    picture = (media("reference_image"),)
    assert check(sample, "paint", inputs=picture, facts={0: image_facts(byte_count=10**6)}).routes
    assert problems(
        sample, "paint", inputs=picture, facts={0: image_facts(byte_count=10**6 + 1)}
    ) == [("file_too_large", "/inputs/0")]
    assert problems(sample, "paint", inputs=picture, facts={0: image_facts(299, 800)}) == [
        ("image_side_out_of_range", "/inputs/0")
    ]


def test_the_surface_limits_bytes(catalogue, check, problems, media, image_facts):
    picture = (media("reference_image"),)
    surface = {0: image_facts(byte_count=10_000_001)}
    assert problems(catalogue, "gpt-image-2", inputs=picture, facts=surface) == [
        ("file_too_large", "/inputs/0")
    ]
    open_surface = PreflightSettings(surface=NO_LIMITS)
    assert check(
        catalogue, "gpt-image-2", inputs=picture, facts=surface, settings=open_surface
    ).routes


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"width": 1000, "height": 301}, "image_ratio_out_of_range"),
        ({"width": 200, "height": 200}, "image_side_out_of_range"),
        ({"width": 6002, "height": 3000}, "image_side_out_of_range"),
        ({"byte_count": 30_000_001}, "file_too_large"),
        ({"content_type": "image/avif"}, "unsupported_format"),
    ],
)
def test_the_video_tool_limits_pictures(problems, media, image_facts, facts, code):
    catalogue = load_catalogue()
    picture = (media("first_frame"),)
    assert problems(
        catalogue,
        "local-sketch-video",
        inputs=picture,
        facts={0: image_facts(**facts)},
        settings=VIDEO_TOOL,
    ) == [(code, "/inputs/0")]


def test_the_video_tool_takes_more_formats(catalogue, check, media, image_facts):
    picture = (media("first_frame", "a.heic"),)
    facts = {0: image_facts(content_type="image/heic", byte_count=29_000_000)}
    assert check(
        catalogue, "local-sketch-video", inputs=picture, facts=facts, settings=VIDEO_TOOL
    ).routes


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({"seconds": 1.5}, ["reference_video_too_short"]),
        ({"seconds": 15.5}, ["reference_video_too_long"]),
        ({"seconds": 5, "width": 1000, "height": 700}, ["unsupported_format"]),
        ({"seconds": 5, "frames_per_second": 12.0}, ["unsupported_format"]),
        ({"seconds": 5, "video_codec": "vp9"}, ["unsupported_format"]),
        ({"seconds": 5, "audio_codec": "opus"}, ["unsupported_format"]),
        ({"seconds": 5, "content_type": "video/webm"}, ["unsupported_format"]),
        ({"seconds": 5, "frames_per_second": 23.976, "video_codec": "h264"}, []),
        ({"seconds": 15, "width": 1280, "height": 720, "content_type": "video/quicktime"}, []),
    ],
)
def test_the_video_tool_limits_videos(problem_codes, media, clip_facts, facts, codes):
    clip = (media("reference_video", "a.mp4"),)
    found = problem_codes(
        "clip-2-720p-video-ref",
        inputs=clip,
        facts={0: clip_facts(**facts)},
        settings=VIDEO_TOOL,
    )
    assert found[:1] == codes


def test_lengths_count_together_where_they_are_known(sample, check, problems, media, clip_facts):
    clips = tuple(media("reference_video", f"{n}.mp4") for n in range(3))
    fine = {n: clip_facts(5) for n in range(3)}
    assert check(sample, "clip-2-720p-video-ref", inputs=clips, facts=fine).routes
    over = {n: clip_facts(6) for n in range(3)}
    assert problems(sample, "clip-2-720p-video-ref", inputs=clips, facts=over) == [
        ("reference_video_too_long", "/inputs")
    ]
    assert check(sample, "clip-2-720p-video-ref", inputs=clips).routes


def test_audio_lengths(sample, check, problems, media, clip_facts):
    sound = (media("reference_image"), media("reference_audio", "a.mp3"))

    def facts(seconds):
        return {1: clip_facts(seconds, MediaKind.AUDIO, "audio/mpeg")}

    assert check(sample, "clip-2-720p", inputs=sound, facts=facts(15)).routes
    assert problems(sample, "clip-2-720p", inputs=sound, facts=facts(1))[0] == (
        "reference_audio_too_short",
        "/inputs/1",
    )
    assert problems(sample, "clip-2-720p", inputs=sound, facts=facts(16))[0] == (
        "reference_audio_too_long",
        "/inputs/1",
    )


@pytest.mark.rule(5, shows="refuses")
@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ("not a list", ("invalid_source_media", "/inputs")),
        (("a.png",), ("invalid_source_media", "/inputs/0")),
        (
            (MediaInput(role=InputRole.MASK, kind=MediaKind.IMAGE),),
            ("invalid_source_media", "/inputs/0"),
        ),
        (
            (MediaInput(role=InputRole.MASK, kind=MediaKind.IMAGE, url="u", asset_id="a"),),
            ("invalid_source_media", "/inputs/0"),
        ),
        (
            (MediaInput(role="mask", kind=MediaKind.IMAGE, url="u"),),
            ("invalid_source_media", "/inputs/0"),
        ),
        (
            (MediaInput(role=InputRole.MASK, kind=MediaKind.IMAGE, url=7),),
            ("invalid_source_media", "/inputs/0"),
        ),
    ],
)
def test_misshapen_inputs(catalogue, problems, inputs, found):
    assert problems(catalogue, "gpt-image-2", inputs=inputs)[0] == found


@pytest.mark.rule(52, shows=("accepts", "refuses"))
def test_last_frame_needs_first_frame(catalogue, sample, check, problems, media):
    alone = (media("last_frame"),)
    codes = [
        c for c, _ in problems(sample, "clip-2-720p", operation="image-to-video", inputs=alone)
    ]
    assert codes == ["invalid_media_count", "last_frame_without_first_frame"]
    pair = (media("first_frame"), media("last_frame", "b.png"))
    assert check(catalogue, "local-sketch-video", inputs=pair).routes


def test_frames_and_references_do_not_mix(sample, check, problems, media):
    mixed = (media("first_frame"), media("reference_audio", "a.mp3"))
    assert problems(sample, "clip-2-720p", operation="image-to-video", inputs=mixed) == [
        ("frames_and_references_mixed", "/inputs")
    ]
    assert check(sample, "clip-2-720p", inputs=(media("first_frame"),)).routes


def test_audio_needs_something_to_see(sample, check, problems, media):
    sound = media("reference_audio", "a.mp3")
    assert problems(sample, "clip-2-720p", inputs=(sound,)) == [
        ("audio_needs_visual_reference", "/inputs")
    ]
    assert check(sample, "clip-2-720p", inputs=(sound, media("reference_image"))).routes


@pytest.mark.rule(21, shows="refuses")
def test_reference_video_belongs_to_its_own_row(sample, check, ask, now, media):
    from mediawright.catalog.preflight import collect_problems

    clip = (media("reference_video", "a.mp4"),)
    plain = collect_problems(sample, ask("clip-2-720p", inputs=clip), now=now)
    assert [(p.code, p.details["model"]) for p in plain] == [
        ("variant_mismatch", "clip-2-720p-video-ref")
    ]
    referenced = collect_problems(sample, ask("clip-2-720p-video-ref"), now=now)
    assert [(p.code, p.details["model"]) for p in referenced] == [
        ("variant_mismatch", "clip-2-720p")
    ]
    assert check(sample, "clip-2-720p-video-ref", inputs=clip).routes
