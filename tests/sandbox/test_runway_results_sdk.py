"""The Runway emulator, driven by the vendor's own SDK: what it makes."""

from __future__ import annotations

import io
import zipfile

import av
import httpx
import numpy as np
import pytest
from PIL import Image
from runwayml import AsyncRunwayML, RunwayML
from tests.sandbox.runway_calls import (
    BLUE,
    PROGRESSION,
    RED,
    data_uri,
    frames,
    make_clip,
    mean_colour,
    picture,
)

from mediawright.sandbox.background import BackgroundSandbox

pytestmark = pytest.mark.usefixtures("runway_polls_without_waiting")


@pytest.fixture
def client(runway_client: RunwayML) -> RunwayML:
    return runway_client


class TestSuccess:
    @pytest.mark.parametrize(
        ("ratio", "price", "size"), [("1280:720", 5, (64, 36)), ("1080:1920", 8, (36, 64))]
    )
    def test_picture(self, client: RunwayML, ratio, price, size):
        created = client.text_to_image.create(
            model="gen4_image", prompt_text="a red boat at sunset", ratio=ratio, seed=4
        )
        assert created.estimated_cost.credits == price
        task = created.wait_for_task_output()
        assert task.status == "SUCCEEDED"
        assert task.cost.credits == price
        reply = httpx.get(task.output[0])
        assert reply.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(reply.content)) as image:
            assert (image.format, image.size) == ("PNG", size)

    def test_same_seed_makes_the_same_picture(self, client: RunwayML):
        def shown(seed: int) -> bytes:
            task = client.text_to_image.create(
                model="gen4_image", prompt_text="a hill", ratio="720:720", seed=seed
            ).wait_for_task_output()
            return httpx.get(task.output[0]).content

        assert shown(1) == shown(1) != shown(2)

    def test_several_pictures_at_once(self, client: RunwayML):
        task = client.text_to_image.create(
            model="gpt_image_2", prompt_text="a hill", ratio="auto", output_count=3
        ).wait_for_task_output()
        assert len({httpx.get(url).content for url in task.output}) == 3
        assert task.cost.credits == 60

    def test_clip_begins_with_the_given_picture(self, client: RunwayML):
        created = make_clip(client, seed=3)
        assert created.estimated_cost.credits == 10
        task = created.wait_for_task_output()
        reply = httpx.get(task.output[0])
        assert reply.headers["content-type"] == "video/mp4"
        shown, seconds = frames(reply.content)
        assert seconds == 2
        assert shown[0].shape == (36, 64, 3)
        np.testing.assert_allclose(mean_colour(shown[0]), RED, atol=12)

    def test_clip_ends_with_the_last_picture(self, client: RunwayML):
        task = client.image_to_video.create(
            model="veo3.1_fast",
            prompt_image=[
                {"uri": data_uri(picture(RED)), "position": "first"},
                {"uri": data_uri(picture(BLUE)), "position": "last"},
            ],
            ratio="720:1280",
            duration=4,
            audio=False,
        ).wait_for_task_output()
        assert task.cost.credits == 40
        shown, seconds = frames(httpx.get(task.output[0]).content)
        assert seconds == 4
        assert shown[0].shape == (64, 36, 3)
        np.testing.assert_allclose(mean_colour(shown[0]), RED, atol=12)
        np.testing.assert_allclose(mean_colour(shown[-1]), BLUE, atol=12)

    def test_clip_with_sound_costs_more(self, client: RunwayML):
        body = {"model": "veo3.1", "prompt_text": "surf", "ratio": "1280:720", "duration": 4}
        created = client.text_to_video.create(**body)
        silent = client.text_to_video.create(**body, audio=False)
        assert (created.estimated_cost.credits, silent.estimated_cost.credits) == (160, 80)
        for task, has_sound in ((created, True), (silent, False)):
            clip = httpx.get(task.wait_for_task_output().output[0]).content
            with av.open(io.BytesIO(clip)) as container:
                assert bool(container.streams.audio) is has_sound

    def test_clip_from_text(self, client: RunwayML):
        created = client.text_to_video.create(
            model="gen4.5", prompt_text="a river", ratio="720:1280", duration=3
        )
        assert created.estimated_cost.credits == 36
        _, seconds = frames(httpx.get(created.wait_for_task_output().output[0]).content)
        assert seconds == 3

    def test_forms_for_editors(self, client: RunwayML):
        body = {
            "model": "gen4.5",
            "prompt_text": "a river",
            "ratio": "1280:720",
            "duration": 2,
            "seed": 1,
        }
        prores = client.text_to_video.create(
            **body, output_format="prores", prores_profile="422 LT"
        )
        assert prores.estimated_cost.credits == 34
        with av.open(
            io.BytesIO(httpx.get(prores.wait_for_task_output().output[0]).content)
        ) as container:
            assert container.streams.video[0].codec_context.name == "prores"
            assert container.streams.video[0].frames == 12
        pictures = client.text_to_video.create(**body, output_format="png_sequence")
        archive = httpx.get(pictures.wait_for_task_output().output[0]).content
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            assert files.namelist()[0] == "frame_00001.png"
            assert len(files.namelist()) == 12

    def test_speech(self, client: RunwayML):
        created = client.text_to_speech.create(
            model="eleven_multilingual_v2",
            prompt_text="a" * 49 + " b",
            voice={"type": "runway-preset", "preset_id": "Maya"},
        )
        assert created.estimated_cost.credits == 2
        task = created.wait_for_task_output()
        with av.open(io.BytesIO(httpx.get(task.output[0]).content)) as container:
            assert container.streams.audio[0].codec_context.name.startswith("mp3")

    def test_steps_are_seen(self, client: RunwayML):
        created = make_clip(client, {PROGRESSION: "polls=4"})
        seen = [client.tasks.retrieve(created.id) for _ in range(5)]
        assert [task.status for task in seen] == ["PENDING", *["RUNNING"] * 3, "SUCCEEDED"]
        assert [task.progress for task in seen[1:4]] == [0.25, 0.5, 0.75]
        assert seen[0].estimated_cost.credits == 10
        assert seen[0].created_at == seen[-1].created_at

    async def test_async_client(self, sandbox: BackgroundSandbox):
        async with AsyncRunwayML(
            api_key="key", base_url=sandbox.base_urls["runway"]["api"], max_retries=0
        ) as client:
            created = await client.text_to_image.create(
                model="gen4_image", prompt_text="a hill", ratio="720:720"
            )
            task = await created.wait_for_task_output()
        assert task.status == "SUCCEEDED"

    def test_organisation(self, client: RunwayML):
        make_clip(client)
        shown = client.organization.retrieve()
        assert shown.credit_balance == 1_000_000 - 10
        assert shown.tier.models["gen4_turbo"].max_concurrent_generations == 20
        assert shown.usage.models["gen4_turbo"].daily_generations == 1
