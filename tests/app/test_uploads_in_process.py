"""Uploads inside a program and on the command line (rule 48)."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from mediawright import AsyncMediawright, Mediawright
from mediawright.app.library import list_assets
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.errors import InvalidRequestError

pytestmark = pytest.mark.rule(48, shows=("accepts", "refuses"))


def picture(size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "navy").save(buffer, "PNG")
    return buffer.getvalue()


async def test_uploads_are_inputs_by_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture())
    async with AsyncMediawright(data_dir=tmp_path / "data") as mediawright:
        by_path, by_text, by_bytes = await mediawright.upload(path, str(path), picture((32, 32)))
        assert (by_path.facts.width, by_bytes.facts.width) == (64, 32)
        assert by_path.sha256 == by_text.sha256
        handle = await mediawright.generate(
            model="local-sketch-image", prompt="by night", inputs=[by_path.id]
        )
        assert (await handle.wait()).path.is_file()


async def test_of_several_files_none_is_kept_if_one_is_no_good(tmp_path: Path) -> None:
    async with AsyncMediawright(data_dir=tmp_path / "data") as mediawright:
        for bad, code in ((tmp_path / "gone.png", "input_not_found"), (b"text", None)):
            with pytest.raises(InvalidRequestError) as caught:
                await mediawright.upload(picture(), bad)
            assert caught.value.code == (code or "unsupported_format")
            assert caught.value.pointer == "/files/1"
        runtime = mediawright.runtime
        assert await list_assets(runtime, DEFAULT_WORKSPACE) == []
        folders = (runtime.folder.files, runtime.folder.staging)
        assert [file for folder in folders for file in folder.rglob("*") if file.is_file()] == []


def test_uploads_without_await(tmp_path: Path) -> None:
    with Mediawright(data_dir=tmp_path / "data") as mediawright:
        [asset] = mediawright.upload(picture())
    assert asset.facts.content_type == "image/png"
