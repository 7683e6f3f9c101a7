"""Files of elements: looked at before money is spent, as far as the operator lets us (rule 36)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.file_host import FileHost, film, picture

from mediawright import AsyncMediawright
from mediawright.app.element_files import inspect_elements
from mediawright.app.generate import abandon, prepare
from mediawright.app.intake import Draft
from mediawright.app.parameters import parameters_from
from mediawright.app.settings import MediaSettings, Settings
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.catalog.loader import build_catalogue, built_in_sources
from mediawright.core.errors import InvalidRequestError, MediawrightError
from mediawright.core.operations import MediaKind, Operation
from mediawright.core.request import Parameters, Shot

OWN_ROW = """
[[model]]
like = "kling-3"
id = "kling-here"
title = "Kling by a gateway"
summary = "A row of the operator's own."

[[model.routes]]
provider = "fal"
upstream_id = "own/kling"
implied = ["aspect_ratio", "duration", "sound"]
fields = { kling_elements = "elements" }
price_note = "the gateway does not say"
"""
PLACE = "/parameters/kling_elements/0/element_input_urls"


@pytest.fixture(scope="module")
def host() -> Iterator[FileHost]:
    with FileHost() as host:
        for name in ("front", "side"):
            host.put(f"/{name}.png", picture(320, 300))
        host.put("/small.png", picture(320, 299))
        host.put("/walk.mp4", film(1.0))
        host.put("/nameless", picture(320, 300))
        yield host


@pytest.fixture
def opened(tmp_path: Path, host: FileHost) -> Callable[..., Any]:
    @asynccontextmanager
    async def opening(*, inspect_urls: bool = True) -> AsyncIterator[AsyncMediawright]:
        host.asked.clear()
        settings = Settings(
            data_dir=tmp_path / "data",
            media=MediaSettings(inspect_urls=inspect_urls, allowed_origins=(host.root,)),
        )
        async with AsyncMediawright(settings=settings, sandbox=True) as installation:
            own = [*built_in_sources(), ("own.toml", OWN_ROW)]
            installation.runtime.catalogue = build_catalogue(own)
            yield installation

    return opening


def draft(*urls: str, model: str = "kling-here", **changes: Any) -> Draft:
    element = {"name": "cat", "description": "a grey cat", "element_input_urls": list(urls)}
    parameters = parameters_from({"kling_elements": [{**element, **changes}]})
    return Draft(
        model=model, operation=Operation.TEXT_TO_VIDEO, prompt="@cat", parameters=parameters
    )


@pytest.mark.rule(36, shows="accepts")
async def test_elements_that_are_fine_are_sent_along(
    opened: Callable[..., Any], host: FileHost
) -> None:
    wanted = draft(f"{host.root}/front.png", f"{host.root}/nameless")
    async with opened() as installation:
        runtime = installation.runtime
        found = await inspect_elements(runtime, DEFAULT_WORKSPACE, wanted)
        assert {facts.kind for facts in found.values()} == {MediaKind.IMAGE}
        prepared = await prepare(runtime, DEFAULT_WORKSPACE, wanted)
        await abandon(prepared)
        assert [item["name"] for item in prepared.routes[0].fields["elements"]] == ["cat"]
        assert not list(runtime.folder.staging.iterdir())


@pytest.mark.rule(36, shows="refuses")
@pytest.mark.parametrize(
    ("second", "code"),
    [
        ("/small.png", "image_side_out_of_range"),
        ("/missing.png", "source_media_unreachable"),
        ("/walk.mp4", "unsupported_format"),
    ],
)
async def test_a_file_that_will_not_do_is_named(
    opened: Callable[..., Any], host: FileHost, second: str, code: str
) -> None:
    wanted = draft(f"{host.root}/front.png", host.root + second)
    async with opened() as installation:
        with pytest.raises(MediawrightError) as caught:
            await prepare(installation.runtime, DEFAULT_WORKSPACE, wanted)
        assert (caught.value.code, caught.value.pointer) == (code, f"{PLACE}/1")
        assert not list(installation.runtime.folder.staging.iterdir())


@pytest.mark.rule(36, shows="accepts")
async def test_nothing_is_fetched_where_the_operator_does_not_let_us(
    opened: Callable[..., Any], host: FileHost
) -> None:
    wanted = draft(f"{host.root}/front.png", f"{host.root}/small.png")
    async with opened(inspect_urls=False) as installation:
        await abandon(await prepare(installation.runtime, DEFAULT_WORKSPACE, wanted))
    assert host.asked == []


@pytest.mark.rule(36, shows="refuses")
async def test_files_of_elements_that_are_refused_anyway_are_not_fetched(
    opened: Callable[..., Any], host: FileHost
) -> None:
    good = (f"{host.root}/front.png", f"{host.root}/side.png")
    async with opened() as installation:
        for wanted, code in (
            (draft(good[0]), "invalid_elements"),
            (draft(*good, name=""), "invalid_elements"),
            (draft(*good, model="seedance-2-480p"), "unsupported_by_model"),
        ):
            with pytest.raises(InvalidRequestError) as caught:
                await prepare(installation.runtime, DEFAULT_WORKSPACE, wanted)
            assert caught.value.code == code
    assert host.asked == []


async def test_an_asset_of_somebody_else_is_none(opened: Callable[..., Any]) -> None:
    strange = "ast_" + "0" * 32
    async with opened() as installation:
        with pytest.raises(MediawrightError) as caught:
            await prepare(installation.runtime, DEFAULT_WORKSPACE, draft(strange, strange))
    assert (caught.value.code, caught.value.pointer) == ("asset_not_found", f"{PLACE}/0")


# How people write them


def test_elements_and_shots_are_read_from_json() -> None:
    text = '[{"name": "cat", "description": "grey", "element_input_urls": ["https://a.test/b"]}]'
    read = parameters_from({"kling_elements": text, "shots": '[{"scene": "dawn", "duration": 10}]'})
    assert read.kling_elements is not None
    assert read.kling_elements[0].element_input_urls == ("https://a.test/b",)
    assert read.shots == (Shot(scene="dawn", duration=10.0),)
    assert msgspec.json.decode(msgspec.json.encode(read), type=Parameters) == read


@pytest.mark.parametrize(
    ("given", "code", "pointer"),
    [
        ({"kling_elements": "a cat"}, "invalid_elements", "/parameters/kling_elements"),
        ({"kling_elements": {"name": "cat"}}, "invalid_elements", "/parameters/kling_elements"),
        ({"kling_elements": [7]}, "invalid_elements", "/parameters/kling_elements/0"),
        ({"kling_elements": [{"nam": "x"}]}, "invalid_elements", "/parameters/kling_elements/0"),
        (
            {"kling_elements": [{"name": "a"}, {"element_input_urls": [1]}]},
            "invalid_elements",
            "/parameters/kling_elements/1/element_input_urls/0",
        ),
        ({"shots": "[1]"}, "invalid_shots", "/parameters/shots/0"),
        (
            {"shots": [{"scene": "a", "duration": "long"}]},
            "invalid_shots",
            "/parameters/shots/0/duration",
        ),
    ],
)
def test_what_is_no_element_or_shot_is_named_with_its_place(
    given: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parameters_from(given)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
