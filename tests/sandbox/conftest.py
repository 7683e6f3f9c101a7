"""A sandbox in a thread of its own, emptied before each test, and the vendors' own clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.settings import SandboxSettings

if TYPE_CHECKING:
    import httpx
    from elevenlabs import ElevenLabs
    from fal_client import SyncClient
    from openai import OpenAI
    from runwayml import RunwayML
    from tests.sandbox.elevenlabs_calls import Connect as ConnectElevenLabs
    from tests.sandbox.runway_calls import Connect as ConnectRunway


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[BackgroundSandbox]:
    with BackgroundSandbox(SandboxSettings(media="tiny", seed=7)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: BackgroundSandbox) -> BackgroundSandbox:
    """The session's sandbox, as fresh as just started."""
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture(scope="session")
def openai_connected(running_sandbox: BackgroundSandbox) -> Iterator[OpenAI]:
    from openai import OpenAI

    with OpenAI(
        api_key=running_sandbox.credentials["openai"],
        base_url=running_sandbox.base_urls["openai"]["api"],
        max_retries=0,
    ) as client:
        yield client


@pytest.fixture
def openai_client(openai_connected: OpenAI, sandbox: BackgroundSandbox) -> OpenAI:
    """OpenAI's own client, which does not retry, and a fresh sandbox."""
    del sandbox
    return openai_connected


@pytest.fixture
def fal_hosts(sandbox: BackgroundSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the SDK's fixed https hosts here, and stop its ten attempts."""
    import fal_client

    bases = sandbox.base_urls["fal"]
    monkeypatch.setattr(fal_client.client, "RUN_URL_FORMAT", f"{bases['run']}/")
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{bases['queue']}/")
    monkeypatch.setattr(fal_client.client, "REST_URL", bases["rest"])
    monkeypatch.setattr(fal_client.client, "CDN_URL", bases["cdn"])
    monkeypatch.setattr(fal_client.client, "MAX_ATTEMPTS", 1)


@pytest.fixture
def fal_sync_client(
    sandbox: BackgroundSandbox, fal_hosts: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SyncClient]:
    """Return fal's own client."""
    from fal_client import SyncClient

    del fal_hosts
    made = SyncClient(key=sandbox.credentials["fal"])
    opened: list[httpx.Client] = []
    open_cdn_client = SyncClient._get_cdn_client

    def remembered(self: SyncClient) -> httpx.Client:
        opened.append(open_cdn_client(self))
        return opened[-1]

    # The SDK never closes the clients that it uploads with.
    monkeypatch.setattr(SyncClient, "_get_cdn_client", remembered)
    yield made
    for left_open in (made._client, *opened):
        left_open.close()


@pytest.fixture
def connect_elevenlabs(sandbox: BackgroundSandbox) -> Iterator[ConnectElevenLabs]:
    """Return what opens ElevenLabs' own client with a key."""
    import httpx
    from elevenlabs import ElevenLabs

    opened: list[httpx.Client] = []

    def open_client(key: str | None = None) -> ElevenLabs:
        # The SDK has no way to close its own connections.
        http = httpx.Client()
        opened.append(http)
        return ElevenLabs(
            api_key=key or sandbox.credentials["elevenlabs"],
            base_url=sandbox.base_urls["elevenlabs"]["api"],
            httpx_client=http,
        )

    yield open_client
    for http in opened:
        http.close()


@pytest.fixture
def elevenlabs_client(connect_elevenlabs: ConnectElevenLabs) -> ElevenLabs:
    return connect_elevenlabs()


@pytest.fixture
def runway_polls_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    from runwayml.lib import polling

    monkeypatch.setattr(polling, "POLL_TIME", 0)
    monkeypatch.setattr(polling, "POLL_JITTER", 0)


@pytest.fixture
def connect_runway(sandbox: BackgroundSandbox) -> Iterator[ConnectRunway]:
    """Return what opens Runway's own client, which does not retry, with a key and options."""
    from runwayml import RunwayML

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
def runway_client(connect_runway: ConnectRunway) -> RunwayML:
    return connect_runway()
