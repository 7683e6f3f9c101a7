"""The Runway emulator, driven by the vendor's own SDK: uploads and other inputs."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pytest
import runwayml
from PIL import Image
from runwayml import RunwayML
from runwayml.lib import polling
from tests.sandbox.runway_calls import BLUE, RED, data_uri, frames, make_clip, mean_colour, picture

from mediawright.sandbox.background import BackgroundSandbox

pytestmark = pytest.mark.usefixtures("runway_polls_without_waiting")


@pytest.fixture
def client(runway_client: RunwayML) -> RunwayML:
    return runway_client


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
