"""Bad input: a clear typed error, nothing charged, nothing sent, nothing left behind."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from mediawright import AsyncMediawright, MediawrightError, Settings
from mediawright.app.parameters import parameters_from
from mediawright.app.settings import AccountSettings
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.errors import ErrorKind
from mediawright.core.money import Money
from mediawright.core.request import Parameters
from mediawright.store import assets, generations


def png_header(width: int, height: int) -> bytes:
    """Return a picture that says it is huge and has next to no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


BAD: dict[str, tuple[str, ErrorKind, str | None, dict[str, Any]]] = {
    "unknown model": ("model_not_found", ErrorKind.NOT_FOUND, "/model", {"model": "dall-e-99"}),
    "empty model": ("model_required", ErrorKind.INVALID_REQUEST, "/model", {"model": " "}),
    "missing prompt": ("prompt_required", ErrorKind.INVALID_REQUEST, "/prompt", {"prompt": None}),
    "blank prompt": ("prompt_required", ErrorKind.INVALID_REQUEST, "/prompt", {"prompt": "  "}),
    "prompt too long": (
        "prompt_too_long",
        ErrorKind.INVALID_REQUEST,
        "/prompt",
        {"model": "gen4_image", "prompt": "x" * 1001},
    ),
    "wrong ratio": (
        "invalid_aspect_ratio",
        ErrorKind.INVALID_REQUEST,
        "/parameters/aspect_ratio",
        {"model": "gpt-image-2", "aspect_ratio": "7:5"},
    ),
    "square at 2K": (
        "aspect_ratio_incompatible_with_high_res",
        ErrorKind.INVALID_REQUEST,
        "/parameters/aspect_ratio",
        {"model": "gpt-image-2", "aspect_ratio": "1:1", "resolution": "2K"},
    ),
    "wrong duration": (
        "invalid_duration",
        ErrorKind.INVALID_REQUEST,
        "/parameters/duration",
        {"model": "gen4.5", "duration": 60},
    ),
    "no duration at all": (
        "invalid_duration",
        ErrorKind.INVALID_REQUEST,
        "/parameters/duration",
        {"model": "gen4.5", "duration": "soon"},
    ),
    "unknown parameter": (
        "unknown_parameter",
        ErrorKind.INVALID_REQUEST,
        "/parameters/nonsense",
        {"nonsense": 1},
    ),
    "unknown provider": (
        "unknown_provider",
        ErrorKind.INVALID_REQUEST,
        "/provider",
        {"provider": "nobody"},
    ),
    "path out of the drive": (
        "invalid_path",
        ErrorKind.INVALID_REQUEST,
        "/output_path",
        {"output_path": "../../etc/passwd"},
    ),
    "absolute path": (
        "invalid_path",
        ErrorKind.INVALID_REQUEST,
        "/output_path",
        {"output_path": "/etc/passwd"},
    ),
    "metadata address": (
        "url_not_allowed",
        ErrorKind.FORBIDDEN,
        "/inputs/0",
        {"inputs": ["http://169.254.169.254/latest/meta-data/"]},
    ),
    "loopback in disguise": (
        "url_not_allowed",
        ErrorKind.FORBIDDEN,
        "/inputs/0",
        {"inputs": ["http://2130706433/a.png"]},
    ),
    "file address": (
        "url_not_allowed",
        ErrorKind.FORBIDDEN,
        "/inputs/0",
        {"inputs": ["file:///etc/passwd"]},
    ),
    "empty file": ("empty_file", ErrorKind.INVALID_REQUEST, "/inputs/0", {"inputs": [b""]}),
    "a text that says it is a picture": (
        "unsupported_format",
        ErrorKind.INVALID_REQUEST,
        "/inputs/0",
        {"inputs": [b"<html><body>not a picture</body></html>"]},
    ),
    "a picture cut short": (
        "corrupt_file",
        ErrorKind.INVALID_REQUEST,
        "/inputs/0",
        {"inputs": [png_header(64, 64)[:40]]},
    ),
    "a picture of ten thousand megapixels": (
        "image_too_large",
        ErrorKind.INVALID_REQUEST,
        "/inputs/0",
        {"inputs": [png_header(100_000, 100_000)]},
    ),
    "a file that is not there": (
        "input_not_found",
        ErrorKind.INVALID_REQUEST,
        "/inputs/0",
        {"inputs": [Path("/nowhere/at/all.png")]},
    ),
    "a folder": (
        "input_not_found",
        ErrorKind.INVALID_REQUEST,
        "/inputs/0",
        {"inputs": [Path("/")]},
    ),
    "a picture where sound is wanted": (
        "unsupported_media_kind",
        ErrorKind.INVALID_REQUEST,
        "/inputs/0",
        {"model": "local-listener", "prompt": None, "inputs": ["PICTURE"]},
    ),
    "no input where one is needed": (
        "source_media_required",
        ErrorKind.INVALID_REQUEST,
        "/inputs",
        {"model": "gen4_turbo"},
    ),
}


async def left_behind(installation: AsyncMediawright) -> tuple[Any, ...]:
    """Return everything that a request could leave: rows, credits, files."""
    runtime = installation.runtime
    async with asyncio.timeout(20):
        # What follows an answer takes a moment.
        while any(path.is_file() for path in runtime.folder.replies.rglob("*")):
            await asyncio.sleep(0.01)
    rows = await runtime.database.read(
        lambda c: (
            len(generations.page(c, DEFAULT_WORKSPACE, limit=100)),
            len(assets.page(c, DEFAULT_WORKSPACE, limit=100)),
        )
    )
    balance = await installation.balance()
    folders = (runtime.folder.files, runtime.folder.staging, runtime.folder.replies)
    files = sorted(str(path) for folder in folders for path in folder.rglob("*") if path.is_file())
    return rows, balance, files


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsyncMediawright]:
    account = AccountSettings(initial_credits=Decimal(500))
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), account=account)
    async with AsyncMediawright(settings=settings, sandbox=True) as opened:
        yield opened


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", BAD)
async def test_bad_input(shared: AsyncMediawright, name: str, tmp_path: Path) -> None:
    code, kind, pointer, request = BAD[name]
    inputs = [
        _real_picture(tmp_path) if item == "PICTURE" else item for item in request.get("inputs", [])
    ]
    before = await left_behind(shared)
    with pytest.raises(MediawrightError) as raised:
        await shared.generate(
            **{
                "model": "local-sketch-image",
                "prompt": "a fox",
                **request,
                **({"inputs": inputs} if inputs else {}),
            }
        )
    error = raised.value
    assert (error.code, error.kind) == (code, kind)
    assert error.pointer == pointer
    assert error.message
    assert await left_behind(shared) == before


@pytest.mark.asyncio(loop_scope="module")
async def test_credit_that_is_not_there(shared: AsyncMediawright) -> None:
    dear = {"model": "gen4.5", "prompt": "waves", "duration": 10, "aspect_ratio": "16:9"}
    handles = [await shared.generate(**dear) for _ in range(4)]
    before = await left_behind(shared)
    with pytest.raises(MediawrightError) as raised:
        await shared.generate(**dear)
    assert raised.value.code == "insufficient_credit"
    assert raised.value.kind is ErrorKind.PAYMENT_REQUIRED
    assert (await left_behind(shared))[:2] == before[:2]
    for handle in handles:
        await handle.cancel()


@given(
    st.dictionaries(
        st.sampled_from([*Parameters.__struct_fields__, "n", "guidance", "nonsense"]),
        st.one_of(st.none(), st.text(max_size=8), st.integers(), st.floats(), st.booleans()),
        max_size=4,
    )
)
@examples(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_parameters_are_typed_or_refused(values: dict[str, Any]) -> None:
    try:
        outcome: Parameters | MediawrightError = parameters_from(values)
    except MediawrightError as error:
        outcome = error
    if isinstance(outcome, MediawrightError):
        assert outcome.kind is ErrorKind.INVALID_REQUEST
        assert (outcome.pointer or "").startswith("/parameters")
    else:
        assert "nonsense" not in values


@pytest.mark.parametrize("written", ["5s", "5", 5, 5.0, " 5 s "])
def test_a_duration_may_be_written_in_all_these_ways(written: object) -> None:
    assert parameters_from({"duration": written}).duration == 5.0


def test_money_is_not_lost_in_words() -> None:
    assert str(Money.credits("0.424")) == "0.424 credits"


def _real_picture(folder: Path) -> Path:
    from PIL import Image

    path = folder / "real.png"
    Image.new("RGB", (16, 16), "red").save(path)
    return path
