"""Files named by URL: looked at if the operator lets us, else charged at worst."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.file_host import FileHost, film, picture

from mediawright import AsyncMediawright
from mediawright.app.generate import abandon, generate, prepare
from mediawright.app.intake import Draft, InputSource
from mediawright.app.library import list_assets
from mediawright.app.settings import AccountSettings, MediaSettings, Settings
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.errors import InvalidRequestError, MediawrightError
from mediawright.core.operations import InputRole, Operation
from mediawright.core.request import Parameters
from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.settings import SandboxSettings

MODEL = "seedance-2-480p-video-ref"
RATE = 13


@pytest.fixture(scope="module")
def vendors() -> Iterator[BackgroundSandbox]:
    with BackgroundSandbox(SandboxSettings(vendors=("fal",), media="tiny")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def host() -> Iterator[FileHost]:
    with FileHost() as host:
        host.put("/three.mp4", film(3.0))
        host.put("/two.mp4", film(2.4))
        host.put("/long.mp4", film(16.0, rate=2))
        host.put("/kite.png", picture())
        host.put("/liar.mp4", picture())
        host.put("/page.mp4", b"<html></html>")
        yield host


@pytest.fixture
def opened(tmp_path: Path, host: FileHost, vendors: BackgroundSandbox) -> Callable[..., Any]:
    @asynccontextmanager
    async def opening(*, inspect_urls: bool) -> AsyncIterator[AsyncMediawright]:
        host.asked.clear()
        settings = Settings(
            data_dir=tmp_path / "data",
            account=AccountSettings(initial_credits=Decimal(1000)),
            media=MediaSettings(inspect_urls=inspect_urls, allowed_origins=(host.root,)),
        )
        async with AsyncMediawright(settings=settings, sandbox=vendors.root) as installation:
            yield installation

    return opening


def draft(host: FileHost, *paths: str, model: str = MODEL, **changes: Any) -> Draft:
    return Draft(
        model=model,
        operation=Operation.TEXT_TO_VIDEO,
        prompt="a red kite",
        inputs=tuple(
            InputSource(url=path if "://" in path else host.root + path) for path in paths
        ),
        parameters=Parameters(duration=5.0),
        **changes,
    )


async def left_behind(installation: AsyncMediawright) -> tuple[Any, ...]:
    runtime = installation.runtime
    folders = (runtime.folder.files, runtime.folder.staging)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return files, await list_assets(runtime, DEFAULT_WORKSPACE), await installation.balance()


@pytest.mark.rule(41, shows=("accepts", "prices"))
async def test_what_may_be_looked_at_is_charged_by_its_true_length(
    opened: Callable[..., Any], host: FileHost
) -> None:
    async with opened(inspect_urls=True) as installation:
        for paths, seconds in ((("/three.mp4",), "3"), (("/three.mp4", "/two.mp4"), "5.4")):
            prepared = await prepare(installation.runtime, DEFAULT_WORKSPACE, draft(host, *paths))
            await abandon(prepared)
            assert prepared.price.credits == (Decimal(seconds) + 5) * RATE
        assert host.asked == ["/three.mp4", "/three.mp4", "/two.mp4"]


@pytest.mark.rule(42, shows=("accepts", "prices"))
async def test_what_may_not_be_looked_at_is_charged_at_worst_and_not_fetched(
    opened: Callable[..., Any], host: FileHost
) -> None:
    async with opened(inspect_urls=False) as installation:
        before = await left_behind(installation)
        for paths in (("/three.mp4",), ("/three.mp4", "/two.mp4"), ("/gone.mp4",)):
            prepared = await prepare(installation.runtime, DEFAULT_WORKSPACE, draft(host, *paths))
            await abandon(prepared)
            assert prepared.price.credits == (15 + 5) * RATE
        assert host.asked == []
        assert await left_behind(installation) == before


@pytest.mark.rule(41, shows=("accepts", "prices"))
async def test_uploads_are_charged_by_their_true_length_either_way(
    opened: Callable[..., Any], host: FileHost
) -> None:
    async with opened(inspect_urls=False) as installation:
        [asset] = await installation.upload(film(2.4))
        wanted = draft(host)
        prepared = await prepare(
            installation.runtime,
            DEFAULT_WORKSPACE,
            Draft(
                model=MODEL,
                operation=wanted.operation,
                prompt=wanted.prompt,
                parameters=wanted.parameters,
                inputs=(InputSource(asset_id=asset.id),),
            ),
        )
        assert prepared.price.credits == (Decimal("2.4") + 5) * RATE


@pytest.mark.rule(42, shows=("accepts", "prices"))
async def test_it_is_fetched_once_the_request_has_passed_and_the_price_stays(
    opened: Callable[..., Any], host: FileHost
) -> None:
    async with opened(inspect_urls=False) as installation:
        generation = await generate(
            installation.runtime, DEFAULT_WORKSPACE, draft(host, "/three.mp4")
        )
        assert host.asked == ["/three.mp4"]
        assert generation.price.credits == (15 + 5) * RATE
        [source] = generation.request.inputs
        assert source.asset_id is not None
        handle = await installation.handle(generation.id)
        await handle.wait(timeout=60)
        assert (await handle.refresh()).charge_micros == (15 + 5) * RATE * 1_000_000


REFUSED = {
    "too long": ("/long.mp4", "reference_video_too_long"),
    "another kind": ("/liar.mp4", "unsupported_media_kind"),
    "no media file": ("/page.mp4", "unsupported_format"),
    "not there": ("/gone.mp4", "source_media_unreachable"),
}


@pytest.mark.rule(16, 18, 42, shows="refuses")
@pytest.mark.parametrize("what", REFUSED)
async def test_what_turns_out_to_be_no_good_leaves_nothing(
    opened: Callable[..., Any], host: FileHost, vendors: BackgroundSandbox, what: str
) -> None:
    path, code = REFUSED[what]
    called = len(vendors.journal.entries())
    async with opened(inspect_urls=False) as installation:
        before = await left_behind(installation)
        with pytest.raises(InvalidRequestError) as caught:
            await generate(installation.runtime, DEFAULT_WORKSPACE, draft(host, "/three.mp4", path))
        assert (caught.value.code, caught.value.pointer) == (code, "/inputs/1")
        assert await left_behind(installation) == before
        assert len(vendors.journal.entries()) == called


@pytest.mark.rule(16, 18, shows="refuses")
async def test_a_long_clip_that_may_be_looked_at_is_refused_before(
    opened: Callable[..., Any], host: FileHost
) -> None:
    async with opened(inspect_urls=True) as installation:
        before = await left_behind(installation)
        with pytest.raises(InvalidRequestError) as caught:
            await prepare(installation.runtime, DEFAULT_WORKSPACE, draft(host, "/long.mp4"))
        assert caught.value.code == "reference_video_too_long"
        assert await left_behind(installation) == before


@pytest.mark.rule(8, shows="refuses")
@pytest.mark.parametrize("inspect_urls", [True, False])
async def test_a_url_that_does_not_tell_its_kind_is_refused_unfetched(
    opened: Callable[..., Any], host: FileHost, *, inspect_urls: bool
) -> None:
    async with opened(inspect_urls=inspect_urls) as installation:
        for path in ("/kite", "/kite.gif", "/kite?name=kite.png"):
            with pytest.raises(InvalidRequestError) as caught:
                await prepare(
                    installation.runtime, DEFAULT_WORKSPACE, draft(host, "/three.mp4", path)
                )
            assert caught.value.code == "unknown_media_type"
            assert caught.value.pointer == "/inputs/1"
        assert host.asked == []


@pytest.mark.rule(8, shows="accepts")
async def test_a_role_says_what_a_url_does_not(opened: Callable[..., Any], host: FileHost) -> None:
    host.put("/by-token", film(3.0))
    async with opened(inspect_urls=True) as installation:
        source = InputSource(url=f"{host.root}/by-token", role=InputRole.REFERENCE_VIDEO)
        wanted = draft(host)
        prepared = await prepare(
            installation.runtime,
            DEFAULT_WORKSPACE,
            Draft(
                model=MODEL,
                operation=wanted.operation,
                prompt=wanted.prompt,
                parameters=wanted.parameters,
                inputs=(source,),
            ),
        )
        await abandon(prepared)
        assert prepared.price.credits == (3 + 5) * RATE


@pytest.mark.rule(8, shows="refuses")
@pytest.mark.parametrize("inspect_urls", [True, False])
@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/a.png", "http://localhost/a.png", "file:///etc/a.png"]
)
async def test_forbidden_addresses_are_refused_either_way(
    opened: Callable[..., Any], host: FileHost, url: str, *, inspect_urls: bool
) -> None:
    async with opened(inspect_urls=inspect_urls) as installation:
        with pytest.raises(MediawrightError) as caught:
            await prepare(installation.runtime, DEFAULT_WORKSPACE, draft(host, "/three.mp4", url))
        assert caught.value.code == "url_not_allowed"
        assert caught.value.pointer == "/inputs/1"
        assert host.asked == []
