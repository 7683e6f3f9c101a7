"""The running sandbox: admin routes, faults, files, journal, TLS and the process."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.ids import SeededIds
from mediawright.sandbox.kit.settings import SandboxSettings
from mediawright.sandbox.kit.shelf import FetchError, Shelf
from mediawright.sandbox.server import Sandbox

OPENAI = ("openai",)
KEY = {"Authorization": "Bearer sk-sandbox"}


@pytest.fixture
async def here() -> AsyncIterator[Sandbox]:
    """A sandbox in the test's own event loop."""
    settings = SandboxSettings(vendors=("openai", "fal"), media="tiny", seed=3)
    async with Sandbox(settings) as sandbox:
        yield sandbox


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers=KEY) as opened:
        yield opened


async def admin(
    session: aiohttp.ClientSession, sandbox: Sandbox, ask: str, body: Any = None
) -> Any:
    method, _, path = ask.partition(" ")
    async with session.request(method, f"{sandbox.root}/__sandbox__{path}", json=body) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.json()


async def models(session: aiohttp.ClientSession, sandbox: Sandbox, **headers: str) -> int:
    address = f"{sandbox.base_urls['openai']['api']}/models"
    async with session.get(address, headers=headers) as reply:
        await reply.read()
        return reply.status


async def paint(session: aiohttp.ClientSession, sandbox: Sandbox, prompt: str) -> dict[str, Any]:
    address = f"{sandbox.base_urls['fal']['run']}/fal-ai/flux/schnell"
    async with session.post(address, json={"prompt": prompt}) as reply:
        return await reply.json()


async def test_says_what_it_is(here: Sandbox, session: aiohttp.ClientSession) -> None:
    status = await admin(session, here, "GET /")
    assert status["root"] == here.root
    assert status["seed"] == 3
    assert status["vendors"]["openai"] == {
        "base_urls": here.base_urls["openai"],
        "credential": "sk-sandbox",
    }
    assert here.base_urls["fal"] == {
        name: f"{here.root}/fal/{name}" for name in ("queue", "run", "rest", "cdn")
    }
    assert here.credentials == {"openai": "sk-sandbox", "fal": "sandbox:key"}


async def test_moves_the_clock(here: Sandbox, session: aiohttp.ClientSession) -> None:
    assert (await admin(session, here, "GET /clock"))["ahead"] == 0
    assert (await admin(session, here, "POST /clock", {"advance": 90}))["ahead"] == 90
    assert (await admin(session, here, "POST /reset"))["reset"] is True
    assert (await admin(session, here, "GET /clock"))["ahead"] == 0


async def test_sets_and_clears_scenarios(here: Sandbox, session: aiohttp.ClientSession) -> None:
    order = {"vendor": "openai", "name": "rate_limited", "kind": "other", "times": 2}
    (standing,) = (await admin(session, here, "POST /scenario", order))["scenarios"]
    assert (standing["vendor"], standing["name"], standing["met"]) == ("openai", "rate_limited", 0)
    assert [await models(session, here) for _ in range(3)] == [429, 429, 200]
    assert (await admin(session, here, "GET /scenario"))["scenarios"] == []
    await admin(session, here, "POST /scenario", {"name": "server_error", "kind": "other"})
    assert await models(session, here) == 500
    await admin(session, here, "DELETE /scenario?vendor=openai")
    assert await models(session, here) == 500
    await admin(session, here, "DELETE /scenario")
    assert await models(session, here) == 200


async def test_sets_progressions(here: Sandbox, session: aiohttp.ClientSession) -> None:
    order = {"vendor": "fal", "progression": "seconds=9"}
    assert await admin(session, here, "POST /progression", order) == {
        "openai": "polls=2",
        "fal": "seconds=9",
    }
    everybody = await admin(session, here, "POST /progression", {"progression": "now"})
    assert set(everybody.values()) == {"now"}
    await admin(session, here, "POST /reset")
    assert set((await admin(session, here, "GET /progression")).values()) == {"polls=2"}


@pytest.mark.parametrize(
    ("ask", "body", "text"),
    [
        ("POST /clock", {"advance": -1}, "0 or more"),
        ("POST /clock", {"advance": True}, "0 or more"),
        ("POST /clock", {"back": 1}, "unknown field 'back' (known: advance)"),
        ("POST /scenario", {"name": "flood"}, "known names: ok, rate_limited"),
        ("POST /scenario", {"name": "slow", "vendor": "acme"}, "known: openai, fal"),
        ("POST /scenario", ["slow"], "not a JSON object"),
        ("POST /progression", {"progression": "soon"}, "use now, polls=3 or seconds=10"),
        ("GET /journal?kind=paid", None, "known: submit, poll"),
        ("GET /journal?vendor=acme", None, "known: openai, fal"),
    ],
)
async def test_says_what_is_wrong(
    here: Sandbox, session: aiohttp.ClientSession, ask: str, body: Any, text: str
) -> None:
    method, _, path = ask.partition(" ")
    async with session.request(method, f"{here.root}/__sandbox__{path}", json=body) as reply:
        assert reply.status == 400
        assert text in (await reply.json())["error"]


async def test_refuses_unknown_words_in_headers(
    here: Sandbox, session: aiohttp.ClientSession
) -> None:
    assert await models(session, here, **{"X-Sandbox-Scenario": "flood"}) == 400
    assert await models(session, here, **{"X-Sandbox-Progression": "soon"}) == 400


async def test_journals_requests(here: Sandbox, session: aiohttp.ClientSession) -> None:
    await models(session, here)
    await paint(session, here, "waves [[sandbox: slow; seconds=0]]")
    address = f"{here.base_urls['openai']['api']}/images/edits"
    long = "data:image/png;base64," + "QUJD" * 500
    async with session.post(address, json={"images": [{"image_url": long}]}) as reply:
        assert reply.status == 404
    entries = (await admin(session, here, "GET /journal"))["entries"]
    assert [entry["sequence"] for entry in entries] == [1, 2, 3]
    assert [entry["kind"] for entry in entries] == ["other", "submit", "submit"]
    assert entries[0]["headers"]["Authorization"] == "[redacted]"
    assert entries[1]["scenario"] == "slow"
    assert entries[1]["body"] == {"prompt": "waves"}
    assert entries[2]["body"]["images"][0]["image_url"] == (
        "data:image/png;base64,[2000 coded characters]"
    )
    submits = (await admin(session, here, "GET /journal?kind=submit&vendor=fal"))["entries"]
    assert [entry["path"] for entry in submits] == ["/fal/run/fal-ai/flux/schnell"]
    await admin(session, here, "DELETE /journal")
    assert here.journal.entries() == []


async def test_writes_the_journal_before_the_reply(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    path = tmp_path / "journal.jsonl"
    for count in (1, 2):
        settings = SandboxSettings(vendors=OPENAI, media="tiny", journal_path=path)
        async with Sandbox(settings) as sandbox:
            await models(session, sandbox)
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            assert len(lines) == count
            assert (lines[-1]["vendor"], lines[-1]["status"]) == ("openai", 200)


async def test_serves_files(here: Sandbox, session: aiohttp.ClientSession) -> None:
    url = (await paint(session, here, "waves"))["images"][0]["url"]
    async with session.get(url) as reply:
        whole = await reply.read()
        assert reply.headers["Accept-Ranges"] == "bytes"
        assert reply.content_type == "image/jpeg"
    async with session.head(url) as reply:
        assert reply.headers["Content-Length"] == str(len(whole))
        assert await reply.read() == b""
    ranges = {"bytes=0-9": whole[:10], "bytes=10-": whole[10:], "bytes=-5": whole[-5:]}
    for wanted, expected in ranges.items():
        async with session.get(url, headers={"Range": wanted}) as reply:
            assert reply.status == 206
            assert await reply.read() == expected
    async with session.get(url, headers={"Range": "bytes=5-9"}) as reply:
        assert reply.headers["Content-Range"] == f"bytes 5-9/{len(whole)}"
    for wanted in (f"bytes={len(whole)}-", "bytes=9-5", "bytes=x-y"):
        async with session.get(url, headers={"Range": wanted}) as reply:
            assert reply.status == 416
            assert reply.headers["Content-Range"] == f"bytes */{len(whole)}"
    async with session.get(f"{here.root}/__media__/none.png") as reply:
        assert reply.status == 404


async def test_cuts_files_short(here: Sandbox, session: aiohttp.ClientSession) -> None:
    reply = await paint(session, here, "waves [[sandbox: truncated_file]]")
    url = reply["images"][0]["url"]
    for _ in range(2):
        async with session.get(url) as download:
            assert download.status == 200
            announced = download.content_length or 0
            half = await download.content.readexactly(announced // 2)
            with pytest.raises(aiohttp.ClientPayloadError):
                await download.content.read(1)
            assert half


async def test_fetches_from_outside_only_if_allowed(
    here: Sandbox, session: aiohttp.ClientSession
) -> None:
    url = (await paint(session, here, "waves"))["images"][0]["url"]
    cut = (await paint(session, here, "waves [[sandbox: truncated_file]]"))["images"][0]["url"]
    open_shelf, closed_shelf = (
        Shelf(root=lambda: "http://there", ids=SeededIds(1, "media"), outbound=outbound)
        for outbound in (True, False)
    )
    fetched = await open_shelf.fetch(url)
    assert fetched.content_type == "image/jpeg"
    assert fetched.data.startswith(b"\xff\xd8\xff")
    for address in (cut, f"{here.root}/__media__/none.png"):
        with pytest.raises(FetchError):
            await open_shelf.fetch(address)
    with pytest.raises(FetchError, match="nothing from outside"):
        await closed_shelf.fetch(url)


async def test_jobs_outlive_a_stop(session: aiohttp.ClientSession) -> None:
    sandbox = Sandbox(SandboxSettings(vendors=("fal",), media="tiny"))
    await sandbox.start()
    address = f"{sandbox.base_urls['fal']['queue']}/fal-ai/flux/schnell"
    async with session.post(address, json={"prompt": "waves"}) as reply:
        job = await reply.json()
    port = int(sandbox.root.rpartition(":")[2])
    await sandbox.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await session.get(job["status_url"])
    await sandbox.start(port=port)
    async with session.get(job["status_url"]) as reply:
        assert (await reply.json())["status"] == "IN_QUEUE"
    await sandbox.stop()


async def test_the_same_seed_gives_the_same_answers(session: aiohttp.ClientSession) -> None:
    settings = SandboxSettings(vendors=("fal",), media="tiny", seed=11)
    replies: list[Any] = []
    for _ in range(2):
        async with Sandbox(settings) as sandbox:
            reply = await paint(session, sandbox, "waves")
            path = reply["images"][0]["url"].removeprefix(sandbox.root)
            async with session.get(reply["images"][0]["url"]) as download:
                replies.append((path, reply["seed"], await download.read()))
    assert replies[0] == replies[1]


async def test_draws_a_seed_of_its_own(session: aiohttp.ClientSession) -> None:
    seeds: set[int] = set()
    for _ in range(2):
        async with Sandbox(SandboxSettings(vendors=OPENAI)) as sandbox:
            seeds.add((await admin(session, sandbox, "GET /"))["seed"])
    assert len(seeds) == 2


async def test_answers_many_at_once(here: Sandbox, session: aiohttp.ClientSession) -> None:
    replies = await asyncio.gather(*(paint(session, here, "waves") for _ in range(20)))
    urls = {reply["images"][0]["url"] for reply in replies}
    assert len(urls) == 20
    assert len(here.journal.entries(kind="submit")) == 20


async def test_a_taken_port_is_an_error(here: Sandbox) -> None:
    port = int(here.root.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await Sandbox(SandboxSettings(vendors=OPENAI)).start(port=port)
    with pytest.raises(OSError, match="address already in use"):
        BackgroundSandbox(SandboxSettings(vendors=OPENAI)).start(port=port)


async def test_speaks_tls() -> None:
    async with Sandbox(SandboxSettings(vendors=OPENAI, tls=True)) as sandbox:
        assert sandbox.root.startswith("https://127.0.0.1:")
        authority = (sandbox.ca_certificate_pem or b"").decode()
        context = ssl.create_default_context(cadata=authority)
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(headers=KEY, connector=connector) as session:
            assert await models(session, sandbox) == 200


def test_runs_as_a_process(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    command = [
        sys.executable, "-W", "error", "-m", "mediawright.sandbox", "--port", "0",
        "--vendor", "openai", "--media", "tiny", "--journal", str(journal), "--seed", "5",
        "--progression", "now",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = json.loads(process.stdout.readline())
        reply = httpx.get(f"{line['base_urls']['openai']['api']}/models", headers=KEY)
        assert reply.status_code == 200
        assert line["credentials"] == {"openai": "sk-sandbox"}
        assert line["ca_certificate_pem"] is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    assert len(journal.read_text().splitlines()) == 1
