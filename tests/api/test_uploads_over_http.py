"""Uploads: files at hand become inputs (rule 48)."""

from __future__ import annotations

import io
import socket
import time
import tracemalloc
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from tests.api.running import PICTURE, Member, RunningServer

from mediawright.app.settings import MediaSettings

pytestmark = pytest.mark.rule(48, shows=("accepts", "refuses"))
LARGEST = 4 * 1024**2
MOST_FILES = 3


def picture(size: tuple[int, int] = (96, 64), kind: str = "PNG", colour: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def sound(seconds: float = 2.0) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\0" * int(8000 * seconds))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    media = MediaSettings(largest_upload=LARGEST, files_per_upload=MOST_FILES)
    with RunningServer(tmp_path_factory.mktemp("api"), media=media) as running:
        yield running


def test_many_files_come_back_as_urls_in_their_order(member: Member) -> None:
    reply = member.http.post(
        "/v1/upload/media",
        files=[
            ("files", ("a.png", picture(), "image/png")),
            ("files", ("b.wav", sound(1.5), "audio/wav")),
            ("more", ("c.jpg", picture((32, 48), "JPEG"), "image/jpeg")),
        ],
    )
    assert reply.status_code == 201, reply.text
    body = reply.json()
    files = body["files"]
    assert [file["name"] for file in files] == ["a.png", "b.wav", "c.jpg"]
    assert [file["kind"] for file in files] == ["image", "audio", "image"]
    assert [file["media_type"] for file in files] == ["image/png", "audio/wav", "image/jpeg"]
    assert files[0]["dimensions"] == {"width": 96, "height": 64}
    assert files[0]["bytes"] == len(picture())
    assert files[1]["seconds"] == 1.5
    assert body["urls"] == [file["url"] for file in files]
    for url, content in zip(body["urls"], (picture(), sound(1.5)), strict=False):
        assert urlsplit(url).scheme == "http"
        assert member.http.get(url).content == content


def test_the_urls_work_as_source_media_without_a_request_to_ourselves(
    server: RunningServer, member: Member
) -> None:
    """The guard refuses every address of this machine, so nothing can have been fetched."""
    [url] = member.http.post("/v1/upload/media", files={"files": picture((90, 60))}).json()["urls"]
    assert "127.0.0.1" in url
    made = member.make(generation_type="image-to-image", source_media_urls=[url], size=None)
    size = made["outputs"][0]["dimensions"]
    assert size["width"] / size["height"] == pytest.approx(1.5, abs=0.05)
    assert made["error"] is None


def test_the_id_works_as_well(member: Member) -> None:
    [file] = member.http.post("/v1/upload/media", files={"files": picture()}).json()["files"]
    made = member.make(
        generation_type="image-to-image", size=None, inputs=[{"asset_id": file["asset_id"]}]
    )
    assert made["status"] == "completed"


def test_another_workspace_s_upload_does_not_exist(server: RunningServer, member: Member) -> None:
    body = member.http.post("/v1/upload/media", files={"files": picture()}).json()
    stranger = server.new_member()
    before = stranger.left_behind()
    assert stranger.http.get(body["urls"][0]).status_code == 404
    reply = stranger.start(generation_type="image-to-image", source_media_urls=body["urls"])
    assert (reply.status_code, reply.json()["error"]) == (404, "asset_not_found")
    assert reply.json()["pointer"] == "/source_media_urls"
    assert stranger.left_behind() == before


LIES = {
    "a page": (b"<html><body>no picture</body></html>", "unsupported_format", "a web page"),
    "a document": (b"%PDF-1.7 ...", "unsupported_format", "a PDF document"),
    "a program": (b"\x7fELF\2\1\1\0" + bytes(60), "unsupported_format", "of an unknown kind"),
    "nothing": (b"", "empty_file", "empty"),
    "half a picture": (picture()[:70], "corrupt_file", "damaged"),
}


@pytest.mark.parametrize("what", LIES)
def test_declared_types_and_names_are_not_trusted(member: Member, what: str) -> None:
    content, code, words = LIES[what]
    before = member.left_behind()
    reply = member.http.post(
        "/v1/upload/media",
        files=[("files", ("ok.png", picture())), ("files", ("lie.png", content, "image/png"))],
    )
    body = reply.json()
    assert (reply.status_code, body["error"], body["pointer"]) == (400, code, "/files/1")
    assert words in body["message"]
    # The good file beside it is not kept either.
    assert member.left_behind() == before


def test_a_lie_about_a_good_file_does_no_harm(member: Member) -> None:
    reply = member.http.post(
        "/v1/upload/media", files={"files": ("song.mp3", picture(), "audio/mpeg")}
    )
    [file] = reply.json()["files"]
    assert (file["kind"], file["media_type"]) == ("image", "image/png")
    assert member.http.get(file["url"]).headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("kind", ["one byte too many", "far too many"])
def test_a_file_over_the_limit_is_refused(member: Member, kind: str) -> None:
    size = LARGEST + 1 if kind == "one byte too many" else 12 * LARGEST
    before = member.left_behind()
    reply = member.http.post("/v1/upload/media", files={"files": picture().ljust(size, b"\0")})
    body = reply.json()
    assert (reply.status_code, body["error"], body["pointer"]) == (
        400,
        "file_too_large",
        "/files/0",
    )
    assert body["largest_bytes"] == LARGEST
    assert member.left_behind() == before


def test_too_many_files_are_refused(member: Member) -> None:
    before = member.left_behind()
    reply = member.http.post("/v1/upload/media", files=[("files", picture())] * (MOST_FILES + 1))
    assert (reply.status_code, reply.json()["error"]) == (400, "too_many_files")
    assert reply.json()["maximum"] == MOST_FILES
    assert member.left_behind() == before


BOUNDARY = "multipart/form-data; boundary=x"
HEAD = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
MALFORMED = {
    "not multipart": ("application/json", b"{}", 415, "invalid_content_type"),
    "no type": (None, b"abc", 415, "invalid_content_type"),
    "no boundary": ("multipart/form-data", b"abc", 415, "invalid_content_type"),
    "a long boundary": (
        f"multipart/form-data; boundary={'x' * 300}",
        b"abc",
        400,
        "invalid_body",
    ),
    "another boundary": (BOUNDARY, b"--y\r\n\r\nabc\r\n--y--\r\n", 400, "invalid_body"),
    "no end": (BOUNDARY, HEAD + picture(), 400, "invalid_body"),
    "no part": (BOUNDARY, b"--x--\r\n", 400, "files_required"),
    "empty": (BOUNDARY, b"", 400, "invalid_body"),
    "a long header": (BOUNDARY, HEAD.replace(b"a.png", b"a" * 9000), 400, "invalid_body"),
    "a field": (
        BOUNDARY,
        b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nabc\r\n--x--\r\n',
        400,
        "unknown_parameter",
    ),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_bodies_are_refused(member: Member, what: str) -> None:
    kind, content, status, code = MALFORMED[what]
    before = member.left_behind()
    headers = {} if kind is None else {"Content-Type": kind}
    reply = member.http.post("/v1/upload/media", content=content, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (status, code)
    assert member.left_behind() == before


def test_names_are_shown_as_far_as_they_can_be(member: Member) -> None:
    raw = HEAD.replace(b"a.png", "../ü\x00\x07.png".encode() + b"\xff")
    reply = member.http.post(
        "/v1/upload/media",
        content=raw + picture() + b"\r\n--x--\r\n",
        headers={"Content-Type": BOUNDARY},
    )
    assert reply.status_code == 201, reply.text
    [file] = reply.json()["files"]
    assert file["name"] == "../ü.png\N{REPLACEMENT CHARACTER}"
    # The name never becomes one of the drive.
    assert ".." not in file["url"]


def test_nobody_uploads_without_a_key(server: RunningServer, member: Member) -> None:
    before = member.left_behind()
    reply = server.client().post("/v1/upload/media", files={"files": picture()})
    assert reply.status_code == 401
    assert member.left_behind() == before


def test_nothing_is_left_of_a_connection_that_breaks_off(
    server: RunningServer, member: Member
) -> None:
    before = member.left_behind()
    host, port = urlsplit(server.address).hostname, urlsplit(server.address).port
    staging = server.runtime.folder.staging
    with socket.create_connection((host or "", port or 0)) as connection:
        connection.sendall(
            b"POST /v1/upload/media HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n"
            + f"Authorization: Bearer {member.key}\r\nContent-Type: {BOUNDARY}\r\n\r\n".encode()
            + HEAD
            + bytes(300_000)
        )
        assert until(lambda: files_in(staging) != [])
    assert until(lambda: files_in(staging) == [])
    assert member.left_behind() == before


def test_a_large_file_passes_in_constant_memory(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """120 MB are taken in while the server's Python never holds more than a few of them."""
    megabytes = 120
    path = tmp_path / "large.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        for _ in range(megabytes):
            file.writeframes(bytes(1024**2))
    with RunningServer(tmp_path_factory.mktemp("large")) as server:
        member = server.new_member()
        tracemalloc.start()
        try:
            with path.open("rb") as content:
                reply = member.http.post("/v1/upload/media", files={"files": content})
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert reply.status_code == 201, reply.text
    assert reply.json()["files"][0]["bytes"] == path.stat().st_size
    assert peak < 40 * 1024**2


def test_the_body_of_other_requests_is_limited_as_before(member: Member) -> None:
    reply = member.http.post("/v1/generate/media", json={**PICTURE, "prompt": "x" * 2_000_000})
    assert (reply.status_code, reply.json()["error"]) == (413, "body_too_large")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def until(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


def test_this_machine_may_be_called_by_another_of_its_names(member: Member) -> None:
    [url] = member.http.post("/v1/upload/media", files={"files": picture()}).json()["urls"]
    for name in ("localhost", "[::1]"):
        reply = member.start(source_media_urls=[url.replace("127.0.0.1", name)], prefer="wait=30")
        assert reply.status_code == 200, reply.text
    reply = member.start(source_media_urls=[url.replace("127.0.0.1", "localhost.a.test")])
    assert reply.json()["error"] in {"url_not_allowed", "unknown_media_type"}
