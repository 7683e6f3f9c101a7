"""Drives keep files whole, under keys that stay inside."""

from __future__ import annotations

import asyncio
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import GenericError
from obstore.store import MemoryStore

from mediawright.assets.drive import Drive, FinishedFile
from mediawright.assets.local_drive import LocalDrive, SmallFile
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
    "key",
    ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "a\\b", "a\0", ".", "a/b#1", "a:", "C|"],
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


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP])
async def test_another_file_system_is_no_obstacle(local_drive, tmp_path, monkeypatch, number):
    """No second name can be given there, so the bytes are copied, and still appear whole."""
    source, target = tmp_path / "source", tmp_path / "drive" / "a" / "b.png"
    copied = []

    def refuse(*_, **__):
        raise OSError(number, "another file system")

    def put(*arguments, **options):
        copied.append(obstore_put(*arguments, **options))
        assert not target.exists()

    obstore_put = obstore.put
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr("obstore.put", put)
    source.write_bytes(b"bytes" * 2_000_000)
    await local_drive.put_file(source, "a/b.png", content_type="image/png")

    assert len(copied) == 1
    assert target.read_bytes() == b"bytes" * 2_000_000
    assert not source.exists()
    assert list((tmp_path / "drive" / ".partial").iterdir()) == []


async def test_a_file_on_the_same_file_system_is_not_copied(local_drive, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    before = source.stat().st_ino
    await local_drive.put_file(source, "a/b.png", content_type="image/png")

    assert (tmp_path / "drive" / "a" / "b.png").stat().st_ino == before
    assert not source.exists()


@pytest.mark.parametrize("way", ["put_file", "put_small_now", "create"])
async def test_a_file_is_on_the_disk_before_it_has_its_name(
    local_drive, tmp_path, monkeypatch, way
):
    target = tmp_path / "drive" / "a" / "b" / "c.png"
    synced: list[tuple[int, bool]] = []

    def sync(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, target.exists()))

    monkeypatch.setattr(os, "fsync", sync)
    if way == "create":
        assert await local_drive.create("a/b/c.png", b"bytes")
    elif way == "put_small_now":
        small = SmallFile(b"bytes", "a/b/c.png")
        assert local_drive.put_small_now([small]) == [None]
    else:
        source = tmp_path / "source"
        source.write_bytes(b"bytes")
        await local_drive.put_file(source, "a/b/c.png", content_type="image/png")

    assert (target.stat().st_ino, False) in synced
    assert synced[-1] == (target.parent.stat().st_ino, True)
    for made in (target.parent, target.parent.parent, tmp_path / "drive"):
        assert (made.parent.stat().st_ino, False) in synced


async def test_a_full_disk_is_told_and_costs_nothing(local_drive, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise GenericError("Unable to rename file: No space left on device (os error 28)")

    monkeypatch.setattr("obstore.rename", refuse)
    source = tmp_path / "source"
    source.write_bytes(b"bytes")

    with pytest.raises(UnavailableError, match=r"No space left on device\.$") as caught:
        await local_drive.put_file(source, "a/b.png", content_type="image/png")
    assert caught.value.code == "drive_unavailable"
    with pytest.raises(UnavailableError, match=r"No space left on device\.$"):
        await local_drive.create("a/b.png", b"bytes")
    assert source.read_bytes() == b"bytes"
    assert list((tmp_path / "drive" / ".partial").iterdir()) == []


async def test_small_files_end_each_on_its_own(local_drive, tmp_path):
    drive, third = local_drive, tmp_path / "third"
    third.write_bytes(b"third")
    assert await drive.create("a/b.png", b"before")
    files = [
        SmallFile(b"first", "a/b.png"),
        SmallFile(b"second", "../c.png"),
        SmallFile(third, "a/d/e.png"),
    ]
    results = drive.put_small_now(files)

    assert (results[0], results[2]) == (None, None)
    assert isinstance(results[1], InternalError)
    assert results[1].code == "unsafe_key"
    assert third.read_bytes() == b"third"
    assert await drive.read("a/b.png") == b"first"
    assert await drive.read("a/d/e.png") == b"third"


async def test_a_small_file_that_cannot_be_written_leaves_nothing(
    local_drive, tmp_path, monkeypatch
):
    def refuse(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert await local_drive.create("a/before.png", b"x")
    monkeypatch.setattr(os, "fsync", refuse)
    (error,) = local_drive.put_small_now([SmallFile(b"bytes", "a/b.png")])

    assert isinstance(error, UnavailableError)
    assert error.code == "drive_unavailable"
    assert await local_drive.size("a/b.png") is None
    assert list((tmp_path / "drive" / ".partial").iterdir()) == []


async def test_a_folder_in_the_way_of_a_file_is_told(local_drive, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    assert await local_drive.create("a/b/c.png", b"x")

    with pytest.raises(UnavailableError):
        await local_drive.put_file(source, "a/b", content_type="image/png")
    assert not await local_drive.create("a/b", b"x")
    assert source.exists()


async def test_a_drive_that_was_never_written_to_is_empty(local_drive, tmp_path):
    assert await local_drive.read("a.png") is None
    assert await local_drive.size("a.png") is None
    assert not await local_drive.delete("a.png")
    assert await local_drive.older_than("a", -60) == []
    assert await local_drive.clean_up(-60) == 0
    with pytest.raises(FileNotFoundError):
        await read(local_drive, "a.png")
    assert not (tmp_path / "drive").exists()


async def test_what_was_put_there_by_other_means_is_there(local_drive, tmp_path):
    path = tmp_path / "drive" / "agent" / "bread & butter 100%20#1 é.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"bytes")
    key = "agent/bread & butter 100%20#1 é.png"

    assert await local_drive.read(key) == b"bytes"
    assert await local_drive.size(key) == 5
    assert await read(local_drive, key, 1, 3) == b"yt"
    assert await local_drive.older_than("agent", -60) == [key]
    assert await local_drive.delete(key)
    assert not path.exists()


async def test_what_interrupted_writes_left_is_removed(local_drive, tmp_path):
    folder = tmp_path / "drive" / ".partial"
    assert await local_drive.create("a.png", b"x")
    (folder / "0123").write_bytes(b"left")
    (folder / "4567#1").write_bytes(b"left by obstore")
    os.utime(folder / "0123", (0, 0))

    # A file that is old itself has come here just now.
    assert await local_drive.clean_up(3600) == 0
    assert await local_drive.clean_up(-60) == 2
    assert list(folder.iterdir()) == []
    assert await local_drive.read("a.png") == b"x"


@pytest.mark.parametrize("way", ["replaced", "deleted"])
async def test_a_stream_never_mixes_two_files(local_drive, tmp_path, way):
    source = tmp_path / "source"
    source.write_bytes(b"1" * 2_000_000)
    await local_drive.put_file(source, "a", content_type="image/png")
    source.write_bytes(b"2" * 2_000_000)
    chunks = local_drive.open_stream("a")
    assert set(await anext(chunks)) == set(b"1")
    if way == "replaced":
        await local_drive.put_file(source, "a", content_type="image/png")
    else:
        await local_drive.delete("a")

    with pytest.raises(FileNotFoundError):
        await anext(chunks)
    if way == "replaced":
        assert await read(local_drive, "a") == b"2" * 2_000_000


async def test_of_many_who_create_a_file_one_succeeds(local_drive):
    won = await asyncio.gather(*(local_drive.create("mark", b"%d" % n) for n in range(12)))

    assert won.count(True) == 1
    assert await local_drive.read("mark") == b"%d" % won.index(True)


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
            drive.put_files_now([FinishedFile(source, f"shared/{worker}", "image/png")])
            assert drive.delete_now(f"shared/{worker}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(come_and_go, range(4)))


async def test_a_store_that_fails_is_told_as_such(tmp_path, monkeypatch):
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
