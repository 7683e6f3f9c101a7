"""Staging: files in the making, complete or gone."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediawright.assets.staging import Staging, digest_now
from mediawright.core.errors import InvalidRequestError, UnavailableError


async def stream(*chunks: bytes):
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


def left_in(staging: Staging) -> list[str]:
    return [path.name for path in staging.folder.iterdir()] if staging.folder.exists() else []


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chunks=st.lists(st.binary(max_size=200), max_size=12), repeat=st.integers(1, 20_000))
async def test_a_stream_is_written_as_it_comes(staging, chunks, repeat):
    blocks = [chunk * (repeat // max(1, len(chunks))) for chunk in chunks]
    whole = b"".join(blocks)

    staged = await staging.write_stream(stream(*blocks), max_bytes=len(whole))

    assert staged.path.read_bytes() == whole
    assert staged.byte_count == len(whole)
    assert staged.sha256 == hashlib.sha256(whole).hexdigest()
    staged.path.unlink()


async def test_too_much_is_refused_and_removed(staging):
    with pytest.raises(InvalidRequestError) as caught:
        await staging.write_stream(stream(b"x" * 2_000_000, b"y" * 2_000_000), 3_999_999)

    assert caught.value.code == "file_too_large"
    assert caught.value.details == {"largest_bytes": 3_999_999}
    assert left_in(staging) == []


async def test_a_stream_that_breaks_leaves_nothing(staging):
    async def broken():
        yield b"x" * 3_000_000
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        await staging.write_stream(broken())
    assert left_in(staging) == []


async def test_a_stream_that_is_given_up_leaves_nothing(staging):
    begun = asyncio.Event()

    async def endless():
        while True:
            yield b"x" * 1_500_000
            begun.set()
            await asyncio.sleep(0.001)

    task = asyncio.create_task(staging.write_stream(endless()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left_in(staging) == []


async def test_a_full_disk_is_told_and_leaves_nothing(staging, monkeypatch):
    class FullDisk(io.RawIOBase):
        def write(self, _):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def writable(self):
            return True

    def open_full(self, *_, **__):
        self.touch()
        return FullDisk()

    monkeypatch.setattr(Path, "open", open_full)
    for write in (
        lambda: staging.write_stream(stream(b"x")),
        lambda: asyncio.to_thread(staging.write_now, b"x"),
    ):
        with pytest.raises(UnavailableError) as caught:
            await write()
        assert caught.value.code == "staging_unwritable"
        assert "space" in caught.value.message
    assert left_in(staging) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError) as caught:
        Staging(tmp_path / "file" / "staging").write_now(b"x")
    assert caught.value.code == "staging_unwritable"


def test_own_files_are_taken_and_others_copied(staging, tmp_path):
    own = staging.new_path(".png")
    own.write_bytes(b"own")
    other = tmp_path / "other.png"
    other.write_bytes(b"other")

    taken, copied = staging.adopt_now(own), staging.adopt_now(other)

    assert taken == own
    assert copied != other
    assert copied.read_bytes() == other.read_bytes() == b"other"
    digested = digest_now(copied)
    assert digested.sha256 == hashlib.sha256(b"other").hexdigest()
    assert (digested.path, digested.byte_count) == (copied, 5)
    assert staging.owns(own)
    assert not staging.owns(other)
    assert not staging.owns(staging.folder / ".." / "other.png")


def test_what_never_changes_is_linked(staging, tmp_path):
    other = tmp_path / "other.png"
    other.write_bytes(b"other")

    linked = staging.adopt_now(other, unchanging=True)

    assert linked.samefile(other)
    assert linked != other


def test_a_file_that_is_not_there_is_told(staging, tmp_path):
    for path in (tmp_path / "nothing", staging.new_path(), tmp_path):
        with pytest.raises(InvalidRequestError) as caught:
            staging.adopt_now(path)
        assert caught.value.code == "file_not_found"


def test_a_file_with_too_much_in_it_is_not_even_copied(staging, tmp_path):
    other = tmp_path / "other.png"
    other.write_bytes(bytes(1001))
    with pytest.raises(InvalidRequestError) as caught:
        staging.adopt_now(other, 1000)
    assert caught.value.code == "file_too_large"
    assert left_in(staging) == []


def test_only_what_is_old_is_removed(staging):
    old, fresh, folder = staging.new_path(), staging.new_path(), staging.new_path()
    folder.mkdir()
    for path in (old, fresh, folder / "inner"):
        path.write_bytes(b"x")
    past = time.time() - 7200
    os.utime(old, (past, past))
    os.utime(folder, (past, past))

    assert staging.clean_up_now(3600) == 2
    assert left_in(staging) == [fresh.name]


def test_a_folder_that_is_not_there_is_clean(tmp_path):
    assert Staging(tmp_path / "nothing").clean_up_now(0) == 0
