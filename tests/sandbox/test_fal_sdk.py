"""The fal emulator as fal's own SDK sees it."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fal_client
import httpx
import pytest
from fal_client import Completed, FalClientHTTPError, InProgress, Queued, SyncClient
from PIL import Image

from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.settings import SandboxSettings

SCHNELL = "fal-ai/flux/schnell"
PIKA = "fal-ai/pika/v2.2/text-to-video"
PIKA_FROM_IMAGE = "fal-ai/pika/v2.2/image-to-video"
SCENARIO = "X-Sandbox-Scenario"
PROGRESSION = "X-Sandbox-Progression"


pytestmark = pytest.mark.usefixtures("fal_hosts")


@pytest.fixture
def client(fal_sync_client: SyncClient) -> SyncClient:
    return fal_sync_client


def picture(width: int = 64, height: int = 48) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(target, "PNG")
    return target.getvalue()


def data_uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def fetch(url: str) -> httpx.Response:
    return httpx.get(url, headers={"Accept-Encoding": "identity"})


def decode(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def failure(client: SyncClient, application: str, arguments: dict[str, Any]) -> FalClientHTTPError:
    handle = client.submit(application, arguments, headers={PROGRESSION: "now"})
    with pytest.raises(FalClientHTTPError) as caught:
        handle.get(interval=0)
    return caught.value


def test_runs_a_model(client: SyncClient) -> None:
    reply = client.run(SCHNELL, {"prompt": "waves", "image_size": "square", "seed": 42})
    (image,) = reply["images"]
    assert (image["width"], image["height"], image["content_type"]) == (512, 512, "image/jpeg")
    assert (reply["seed"], reply["has_nsfw_concepts"]) == (42, [False])
    assert reply["prompt"] == "waves"
    file = fetch(image["url"])
    assert file.headers["content-type"] == "image/jpeg"
    assert decode(file.content).format == "JPEG"
    again = client.run(SCHNELL, {"prompt": "waves", "image_size": "square", "seed": 42})
    assert fetch(again["images"][0]["url"]).content == file.content


def test_goes_through_the_queue(client: SyncClient, sandbox: BackgroundSandbox) -> None:
    seen: list[Any] = []
    reply = client.subscribe(
        SCHNELL,
        {"prompt": "waves", "num_images": 2, "output_format": "png"},
        with_logs=True,
        interval=0,
        headers={PROGRESSION: "polls=3"},
        on_queue_update=seen.append,
    )
    assert [type(status) for status in seen] == [Queued, InProgress, InProgress, Completed]
    assert seen[-1].error is None
    assert "inference_time" in seen[-1].metrics
    assert seen[-1].logs[-1]["message"] == "Finished."
    assert [image["content_type"] for image in reply["images"]] == ["image/png"] * 2
    kinds = [entry.kind for entry in sandbox.journal.entries()]
    # The SDK asks once more before it fetches the result.
    assert kinds == ["submit", *["poll"] * 5, "result"]


def test_follow_up_paths_keep_owner_and_alias(client: SyncClient) -> None:
    handle = client.submit(PIKA, {"prompt": "waves"})
    assert handle.response_url.endswith(f"/fal-ai/pika/requests/{handle.request_id}")
    assert handle.status_url == f"{handle.response_url}/status"
    assert handle.cancel_url == f"{handle.response_url}/cancel"
    built = client.get_handle(PIKA, handle.request_id)
    assert (built.status_url, built.cancel_url) == (handle.status_url, handle.cancel_url)
    headers = {"Authorization": "Key sandbox:key"}
    wrong = handle.status_url.replace("/fal-ai/pika/", "/fal-ai/pika/v2.2/text-to-video/")
    assert httpx.get(wrong, headers=headers).status_code == 405
    other = handle.status_url.replace("/fal-ai/pika/", "/fal-ai/flux/")
    assert httpx.get(other, headers=headers).status_code == 404


def test_answers_the_status_as_the_queue_does(client: SyncClient) -> None:
    handle = client.submit(PIKA, {"prompt": "waves"}, headers={PROGRESSION: "polls=1"})
    headers = {"Authorization": "Key sandbox:key"}
    waiting = httpx.get(handle.status_url, headers=headers)
    assert waiting.status_code == 202
    assert waiting.json() == {
        "status": "IN_QUEUE",
        "request_id": handle.request_id,
        "queue_position": 0,
        "response_url": handle.response_url,
        "status_url": handle.status_url,
        "cancel_url": handle.cancel_url,
    }
    finished = httpx.get(handle.status_url, headers=headers)
    assert finished.status_code == 200
    assert finished.json()["status"] == "COMPLETED"
    assert finished.headers["x-fal-request-id"] == handle.request_id


def test_the_result_tells_to_wait(client: SyncClient) -> None:
    handle = client.submit(PIKA, {"prompt": "waves"}, headers={PROGRESSION: "polls=1"})
    headers = {"Authorization": "Key sandbox:key"}
    waiting = httpx.get(handle.response_url, headers=headers)
    assert waiting.status_code == 400
    assert waiting.json() == {"detail": "Request is still in progress"}
    assert "video" in httpx.get(f"{handle.response_url}/response", headers=headers).json()


def test_streams_the_status(client: SyncClient) -> None:
    handle = client.submit(SCHNELL, {"prompt": "waves"}, headers={PROGRESSION: "polls=2"})
    stream = httpx.get(f"{handle.status_url}/stream", headers={"Authorization": "Key sandbox:key"})
    words = [word for word in ("IN_QUEUE", "IN_PROGRESS", "COMPLETED") if word in stream.text]
    assert words == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]


def test_waits_for_virtual_time(client: SyncClient, sandbox: BackgroundSandbox) -> None:
    handle = client.submit(PIKA, {"prompt": "waves [[sandbox: seconds=60]]"})
    assert isinstance(handle.status(), Queued)
    httpx.post(f"{sandbox.root}/__sandbox__/clock", json={"advance": 30})
    assert isinstance(handle.status(), InProgress)
    httpx.post(f"{sandbox.root}/__sandbox__/clock", json={"advance": 31})
    assert isinstance(handle.status(), Completed)


def test_changes_a_picture(client: SyncClient) -> None:
    url = client.upload(picture(96, 48), "image/png", "a.png")
    assert fetch(url).content == picture(96, 48)
    reply = client.run(
        "fal-ai/flux/dev/image-to-image", {"prompt": "waves", "image_url": url, "strength": 0.5}
    )
    image = reply["images"][0]
    assert image["width"] / image["height"] == pytest.approx(2, rel=0.03)
    assert decode(fetch(image["url"]).content)


def test_makes_a_video_from_a_picture(client: SyncClient) -> None:
    reply = client.subscribe(
        PIKA_FROM_IMAGE,
        {"prompt": "waves", "image_url": data_uri(picture(64, 64)), "duration": 5},
        interval=0,
    )
    video = reply["video"]
    assert (video["content_type"], video["file_name"]) == ("video/mp4", "output.mp4")
    file = fetch(video["url"]).content
    assert len(file) == video["file_size"]
    assert file[4:8] == b"ftyp"


def test_keeps_nothing_in_sync_mode(client: SyncClient) -> None:
    reply = client.run(SCHNELL, {"prompt": "waves", "sync_mode": True, "output_format": "png"})
    head, _, coded = reply["images"][0]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert decode(base64.b64decode(coded)).format == "PNG"


def test_uploads_in_every_way(client: SyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = client.upload(b"by a signed address", "text/plain", "a.txt", repository="fal")
    assert fetch(signed).content == b"by a signed address"
    monkeypatch.setattr(fal_client.client, "MULTIPART_THRESHOLD", 10)
    monkeypatch.setattr(fal_client.client, "MULTIPART_CHUNK_SIZE", 8)
    in_parts = client.upload(b"one two three four five", "text/plain", "b.txt")
    assert fetch(in_parts).content == b"one two three four five"
    assert in_parts.endswith("/b.txt")


def test_forgets_uploads_in_time(client: SyncClient, sandbox: BackgroundSandbox) -> None:
    url = client.upload(
        picture(), "image/png", lifecycle=fal_client.StorageSettings(expires_in="1h")
    )
    assert fetch(url).status_code == 200
    httpx.post(f"{sandbox.root}/__sandbox__/clock", json={"advance": 3601})
    assert fetch(url).status_code == 404


@pytest.mark.parametrize(
    ("application", "arguments", "location", "error_type"),
    [
        (SCHNELL, {}, ["body", "prompt"], "missing"),
        (SCHNELL, {"prompt": 7}, ["body", "prompt"], "string_type"),
        (SCHNELL, {"num_images": 5}, ["body", "num_images"], "less_than_equal"),
        (SCHNELL, {"num_images": 0}, ["body", "num_images"], "greater_than_equal"),
        (SCHNELL, {"num_inference_steps": 13}, ["body", "num_inference_steps"], "less_than_equal"),
        (SCHNELL, {"image_size": "huge"}, ["body", "image_size"], "one_of"),
        (SCHNELL, {"image_size": {"width": 0, "height": 9}}, ["body", "image_size", "width"],
         "greater_than_equal"),
        (SCHNELL, {"image_size": {"width": 9000, "height": 9000}}, ["body", "image_size"],
         "value_error"),
        (SCHNELL, {"output_format": "webp"}, ["body", "output_format"], "one_of"),
        ("fal-ai/flux/dev", {"guidance_scale": 0.5}, ["body", "guidance_scale"],
         "greater_than_equal"),
        ("fal-ai/flux/dev/image-to-image", {}, ["body", "image_url"], "missing"),
        (PIKA, {"duration": 7}, ["body", "duration"], "one_of"),
        (PIKA, {"resolution": "480p"}, ["body", "resolution"], "one_of"),
    ],
)  # fmt: skip
def test_refuses_a_bad_input(
    client: SyncClient,
    application: str,
    arguments: dict[str, Any],
    location: list[str],
    error_type: str,
) -> None:
    prompt = {} if error_type == "missing" and not arguments else {"prompt": "waves"}
    given = {**prompt, **arguments}
    with pytest.raises(FalClientHTTPError) as caught:
        client.run(application, given)
    queued = failure(client, application, given)
    for error in (caught.value, queued):
        assert error.status_code == 422
        entry = error.response.json()["detail"][0]
        assert (entry["loc"], entry["type"]) in [
            (location, error_type),
            (["body", "prompt"], "missing"),
        ]
        assert entry["url"].endswith(f"#{entry['type']}")
        assert error.response_headers["x-fal-retryable"] == "false"


def test_ignores_unknown_fields(client: SyncClient) -> None:
    assert client.run(SCHNELL, {"prompt": "waves", "wings": 2})["images"]


@pytest.mark.parametrize(
    ("url", "error_type"),
    [
        ("https://elsewhere.example/a.png", "file_download_error"),
        ("data:image/png;base64,@@@", "file_download_error"),
        (data_uri(b"not a picture"), "image_load_error"),
        (data_uri(picture()[:70]), "image_load_error"),
    ],
)
def test_refuses_pictures_it_cannot_have(client: SyncClient, url: str, error_type: str) -> None:
    handle = client.submit(PIKA_FROM_IMAGE, {"prompt": "waves", "image_url": url})
    statuses = list(handle.iter_events(interval=0))
    assert isinstance(statuses[-1], Completed)
    assert statuses[-1].error_type == error_type
    with pytest.raises(FalClientHTTPError) as caught:
        handle.get(interval=0)
    assert caught.value.response.json()["detail"][0]["type"] == error_type


@pytest.mark.parametrize(
    ("application", "text"),
    [
        ("fal-ai/nothing", "Application 'nothing' not found"),
        ("somebody/flux", "Application 'flux' not found"),
        ("fal-ai/flux/ultra", "Path /ultra not found"),
    ],
)
def test_does_not_know_other_models(client: SyncClient, application: str, text: str) -> None:
    for ask in (client.run, client.submit):
        with pytest.raises(FalClientHTTPError, match=text) as caught:
            ask(application, {"prompt": "waves"})
        assert caught.value.status_code == 404


def test_does_not_know_other_requests(client: SyncClient) -> None:
    with pytest.raises(FalClientHTTPError) as caught:
        client.status(SCHNELL, "764cabcf-b745-4b3e-ae38-1200304cf45b")
    assert caught.value.status_code == 404
    with pytest.raises(FalClientHTTPError) as caught:
        client.cancel(SCHNELL, "764cabcf-b745-4b3e-ae38-1200304cf45b")
    assert caught.value.response.json() == {"status": "NOT_FOUND"}


def test_broken_json(sandbox: BackgroundSandbox) -> None:
    headers = {"Authorization": "Key sandbox:key", "Content-Type": "application/json"}
    bases = sandbox.base_urls["fal"]
    run = httpx.post(f"{bases['run']}/{SCHNELL}", content=b"{", headers=headers)
    submit = httpx.post(f"{bases['queue']}/{SCHNELL}", content=b"{", headers=headers)
    assert (run.status_code, run.json()["detail"][0]["type"]) == (422, "json_invalid")
    assert (submit.status_code, submit.json()["error_type"]) == (400, "bad_request")


async def test_answers_the_async_client(sandbox: BackgroundSandbox) -> None:
    client = fal_client.AsyncClient(key=sandbox.credentials["fal"])
    reply = await client.subscribe(SCHNELL, {"prompt": "waves"}, interval=0)
    assert reply["images"]
    await (await client._client).aclose()


UNTOUCHED_SDK = """
import fal_client
reply = fal_client.subscribe("fal-ai/flux/schnell", {"prompt": "waves"}, interval=0.01)
print(reply["images"][0]["url"])
try:
    fal_client.run("fal-ai/flux/schnell", {"prompt": "waves", "num_images": 9})
except fal_client.FalClientHTTPError as error:
    print(error.status_code)
"""


def test_speaks_tls_with_an_untouched_sdk(tmp_path: Path) -> None:
    settings = SandboxSettings(vendors=("fal",), media="tiny", tls=True)
    with BackgroundSandbox(settings) as sandbox:
        authority = tmp_path / "authority.pem"
        authority.write_bytes(sandbox.ca_certificate_pem or b"")
        bases = sandbox.base_urls["fal"]
        environment = {
            **os.environ,
            "SSL_CERT_FILE": str(authority),
            "FAL_KEY": sandbox.credentials["fal"],
            "FAL_RUN_HOST": bases["run"].removeprefix("https://"),
            "FAL_QUEUE_RUN_HOST": bases["queue"].removeprefix("https://"),
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", UNTOUCHED_SDK],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        url, status = done.stdout.split()
        assert url.startswith(f"{sandbox.root}/__media__/")
        assert status == "422"
        assert len(sandbox.journal.entries(kind="submit")) == 2
