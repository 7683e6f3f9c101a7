"""Names: our own, and those that callers ask for, which never lead out of the drive."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mediawright.assets.drive import Drive
from mediawright.assets.local_drive import PARTIAL_FOLDER
from mediawright.assets.naming import (
    alternatives,
    check_output_path,
    default_key,
    is_safe_key,
    output_key,
    rendition_key,
    resolve_output_path,
    time_of_id,
)
from mediawright.core.errors import InternalError, InvalidRequestError
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.operations import MediaKind

NOW = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)


@pytest.mark.rule(61, shows="accepts")
@pytest.mark.parametrize(
    ("path", "extension", "key"),
    [
        ("cat.png", "png", "agent/cat.png"),
        ("pictures/cat", "png", "agent/pictures/cat.png"),
        ("/space/film", "mp4", "space/film.mp4"),
        ("/space/a/b c.MP4", "mp4", "space/a/b c.MP4"),
        ("photo.JPEG", "jpg", "agent/photo.JPEG"),
        ("scene 1.5", "mp4", "agent/scene 1.5.mp4"),
        ("v1.2/take", "wav", "agent/v1.2/take.wav"),
        ("Zürich/東京 at dusk", "webp", "agent/Zürich/東京 at dusk.webp"),
        ("space/cat", "png", "agent/space/cat.png"),
        ("opus.oga", "ogg", "agent/opus.oga"),
        ("take #1", "wav", "agent/take #1.wav"),
        ("take #1/100%20 & more~", "png", "agent/take #1/100%20 & more~.png"),
    ],
)
def test_output_paths_lead_into_the_drives(path, extension, key):
    assert resolve_output_path(path, extension) == key


ESCAPES = [
    "",
    "/",
    "/etc/passwd",
    "/space",
    "/space/",
    "/spaces/x.png",
    "//space/x.png",
    "/space//x.png",
    "../../etc/passwd",
    "a/../../b.png",
    "/space/../agent/x.png",
    "..",
    ".",
    "./x.png",
    "a/./b.png",
    ".hidden.png",
    "a/.git/config",
    "a\\b.png",
    "..\\..\\x.png",
    "C:\\x.png",
    "C:x.png",
    "a\0.png",
    "a\nb.png",
    "a\x1b[31m.png",
    "a\u202egnp.exe",
    "a\u200b.png",
    "a//b.png",
    "a/",
    " a.png",
    "a /b.png",
    "a./b.png",
    "con",
    "NUL.png",
    "a/COM1.txt.png",
    "what?.png",
    "a*b.png",
    "a|b",
    "\ud800.png",
    "x" * 300,
    "/".join(["longer"] * 200),
]


@pytest.mark.rule(61, shows="refuses")
@pytest.mark.parametrize("path", ESCAPES)
def test_other_paths_are_refused(path):
    for check in (
        lambda: resolve_output_path(path, "png"),
        lambda: check_output_path(path, MediaKind.IMAGE),
        lambda: output_key(path, "png"),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            check()
        assert caught.value.code == "invalid_path"
        assert caught.value.pointer == "/output_path"
        assert caught.value.hint


@pytest.mark.rule(61, shows="refuses")
@pytest.mark.parametrize("path", ["cat.jpg", "cat.mp4", "cat.exe", "/space/a/page.html"])
def test_an_extension_of_another_format_is_refused(path):
    with pytest.raises(InvalidRequestError) as caught:
        resolve_output_path(path, "png")

    assert caught.value.code == "unsupported_format"
    assert caught.value.pointer == "/output_path"
    assert caught.value.details == {"allowed": ["png"]}


def test_before_the_format_is_known_any_of_the_kind_will_do():
    check_output_path("a/cat.webp", MediaKind.IMAGE)
    check_output_path("/space/cat", MediaKind.VIDEO)
    with pytest.raises(InvalidRequestError) as caught:
        check_output_path("cat.mp3", MediaKind.VIDEO)
    assert caught.value.code == "unsupported_format"
    assert "mp4" in caught.value.details["allowed"]


def test_a_file_that_is_there_gets_its_own_extension():
    assert output_key("a/cat.png", "jpg") == "agent/a/cat.jpg"
    assert output_key("a/cat.jpeg", "jpg") == "agent/a/cat.jpeg"
    assert output_key("a/cat", "jpg") == "agent/a/cat.jpg"


path_like = st.text(
    st.sampled_from(list("ab./\\ ~:\0\n%$*é\u202e")) | st.characters(codec="utf-8"), max_size=40
)


@given(path=path_like | st.text(max_size=30), extension=st.sampled_from(["png", "mp4", "json"]))
@example(path="/space/....//x", extension="png")
def test_no_path_leads_out_of_the_drive(path, extension):
    try:
        key = resolve_output_path(path, extension)
    except InvalidRequestError:
        return
    assert is_safe_key(key)
    root = Path("/srv/drive")
    assert (root / key).resolve().is_relative_to(root / key.partition("/")[0])
    assert key.startswith(("agent/", "space/"))
    assert PurePosixPath(key).suffix
    assert all(is_safe_key(one) for one in itertools.islice(alternatives(key), 3))
    name = rendition_key(key, "thumbnail", "webp").rpartition("/")[2]
    assert len(name.encode()) <= 255


@given(key=path_like)
def test_a_drive_takes_no_unsafe_key(tmp_path_factory, key):
    root = tmp_path_factory.getbasetemp() / "drive"
    try:
        path = Drive.local(root).local_path(key)
    except InternalError:
        return
    assert path is not None
    assert path.is_relative_to(root)
    assert ".." not in path.parts


awkward = st.text(alphabet="aC019#%:|&~.*?<>[]{}^`'\" é\u0301日😀\u200d/", min_size=1, max_size=24)


@settings(max_examples=60)
@given(key=awkward | st.text(min_size=1, max_size=40))
@example(key="agent/bread & butter.png")
@example(key="agent/bread%20&%20butter%2F..png")
@example(key="take #1/C:/#1.png")
@example(key="agent/e\u0301.png")
@example(key="agent/...")
@example(key="a#\uff11")
@example(key="1:")
@example(key="x" * 255)
def test_a_file_lies_on_the_disk_under_precisely_its_name(tmp_path_factory, key):
    parts = key.split("/")
    assume(is_safe_key(key) and all(len(part.encode()) <= 255 for part in parts))
    # Where drives keep what has no name yet.
    assume(parts[0] != PARTIAL_FOLDER)
    root = tmp_path_factory.mktemp("drive")
    asyncio.run(come_and_go(root, key))


async def come_and_go(root: Path, key: str) -> None:
    drive, source = Drive.local(root / "drive"), root / "source"
    folder = key.partition("/")[0]

    def below() -> list[str]:
        drive_root = root / "drive"
        files = (path for path in drive_root.rglob("*") if path.is_file())
        return [str(path.relative_to(drive_root)) for path in files]

    assert await drive.create(key, b"created")
    assert not await drive.create(key, b"again")
    assert below() == [key]
    assert await drive.read(key) == b"created"
    source.write_bytes(b"moved here")
    await drive.put_file(source, key, content_type="image/png")
    assert below() == [key]
    assert drive.local_path(key) == root / "drive" / key
    assert await drive.size(key) == 10
    assert b"".join([chunk async for chunk in drive.open_stream(key, 1, 5)]) == b"oved"
    if folder != key and is_safe_key(folder):
        assert await drive.older_than(folder, -60) == [key]
    assert await drive.delete(key)
    assert below() == []


def test_names_that_are_taken_get_numbers():
    names = list(itertools.islice(alternatives("agent/a/b.tar.png"), 3))

    assert names == ["agent/a/b.tar.png", "agent/a/b.tar (2).png", "agent/a/b.tar (3).png"]


def test_own_names_carry_the_time_of_the_id():
    generation_id = "gen_" + f"{int(NOW.timestamp() * 1000):012x}" + "7" + "0" * 3 + "8" + "0" * 15

    key = default_key(generation_id, 2, "png", now=datetime(2030, 1, 1, tzinfo=UTC))

    assert key == f"2026/11/20/20261120T101500Z-{generation_id}-2.png"
    assert is_safe_key(key)


def test_an_id_without_time_is_named_by_the_clock():
    assert default_key("gen_x", 0, "png", now=NOW) == "2026/11/20/20261120T101500Z-gen_x-0.png"
    assert time_of_id("gen_" + "0" * 32) is None


def test_the_time_of_a_fresh_id_is_now():
    before = datetime.now(UTC)
    made = time_of_id(new_id(IdPrefix.GENERATION))

    assert made is not None
    assert abs((made - before).total_seconds()) < 5
