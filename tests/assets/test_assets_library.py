"""The library: what is stored is the source, whole, once, under a good name."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mediawright.assets import library as library_module
from mediawright.assets.drive import Drive
from mediawright.assets.library import AssetLibrary
from mediawright.core.errors import (
    InvalidRequestError,
    NotFoundError,
    ProviderError,
    UnavailableError,
)
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.media import Transcript, Word
from mediawright.core.operations import MediaKind


def tiny() -> bytes:
    """The smallest of pictures."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    return buffer.getvalue()


TINY = tiny()


async def in_pieces(data: bytes, size: int = 65_536):
    for at in range(0, len(data), size):
        await asyncio.sleep(0)
        yield data[at : at + size]


def ids(**fields):
    return {
        "workspace_id": "wsp_1",
        "asset_id": new_id(IdPrefix.ASSET),
        "generation_id": new_id(IdPrefix.GENERATION),
        **fields,
    }


def files_below(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("extension", ["png", "jpg", "mp4", "webm", "mp3", "wav", "gif"])
@pytest.mark.parametrize("form", ["bytes", "stream", "path", "staged"])
async def test_what_is_stored_is_the_source(library, samples, staging, form, extension):
    data = samples[extension]
    path = staging.new_path() if form == "staged" else staging.folder.parent / "source"
    path.write_bytes(data)
    source = {"bytes": data, "stream": in_pieces(data)}.get(form, path)
    given_ids = ids(index=3)

    asset = await library.store(source, **given_ids, seed=7, revised_prompt="better")

    assert await library.read(asset) == data
    assert asset.sha256 == hashlib.sha256(data).hexdigest()
    assert asset.facts.byte_count == len(data) == await library.size_of(asset.key)
    assert (asset.id, asset.index) == (given_ids["asset_id"], 3)
    assert (asset.seed, asset.revised_prompt) == (7, "better")
    assert asset.key.endswith(f"-{given_ids['generation_id']}-3.{extension}")
    assert asset.thumbnail_key is not None
    assert await library.size_of(asset.thumbnail_key) > 0
    assert path.exists() == (form != "staged")
    assert (await library.local_copy(asset)).read_bytes() == data
    assert (await library.local_copy(asset)).suffix == f".{extension}"
    assert (await library.local_copy_of(asset.thumbnail_key)).stat().st_size > 0


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(junk=st.binary(max_size=3000), size=st.integers(1, 4000))
async def test_not_a_byte_is_changed(local_library, junk, size):
    """What stands behind the end of a picture stays too."""
    data = TINY + junk
    asset = await local_library.store(in_pieces(data, size), **ids(), renditions=False)

    assert await local_library.read(asset) == data


async def test_a_part_can_be_read(library, samples):
    asset = await library.store(samples["mp4"], **ids())

    part = b"".join([chunk async for chunk in library.stream(asset.key, 100, 200)])
    assert part == samples["mp4"][100:200]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_file"),
        (b"<!doctype html><p>Service unavailable", "unsupported_format"),
        (bytes(100), "corrupt_file"),
        (TINY[:50], "corrupt_file"),
    ],
)
async def test_a_bad_output_is_the_providers_fault_and_leaves_nothing(
    library, staging, tmp_path, data, reason
):
    own = staging.new_path()
    for source in (data, in_pieces(data), own):
        own.write_bytes(data)
        with pytest.raises(ProviderError) as caught:
            await library.store(source, **ids(), output_path="cat")
        assert caught.value.code == "corrupt_media"
        assert caught.value.details["reason"] == reason
        own.unlink(missing_ok=True)

    assert files_below(staging.folder) == []
    assert not (tmp_path / "drive").exists()


async def test_a_bad_upload_is_the_callers_fault(library, tmp_path):
    for data, code in ((b"", "empty_file"), (b"text", "unsupported_format")):
        with pytest.raises(InvalidRequestError) as caught:
            await library.store(data, workspace_id="wsp_1", asset_id="ast_1")
        assert caught.value.code == code
    with pytest.raises(InvalidRequestError) as caught:
        await library.store(tmp_path / "nothing", workspace_id="wsp_1", asset_id="ast_1")
    assert caught.value.code == "file_not_found"


async def test_another_kind_than_expected_is_refused(library, samples):
    with pytest.raises(ProviderError) as caught:
        await library.store(samples["png"], **ids(), expected_kind=MediaKind.VIDEO)
    assert caught.value.details["reason"] == "unsupported_media_kind"
    with pytest.raises(InvalidRequestError) as refused:
        await library.store(
            samples["mp3"],
            workspace_id="wsp_1",
            asset_id="ast_1",
            expected_kind=MediaKind.IMAGE,
        )
    assert refused.value.code == "unsupported_media_kind"
    assert (await library.store(samples["png"], **ids(), expected_kind=MediaKind.IMAGE)).id


async def test_too_many_bytes_are_refused(local_drive, staging, clock, samples, tmp_path):
    library = AssetLibrary(local_drive, staging, clock, max_bytes=1000)
    path = tmp_path / "source"
    path.write_bytes(samples["png"])

    for source in (samples["png"], in_pieces(samples["png"]), path):
        with pytest.raises(InvalidRequestError) as caught:
            await library.store(source, workspace_id="wsp_1", asset_id="ast_1")
        assert caught.value.code == "file_too_large"
    assert files_below(staging.folder) == []


async def test_storing_an_output_again_gives_the_same_file(library, samples, clock):
    given_ids = ids()
    first = await library.store(samples["png"], **given_ids, output_path="a/cat")
    assert first.created_at == clock.now()
    await clock.advance(100)
    again = await library.store(samples["png"], **given_ids, output_path="a/cat")
    own = await library.store(samples["png"], **given_ids)
    await clock.advance(100)
    own_again = await library.store(samples["png"], **given_ids)

    assert first.key == again.key == "agent/a/cat.png"
    assert own.key == own_again.key


async def test_a_name_that_is_taken_gets_a_number(library, samples):
    keys = [
        (await library.store(samples[kind], **ids(), output_path="/space/film")).key
        for kind in ("mp4", "mp4", "png", "mp4")
    ]

    assert keys == ["space/film.mp4", "space/film (2).mp4", "space/film.png", "space/film (3).mp4"]


async def test_of_many_who_want_a_name_each_gets_another(library, samples):
    stored = await asyncio.gather(
        *(library.store(samples["png"], **ids(), output_path="cat") for _ in range(6))
    )

    assert sorted(asset.key for asset in stored) == sorted(
        ["agent/cat.png", *(f"agent/cat ({n}).png" for n in range(2, 7))]
    )


async def test_a_file_that_was_there_before_is_never_replaced(local_library, samples, tmp_path):
    """Even if nobody reserved its name: somebody may have put it there by hand."""
    place = tmp_path / "drive" / "agent" / "cat.png"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"mine")
    given_ids = ids()

    keys = [
        (await local_library.store(samples["png"], **given_ids, output_path="cat.png")).key
        for _ in range(2)
    ]

    assert keys == ["agent/cat (2).png"] * 2
    assert place.read_bytes() == b"mine"


async def test_names_outlive_their_reservations(local_library, samples, tmp_path):
    first = await local_library.store(samples["png"], **ids(), output_path="cat")
    past = time.time() - 7200
    for path in (tmp_path / "drive" / ".reservations").iterdir():
        os.utime(path, (past, past))

    assert await local_library.clean_up(3600) == 1
    second = await local_library.store(samples["png"], **ids(), output_path="cat")
    assert (first.key, second.key) == ("agent/cat.png", "agent/cat (2).png")
    assert await local_library.delete(first)
    third = await local_library.store(samples["png"], **ids(), output_path="cat")
    assert third.key == "agent/cat.png"


async def test_a_file_gets_the_extension_it_should_have(library, samples):
    asset = await library.store(samples["jpg"], **ids(), output_path="a/cat.png")

    assert asset.key == "agent/a/cat.jpg"


async def test_a_path_that_leads_elsewhere_is_refused(library, samples, staging):
    with pytest.raises(InvalidRequestError) as caught:
        await library.store(samples["png"], **ids(), output_path="../../etc/passwd")

    assert caught.value.code == "invalid_path"
    assert files_below(staging.folder) == []


async def test_a_file_in_the_way_of_a_folder_loses_nothing(local_library, samples):
    await local_library.store(samples["png"], **ids(), output_path="cat.png")
    asset = await local_library.store(samples["png"], **ids(), output_path="cat.png/tail")

    assert asset.key.endswith(f"-{asset.generation_id}-0.png")
    assert await local_library.read(asset) == samples["png"]


async def test_workspaces_can_have_folders_of_their_own(local_drive, staging, clock, samples):
    library = AssetLibrary(local_drive, staging, clock, folder_of=lambda name: f"{name}/")

    for workspace_id in ("wsp_1", "wsp_2"):
        asset = await library.store(
            samples["png"], **ids(workspace_id=workspace_id), output_path="cat"
        )
        assert asset.key == f"{workspace_id}/agent/cat.png"


async def test_deleting_takes_everything(local_library, samples, tmp_path):
    asset = await local_library.store(samples["png"], **ids(), output_path="cat")
    assert asset.optimized_key is not None

    assert await local_library.delete(asset)
    assert not await local_library.delete(asset)
    assert files_below(tmp_path / "drive") == []
    for read in (
        local_library.read(asset),
        local_library.size_of(asset.key),
        local_library.local_copy(asset),
    ):
        with pytest.raises(NotFoundError) as caught:
            await read
        assert caught.value.code == "asset_file_missing"


async def test_a_rendition_that_fails_does_not_fail_the_file(library, samples, monkeypatch, caplog):
    def fail(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(library_module, "render", fail)
    with caplog.at_level(logging.WARNING, library_module.__name__):
        asset = await library.store(samples["png"], **ids())

    assert (asset.thumbnail_key, asset.optimized_key) == (None, None)
    assert await library.read(asset) == samples["png"]
    assert "rendition" in caplog.text


async def test_renditions_can_wait(library, samples):
    asset = await library.store(samples["png"], **ids(), renditions=False)
    assert (asset.thumbnail_key, asset.optimized_key) == (None, None)

    later = await library.make_renditions(asset)
    at_once = await library.store(samples["png"], **ids(generation_id=asset.generation_id))
    again = await library.make_renditions(later)

    assert later.thumbnail_key == at_once.thumbnail_key == again.thumbnail_key
    assert later.optimized_key == at_once.optimized_key
    assert await library.size_of(later.thumbnail_key) > 0


async def test_a_drive_that_fails_leaves_nothing_behind(
    local_library, samples, staging, tmp_path, monkeypatch
):
    async def fail(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(Drive.local(tmp_path)), "put_file", fail)
    with pytest.raises(UnavailableError):
        await local_library.store(samples["mp3"], **ids())

    assert files_below(staging.folder) == []


async def test_transcripts_are_files_too(library):
    transcript = Transcript(
        text="Grüße, world.",
        language="de",
        seconds=2.5,
        words=(Word("Grüße,", 0.1, 0.6), Word("world.", 0.7, 1.2)),
    )
    given_ids = ids()
    asset = await library.store_transcript(transcript, **given_ids, output_path="notes")
    again = await library.store_transcript(transcript, **given_ids, output_path="notes")

    assert asset.key == again.key == "agent/notes.json"
    assert (asset.text, asset.facts.kind) == (transcript.text, MediaKind.TEXT)
    assert asset.facts.content_type == "application/json"
    content = await library.read(asset)
    assert asset.facts.byte_count == len(content)
    assert asset.sha256 == hashlib.sha256(content).hexdigest()
    assert json.loads(content)["words"][0] == {"text": "Grüße,", "start": 0.1, "end": 0.6}
    assert await library.make_renditions(asset) == asset


async def test_cleaning_up_keeps_what_was_stored(library, samples, staging):
    asset = await library.store(samples["png"], **ids(), output_path="cat")
    leftover = staging.new_path()
    leftover.write_bytes(b"x")

    assert await library.clean_up(3600) == 0
    removed = await library.clean_up(-60)

    assert removed == 2
    assert await library.read(asset) == samples["png"]


async def test_an_output_may_be_larger_than_we_would_open(library, monkeypatch):
    """What was paid for is kept; only its header is looked at, and nothing is drawn of it."""
    monkeypatch.setattr("mediawright.assets.image_probe.MOST_PIXELS", 0)
    asset = await library.store(TINY, **ids())

    assert (asset.facts.width, asset.facts.height) == (1, 1)
