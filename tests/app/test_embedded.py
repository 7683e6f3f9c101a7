"""mediawright inside a program: the verbs, handles, files, money."""

from __future__ import annotations

import asyncio
import inspect
import io
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

import mediawright
from mediawright import (
    AsyncHandle,
    AsyncMediawright,
    GenerationFailedError,
    GenerationRefusedError,
    Handle,
    InputSource,
    Mediawright,
    MediawrightError,
    Settings,
)
from mediawright.core.errors import (
    ConflictError,
    MissingApiKeyError,
    NotFoundError,
    WaitTimeoutError,
)
from mediawright.core.money import Money
from mediawright.engines.listener.samples import sample_path, sample_text


def picture(size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "navy").save(buffer, "PNG")
    return buffer.getvalue()


async def test_a_picture(installation: AsyncMediawright) -> None:
    handle = await installation.image("a fox", size="64x48", seed=5, metadata={"persona": "Artist"})
    result = await handle.wait()
    with Image.open(result.path) as opened:
        assert opened.size == (64, 48)
    assert result.assets[0].seed == 5
    assert result.generation.charge_micros == 0
    shown = await handle.describe()
    assert shown["status"] == "completed"
    assert shown["metadata"] == {"persona": "Artist"}
    assert shown["outputs"][0]["dimensions"] == {"width": 64, "height": 48}
    assert Path(shown["outputs"][0]["thumbnail_url"]).is_file()
    assert {span.name for span in await installation.trace(handle.id)} >= {"submit", "store"}


async def test_the_same_seed_makes_the_same_picture(installation: AsyncMediawright) -> None:
    made = [
        (await (await installation.image("a fox", size="64x64", seed=seed)).wait()).assets[0].sha256
        for seed in (1, 1, 2)
    ]
    assert made[0] == made[1] != made[2]


async def test_several_pictures_of_one_request(installation: AsyncMediawright) -> None:
    result = await (await installation.image("a fox", size="64x64", count=3, seed=1)).wait()
    assert [asset.index for asset in result.assets] == [0, 1, 2]
    assert len({asset.sha256 for asset in result.assets}) == 3
    assert len(set(result.paths)) == 3


async def test_an_edit_keeps_what_the_mask_leaves_out(installation: AsyncMediawright) -> None:
    source = picture((64, 64))
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (32, 0, 64, 64))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    handle = await installation.image(
        "a sunset", image=source, mask=buffer.getvalue(), size="64x64", output_format="png"
    )
    with Image.open((await handle.wait()).path) as edited:
        left, right = edited.convert("RGB").crop((0, 0, 32, 64)), edited.getpixel((60, 32))
    assert left.getcolors() == [(32 * 64, (0, 0, 128))]
    assert right != (0, 0, 128)


async def test_progress_is_told(installation: AsyncMediawright) -> None:
    told: list[float | None] = []
    handle = await installation.video("waves", duration=1, resolution="360p", seed=1)
    result = await handle.wait(on_progress=lambda done, stage: told.append(done))
    assert result.assets[0].facts.seconds == pytest.approx(1.0, abs=0.05)
    assert [done for done in told if done is not None]


async def test_speech_and_transcript(installation: AsyncMediawright) -> None:
    spoken = await (await installation.speak("Good morning.", output_format="mp3")).wait()
    assert spoken.assets[0].facts.content_type == "audio/mpeg"
    with sample_path() as path:
        heard = await (await installation.transcribe(path)).wait()
    assert heard.text is not None
    assert heard.text.lower().split()[:4] == sample_text().lower().split()[:4]


async def test_music(installation: AsyncMediawright) -> None:
    result = await (await installation.music("calm piano", duration=2, lyrics="la la")).wait()
    assert result.assets[0].facts.seconds == pytest.approx(2.0, abs=0.06)
    dropped = [item for item in result.generation.adjustments if item.pointer.endswith("lyrics")]
    assert [item.kind.value for item in dropped] == ["dropped"]


async def test_a_wait_that_ends_does_not_end_the_work(installation: AsyncMediawright) -> None:
    handle = await installation.video("waves", duration=2, resolution="360p")
    with pytest.raises(WaitTimeoutError) as raised:
        await handle.wait(timeout=0.01)
    assert raised.value.details == {"generation_id": handle.id}
    assert (await handle.wait()).path.is_file()


async def test_cancelling(installation: AsyncMediawright) -> None:
    handle = await installation.video("waves", duration=30, resolution="720p")
    cancelled = await handle.cancel()
    assert cancelled.status.value == "cancelled"
    with pytest.raises(GenerationFailedError) as raised:
        await handle.wait()
    assert raised.value.code == "cancelled"
    async with asyncio.timeout(20):
        while (await handle.refresh()).charge_micros is None:
            await asyncio.sleep(0.05)
    assert handle.generation.charge_micros == 0


async def test_an_output_path_in_the_drive(installation: AsyncMediawright) -> None:
    result = await (
        await installation.image("a fox", size="64x64", output_path="pictures/fox")
    ).wait()
    assert result.assets[0].key.endswith("pictures/fox.png")


async def test_an_asset_serves_as_input(installation: AsyncMediawright) -> None:
    first = await (await installation.image("a fox", size="64x64")).wait()
    second = await installation.image("snow", image=first.assets[0].id, size="64x64")
    assert (await second.wait()).generation.operation.value == "image-to-image"
    with pytest.raises(NotFoundError) as raised:
        await installation.image("snow", image=f"ast_{'0' * 32}")
    assert raised.value.code == "asset_not_found"


async def test_an_idempotency_key(installation: AsyncMediawright) -> None:
    first = await installation.image("a fox", size="64x64", idempotency_key="k")
    again = await installation.image("a fox", size="64x64", idempotency_key="k")
    assert again.id == first.id
    with pytest.raises(ConflictError):
        await installation.image("a cat", size="64x64", idempotency_key="k")
    await first.wait()


async def test_a_paid_model_through_the_sandbox(sandboxed: AsyncMediawright) -> None:
    before = await sandboxed.balance()
    handle = await sandboxed.image("a kite", model="gpt-image-2", aspect_ratio="16:9")
    result = await handle.wait()
    after = await sandboxed.balance()
    assert result.assets[0].facts.width == 1280
    assert result.generation.charge_micros == 11_000_000
    assert result.generation.cost_micros
    assert before.available - after.available == Money.credits(11)
    assert after.held == Money.credits(0)


async def test_refusals_and_failures_are_errors_of_their_own(sandboxed: AsyncMediawright) -> None:
    refused = await sandboxed.image("a kite [[sandbox: moderated]]", model="gpt-image-2")
    with pytest.raises(GenerationRefusedError) as raised:
        await refused.wait()
    assert raised.value.code == "content_refused"
    assert raised.value.generation.id == refused.id
    failed = await sandboxed.image(
        "a kite [[sandbox: out_of_credit]]", model="gpt-image-2", provider="openai"
    )
    with pytest.raises(GenerationFailedError) as raised_too:
        await failed.wait()
    assert raised_too.value.code == "provider_out_of_credit"
    assert (await sandboxed.balance()).available == Money.credits(500)


async def test_a_missing_key_is_told_before_anything_else(
    installation: AsyncMediawright, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingApiKeyError) as raised:
        await installation.image("a kite", model="gpt-image-2", provider="openai")
    assert "OPENAI_API_KEY" in str(raised.value.hint)
    assert (await installation.balance()).held == Money.credits(0)


async def test_two_installations_do_not_share_a_folder(settings: Settings) -> None:
    async with AsyncMediawright(settings=settings):
        with pytest.raises(ConflictError) as raised:
            await AsyncMediawright(settings=settings).open()
    assert raised.value.code == "data_folder_in_use"
    async with AsyncMediawright(settings=settings) as again:
        assert (await again.balance()).available == Money.credits(Decimal(500))


def test_the_same_without_await(settings: Settings) -> None:
    with Mediawright(settings=settings) as opened:
        handle = opened.image("a fox", size="64x64", seed=1)
        assert handle.wait().path.is_file()
        assert handle.describe()["generation_id"] == handle.id
        assert opened.handle(handle.id).refresh().status.value == "completed"
        assert opened.trace(handle.id)
        assert opened.balance().available == Money.credits(500)
        edited = opened.generate(
            model="local-sketch-image",
            prompt="snow",
            inputs=[InputSource(data=picture())],
            size="64x48",
        )
        assert edited.wait().assets[0].facts.height == 48
        with pytest.raises(MediawrightError) as raised:
            opened.image("a fox", aspect_ratio="nonsense")
        assert raised.value.code == "invalid_aspect_ratio"


@pytest.mark.parametrize(
    ("asynchronous", "synchronous"),
    [(AsyncMediawright, Mediawright), (AsyncHandle, Handle)],
)
def test_both_faces_have_the_same_verbs(asynchronous: type, synchronous: type) -> None:
    def verbs(kind: type) -> dict[str, inspect.Signature]:
        return {
            name: inspect.signature(value)
            for name, value in vars(kind).items()
            if not name.startswith("_") and callable(value)
        }

    one, other = verbs(asynchronous), verbs(synchronous)
    assert set(one) == set(other)
    for name, signature in one.items():
        assert list(signature.parameters.values()) == list(other[name].parameters.values()), name


def test_every_public_name_can_be_had() -> None:
    for name in mediawright.__all__:
        assert getattr(mediawright, name) is not None
    assert sorted(mediawright.__all__) == dir(mediawright)
    with pytest.raises(AttributeError):
        _ = mediawright.nonsense
