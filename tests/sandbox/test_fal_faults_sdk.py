"""The faults of the fal emulator as fal's own SDK sees them."""

from __future__ import annotations

import io

import fal_client
import httpx
import pytest
from fal_client import Completed, FalClientHTTPError, SyncClient
from PIL import Image

from mediawright.sandbox.background import BackgroundSandbox

SCHNELL = "fal-ai/flux/schnell"
PIKA = "fal-ai/pika/v2.2/text-to-video"
SCENARIO = "X-Sandbox-Scenario"
PROGRESSION = "X-Sandbox-Progression"

pytestmark = pytest.mark.usefixtures("fal_hosts")


@pytest.fixture
def client(fal_sync_client: SyncClient) -> SyncClient:
    return fal_sync_client


def fetch(url: str) -> httpx.Response:
    return httpx.get(url, headers={"Accept-Encoding": "identity"})


def decode(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_refuses_a_bad_key(sandbox: BackgroundSandbox) -> None:
    client = SyncClient(key="bad:key")
    with pytest.raises(FalClientHTTPError, match="No user found for Key") as caught:
        client.submit(SCHNELL, {"prompt": "waves"})
    client._client.close()
    assert caught.value.status_code == 401
    address = f"{sandbox.base_urls['fal']['queue']}/{SCHNELL}"
    keyless = httpx.post(address, json={"prompt": "waves"})
    assert keyless.status_code == 401
    assert keyless.json() == {"detail": "Authentication is required to access this application"}


def test_limits_the_rate(client: SyncClient, sandbox: BackgroundSandbox) -> None:
    with pytest.raises(FalClientHTTPError) as caught:
        client.submit(SCHNELL, {"prompt": "waves"}, headers={SCENARIO: "rate_limited; seconds=4"})
    assert caught.value.status_code == 429
    assert caught.value.response_headers["retry-after"] == "4"
    (entry,) = sandbox.journal.entries(kind="submit")
    assert (entry.status, entry.job_id) == (429, None)


def test_the_sdk_retries_a_rate_limit(
    client: SyncClient, sandbox: BackgroundSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fal_client.client, "MAX_ATTEMPTS", 3)
    monkeypatch.setattr(fal_client.client, "BASE_DELAY", 0.001)
    client.submit(SCHNELL, {"prompt": "waves [[sandbox: rate_limited; times=2]]"})
    statuses = [entry.status for entry in sandbox.journal.entries(kind="submit")]
    assert statuses == [429, 429, 200]


def test_blackens_what_its_safety_checker_refuses(client: SyncClient) -> None:
    prompt = "waves [[sandbox: moderated]]"
    reply = client.subscribe(SCHNELL, {"prompt": prompt, "output_format": "png"}, interval=0)
    assert reply["has_nsfw_concepts"] == [True]
    image = decode(fetch(reply["images"][0]["url"]).content)
    assert image.getextrema() == ((0, 0), (0, 0), (0, 0))
    unchecked = client.run(SCHNELL, {"prompt": prompt, "enable_safety_checker": False})
    assert unchecked["has_nsfw_concepts"] == [False]


@pytest.mark.parametrize(
    ("application", "marker"), [(PIKA, "moderated"), (SCHNELL, "moderated; status=422")]
)
def test_refuses_for_moderation(client: SyncClient, application: str, marker: str) -> None:
    handle = client.submit(application, {"prompt": f"waves [[sandbox: {marker}]]"})
    status = list(handle.iter_events(interval=0))[-1]
    assert isinstance(status, Completed)
    assert status.error_type == "content_policy_violation"
    with pytest.raises(FalClientHTTPError) as caught:
        handle.get(interval=0)
    assert caught.value.status_code == 422
    entry = caught.value.response.json()["detail"][0]
    assert (entry["type"], entry["input"]) == ("content_policy_violation", "waves")


def test_a_job_can_fail(client: SyncClient) -> None:
    handle = client.submit(PIKA, {"prompt": "waves [[sandbox: job_failed]]"})
    with pytest.raises(FalClientHTTPError) as caught:
        handle.get(interval=0)
    assert caught.value.status_code == 500
    assert caught.value.response.json()["detail"][0]["type"] == "internal_server_error"
    assert caught.value.response_headers["x-fal-retryable"] == "true"


def test_runs_out_of_credit(client: SyncClient) -> None:
    with pytest.raises(FalClientHTTPError, match="Exhausted balance") as caught:
        client.run(SCHNELL, {"prompt": "waves"}, headers={SCENARIO: "out_of_credit"})
    assert caught.value.status_code == 403


@pytest.mark.parametrize(
    ("status", "error_type"),
    [(500, "internal_error"), (503, "runner_scheduling_failure"), (504, "request_timeout")],
)
def test_fails(client: SyncClient, status: int, error_type: str) -> None:
    with pytest.raises(FalClientHTTPError) as caught:
        client.run(
            SCHNELL, {"prompt": "waves"}, headers={SCENARIO: f"server_error; status={status}"}
        )
    assert (caught.value.status_code, caught.value.error_type) == (status, error_type)


def test_cancels(client: SyncClient, sandbox: BackgroundSandbox) -> None:
    handle = client.submit(PIKA, {"prompt": "waves"})
    handle.cancel()
    status = handle.status()
    assert isinstance(status, Completed)
    assert status.error_type == "client_cancelled"
    with pytest.raises(FalClientHTTPError) as caught:
        handle.get(interval=0)
    assert caught.value.status_code == 499
    assert [entry.status for entry in sandbox.journal.entries(kind="cancel")] == [202]


def test_does_not_cancel_what_is_done(client: SyncClient) -> None:
    handle = client.submit(SCHNELL, {"prompt": "waves"}, headers={PROGRESSION: "now"})
    handle.get(interval=0)
    with pytest.raises(FalClientHTTPError) as caught:
        handle.cancel()
    assert caught.value.status_code == 400
    assert caught.value.response.json() == {"status": "ALREADY_COMPLETED"}


def test_shows_an_unheard_of_status(client: SyncClient) -> None:
    handle = client.submit(SCHNELL, {"prompt": "waves [[sandbox: unknown_status; polls=1]]"})
    with pytest.raises(ValueError, match="Unknown status: DAYDREAMING"):
        handle.status()
    assert handle.get(interval=0)["images"]


def test_faults_can_wait_for_the_poll_or_the_result(
    client: SyncClient, sandbox: BackgroundSandbox
) -> None:
    handle = client.submit(
        SCHNELL,
        {
            "prompt": "waves [[sandbox: server_error; kind=poll; times=1]] "
            "[[sandbox: rate_limited; kind=result; times=1]] [[sandbox: now]]"
        },
    )
    for ask in (handle.status, handle.get):
        with pytest.raises(FalClientHTTPError):
            ask()
    assert handle.get()["prompt"] == "waves"
    assert [entry.status for entry in sandbox.journal.entries()] == [200, 500, 200, 429, 200, 200]


def test_takes_a_job_whose_reply_is_lost(client: SyncClient, sandbox: BackgroundSandbox) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.submit(SCHNELL, {"prompt": "waves"}, headers={SCENARIO: "lost_reply"})
    (entry,) = sandbox.journal.entries(kind="submit")
    assert entry.status is None
    assert entry.job_id
    assert client.result(SCHNELL, entry.job_id)["images"]


def test_cuts_files_short(client: SyncClient) -> None:
    reply = client.run(SCHNELL, {"prompt": "waves [[sandbox: truncated_file; downloads=1]]"})
    url = reply["images"][0]["url"]
    with pytest.raises(httpx.RemoteProtocolError):
        fetch(url)
    assert decode(fetch(url).content)


def test_files_can_expire(client: SyncClient) -> None:
    reply = client.run(SCHNELL, {"prompt": "waves [[sandbox: expired_url; status=410]]"})
    assert fetch(reply["images"][0]["url"]).status_code == 410


def test_files_can_expire_for_a_while(client: SyncClient) -> None:
    reply = client.run(SCHNELL, {"prompt": "waves [[sandbox: expired_url; downloads=1]]"})
    url = reply["images"][0]["url"]
    assert fetch(url).status_code == 403
    assert decode(fetch(url).content)


def test_answers_garbage(client: SyncClient) -> None:
    with pytest.raises(ValueError, match=r"utf-8|Expecting value"):
        client.run(SCHNELL, {"prompt": "waves"}, headers={SCENARIO: "garbage"})
