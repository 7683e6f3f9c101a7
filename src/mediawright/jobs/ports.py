"""What the jobs layer needs from others, as narrow protocols."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import msgspec

from mediawright.core.generation import Asset, Generation, RoutePlan
from mediawright.core.media import Transcript
from mediawright.core.money import PriceBasis
from mediawright.core.operations import MediaKind
from mediawright.core.provider import Fault, MediaProvider, Usage


class ProviderDirectory(Protocol):
    """Where providers are looked up by name."""

    def get(self, name: str) -> MediaProvider:
        """Return the provider, ready to be called.

        Raises:
            MissingApiKeyError: No key is configured for it.
            InvalidRequestError: There is no such provider.
        """
        ...


class DownloadedFile(Protocol):
    """A remote file that was fetched."""

    @property
    def path(self) -> Path:
        """Where it lies; whoever asked for it moves or deletes it."""
        ...


class Downloader(Protocol):
    """Fetches files from URLs found in replies or given by users, guarded."""

    async def download(self, url: str, *, max_bytes: int) -> DownloadedFile:
        """Stream a file to disk."""
        ...


class Library(Protocol):
    """The keeper of finished files."""

    async def store(
        self,
        source: Path | bytes,
        *,
        workspace_id: str,
        asset_id: str,
        generation_id: str | None = None,
        index: int = 0,
        output_path: str | None = None,
        expected_kind: MediaKind | None = None,
        seed: int | None = None,
        revised_prompt: str | None = None,
        renditions: bool = True,
        unchanging: bool = False,
    ) -> Asset:
        """Probe, hash, render and keep a file; repeating after a crash is harmless.

        Without `renditions`, `make_renditions` makes the smaller versions later.

        With `unchanging` a second name for the source's bytes may serve as a copy.
        """
        ...

    async def store_transcript(
        self,
        transcript: Transcript,
        *,
        workspace_id: str,
        asset_id: str,
        generation_id: str | None = None,
        index: int = 0,
        output_path: str | None = None,
    ) -> Asset:
        """Keep a transcript."""
        ...

    async def make_renditions(self, asset: Asset) -> Asset:
        """Make the smaller versions of a file; return the asset with their keys."""
        ...

    async def read(self, asset: Asset) -> bytes:
        """Return the whole file."""
        ...

    async def delete(self, asset: Asset) -> bool:
        """Delete the file and its renditions."""
        ...


class Renditions(Protocol):
    """When the smaller versions of files are made."""

    @property
    def is_deferred(self) -> bool:
        """Whether files are stored without them."""
        ...

    def add(self, stored: Sequence[Asset]) -> None:
        """Make those of files that have just been stored, soon."""
        ...


class AtOnce:
    """Files get their smaller versions as they are stored."""

    is_deferred = False

    def add(self, stored: Sequence[Asset]) -> None:
        """Do nothing more."""
        del stored


CostOf = Callable[[Generation, RoutePlan, Usage], tuple[Decimal, PriceBasis] | None]
"""What the provider bills for a finished job, in US dollars; `None` when nobody knows."""


class Lease(Protocol):
    """The right of this process to act on the generations it works on."""

    def require(self) -> None:
        """Return if the right is held now.

        Raises:
            UnavailableError: `worker_fenced`: others may have taken over; nothing may be sent,
                and nothing settled.
        """
        ...


class WholeFolder:
    """The lease of a process that has locked its data folder: nobody else can act."""

    def require(self) -> None:
        """Return: the lock is held as long as the process lives."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a provider is left alone for a while."""

    message: str
    retry_after: float
    """Seconds after which it is worth coming back."""


class Executors(Protocol):
    """Which processes are at work."""

    async def is_alive(self, executor: str) -> bool:
        """Tell whether a process of that name works, so that its generations are left to it."""
        ...


class NoOthers:
    """The processes beside one that works alone: none lives."""

    async def is_alive(self, executor: str) -> bool:
        """Return `False`."""
        del executor
        return False


Resume = Callable[[str], Awaitable[None]]
"""Has a generation run again from where its rows say it stands; asking twice runs it once."""


class ProviderHealth(Protocol):
    """Whether providers are worth asking, learnt from how they answer."""

    async def refusal(self, provider: str) -> Refusal | None:
        """Return why the provider is left alone now, or `None` if it could be asked."""
        ...

    async def take_turn(self, provider: str) -> Refusal | None:
        """Like `refusal`, for whoever submits at once unless it is refused.

        Of all who would be the first to try a provider that had failed, in whatever process,
        one gets the turn, and the others are refused until it is known how that went.
        """
        ...

    async def give_back(self, provider: str) -> None:
        """Give back a turn that was taken and not used."""
        ...

    async def succeeded(self, provider: str) -> None:
        """Note that it took a submit."""
        ...

    async def failed(self, provider: str, fault: Fault) -> None:
        """Note how it did not take a submit; what went wrong before it was asked is not for it."""
        ...

    async def polled(self, provider: str, fault: Fault | None) -> None:
        """Note that it answered a question about a job, or with a fault that it did not."""
        ...


class AlwaysTried:
    """The health of providers where nobody keeps account of it: each is worth asking."""

    async def refusal(self, provider: str) -> Refusal | None:
        """Return `None`."""
        del provider

    async def take_turn(self, provider: str) -> Refusal | None:
        """Return `None`."""
        del provider

    async def give_back(self, provider: str) -> None:
        """Do nothing: turns are not counted."""
        del provider

    async def succeeded(self, provider: str) -> None:
        """Note nothing."""
        del provider

    async def failed(self, provider: str, fault: Fault) -> None:
        """Note nothing."""
        del provider, fault

    async def polled(self, provider: str, fault: Fault | None) -> None:
        """Note nothing."""
        del provider, fault


class SubmitGate(Protocol):
    """Keeps submits within the limits of a provider's account."""

    async def pass_through(self, generation: Generation, provider: str) -> None:
        """Return when one more submit to the provider is within its rate.

        For further attempts of a generation that has a place already: retries and fallbacks.
        """
        ...


class OpenGate:
    """The gate of an installation without limits."""

    async def pass_through(self, generation: Generation, provider: str) -> None:
        """Return at once."""
        del generation, provider


class HookUrls(Protocol):
    """Where providers report to."""

    def of(self, provider: str, generation_id: str, attempt: int) -> str | None:
        """Return the address for one attempt; `None` if providers cannot reach us."""
        ...


class Engine(Protocol):
    """Runs generations to their end, across crashes."""

    async def start(self) -> None:
        """Begin to work, and take up what an earlier process of the same name left."""
        ...

    async def enqueue(self, generation_id: str) -> None:
        """Run the generation; while it runs here, asking again changes nothing."""
        ...

    async def adopt(self, generation_ids: Sequence[str]) -> None:
        """Run generations that this process has come to answer for."""
        ...

    def works_on(self, generation_id: str) -> bool:
        """Tell whether the generation runs in this process."""
        ...

    def count(self) -> int:
        """Return how many generations run in this process."""
        ...

    async def forget(self, generation_id: str) -> None:
        """Drop the engine's own records of a finished generation."""
        ...

    async def forget_old(self, before: datetime, living: Collection[str]) -> int:
        """Drop the records of runs that ended before then, or whose executor lives no more.

        Returns:
            How many records were dropped.
        """
        ...

    async def counts(self) -> dict[str, int]:
        """Return how many of the engine's records of this process are in which state."""
        ...

    async def let_go(self) -> set[str]:
        """Break off every wait; return the ids of what goes on because it may cost money."""
        ...

    async def close(self) -> None:
        """Stop working; what is unfinished is taken up at the next start."""
        ...
