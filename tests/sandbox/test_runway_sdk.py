"""The Runway emulator, driven by the vendor's own SDK."""

from __future__ import annotations

import base64
import io
import time
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import httpx
import numpy as np
import pytest
import runwayml
from PIL import Image
from runwayml import AsyncRunwayML, RunwayML
from runwayml.lib import polling

from mediawright.sandbox.background import BackgroundSandbox

SCENARIO = "X-Sandbox-Scenario"
PROGRESSION = "X-Sandbox-Progression"
Connect = Callable[..., RunwayML]


@pytest.fixture(autouse=True)
def _polls_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "POLL_TIME", 0)
    monkeypatch.setattr(polling, "POLL_JITTER", 0)


@pytest.fixture
def connect(sandbox: BackgroundSandbox) -> Iterator[Connect]:
    opened: list[RunwayML] = []

    def open_client(key: str | None = None, **options: object) -> RunwayML:
        settings = {"max_retries": 0, **options}
        client = RunwayML(
            api_key=key or sandbox.credentials["runway"],
            base_url=sandbox.base_urls["runway"]["api"],
            **settings,
        )
        opened.append(client)
        return client

    yield open_client
    for client in opened:
        client.close()


@pytest.fixture
def client(connect: Connect) -> RunwayML:
    return connect()


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (160, 90)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, "PNG")
    return target.getvalue()


def data_uri(data: bytes, content_type: str = "image/png") -> str:
    return f"data:{content_type};base64,{base64.b64encode(data).decode()}"


def frames(clip: bytes) -> tuple[list[np.ndarray], Fraction]:
    with av.open(io.BytesIO(clip)) as container:
        stream = container.streams.video[0]
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return shown, len(shown) / Fraction(stream.average_rate)


def mean_colour(frame: np.ndarray) -> np.ndarray:
    return frame.reshape(-1, 3).mean(axis=0)


RED = (200, 30, 30)
BLUE = (30, 30, 200)
TURBO = {"model": "gen4_turbo", "ratio": "1280:720", "duration": 2}


def make_clip(client: RunwayML, headers: dict[str, str] | None = None, **fields: object):
    body = {**TURBO, "prompt_image": data_uri(picture(RED)), **fields}
    return client.image_to_video.create(**body, extra_headers=headers)


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


class TestInputs:
    def test_upload_becomes_the_first_frame(self, client: RunwayML, tmp_path):
        path = tmp_path / "blue.png"
        path.write_bytes(picture(BLUE, (400, 225)) + b"\0" * 600)
        upload = client.uploads.create_ephemeral(file=path)
        assert upload.uri.startswith("runway://")
        task = make_clip(client, prompt_image=upload.uri).wait_for_task_output()
        shown, _ = frames(httpx.get(task.output[0]).content)
        np.testing.assert_allclose(mean_colour(shown[0]), BLUE, atol=12)

    def test_upload_that_is_no_picture_fails_the_task(self, client: RunwayML):
        upload = client.uploads.create_ephemeral(file=("lie.png", b"no picture" * 100))
        with pytest.raises(polling.TaskFailedError) as failed:
            make_clip(client, prompt_image=upload.uri).wait_for_task_output()
        assert failed.value.task_details.failure_code == "ASSET.INVALID"
        assert failed.value.task_details.cost.credits == 0

    def test_upload_too_small(self, client: RunwayML):
        with pytest.raises(runwayml.APIStatusError) as refused:
            client.uploads.create_ephemeral(file=("small.png", b"tiny"))
        assert "EntityTooSmall" in str(refused.value.body)

    @pytest.mark.parametrize("name", ["a", "notes.txt", "x" * 252 + ".png"])
    def test_upload_name(self, client: RunwayML, name: str):
        with pytest.raises(runwayml.BadRequestError) as refused:
            client.uploads.create_ephemeral(file=(name, b"x" * 600))
        assert refused.value.body["issues"][0]["path"] == ["filename"]

    def test_unknown_and_expired_uploads(self, client: RunwayML, sandbox: BackgroundSandbox):
        upload = client.uploads.create_ephemeral(file=("a.png", picture(RED, (900, 900))))
        make_clip(client, prompt_image=upload.uri)
        httpx.post(f"{sandbox.root}/__sandbox__/clock", json={"advance": 24 * 3600})
        for uri in (upload.uri, "runway://unheard-of"):
            with pytest.raises(runwayml.BadRequestError) as refused:
                make_clip(client, prompt_image=uri)
            assert refused.value.body["issues"][0]["path"] == ["promptImage"]

    def test_bucket_takes_the_file_as_last_part_only(
        self, client: RunwayML, sandbox: BackgroundSandbox
    ):
        def begun() -> dict:
            return client.post(
                "/v1/uploads", body={"filename": "a.png", "type": "ephemeral"}, cast_to=object
            )

        target = begun()
        file = ("file", ("a.png", b"x" * 600))
        fields = [(name, (None, value)) for name, value in target["fields"].items()]
        wrong_order = httpx.post(target["uploadUrl"], files=[file, *fields])
        assert (wrong_order.status_code, "last part" in wrong_order.text) == (400, True)
        tampered = [(name, (None, "other")) for name, _ in fields]
        assert httpx.post(target["uploadUrl"], files=[*tampered, file]).status_code == 403
        assert httpx.post(target["uploadUrl"], files=[*fields, file]).status_code == 204
        assert target["uploadUrl"].startswith(sandbox.root)

    def test_pictures_of_other_hosts_are_taken_on_trust(self, client: RunwayML):
        task = make_clip(
            client, prompt_image="https://pictures.example/boat.png"
        ).wait_for_task_output()
        assert task.status == "SUCCEEDED"

    def test_output_can_be_the_next_input(self, client: RunwayML):
        first = client.text_to_image.create(
            model="gen4_image", prompt_text="a hill", ratio="1280:720"
        ).wait_for_task_output()
        url = first.output[0]
        task = make_clip(client, prompt_image=url).wait_for_task_output()
        with Image.open(io.BytesIO(httpx.get(url).content)) as image:
            given = np.asarray(image.convert("RGB"), dtype=float)
        shown, _ = frames(httpx.get(task.output[0]).content)
        assert np.abs(given - shown[0]).mean() < 12

    def test_data_uri_that_is_no_picture(self, client: RunwayML):
        with pytest.raises(runwayml.BadRequestError) as refused:
            make_clip(client, prompt_image=data_uri(b"no picture"))
        assert refused.value.body["issues"] == [
            {
                "code": "custom",
                "path": ["promptImage"],
                "message": "The image could not be decoded.",
            }
        ]


class TestLimits:
    def test_tasks_above_the_tier_are_throttled(self, connect: Connect):
        client = connect("key_tier1")
        first, second = (make_clip(client, {PROGRESSION: "polls=2"}) for _ in range(2))
        other = client.text_to_image.create(
            model="gen4_image",
            prompt_text="a hill",
            ratio="720:720",
            extra_headers={PROGRESSION: "polls=2"},
        )
        assert client.tasks.retrieve(first.id).status == "PENDING"
        for _ in range(5):
            waiting = client.tasks.retrieve(second.id)
            assert waiting.status == "THROTTLED"
            assert waiting.estimated_cost.credits == 10
        assert client.tasks.retrieve(other.id).status == "PENDING"
        assert first.wait_for_task_output().status == "SUCCEEDED"
        assert client.tasks.retrieve(second.id).status == "PENDING"
        assert second.wait_for_task_output().status == "SUCCEEDED"

    def test_a_cancelled_task_makes_room(self, connect: Connect):
        client = connect("key_tier1")
        first, second = (make_clip(client, {PROGRESSION: "polls=2"}) for _ in range(2))
        client.tasks.delete(first.id)
        assert client.tasks.retrieve(second.id).status == "PENDING"

    def test_a_task_nobody_asks_about_makes_room(
        self, connect: Connect, sandbox: BackgroundSandbox
    ):
        client = connect("key_tier1")
        _, second = (make_clip(client, {PROGRESSION: "polls=2"}) for _ in range(2))
        assert client.tasks.retrieve(second.id).status == "THROTTLED"
        httpx.post(f"{sandbox.root}/__sandbox__/clock", json={"advance": 31})
        assert client.tasks.retrieve(second.id).status == "PENDING"

    def test_daily_limit(self, connect: Connect, sandbox: BackgroundSandbox):
        client = connect("key_tier1")
        image = {"model": "gen4_image", "prompt_text": "a hill", "ratio": "720:720"}
        for _ in range(50):
            client.text_to_image.create(**image)
        with pytest.raises(runwayml.RateLimitError) as refused:
            client.text_to_image.create(**image)
        assert "daily" in refused.value.body["error"]
        httpx.post(f"{sandbox.root}/__sandbox__/clock", json={"advance": 24 * 3600})
        assert client.text_to_image.create(**image).id

    def test_balance_is_spent(self, connect: Connect):
        client = connect("key_tier1")
        body = {"model": "veo3.1", "prompt_text": "surf", "ratio": "1280:720", "duration": 8}
        for _ in range(31):
            client.text_to_video.create(**body)
        assert client.organization.retrieve().credit_balance == 10_000 - 31 * 320
        with pytest.raises(runwayml.BadRequestError) as refused:
            client.text_to_video.create(**body)
        assert refused.value.body["error"] == "You do not have enough credits to run this task."


class TestCancel:
    def test_running_task(self, client: RunwayML):
        created = make_clip(client, {PROGRESSION: "polls=4"})
        client.tasks.retrieve(created.id)
        assert client.organization.retrieve().credit_balance == 1_000_000 - 10
        assert client.tasks.delete(created.id) is None
        task = client.tasks.retrieve(created.id)
        assert (task.status, task.cost.credits) == ("CANCELLED", 0)
        assert client.organization.retrieve().credit_balance == 1_000_000
        with pytest.raises(runwayml.NotFoundError):
            client.tasks.delete(created.id)

    def test_finished_task_is_deleted(self, client: RunwayML):
        created = make_clip(client)
        created.wait_for_task_output()
        client.tasks.delete(created.id)
        with pytest.raises(runwayml.NotFoundError):
            client.tasks.retrieve(created.id)
        assert client.organization.retrieve().credit_balance == 1_000_000 - 10

    def test_unknown_task(self, client: RunwayML):
        with pytest.raises(runwayml.NotFoundError):
            client.tasks.delete("17f20503-6c24-4c16-946b-35dbbce2af2f")


class TestFaults:
    def test_bad_key(self, connect: Connect):
        with pytest.raises(runwayml.AuthenticationError) as refused:
            make_clip(connect("key_bad"))
        assert isinstance(refused.value.body["error"], str)

    def test_version_is_required(self, connect: Connect, sandbox: BackgroundSandbox):
        with pytest.raises(runwayml.BadRequestError):
            connect(runway_version="2024-09-13").organization.retrieve()
        reply = httpx.get(
            f"{sandbox.root}/runway/v1/organization", headers={"Authorization": "Bearer key"}
        )
        assert reply.status_code == 400
        assert "X-Runway-Version" in reply.json()["error"]

    def test_rate_limit_is_retried(self, connect: Connect, sandbox: BackgroundSandbox):
        headers = {SCENARIO: "rate_limited; times=1; seconds=0.01"}
        with pytest.raises(runwayml.RateLimitError) as refused:
            make_clip(connect(), {SCENARIO: "rate_limited; seconds=7"})
        assert refused.value.response.headers["retry-after"] == "7"
        assert make_clip(connect(max_retries=1), headers).id
        submits = sandbox.journal.entries(vendor="runway", kind="submit")
        assert [entry.status for entry in submits] == [429, 429, 200]

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_server_error(self, client: RunwayML, status: int):
        with pytest.raises(runwayml.InternalServerError) as refused:
            make_clip(client, {SCENARIO: f"server_error; status={status}"})
        assert refused.value.status_code == status

    def test_out_of_credit(self, client: RunwayML):
        with pytest.raises(runwayml.BadRequestError) as refused:
            make_clip(client, {SCENARIO: "out_of_credit"})
        assert refused.value.body["error"] == "You do not have enough credits to run this task."
        assert "issues" not in refused.value.body

    def test_moderation_fails_the_task_and_keeps_the_credits(self, client: RunwayML):
        created = make_clip(client, prompt_text="a fight [[sandbox: moderated]]")
        with pytest.raises(polling.TaskFailedError) as failed:
            created.wait_for_task_output()
        task = failed.value.task_details
        assert task.failure_code == "SAFETY.INPUT.TEXT"
        assert task.cost.credits == 10
        assert client.organization.retrieve().credit_balance == 1_000_000 - 10

    def test_failed_task_is_refunded(self, client: RunwayML):
        created = make_clip(client, {SCENARIO: "job_failed"})
        with pytest.raises(polling.TaskFailedError) as failed:
            created.wait_for_task_output()
        assert failed.value.task_details.failure_code.startswith("INTERNAL.BAD_OUTPUT")
        assert failed.value.task_details.cost.credits == 0
        assert client.organization.retrieve().credit_balance == 1_000_000

    def test_unknown_status(self, client: RunwayML):
        created = make_clip(client, {SCENARIO: "unknown_status; polls=1", PROGRESSION: "now"})
        assert client.tasks.with_raw_response.retrieve(created.id).http_response.json()[
            "status"
        ] == ("DAYDREAMING")
        assert created.wait_for_task_output().status == "SUCCEEDED"

    def test_lost_reply(self, client: RunwayML, sandbox: BackgroundSandbox):
        with pytest.raises(runwayml.APIConnectionError):
            make_clip(client, {SCENARIO: "lost_reply"})
        (entry,) = sandbox.journal.entries(vendor="runway", kind="submit")
        assert entry.status is None
        assert client.tasks.retrieve(entry.job_id).status == "PENDING"

    def test_slow(self, client: RunwayML):
        start = time.monotonic()
        make_clip(client, {SCENARIO: "slow; seconds=0.1"})
        assert time.monotonic() - start >= 0.1

    def test_garbage(self, client: RunwayML):
        created = make_clip(client)
        reply = client.tasks.with_raw_response.retrieve(
            created.id, extra_headers={SCENARIO: "garbage"}
        )
        assert reply.headers["content-type"] == "text/html"

    def test_truncated_file(self, client: RunwayML):
        task = make_clip(client, {SCENARIO: "truncated_file"}).wait_for_task_output()
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(task.output[0])

    def test_expired_url(self, client: RunwayML):
        task = make_clip(client, {SCENARIO: "expired_url"}).wait_for_task_output()
        assert httpx.get(task.output[0]).status_code == 403

    def test_addresses_are_renewed_after_a_day(self, client: RunwayML, sandbox: BackgroundSandbox):
        created = make_clip(client)
        old = created.wait_for_task_output().output
        assert client.tasks.retrieve(created.id).output == old
        httpx.post(f"{sandbox.root}/__sandbox__/clock", json={"advance": 25 * 3600})
        new = client.tasks.retrieve(created.id).output
        assert new != old
        assert httpx.get(new[0]).status_code == 200

    def test_unknown_paths_and_methods(self, client: RunwayML):
        with pytest.raises(runwayml.NotFoundError):
            client.get("/v1/nothing", cast_to=object)
        for path in ("/v1/image_to_video", "/v1/uploads"):
            with pytest.raises(runwayml.APIStatusError) as refused:
                client.get(path, cast_to=object)
            assert refused.value.status_code == 405
