"""The Runway emulator, driven by the vendor's own SDK: refusals and failures."""

from __future__ import annotations

import time

import httpx
import pytest
import runwayml
from runwayml import RunwayML
from runwayml.lib import polling
from tests.sandbox.runway_calls import PROGRESSION, SCENARIO, Connect, make_clip

from mediawright.sandbox.background import BackgroundSandbox

pytestmark = pytest.mark.usefixtures("runway_polls_without_waiting")


@pytest.fixture
def connect(connect_runway: Connect) -> Connect:
    return connect_runway


@pytest.fixture
def client(runway_client: RunwayML) -> RunwayML:
    return runway_client


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
