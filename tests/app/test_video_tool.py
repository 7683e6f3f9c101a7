"""Calls of an agent's video tool, from their arguments to the request and to the file."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from mediawright.app.embedded import AsyncMediawright
from mediawright.app.generate import abandon, generate, prepare
from mediawright.app.intake import Draft, InputSource
from mediawright.app.video_tool import DEFAULT_MODEL, video_tool_draft
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import InputRole

CALL = {"prompt": "a red kite over dunes", "file_path": "videos/kite.mp4"}
DRIVE = {"pictures/kite.png": "ast_01"}

Picture = Callable[..., bytes]


@pytest.fixture
def picture() -> Picture:
    def draw(width: int = 640, height: int = 360) -> bytes:
        target = io.BytesIO()
        Image.new("RGB", (width, height), "teal").save(target, "PNG")
        return target.getvalue()

    return draw


def draft(**arguments: Any) -> Draft:
    return video_tool_draft({**CALL, **arguments}, DRIVE.get)


def codes(arguments: dict[str, Any]) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidRequestError) as raised:
        video_tool_draft(arguments, DRIVE.get)
    return [(problem.code, problem.pointer) for problem in raised.value.problems]


@pytest.mark.rule(49, shows="accepts")
def test_a_prompt_and_a_path_are_enough() -> None:
    made = draft()
    assert (made.prompt, made.output_path) == (CALL["prompt"], CALL["file_path"])
    assert made.model == DEFAULT_MODEL == "seedance-flagship"
    assert made.inputs == ()


@pytest.mark.rule(49, shows="refuses")
@pytest.mark.parametrize("nothing", [None, "", "  ", 7])
def test_without_them_it_is_refused(nothing: Any) -> None:
    assert codes({"prompt": nothing, "file_path": "a.mp4"}) == [("prompt_required", "/prompt")]
    assert codes({"prompt": "x", "file_path": nothing}) == [("file_path_required", "/file_path")]
    assert codes({}) == [("prompt_required", "/prompt"), ("file_path_required", "/file_path")]


@pytest.mark.rule(50, shows="accepts")
@pytest.mark.parametrize(
    ("attachment", "source"),
    [
        (
            "https://h.test/a.png?x=1",
            InputSource(url="https://h.test/a.png?x=1", name="a.png"),
        ),
        ("pictures/kite.png", InputSource(asset_id="ast_01", name="kite.png")),
        ({"path": "pictures/kite.png"}, InputSource(asset_id="ast_01", name="kite.png")),
        (
            {"url": "https://h.test/a", "type": "image", "name": "b.png", "role": "last_frame"},
            InputSource(role=InputRole.LAST_FRAME, url="https://h.test/a", name="b.png"),
        ),
        (
            {"url": "https://h.test/a", "mimeType": "video/mp4", "role": "reference_video"},
            InputSource(role=InputRole.REFERENCE_VIDEO, url="https://h.test/a", name="a"),
        ),
    ],
)
def test_the_forms_of_an_attachment(attachment: Any, source: InputSource) -> None:
    assert draft(attachments=[attachment]).inputs == (source,)


@pytest.mark.rule(50, shows="refuses")
@pytest.mark.parametrize(
    "attachment",
    [
        7,
        None,
        {},
        {"role": "first_frame"},
        {"path": ""},
        {"url": 7},
        {"url": "https://h.test/a.png", "more": "x"},
        {"url": "https://h.test/a.png", "type": "text"},
        "no/such.png",
    ],
)
def test_what_is_no_attachment(attachment: Any) -> None:
    found = codes({**CALL, "attachments": ["https://h.test/a.png", attachment]})
    assert found == [("invalid_attachment", "/attachments/1")]
    assert codes({**CALL, "attachments": "a.png"}) == [("invalid_attachment", "/attachments")]


@pytest.mark.rule(51, shows=("accepts", "refuses"))
@pytest.mark.parametrize(
    ("role", "url", "fine"),
    [
        ("first_frame", "a.png", True),
        ("last_frame", "a.jpeg", True),
        ("reference_image", "a.webp", True),
        ("reference_video", "a.mp4", True),
        ("reference_audio", "a.wav", True),
        ("first_frame", "a.mp4", False),
        ("reference_image", "a.wav", False),
        ("reference_video", "a.png", False),
        ("reference_audio", "a.mp4", False),
    ],
)
def test_a_role_goes_with_a_medium(role: str, url: str, *, fine: bool) -> None:
    attachment = {"url": f"https://h.test/{url}", "role": role}
    if fine:
        assert draft(attachments=[attachment]).inputs[0].role == role
        return
    assert codes({**CALL, "attachments": [attachment]}) == [
        ("role_media_mismatch", "/attachments/0/role")
    ]


@pytest.mark.rule(51, shows="refuses")
def test_a_role_that_there_is_not() -> None:
    for role in ("mask", "middle_frame"):
        attachment = {"url": "https://h.test/a.png", "role": role}
        assert codes({**CALL, "attachments": [attachment]}) == [
            ("invalid_attachment", "/attachments/0/role")
        ]


@pytest.mark.rule(51, shows=("accepts", "adjusts"))
@pytest.mark.parametrize(
    ("number", "roles"),
    [(1, ["first_frame"]), (2, ["reference_image", "reference_image"])],
)
async def test_a_lone_picture_is_the_first_frame(
    sandboxed: AsyncMediawright, picture: Picture, number: int, roles: list[str]
) -> None:
    runtime = sandboxed.runtime
    kept = await sandboxed.upload(*[picture(640 + n) for n in range(number)])
    asked = draft(attachments=[asset.id for asset in kept])
    prepared = await prepare(runtime, DEFAULT_WORKSPACE, asked)
    assert [item.role.value for item in prepared.checked.request.inputs] == roles
    await abandon(prepared)


@pytest.mark.rule(54, 55, 56, 57, shows="accepts")
def test_its_names_for_parameters() -> None:
    made = draft(
        durationSeconds=6,
        aspectRatio="9:16",
        resolution="1080p",
        generateAudio=False,
        watermark=True,
        returnLastFrame=True,
        webSearch=True,
    ).parameters
    assert (made.duration, made.aspect_ratio, made.resolution) == (6, "9:16", "1080p")
    assert (made.sound, made.watermark) == (False, True)
    assert (made.return_last_frame, made.web_search) == (True, True)
    assert codes({**CALL, "seconds": 5}) == [("unknown_parameter", "/seconds")]


@pytest.mark.rule(58, shows="refuses")
async def test_files_are_held_to_the_tools_limits(
    sandboxed: AsyncMediawright, picture: Picture
) -> None:
    runtime = sandboxed.runtime
    (small,) = await sandboxed.upload(picture(400, 200))
    with pytest.raises(InvalidRequestError) as raised:
        await prepare(runtime, DEFAULT_WORKSPACE, draft(attachments=[small.id]))
    assert raised.value.code == "image_side_out_of_range"


@pytest.mark.rule(61, shows="accepts")
@pytest.mark.parametrize("path", ["kite", "kite.mp4", "/space/films/kite.mp4"])
def test_paths_in_the_drive(path: str) -> None:
    assert draft(file_path=path).output_path == path


@pytest.mark.rule(61, shows="refuses")
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../kite.mp4", "invalid_path"),
        ("/etc/kite.mp4", "invalid_path"),
        ("/space/../kite.mp4", "invalid_path"),
        ("kite.png", "unsupported_format"),
    ],
)
def test_paths_that_lead_elsewhere(path: str, code: str) -> None:
    assert codes({**CALL, "file_path": path}) == [(code, "/file_path")]


@pytest.mark.rule(61, shows="accepts")
async def test_the_film_lies_where_it_was_wanted(sandboxed: AsyncMediawright) -> None:
    asked = draft(
        file_path="videos/kite",
        model="local-sketch-video",
        durationSeconds=1,
        resolution="480p",
    )
    made = await generate(sandboxed.runtime, DEFAULT_WORKSPACE, asked)
    handle = await sandboxed.handle(made.id)
    finished = await handle.wait()
    assert finished.path.as_posix().endswith("videos/kite.mp4")
