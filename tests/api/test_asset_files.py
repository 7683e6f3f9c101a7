"""GET /v1/assets/{id} and its content: whole, in parts, as renditions."""

from __future__ import annotations

import hashlib
import io
from typing import Any, NamedTuple

import httpx
import pytest
from PIL import Image
from tests.api.running import Member, RunningServer


class Stored(NamedTuple):
    member: Member
    asset: dict[str, Any]
    path: str
    data: bytes

    def get(self, path: str | None = None, **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.member.http.get(path or self.path, headers=names)


@pytest.fixture(scope="module")
def stored(server: RunningServer) -> Stored:
    member = server.new_member()
    asset = member.make(size="512x512")["outputs"][0]
    path = f"/v1/assets/{asset['asset_id']}/content"
    return Stored(member, asset, path, member.http.get(path).content)


def test_the_facts(stored: Stored) -> None:
    shown = stored.get(f"/v1/assets/{stored.asset['asset_id']}")
    assert shown.status_code == 200
    assert shown.json() == stored.asset
    assert stored.asset["url"].endswith(stored.path)
    assert stored.asset["sha256"] == hashlib.sha256(stored.data).hexdigest()
    assert stored.asset["bytes"] == len(stored.data)


def test_the_whole_file(stored: Stored) -> None:
    reply = stored.get()
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.headers["Content-Length"] == str(len(stored.data))
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Cache-Control"].startswith("private")
    assert reply.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''")
    assert Image.open(io.BytesIO(reply.content)).size == (512, 512)


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=1000-1999", 1000, 2000),
        ("bytes=100-", 100, None),
        ("bytes=0-", 0, None),
        ("bytes=-10", -10, None),
        ("bytes=-99999999", 0, None),
        ("bytes=50-99999999", 50, None),
        ("Bytes = 3-4", 3, 5),
    ],
)
def test_a_part(stored: Stored, wanted: str, start: int, end: int | None) -> None:
    expected = stored.data[start:end]
    reply = stored.get(Range=wanted)
    assert reply.status_code == 206
    assert reply.content == expected
    assert reply.headers["Content-Length"] == str(len(expected))
    first = start % len(stored.data)
    last = first + len(expected) - 1
    assert reply.headers["Content-Range"] == f"bytes {first}-{last}/{len(stored.data)}"
    assert reply.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,5-6", "bytes=5-2", "bytes=-", "bytes=a-b", "lines=0-1", "bytes", "bytes=²-", ""],
)
def test_a_range_that_is_none_is_ignored(stored: Stored, wanted: str) -> None:
    reply = stored.member.http.get(stored.path, headers={"Range": wanted.encode("latin-1")})
    assert reply.status_code == 200
    assert reply.content == stored.data
    assert "Content-Range" not in reply.headers


@pytest.mark.parametrize("wanted", ["bytes={size}-", "bytes=99999999-", "bytes=-0"])
def test_a_part_behind_the_end(stored: Stored, wanted: str) -> None:
    reply = stored.get(Range=wanted.format(size=len(stored.data)))
    assert reply.status_code == 416
    assert reply.headers["Content-Range"] == f"bytes */{len(stored.data)}"
    assert reply.json()["error"] == "range_not_satisfiable"


def test_parts_make_the_whole(stored: Stored) -> None:
    size, step = len(stored.data), 40_000
    parts = [
        stored.get(Range=f"bytes={start}-{start + step - 1}").content
        for start in range(0, size, step)
    ]
    assert len(parts) > 2
    assert b"".join(parts) == stored.data


def test_head_says_what_get_would_send(stored: Stored) -> None:
    whole = stored.get()
    head = stored.member.http.head(stored.path, headers={"Range": "bytes=0-9"})
    assert head.status_code == 200
    assert head.content == b""
    for name in ("Content-Length", "Content-Type", "ETag", "Accept-Ranges", "Cache-Control"):
        assert head.headers[name] == whole.headers[name]
    tag = whole.headers["ETag"]
    assert stored.member.http.head(stored.path, headers={"If-None-Match": tag}).status_code == 304


def test_what_the_caller_has_is_not_sent_again(stored: Stored) -> None:
    tag = stored.get().headers["ETag"]
    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        reply = stored.get(If_None_Match=condition)
        assert reply.status_code == 304
        assert reply.content == b""
        assert reply.headers["ETag"] == tag
    assert stored.get(If_None_Match='"other"').status_code == 200


def test_a_part_only_of_the_same_file(stored: Stored) -> None:
    tag = stored.get().headers["ETag"]
    assert stored.get(Range="bytes=0-9", If_Range=tag).status_code == 206
    for other in ('"other"', "Wed, 21 Oct 2015 07:28:00 GMT"):
        reply = stored.get(Range="bytes=0-9", If_Range=other)
        assert (reply.status_code, len(reply.content)) == (200, len(stored.data))


@pytest.mark.parametrize("variant", ["thumbnail", "optimized"])
def test_renditions_are_smaller_pictures(stored: Stored, variant: str) -> None:
    url = stored.asset[f"{variant}_url"]
    assert url == f"{stored.asset['url']}?variant={variant}"
    reply = stored.get(url)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "image/webp"
    assert reply.headers["ETag"] != stored.get().headers["ETag"]
    assert len(reply.content) < len(stored.data)
    picture = Image.open(io.BytesIO(reply.content))
    assert picture.format == "WEBP"
    assert max(picture.size) <= (320 if variant == "thumbnail" else 1600)
    part = stored.get(url, Range="bytes=1-3")
    assert (part.status_code, part.content) == (206, reply.content[1:4])


def test_a_rendition_that_there_is_not(member: Member) -> None:
    text = {"prompt": "hello", "model": "local-voice", "size": None}
    asset = member.make(**text)["outputs"][0]
    assert asset["media_type"] == "audio/wav"
    assert asset["optimized_url"] is None
    reply = member.http.get(f"/v1/assets/{asset['asset_id']}/content?variant=optimized")
    assert (reply.status_code, reply.json()["error"]) == (404, "rendition_not_found")


def test_a_variant_that_is_none(stored: Stored) -> None:
    reply = stored.get(f"{stored.path}?variant=huge")
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_variant")
    assert reply.json()["pointer"] == "/variant"


@pytest.mark.parametrize("asset_id", ["ast_0197f0c29d2a7b1e8c3d5f6a7b8c9d0e", "1", "%20", "ast_"])
def test_an_asset_that_is_not_there(member: Member, asset_id: str) -> None:
    for path in ("", "/content", "/content?variant=thumbnail"):
        reply = member.http.get(f"/v1/assets/{asset_id}{path}")
        assert (reply.status_code, reply.json()["error"]) == (404, "asset_not_found")
    assert member.http.head(f"/v1/assets/{asset_id}/content").status_code == 404


def test_a_file_that_somebody_deleted(server: RunningServer, member: Member) -> None:
    asset = member.make()["outputs"][0]
    for path in server.runtime.folder.files.rglob("*.png"):
        if hashlib.sha256(path.read_bytes()).hexdigest() == asset["sha256"]:
            path.unlink()
    reply = member.http.get(asset["url"])
    assert (reply.status_code, reply.json()["error"]) == (404, "asset_file_missing")
    assert str(server.runtime.folder.root) not in reply.text
