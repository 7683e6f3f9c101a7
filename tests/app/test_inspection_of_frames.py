"""Frames are cut to the ratio that is asked for, where the provider would not do it (rule 62)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.file_host import FileHost, picture

from mediawright import AsyncMediawright
from mediawright.app.generate import abandon, prepare
from mediawright.app.intake import Draft, InputSource
from mediawright.app.library import find_asset, list_assets
from mediawright.app.settings import AccountSettings, MediaSettings, Settings
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.errors import InsufficientCreditError
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import Adjustment, Parameters
from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.settings import SandboxSettings

pytestmark = pytest.mark.rule(62, shows=("accepts", "adjusts"))
TAKES_IT_FROM_THE_PICTURE = "kling-2-6-image-to-video"
HAS_A_PRICE = "kling-3-0-std"
"""And takes its ratio from the picture."""
IS_TOLD = "seedance-2-480p"


@pytest.fixture(scope="module")
def vendors() -> Iterator[BackgroundSandbox]:
    with BackgroundSandbox(SandboxSettings(vendors=("fal",), media="tiny")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def host() -> Iterator[FileHost]:
    with FileHost() as host:
        host.put("/square.png", picture(320, 320))
        host.put("/wide.png", picture(640, 360))
        yield host


@pytest.fixture
async def installation(
    tmp_path: Path, host: FileHost, vendors: BackgroundSandbox
) -> AsyncIterator[AsyncMediawright]:
    settings = Settings(
        data_dir=tmp_path / "data",
        account=AccountSettings(initial_credits=Decimal(1000)),
        media=MediaSettings(allowed_origins=(host.root,)),
    )
    async with AsyncMediawright(settings=settings, sandbox=vendors.root) as opened:
        yield opened


def draft(source: InputSource, model: str = TAKES_IT_FROM_THE_PICTURE, **words: Any) -> Draft:
    return Draft(
        model=model,
        operation=Operation.IMAGE_TO_VIDEO,
        prompt="gentle motion",
        inputs=(source,),
        parameters=Parameters(duration=5.0, **words),
    )


def cuts(adjustments: tuple[Adjustment, ...]) -> list[tuple[str, str, str]]:
    return [
        (item.pointer, item.requested, item.applied)
        for item in adjustments
        if "cut around its centre" in item.reason
    ]


async def cuts_of(installation: AsyncMediawright, wanted: Draft) -> list[tuple[str, str, str]]:
    prepared = await prepare(installation.runtime, DEFAULT_WORKSPACE, wanted)
    await abandon(prepared)
    return cuts(prepared.checked.adjustments)


async def test_the_picture_that_is_sent_has_the_ratio_and_the_original_is_kept(
    installation: AsyncMediawright, host: FileHost
) -> None:
    handle = await installation.generate(
        model=TAKES_IT_FROM_THE_PICTURE,
        operation=Operation.IMAGE_TO_VIDEO,
        prompt="gentle motion",
        inputs=[f"{host.root}/square.png"],
        aspect_ratio="16:9",
        duration=5,
    )
    assert cuts(handle.generation.adjustments) == [("/inputs/0", "320x320", "320x180")]
    [sent] = handle.generation.request.inputs
    runtime = installation.runtime
    part = await find_asset(runtime, DEFAULT_WORKSPACE, sent.asset_id or "")
    assert (part.facts.width, part.facts.height) == (320, 180)
    pictures = await list_assets(runtime, DEFAULT_WORKSPACE, kind=MediaKind.IMAGE)
    assert [(item.facts.width, item.facts.height) for item in pictures] == [(320, 180), (320, 320)]
    assert await runtime.library.read(pictures[1]) == host.files["/square.png"]
    [film] = (await handle.wait(timeout=60)).assets
    assert film.facts.width is not None
    assert film.facts.height is not None
    assert film.facts.width / film.facts.height == pytest.approx(16 / 9, abs=0.02)
    # Nothing of the cutting is left over.
    assert [path for path in runtime.folder.staging.rglob("*") if path.is_file()] == []


async def test_an_asset_of_ours_is_cut_as_well_and_stays(installation: AsyncMediawright) -> None:
    [asset] = await installation.upload(picture(320, 320))
    handle = await installation.generate(
        model=TAKES_IT_FROM_THE_PICTURE,
        operation=Operation.IMAGE_TO_VIDEO,
        prompt="gentle motion",
        inputs=[asset.id],
        aspect_ratio="9:16",
    )
    assert cuts(handle.generation.adjustments) == [("/inputs/0", "320x320", "180x320")]
    [sent] = handle.generation.request.inputs
    assert sent.asset_id != asset.id
    assert await installation.runtime.library.read(asset) == picture(320, 320)
    await handle.cancel()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/wide.png", {"aspect_ratio": "16:9"}),
        ("/square.png", {"aspect_ratio": "1:1"}),
        # Whoever names no ratio gets the picture's own.
        ("/square.png", {}),
        ("/wide.png", {}),
    ],
)
async def test_nothing_is_cut_where_nothing_differs(
    installation: AsyncMediawright, host: FileHost, path: str, words: dict[str, Any]
) -> None:
    wanted = draft(InputSource(url=host.root + path), **words)
    assert await cuts_of(installation, wanted) == []


@pytest.mark.parametrize("ratio", ["9:16", "adaptive"])
async def test_a_provider_that_is_told_the_ratio_gets_the_whole_picture(
    installation: AsyncMediawright, host: FileHost, ratio: str
) -> None:
    wanted = draft(InputSource(url=f"{host.root}/wide.png"), model=IS_TOLD, aspect_ratio=ratio)
    assert await cuts_of(installation, wanted) == []


async def test_a_last_frame_is_cut_as_well(installation: AsyncMediawright, host: FileHost) -> None:
    wanted = msgspec.structs.replace(
        draft(InputSource(), model=HAS_A_PRICE, aspect_ratio="16:9"),
        inputs=(
            InputSource(url=f"{host.root}/wide.png", role=InputRole.FIRST_FRAME),
            InputSource(url=f"{host.root}/square.png", role=InputRole.LAST_FRAME),
        ),
    )
    assert await cuts_of(installation, wanted) == [("/inputs/1", "320x320", "320x180")]


async def test_nothing_is_kept_of_a_cut_that_is_not_paid_for(
    tmp_path: Path, host: FileHost, vendors: BackgroundSandbox
) -> None:
    settings = Settings(
        data_dir=tmp_path / "poor",
        account=AccountSettings(initial_credits=Decimal("0.5")),
        media=MediaSettings(allowed_origins=(host.root,)),
    )
    async with AsyncMediawright(settings=settings, sandbox=vendors.root) as installation:
        with pytest.raises(InsufficientCreditError):
            await installation.generate(
                model=HAS_A_PRICE,
                operation=Operation.IMAGE_TO_VIDEO,
                prompt="gentle motion",
                inputs=[f"{host.root}/square.png"],
                aspect_ratio="16:9",
            )
        assert await list_assets(installation.runtime, DEFAULT_WORKSPACE) == []
        folder = installation.runtime.folder
        left = [path for root in (folder.files, folder.staging) for path in root.rglob("*")]
        assert [path for path in left if path.is_file()] == []
