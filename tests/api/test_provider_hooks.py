"""Webhooks of providers over HTTP: which are let in, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiohttp import web
from sqlalchemy.exc import OperationalError
from tests.postgres import PostgresServer
from tests.providerkit.signing import OTHER_PRIVATE, fal, key_set, published

from mediawright.api.application import create_application
from mediawright.app.api_keys import create_key
from mediawright.app.directory import SandboxAddress
from mediawright.app.hooks import HookAddresses
from mediawright.app.runtime import Runtime
from mediawright.app.settings import ServerSettings, Settings
from mediawright.app.workspaces import DEFAULT_WORKSPACE, ensure_workspace
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.states import GenerationState
from mediawright.jobs.cadence import Cadence, Cadences
from mediawright.jobs.context import JobSettings
from mediawright.providerkit.signatures import HookRequest
from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.settings import SandboxSettings
from mediawright.store import generations, ledger_entries, provider_events

SELDOM = Cadence(first=3_600.0, longest=3_600.0)
PICTURE = {"prompt": "a kite", "model": "flux-schnell", "provider": "fal"}
PUBLIC = "http://media.test"


@pytest.fixture(scope="module")
def vendors() -> Iterator[BackgroundSandbox]:
    settings = SandboxSettings(vendors=("fal",), media="tiny", seed=3)
    with BackgroundSandbox(settings) as sandbox:
        yield sandbox


class KeyServer:
    """Publishes keys, or fails."""

    def __init__(self) -> None:
        self.status = 200
        self.asked = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked += 1
        return web.Response(status=self.status, body=key_set(published()))


@pytest.fixture
async def keys() -> AsyncIterator[tuple[KeyServer, str]]:
    handler = KeyServer()
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield handler, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class Hooked:
    """A server whose fal is imitated, and signed for by the test itself."""

    def __init__(
        self, runtime: Runtime, http: httpx.AsyncClient, vendors: BackgroundSandbox
    ) -> None:
        self.runtime = runtime
        self.http = http
        self.vendors = vendors

    async def steer(self, what: str, **body: Any) -> None:
        async with httpx.AsyncClient() as client:
            reply = await client.post(f"{self.vendors.root}/__sandbox__/{what}", json=body)
            assert reply.status_code == 200, reply.text

    async def start(self) -> str:
        reply = await self.http.post("/v1/generate/media", json=PICTURE)
        assert reply.status_code == 202, reply.text
        return reply.json()["generation_id"]

    async def started(self) -> tuple[str, str]:
        """Start a generation; return its id and the address that fal was given for it."""
        polls = len(self.vendors.journal.entries(kind="poll"))
        generation_id = await self.start()
        async with asyncio.timeout(20):
            # After the first question comes an hour without any.
            while len(self.vendors.journal.entries(kind="poll")) == polls:
                await asyncio.sleep(0.01)
        return generation_id, self.address(generation_id)

    def address(self, generation_id: str) -> str:
        """Return the path of the address that fal was given."""
        for entry in self.vendors.journal.entries(vendor="fal", kind="submit"):
            given = entry.query["fal_webhook"]
            if generation_id in given:
                assert given.startswith(f"{PUBLIC}/")
                return urlsplit(given).path
        raise AssertionError("fal was not asked")

    def request_id(self, number: int = -1) -> str:
        """Return fal's name for one of the jobs it was given."""
        entry = self.vendors.journal.entries(vendor="fal", kind="submit")[number]
        assert entry.job_id is not None
        return entry.job_id

    def hook(self, request_id: str | None = None, *, late: float = 0, **how: Any) -> HookRequest:
        """Return a genuine webhook about fal's last job."""
        name = request_id or self.request_id()
        body = json.dumps({"request_id": name, "status": "OK", "payload": {}}).encode()
        at = self.runtime.clock.now() - timedelta(seconds=late)
        return fal(body=body, at=at, request_id=name, **how)

    async def post(self, path: str, hook: HookRequest) -> httpx.Response:
        return await self.http.post(
            path, content=hook.body, headers={**hook.headers, "Authorization": ""}
        )

    async def state(self, generation_id: str) -> GenerationState:
        found = await self.runtime.database.read(lambda c: generations.get(c, None, generation_id))
        assert found is not None
        return found.state

    async def until(self, generation_id: str, *states: GenerationState) -> None:
        async with asyncio.timeout(20):
            while await self.state(generation_id) not in states:
                await asyncio.sleep(0.01)

    async def entries(self, generation_id: str) -> list[str]:
        found = await self.runtime.database.read(
            lambda c: ledger_entries.for_generation(c, DEFAULT_WORKSPACE, generation_id)
        )
        return [entry.kind.value for entry in found]

    async def events(self, generation_id: str) -> list[Any]:
        return await self.runtime.database.read(
            lambda c: provider_events.for_generation(c, DEFAULT_WORKSPACE, generation_id)
        )

    def submits(self) -> int:
        return len(self.vendors.journal.entries(vendor="fal", kind="submit"))


Make = Callable[..., Awaitable[Hooked]]


@pytest.fixture
async def make(
    tmp_path: Path, vendors: BackgroundSandbox, keys: tuple[KeyServer, str]
) -> AsyncIterator[Make]:
    made: list[Hooked] = []
    vendors.reset()

    async def build(
        public_url: str | None = PUBLIC,
        *,
        database_url: str | None = None,
        works: bool = True,
        **server: Any,
    ) -> Hooked:
        settings = Settings(
            data_dir=tmp_path,
            database_url=database_url,
            server=ServerSettings(public_url=public_url, **server),
            jobs=JobSettings(cadence=Cadences(image=SELDOM)),
        )
        bases = {**vendors.base_urls["fal"], "rest": keys[1]}
        address = SandboxAddress(
            root=vendors.root, base_urls={"fal": bases}, credentials=vendors.credentials
        )
        runtime = Runtime(settings, environment={}, sandbox=address)
        await (runtime.start() if works else runtime.open_to_create())
        await runtime.hook_addresses.open()
        await ensure_workspace(runtime, DEFAULT_WORKSPACE)
        _, secret = await create_key(runtime, DEFAULT_WORKSPACE, "test")
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_application(runtime)),
            base_url="http://server.test",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=60,
        )
        made.append(Hooked(runtime, http, vendors))
        # Jobs end when the test says so, and fal's own webhooks find nobody.
        await made[-1].steer("progression", progression="seconds=3600")
        return made[-1]

    yield build
    for hooked in made:
        await hooked.http.aclose()
        await hooked.runtime.close()


@pytest.fixture
async def hooked(make: Make) -> Hooked:
    return await make()


async def test_a_report_has_the_result_fetched_at_once(hooked: Hooked) -> None:
    generation_id, address = await hooked.started()
    await hooked.steer("clock", advance=3600)
    reply = await hooked.post(address, hooked.hook())
    assert reply.status_code == 200
    assert reply.json() == {"received": True, "repeated": False}
    await hooked.until(generation_id, GenerationState.SUCCEEDED)
    assert await hooked.entries(generation_id) == ["hold", "capture"]
    (event,) = await hooked.events(generation_id)
    assert event.vendor_id == event.delivery_id == hooked.request_id()
    assert event.handled_at is not None
    assert hooked.submits() == 1


async def test_a_report_says_nothing_that_fal_does_not_say(hooked: Hooked) -> None:
    generation_id, address = await hooked.started()
    assert (await hooked.post(address, hooked.hook())).status_code == 200
    await asyncio.sleep(0.2)
    assert await hooked.state(generation_id) is GenerationState.RUNNING
    assert await hooked.entries(generation_id) == ["hold"]


async def test_repeats_are_welcome_and_change_nothing(hooked: Hooked) -> None:
    generation_id, address = await hooked.started()
    await hooked.steer("clock", advance=3600)
    hook = hooked.hook()
    replies = await asyncio.gather(*(hooked.post(address, hook) for _ in range(8)))
    assert [reply.status_code for reply in replies] == [200] * 8
    assert sum(not reply.json()["repeated"] for reply in replies) == 1
    await hooked.until(generation_id, GenerationState.SUCCEEDED)
    for late in (0, 60, 290):
        reply = await hooked.post(address, hooked.hook(late=late))
        assert reply.json() == {"received": True, "repeated": True}
    assert await hooked.entries(generation_id) == ["hold", "capture"]
    assert len(await hooked.events(generation_id)) == 1
    assert hooked.submits() == 1


async def test_a_cancelled_generation_stays_cancelled(hooked: Hooked) -> None:
    generation_id, address = await hooked.started()
    reply = await hooked.http.post(f"/v1/generations/{generation_id}/cancel")
    assert reply.status_code == 200
    for _ in range(2):
        assert (await hooked.post(address, hooked.hook())).status_code == 200
    await asyncio.sleep(0.2)
    assert await hooked.state(generation_id) is GenerationState.CANCELLED
    assert await hooked.entries(generation_id) == ["hold", "release"]


@pytest.mark.parametrize("pause", [0, 0.3], ids=["at once", "while it is searched for"])
async def test_a_lost_answer_is_made_good(hooked: Hooked, pause: float) -> None:
    await hooked.steer("scenario", vendor="fal", name="lost_reply", times=1)
    generation_id = await hooked.start()
    async with asyncio.timeout(20):
        while not hooked.submits():
            await asyncio.sleep(0.01)
    await asyncio.sleep(pause)
    await hooked.steer("clock", advance=3600)
    reply = await hooked.post(hooked.address(generation_id), hooked.hook())
    assert reply.status_code == 200
    await hooked.until(generation_id, GenerationState.SUCCEEDED)
    assert await hooked.entries(generation_id) == ["hold", "capture"]
    assert hooked.submits() == 1


def tampered(hook: HookRequest, **headers: str) -> HookRequest:
    named = {f"x-fal-webhook-{name}": value for name, value in headers.items()}
    return HookRequest(headers={**hook.headers, **named}, body=hook.body)


FORGERIES: dict[str, Callable[[Hooked], HookRequest]] = {
    "signed by a stranger": lambda hooked: hooked.hook(private=OTHER_PRIVATE),
    "not signed": lambda hooked: HookRequest(headers={}, body=hooked.hook().body),
    "too old": lambda hooked: hooked.hook(late=301),
    "from the future": lambda hooked: hooked.hook(late=-310),
    "repeated under another name": lambda hooked: tampered(
        hooked.hook(), **{"request-id": "764cabcf-b745-4b3e-ae38-1200304cf45b"}
    ),
    "with another body": lambda hooked: HookRequest(
        headers=hooked.hook().headers, body=hooked.hook("other").body
    ),
    "with a cut body": lambda hooked: HookRequest(headers=hooked.hook().headers, body=b""),
}


async def test_what_fal_did_not_send_is_refused(hooked: Hooked) -> None:
    generation_id, address = await hooked.started()
    await hooked.steer("clock", advance=3600)
    for how, forge in FORGERIES.items():
        reply = await hooked.post(address, forge(hooked))
        assert reply.status_code == 401, how
        assert reply.json()["error"].startswith("hook_"), how
    await asyncio.sleep(0.1)
    assert await hooked.state(generation_id) is GenerationState.RUNNING
    assert await hooked.events(generation_id) == []
    assert (await hooked.post(address, hooked.hook())).status_code == 200


async def test_only_addresses_that_we_gave_out_are_known(hooked: Hooked) -> None:
    generation_id, address = await hooked.started()
    head, token = address.rsplit("/", 1)
    other = new_id(IdPrefix.GENERATION)
    addresses = [
        f"{head}/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}",
        f"{head}/{token}=",
        f"{head}/x",
        f"{head}/%00",
        f"{head}/%F0%9F%90%88",
        address.replace("/1/", "/2/"),
        address.replace("/1/", "/01/"),
        address.replace("/1/", "/one/"),
        address.replace("/fal/", "/runway/"),
        address.replace("/fal/", "/nobody/"),
        address.replace(generation_id, other),
        address.replace(generation_id, "'; DROP TABLE generations; --"),
    ]
    for wrong in addresses:
        reply = await hooked.post(wrong, hooked.hook())
        assert reply.status_code == 404, wrong
    assert await hooked.events(generation_id) == []


async def test_an_address_for_what_no_longer_exists(hooked: Hooked) -> None:
    generation_id, _ = await hooked.started()
    gone = new_id(IdPrefix.GENERATION)
    for number, name in ((1, gone), (2, generation_id)):
        url = hooked.runtime.hook_addresses.of("fal", name, number)
        assert url is not None
        reply = await hooked.post(urlsplit(url).path, hooked.hook())
        assert (reply.status_code, reply.json()["error"]) == (404, "hook_not_found")


async def test_what_was_meant_for_one_generation_does_nothing_to_another(
    hooked: Hooked,
) -> None:
    first, first_address = await hooked.started()
    first_request = hooked.request_id(0)
    second, second_address = await hooked.started()
    assert (await hooked.post(first_address, hooked.hook(first_request))).status_code == 200
    # Whoever has read both addresses in some log still cannot make one job stand for two.
    reply = await hooked.post(second_address, hooked.hook(first_request))
    assert reply.json() == {"received": True, "repeated": True}
    assert await hooked.events(second) == []
    assert len(await hooked.events(first)) == 1
    assert await hooked.state(second) is GenerationState.RUNNING


async def test_a_large_body_is_not_read_to_its_end(hooked: Hooked) -> None:
    _, address = await hooked.started()
    huge = HookRequest(headers=hooked.hook().headers, body=b"x" * (512 * 1024 + 1))
    assert (await hooked.post(address, huge)).status_code == 413
    assert (await hooked.post(f"{address[:-1]}_", huge)).status_code == 404


async def test_a_genuine_report_that_makes_no_sense(hooked: Hooked) -> None:
    _, address = await hooked.started()
    hook = fal(body=b'{"status":"OK"}', at=hooked.runtime.clock.now())
    reply = await hooked.post(address, hook)
    assert (reply.status_code, reply.json()["error"]) == (400, "hook_unreadable")


async def test_without_keys_it_is_asked_to_come_again(
    hooked: Hooked, keys: tuple[KeyServer, str]
) -> None:
    _, address = await hooked.started()
    keys[0].status = 500
    reply = await hooked.post(address, hooked.hook())
    assert (reply.status_code, reply.json()["error"]) == (503, "hook_keys_unavailable")


async def test_without_the_database_it_is_asked_to_come_again(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation_id, address = await hooked.started()
    database = hooked.runtime.database

    async def broken(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", broken)
        reply = await hooked.post(address, hooked.hook())
    assert (reply.status_code, reply.json()["error"]) == (503, "hook_not_taken")
    assert "disk" not in reply.text
    assert (await hooked.post(address, hooked.hook())).json()["repeated"] is False
    assert len(await hooked.events(generation_id)) == 1


async def test_what_could_not_be_acted_on_is_acted_on_soon(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation_id, address = await hooked.started()
    await hooked.steer("clock", advance=3600)

    async def broken(report: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("locked"))

    with monkeypatch.context() as patch:
        patch.setattr(hooked.runtime.reports, "act", broken)
        assert (await hooked.post(address, hooked.hook())).status_code == 200
    await hooked.until(generation_id, GenerationState.SUCCEEDED)
    async with asyncio.timeout(20):
        while (await hooked.events(generation_id))[0].handled_at is None:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("public_url", "more"),
    [(None, {}), ("ftp://media.test", {}), (PUBLIC, {"provider_webhooks": False})],
)
async def test_fal_is_polled_alone_where_it_cannot_report(
    make: Make, public_url: str | None, more: dict[str, Any]
) -> None:
    hooked = await make(public_url, **more)
    generation_id = await hooked.start()
    await hooked.until(generation_id, GenerationState.RUNNING)
    (submit,) = hooked.vendors.journal.entries(vendor="fal", kind="submit")
    assert "fal_webhook" not in submit.query


@pytest.mark.parametrize(
    ("public_url", "sandboxed", "expected"),
    [
        ("https://media.test", False, "https://media.test/v1/hooks/fal/"),
        ("https://media.test/made/", False, "https://media.test/made/v1/hooks/fal/"),
        ("http://media.test", False, None),
        ("http://127.0.0.1:8765", True, "http://127.0.0.1:8765/v1/hooks/fal/"),
        ("media.test", False, None),
        ("", False, None),
        (None, True, None),
    ],
)
async def test_which_addresses_are_given_out(
    hooked: Hooked, public_url: str | None, sandboxed: bool, expected: str | None
) -> None:
    runtime = hooked.runtime
    addresses = HookAddresses(
        ServerSettings(public_url=public_url),
        runtime.providers,
        lambda: runtime.secret_box,
        sandboxed=sandboxed,
    )
    assert addresses.of("fal", "gen_1", 1) is None, "nobody serves yet"
    await addresses.open()
    given = addresses.of("fal", "gen_1", 1)
    assert given is None if expected is None else (given or "").startswith(expected)
    assert addresses.of("openai", "gen_1", 1) is None
    assert addresses.of("local", "gen_1", 1) is None
    assert addresses.of("fal", "gen_1", 1) == given


async def test_every_attempt_has_an_address_of_its_own(hooked: Hooked) -> None:
    addresses = hooked.runtime.hook_addresses
    given = {
        addresses.of("fal", generation, number)
        for generation in ("gen_1", "gen_2")
        for number in (1, 2)
    }
    assert len(given) == 4
    assert len({url.rsplit("/", 1)[1] for url in given if url}) == 4


@pytest.mark.postgres
async def test_a_report_comes_to_one_process_and_wakes_another(
    make: Make, postgres_server: PostgresServer
) -> None:
    url = postgres_server.url(postgres_server.create_database())
    worker = await make(database_url=url)
    server = await make(database_url=url, works=False)
    generation_id, address = await server.started()
    await server.steer("clock", advance=3600)
    assert (await server.post(address, server.hook())).status_code == 200
    await server.until(generation_id, GenerationState.SUCCEEDED)
    assert await server.entries(generation_id) == ["hold", "capture"]
    async with asyncio.timeout(20):
        while (await worker.events(generation_id))[0].handled_at is None:
            await asyncio.sleep(0.05)
