"""GET /v1/events: live, resumed, filtered, and let go of."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.api.event_stream import following
from tests.api.running import LONG_FILM, Member, RunningServer

END = "generation.succeeded"


def eventually(check: Callable[[], bool]) -> None:
    """Wait until something holds that another thread brings about."""
    deadline = time.monotonic() + 10
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def listeners(server: RunningServer) -> int:
    """Return how many streams are open; the dispatcher of the queue listens all the time."""
    return server.call(lambda: len(server.runtime.signals._waiters.get("", ()))) - 1


def test_what_happens_is_told(member: Member) -> None:
    with following(member.http) as stream:
        assert stream.reply.headers["Content-Type"].startswith("text/event-stream")
        assert stream.reply.headers["Cache-Control"] == "no-store"
        made = member.make()
        events = stream.until(END)
    assert stream.retry == 2000
    assert events[0].type == "generation.created"
    assert {event.data["generation_id"] for event in events} == {made["generation_id"]}
    assert [event.id for event in events] == sorted({event.id for event in events})
    assert events[0].data["model"] == "local-sketch-image"
    assert events[-1].data["status"] == "completed"


def test_a_new_listener_hears_nothing_old(member: Member) -> None:
    member.make()
    with following(member.http) as stream:
        made = member.make()
        assert stream.next().data["generation_id"] == made["generation_id"]


def test_a_listener_that_comes_back_misses_nothing_and_hears_nothing_twice(
    member: Member,
) -> None:
    with following(member.http) as stream:
        member.make()
        heard = [stream.next()]
    for _ in range(2):
        member.make()
    with following(member.http, last_event_id=heard[-1].id) as stream:
        heard += stream.until(END) + stream.until(END)
    with following(member.http, last_event_id=heard[-1].id) as stream:
        heard += stream.until(END)
        third = member.make()
        live = stream.until(END)
    heard += live
    assert {event.data["generation_id"] for event in live} == {third["generation_id"]}
    with following(member.http, after=0) as stream:
        everything = [event for _ in range(4) for event in stream.until(END)]
    assert heard == everything
    assert [event.type for event in heard].count("generation.created") == 4


def test_a_listener_in_the_middle_of_a_burst(member: Member) -> None:
    """Replay goes over into live without a gap, wherever it begins."""
    for _ in range(3):
        member.make()
    with following(member.http, after=0) as stream:
        everything = [event for _ in range(3) for event in stream.until(END)]
    for known in everything[:-1]:
        with following(member.http, last_event_id=known.id) as stream:
            rest = [stream.next() for event in everything if event.id > known.id]
        assert rest == [event for event in everything if event.id > known.id]


def test_a_silent_stream_shows_that_it_lives(member: Member) -> None:
    with following(member.http) as stream:
        for _ in range(3):
            stream.wait_for_comment()
        member.make()
        assert stream.next().type == "generation.created"


def test_only_one_generation(member: Member) -> None:
    first, second = member.make(), member.make()
    with following(member.http, after=0, generation_id=second["generation_id"]) as stream:
        events = stream.until(END)
    assert {event.data["generation_id"] for event in events} == {second["generation_id"]}
    with following(member.http, after=0, generation_id=first["generation_id"]) as stream:
        assert stream.until(END)[0].data["generation_id"] == first["generation_id"]


def test_what_is_left_out_is_no_sign_of_life(server: RunningServer, member: Member) -> None:
    with (
        following(member.http, generation_id="gen_other") as stream,
        ThreadPoolExecutor(1) as pool,
    ):
        busy = pool.submit(
            lambda: [server.new_member(member.workspace_id).make() for _ in range(16)]
        )
        for _ in range(3):
            stream.wait_for_comment()
        assert not busy.done()


def test_only_some_types(member: Member) -> None:
    for _ in range(2):
        member.make()
    with following(member.http, after=0, type=[END, "generation.failed"]) as stream:
        assert [stream.next().type for _ in range(2)] == [END, END]


def test_progress_is_told(member: Member) -> None:
    with following(member.http) as stream:
        film = member.http.post("/v1/generate/media", json=LONG_FILM).json()
        progress = stream.until("generation.progressed")[-1]
        assert 0 <= progress.data["progress"] < 1
        member.http.post(f"/v1/generations/{film['generation_id']}/cancel")
        cancelled = stream.until("generation.cancelled")[-1]
    assert cancelled.data["generation_id"] == film["generation_id"]


def test_whoever_goes_away_is_forgotten(server: RunningServer, member: Member) -> None:
    eventually(lambda: listeners(server) == 0)
    with following(member.http) as one:
        one.wait_for_comment()
        with following(server.client(member.key)) as other:
            other.wait_for_comment()
            assert listeners(server) == 2
        eventually(lambda: listeners(server) == 1)
        member.make()
        assert one.until(END)
    eventually(lambda: listeners(server) == 0)


def test_whoever_waits_and_goes_away_is_forgotten(server: RunningServer, member: Member) -> None:
    generation_id = server.add_running(member, member.make(), "rendering")

    def waiting() -> int:
        return server.call(lambda: len(server.runtime.signals._waiters.get(generation_id, ())))

    path, headers = f"/v1/generations/{generation_id}", {"Prefer": "wait=30"}
    with pytest.raises(httpx.ReadTimeout):
        server.client(member.key).get(path, headers=headers, timeout=0.3)
    eventually(lambda: waiting() == 0)


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "²", "9" * 19])
def test_an_id_that_no_event_has(member: Member, last: str) -> None:
    reply = member.http.get("/v1/events", headers={"Last-Event-ID": last.encode("latin-1")})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_last_event_id")


@pytest.mark.parametrize("after", ["x", "-1", str(10**18)])
def test_a_start_that_makes_no_sense(member: Member, after: str) -> None:
    reply = member.http.get("/v1/events", params={"after": after})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_after")


def test_a_type_that_there_is_not(member: Member) -> None:
    reply = member.http.get("/v1/events", params={"type": "generation.vanished"})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_type")
