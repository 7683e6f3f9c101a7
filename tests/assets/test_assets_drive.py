"""Drives keep files whole, under keys that stay inside."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from mediawright.assets.drive import Drive
from mediawright.assets.local_drive import LocalDrive
from mediawright.assets.object_drive import ObjectDrive
from mediawright.core.errors import InternalError, InvalidRequestError, UnavailableError

KEY = "agent/a b/ü%20#1.png"


@pytest.fixture
def put(drive: Drive, tmp_path: Path):
    async def put_bytes(key: str, data: bytes) -> None:
        source = tmp_path / "source"
        source.write_bytes(data)
        await drive.put_file(source, key, content_type="image/png")
        assert not source.exists()

    return put_bytes


async def read(drive: Drive, key: str, *part: int | None) -> bytes:
    return b"".join([chunk async for chunk in drive.open_stream(key, *part)])


async def test_files_come_back(drive, put):
    await put(KEY, b"first")
    await put(KEY, b"second")

    assert await drive.size(KEY) == 6
    assert await drive.exists(KEY)
    assert await drive.read(KEY) == b"second"
    assert await read(drive, KEY) == b"second"
    assert await drive.delete(KEY)
    assert not await drive.delete(KEY)
    assert not await drive.exists(KEY)
    assert await drive.size(KEY) is None
    assert await drive.read(KEY) is None


async def test_parts_of_files_come_back(drive, put):
    data = os.urandom(2_500_000)
    await put("big.bin", data)

    chunks = [chunk async for chunk in drive.open_stream("big.bin")]
    assert b"".join(chunks) == data
    assert len(chunks) > 1
    assert await read(drive, "big.bin", 10, 20) == data[10:20]
    assert await read(drive, "big.bin", 2_000_000) == data[2_000_000:]
    assert await read(drive, "big.bin", 5, 5) == b""
    assert await read(drive, "big.bin", 2_499_999, 9_999_999) == data[-1:]
    assert await read(drive, "big.bin", 2_500_000, 2_500_001) == b""


async def test_an_empty_file_is_a_file(drive, put):
    await put("empty", b"")

    assert await drive.size("empty") == 0
    assert await read(drive, "empty") == b""


async def test_a_missing_file_is_told_at_the_first_chunk(drive):
    with pytest.raises(FileNotFoundError):
        await read(drive, "nothing.png")


async def test_only_one_creates_a_file(drive):
    assert await drive.create("marks/a", b"mine")
    assert not await drive.create("marks/a", b"yours")
    assert await drive.read("marks/a") == b"mine"


async def test_files_are_found_by_age(drive, put):
    await put("marks/a", b"1")
    await put("other/b", b"2")

    assert await drive.older_than("marks", -60) == ["marks/a"]
    assert await drive.older_than("marks", 3600) == []
    assert await drive.older_than("nothing", -60) == []


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "a\\b", "a\0", "."]
)
async def test_unsafe_keys_are_refused(drive, tmp_path, key):
    source = tmp_path / "source"
    source.write_bytes(b"x")

    with pytest.raises(InternalError):
        await drive.put_file(source, key, content_type="image/png")
    with pytest.raises(InternalError):
        await drive.read(key)
    with pytest.raises(InternalError):
        await drive.delete(key)
    assert source.exists()


async def test_a_link_out_of_the_folder_is_not_followed(local_drive, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "way").symlink_to(outside)

    with pytest.raises(InternalError):
        await local_drive.create("way/out.txt", b"x")
    assert list(outside.iterdir()) == []


def test_a_local_drive_says_where_files_lie(local_drive, tmp_path):
    assert local_drive.local_path("a/b.png") == tmp_path / "drive" / "a" / "b.png"
    assert Drive.from_url(f"file://{tmp_path}/with%20space").local_path("a") == (
        tmp_path / "with space" / "a"
    )


def test_other_drives_do_not():
    assert Drive.from_url("memory:///").local_path("a/b.png") is None
    assert isinstance(Drive.from_url("s3://bucket/prefix"), ObjectDrive)


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://host/x", "https://host/x", "/folder"])
def test_no_drive_is_opened_at_other_urls(url):
    with pytest.raises(InvalidRequestError) as caught:
        Drive.from_url(url)
    assert caught.value.code == "invalid_drive_url"


async def test_another_file_system_is_no_obstacle(local_drive, tmp_path, monkeypatch):
    """Moving fails there, so the bytes are copied, and still appear whole."""
    move, moved = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        if self.name == "source":
            raise OSError(errno.EXDEV, "another file system")
        moved.append(target)
        return move(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    await local_drive.put_file(source, "a/b.png", content_type="image/png")

    assert moved == [tmp_path / "drive" / "a" / "b.png"]
    assert await local_drive.read("a/b.png") == b"bytes"
    assert not source.exists()
    assert list((tmp_path / "drive" / ".partial").iterdir()) == []


async def test_a_file_where_a_folder_is_needed_is_in_the_way(local_drive):
    await local_drive.create("a/file", b"x")

    assert await local_drive.is_blocked("a/file/b/c.png")
    assert not await local_drive.is_blocked("a/file")
    assert not await local_drive.is_blocked("a/other/c.png")
    assert await local_drive.size("a/file/b") is None
    assert not await Drive.from_url("memory:///").is_blocked("a/file/b")


def test_files_come_and_go_at_once(tmp_path):
    drive = LocalDrive(tmp_path / "drive")

    def come_and_go(worker: int) -> None:
        for number in range(30):
            source = tmp_path / f"source-{worker}-{number}"
            source.write_bytes(b"x")
            drive.put_file_now(source, f"shared/{worker}")
            assert drive.delete_now(f"shared/{worker}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(come_and_go, range(4)))


async def test_a_store_that_fails_is_told_as_such(tmp_path, monkeypatch):
    from obstore.exceptions import GenericError

    async def refuse(*_, **__):
        raise GenericError("403: secret-token")

    monkeypatch.setattr("obstore.put_async", refuse)
    drive = ObjectDrive(MemoryStore())
    source = tmp_path / "source"
    source.write_bytes(b"x")

    with pytest.raises(UnavailableError) as caught:
        await drive.put_file(source, "a.png", content_type="image/png")
    assert caught.value.code == "drive_unavailable"
    assert "secret" not in str(caught.value.to_problem())
    assert source.exists()
