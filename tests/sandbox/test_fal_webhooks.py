"""Webhooks of the fal emulator, asked for through fal's own SDK and verified independently."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from fal_client import Completed, SyncClient
from tests.sandbox.hook_receiver import HookReceiver, Receive, is_genuine

from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.journal import JournalEntry
from mediawright.sandbox.kit.settings import SandboxSettings

SCHNELL = "fal-ai/flux/schnell"
SCENARIO = "X-Sandbox-Scenario"
PROGRESSION = "X-Sandbox-Progression"
NOW = {PROGRESSION: "now"}

pytestmark = pytest.mark.usefixtures("fal_hosts")


@pytest.fixture
def receive() -> Iterator[Receive]:
    with ExitStack() as stack:

        def start(*statuses: int) -> HookReceiver:
            return stack.enter_context(HookReceiver(statuses or (200,)))

        yield start


@pytest.fixture
def key_set_url(sandbox: BackgroundSandbox) -> str:
    return f"{sandbox.base_urls['fal']['rest']}/.well-known/jwks.json"


def submit(
    client: SyncClient, receiver: HookReceiver, prompt: str = "a kite", **headers: str
) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    handle = client.submit(
        SCHNELL,
        {"prompt": prompt, "image_size": "square"},
        webhook_url=receiver.url,
        headers=named or NOW,
    )
    return handle.request_id


def hooks(sandbox: BackgroundSandbox, count: int) -> list[JournalEntry]:
    deadline = time.monotonic() + 10
    while len(found := sandbox.journal.entries(vendor="fal", kind="hook")) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def advance(sandbox: BackgroundSandbox, seconds: float) -> None:
    reply = httpx.post(f"{sandbox.root}/__sandbox__/clock", json={"advance": seconds})
    reply.raise_for_status()


def test_the_result_is_reported_when_it_is_there(
    fal_sync_client: SyncClient, receive: Receive, key_set_url: str
) -> None:
    receiver = receive()
    request_id = submit(fal_sync_client, receiver)
    (hook,) = receiver.wait_for(1)
    assert is_genuine(hook, key_set_url)
    said = json.loads(hook.body)
    assert said["request_id"] == said["gateway_request_id"] == request_id
    assert hook.headers["x-fal-webhook-request-id"] == request_id
    assert said["status"] == "OK"
    assert said["payload"] == fal_sync_client.result(SCHNELL, request_id)
    assert isinstance(fal_sync_client.status(SCHNELL, request_id), Completed)


def test_what_was_changed_on_the_way_is_not_genuine(
    fal_sync_client: SyncClient, receive: Receive, key_set_url: str
) -> None:
    receiver = receive()
    submit(fal_sync_client, receiver)
    (hook,) = receiver.wait_for(1)
    hook.body = hook.body.replace(b"OK", b"NO")
    assert not is_genuine(hook, key_set_url)


def test_a_failure_is_reported_with_the_error(
    fal_sync_client: SyncClient, receive: Receive, key_set_url: str
) -> None:
    receiver = receive()
    fal_sync_client.submit(SCHNELL, {"prompt": ""}, webhook_url=receiver.url, headers=NOW)
    (hook,) = receiver.wait_for(1)
    assert is_genuine(hook, key_set_url)
    said = json.loads(hook.body)
    assert (said["status"], said["error"]) == ("ERROR", "Invalid status code: 422")
    assert said["payload"]["detail"][0]["loc"] == ["body", "prompt"]


def test_a_job_that_goes_by_time_ends_without_being_asked_about(
    fal_sync_client: SyncClient, sandbox: BackgroundSandbox, receive: Receive
) -> None:
    receiver = receive()
    submit(fal_sync_client, receiver, **{PROGRESSION: "seconds=3600"})
    time.sleep(0.1)
    assert receiver.received == []
    advance(sandbox, 3600)
    receiver.wait_for(1)
    assert sandbox.journal.entries(kind="poll") == []


def test_a_job_that_goes_by_polls_is_reported_at_the_last(
    fal_sync_client: SyncClient, receive: Receive
) -> None:
    receiver = receive()
    request_id = submit(fal_sync_client, receiver, **{PROGRESSION: "polls=1"})
    fal_sync_client.status(SCHNELL, request_id)
    assert receiver.received == []
    assert isinstance(fal_sync_client.status(SCHNELL, request_id), Completed)
    receiver.wait_for(1)


def test_a_cancelled_job_is_reported(fal_sync_client: SyncClient, receive: Receive) -> None:
    receiver = receive()
    request_id = submit(fal_sync_client, receiver, **{PROGRESSION: "seconds=3600"})
    fal_sync_client.cancel(SCHNELL, request_id)
    (hook,) = receiver.wait_for(1)
    assert json.loads(hook.body)["payload"]["error_type"] == "client_cancelled"


def test_it_is_repeated_until_it_is_taken(
    fal_sync_client: SyncClient, sandbox: BackgroundSandbox, receive: Receive, key_set_url: str
) -> None:
    receiver = receive(500, 302, 204)
    submit(fal_sync_client, receiver)
    for count in range(1, 3):
        assert len(hooks(sandbox, count)) == count
        advance(sandbox, 7.0 * 2**count)
    assert [entry.status for entry in hooks(sandbox, 3)] == [500, 302, 204]
    assert {hook.body for hook in receiver.received} == {receiver.received[0].body}
    assert all(is_genuine(hook, key_set_url) for hook in receiver.received)
    advance(sandbox, 7200)
    time.sleep(0.1)
    assert len(hooks(sandbox, 3)) == 3


def test_it_is_given_up_after_ten_repeats_in_two_hours(
    fal_sync_client: SyncClient, sandbox: BackgroundSandbox, receive: Receive
) -> None:
    receiver = receive(503)
    submit(fal_sync_client, receiver)
    for count in range(1, 12):
        assert len(hooks(sandbox, count)) == count
        advance(sandbox, 7.0 * 2**count)
    time.sleep(0.1)
    found = hooks(sandbox, 11)
    assert len(found) == 11
    # The clock was moved a little further than needed each time.
    assert (found[-1].at - found[0].at).total_seconds() < 2 * 7200


def test_a_receiver_that_is_not_there_is_tried_again(
    fal_sync_client: SyncClient, sandbox: BackgroundSandbox
) -> None:
    with HookReceiver() as gone:
        pass
    submit(fal_sync_client, gone)
    assert hooks(sandbox, 1)[0].status is None


@pytest.mark.parametrize(
    ("scenario", "verdicts"),
    [("duplicate_hook", [True, True]), ("forged_hook", [False, True]), ("early_hook", [True])],
)
def test_what_may_go_wrong_with_it(
    fal_sync_client: SyncClient,
    receive: Receive,
    key_set_url: str,
    scenario: str,
    verdicts: list[bool],
) -> None:
    receiver = receive()
    submit(fal_sync_client, receiver, prompt=f"a kite [[sandbox: {scenario}]] [[sandbox: now]]")
    if scenario == "early_hook":
        assert len(receiver.received) == 1
    received = receiver.wait_for(len(verdicts))
    assert [is_genuine(hook, key_set_url) for hook in received] == verdicts


def test_a_late_one_and_a_lost_one(
    fal_sync_client: SyncClient, sandbox: BackgroundSandbox, receive: Receive
) -> None:
    lost, late = receive(), receive()
    submit(fal_sync_client, lost, **{SCENARIO: "lost_hook", PROGRESSION: "now"})
    late_headers = {SCENARIO: "late_hook; seconds=600", PROGRESSION: "now"}
    request_id = submit(fal_sync_client, late, **late_headers)
    fal_sync_client.result(SCHNELL, request_id)
    time.sleep(0.1)
    assert late.received == []
    advance(sandbox, 600)
    late.wait_for(1)
    assert lost.received == []


def test_it_comes_although_the_reply_to_the_submit_is_lost(
    fal_sync_client: SyncClient, receive: Receive, key_set_url: str
) -> None:
    receiver = receive()
    with pytest.raises(httpx.HTTPError):
        submit(fal_sync_client, receiver, **{SCENARIO: "lost_reply", PROGRESSION: "now"})
    assert is_genuine(receiver.wait_for(1)[0], key_set_url)


def test_an_arranged_scenario_concerns_webhooks_alone(
    fal_sync_client: SyncClient, sandbox: BackgroundSandbox, receive: Receive
) -> None:
    arranged: dict[str, Any] = {"vendor": "fal", "name": "lost_hook", "times": 1}
    httpx.post(f"{sandbox.root}/__sandbox__/scenario", json=arranged).raise_for_status()
    unhooked = fal_sync_client.submit(SCHNELL, {"prompt": "a kite"}, headers=NOW)
    assert isinstance(unhooked.status(), Completed)
    first, second = receive(), receive()
    submit(fal_sync_client, first)
    submit(fal_sync_client, second)
    second.wait_for(1)
    assert first.received == []


def test_a_reset_forgets_what_is_still_to_be_sent(
    fal_sync_client: SyncClient, sandbox: BackgroundSandbox, receive: Receive
) -> None:
    receiver = receive()
    submit(fal_sync_client, receiver, **{PROGRESSION: "seconds=60"})
    sandbox.reset()
    advance(sandbox, 60)
    time.sleep(0.1)
    assert receiver.received == []


def test_the_keys_follow_from_the_seed() -> None:
    def keys(seed: int) -> Any:
        settings = SandboxSettings(vendors=("fal",), media="tiny", seed=seed)
        with BackgroundSandbox(settings) as sandbox:
            url = f"{sandbox.base_urls['fal']['rest']}/.well-known/jwks.json"
            return httpx.get(url).json()

    assert keys(1) == keys(1) != keys(2)
