"""Files that are written to again hold nothing of what was in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mediawright.jobs.spare_files import SpareFiles


@pytest.fixture
def spare(tmp_path: Path) -> SpareFiles:
    return SpareFiles(tmp_path / "spare")


def retired(tmp_path: Path, spare: SpareFiles, name: str = "reply") -> int:
    path = tmp_path / name
    path.write_bytes(b"what was paid for")
    number = path.stat().st_ino
    spare.retire_now(path)
    assert not path.exists()
    return number


def test_the_file_is_the_same_and_its_bytes_are_gone(tmp_path: Path, spare: SpareFiles) -> None:
    number = retired(tmp_path, spare)
    taken = spare.take_now()
    assert taken is not None
    assert (taken.stat().st_ino, taken.read_bytes()) == (number, b"")
    assert spare.take_now() is None


def test_what_is_gone_already_is_no_spare(tmp_path: Path, spare: SpareFiles) -> None:
    spare.retire_now(tmp_path / "nothing")
    assert spare.take_now() is None
    retired(tmp_path, spare)
    spare.retire_now(tmp_path / "nothing")
    assert spare.take_now() is not None


def test_only_so_many_are_kept(tmp_path: Path, spare: SpareFiles) -> None:
    for number in range(100):
        retired(tmp_path, spare, f"reply-{number}")
    assert len(list((tmp_path / "spare").iterdir())) == 64


def test_those_that_nobody_uses_are_removed(tmp_path: Path, spare: SpareFiles) -> None:
    retired(tmp_path, spare, "old")
    (old,) = (tmp_path / "spare").iterdir()
    os.utime(old, (1000.0, 1000.0))
    retired(tmp_path, spare, "young")
    spare.drop_now(2000.0)
    assert not old.exists()
    assert len(list((tmp_path / "spare").iterdir())) == 1
