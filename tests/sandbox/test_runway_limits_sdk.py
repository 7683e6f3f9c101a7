"""The Runway emulator, driven by the vendor's own SDK: limits of the tier, and cancels."""

from __future__ import annotations

import httpx
import pytest
import runwayml
from runwayml import RunwayML
from tests.sandbox.runway_calls import PROGRESSION, Connect, make_clip

from mediawright.sandbox.background import BackgroundSandbox

pytestmark = pytest.mark.usefixtures("runway_polls_without_waiting")


@pytest.fixture
def connect(connect_runway: Connect) -> Connect:
    return connect_runway


@pytest.fixture
def client(runway_client: RunwayML) -> RunwayML:
    return runway_client


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
