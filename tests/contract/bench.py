"""A provider on the test bench: real adapter and driver, real HTTP, a sandbox as the vendor."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
from PIL import Image

from mediawright.core.clock import SystemClock
from mediawright.core.operations import InputRole, MediaKind
from mediawright.core.provider import (
    Done,
    InlineMedia,
    JsonObject,
    LoadedInput,
    MediaCall,
    MediaProvider,
    Output,
    Polled,
    ProgressReport,
    StagedMedia,
    Submitted,
    Waiting,
)
from mediawright.core.request import Parameters
from mediawright.engines.local.provider import LocalProvider
from mediawright.providerkit.driver import Driver
from mediawright.providerkit.http_provider import HttpProvider
from mediawright.providerkit.urls import origin_of
from mediawright.providers.registry import adapter_class
from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit import workshop
from mediawright.sandbox.kit.journal import JournalEntry

from .cases import Case, Delivery

SPOKEN = "The quick brown fox jumps over the lazy dog."
_MOST_POLLS = 12
_LARGEST_DOWNLOAD = 50_000_000


def unheard(done: float, stage: str) -> None:
    """Be a progress report that nobody reads."""
    del done, stage


class Bench:
    """One case's provider and what the vendor heard of it."""

    def __init__(self, case: Case, sandbox: BackgroundSandbox, staging: Path) -> None:
        self.case = case
        self.staging = staging
        self._sandbox = sandbox
        self._drivers: list[Driver] = []
        self._local: list[LocalProvider] = []
        self.provider: MediaProvider = self.restarted() if case.is_vendor else self._embedded()

    @property
    def secret(self) -> str:
        """The key that the sandbox takes."""
        return self._sandbox.credentials[self.case.provider]

    @property
    def _origins(self) -> frozenset[str]:
        return frozenset({origin_of(self._sandbox.root)})

    def restarted(
        self, *, secret: str | None = None, base_urls: Mapping[str, str] | None = None
    ) -> HttpProvider:
        """Return the provider as a new process would build it."""
        adapter = adapter_class(self.case.provider)
        self._drivers.append(Driver(staging=self.staging, clock=SystemClock()))
        return HttpProvider(
            adapter(base_urls or self._sandbox.base_urls[self.case.provider]),
            self._drivers[-1],
            self.secret if secret is None else secret,
        )

    async def close(self) -> None:
        """Close every connection."""
        for driver in self._drivers:
            await driver.close()
        for provider in self._local:
            provider.close()

    async def arrange(self, scenario: str, **settings: Any) -> None:
        """Let the vendor's coming requests meet a scenario; submits, unless `kind` says else."""
        await self._steer("scenario", {"name": scenario, **settings})

    async def advance_by_polls(self, count: int) -> None:
        """Let jobs be unfinished for that many polls."""
        await self._steer("progression", {"progression": f"polls={count}"})

    async def submit(
        self, call: MediaCall | None = None, report: ProgressReport = unheard
    ) -> Submitted:
        """Submit the case once."""
        return await self.provider.submit(call or self.call(), report)

    async def poll_to_the_end(
        self, handle: JsonObject, *, restarting: bool = False
    ) -> tuple[list[Waiting], Polled]:
        """Poll until the job ends; return what was heard on the way and at the end."""
        heard: list[Waiting] = []
        for _ in range(_MOST_POLLS):
            provider = self.restarted() if restarting else self.provider
            kept = json.loads(json.dumps(handle))
            polled = await provider.poll(kept, self.case.upstream_id)
            if not isinstance(polled, Waiting):
                return heard, polled
            heard.append(polled)
        raise AssertionError(f"still waiting after {_MOST_POLLS} polls: {heard}")

    async def finish(self) -> Done:
        """Submit the case and poll it to its end, which must be success."""
        outcome: Submitted | Polled = await self.submit()
        if self.case.is_job:
            _, outcome = await self.poll_to_the_end(outcome.handle)
        assert isinstance(outcome, Done), outcome
        return outcome

    async def fetch(self, output: Output) -> bytes:
        """Return an output's bytes, downloading them if need be."""
        if isinstance(output, InlineMedia):
            return output.data
        if isinstance(output, StagedMedia):
            return output.path.read_bytes()
        download = await self._drivers[0].download(
            output.url,
            max_bytes=_LARGEST_DOWNLOAD,
            trusted_origins=self._origins,
        )
        return download.path.read_bytes()

    def call(self, *, large: bool = False) -> MediaCall:
        """Return the case's request."""
        side = (self.case.large_input if large else None) or 64
        return MediaCall(
            generation_id="gen_contract",
            client_reference="contract:1",
            operation=self.case.operation,
            upstream_id=self.case.upstream_id,
            prompt=None if self.case.delivery is Delivery.TEXT else SPOKEN,
            parameters=Parameters(),
            fields=dict(self.case.fields),
            inputs=tuple(an_input(role, side) for role in self.case.inputs),
        )

    def heard(self, kind: str) -> list[JournalEntry]:
        """Return the requests of a kind that reached the vendor."""
        return self._sandbox.journal.entries(vendor=self.case.provider, kind=kind)

    def _embedded(self) -> LocalProvider:
        self._local.append(LocalProvider(self.staging))
        return self._local[-1]

    async def _steer(self, what: str, body: dict[str, Any]) -> None:
        url = f"{self._sandbox.root}/__sandbox__/{what}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json={"vendor": self.case.provider, **body}) as reply,
        ):
            assert reply.status == 200, await reply.text()


def sent_values(entry: JournalEntry) -> dict[str, list[Any]]:
    """Return everything a request said, by name: query, JSON members and form parts."""
    said: dict[str, list[Any]] = {name: [value] for name, value in entry.query.items()}
    body = entry.body or {}
    for part in body.get("parts", ()):
        said.setdefault(part["name"].removesuffix("[]"), []).append(part.get("text"))
    for name, value in body.items():
        if name != "parts":
            said.setdefault(name, []).append(value)
    said["path"] = entry.path.split("/")
    return said


def decode(kind: MediaKind, data: bytes) -> None:
    """Read a file to its end as what it should be, or raise."""
    if kind is MediaKind.IMAGE:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
        return
    with av.open(io.BytesIO(data)) as container:
        streams = container.streams.video if kind is MediaKind.VIDEO else container.streams.audio
        assert sum(1 for _ in container.decode(streams[0])) > 0


def an_input(role: InputRole, side: int) -> LoadedInput:
    """Return a real file for a role; pictures are noise, so that they cannot be squeezed."""
    if role is InputRole.REFERENCE_AUDIO:
        data, content_type, name = _recording(), "audio/wav", "speech.wav"
    else:
        data, content_type, name = _picture(side, role is InputRole.MASK), "image/png", "a.png"
    return LoadedInput(
        role=role, kind=role.media_kind, content_type=content_type, name=name, data=data
    )


def _picture(side: int, is_mask: bool) -> bytes:
    channels = 4 if is_mask else 3
    noise = np.random.default_rng(side).integers(0, 256, (side, side, channels), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise, "RGBA" if is_mask else "RGB").save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def _recording() -> bytes:
    if "wav" not in _recordings:
        sound = workshop.make_speech(SPOKEN, "", 1.0)
        _recordings["wav"] = workshop.write(sound, "wav", text=SPOKEN)
    return _recordings["wav"]


_recordings: dict[str, bytes] = {}
