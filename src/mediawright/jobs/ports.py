"""What the jobs layer needs from others, as narrow protocols."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from mediawright.core.generation import Asset, Generation, RoutePlan
from mediawright.core.media import Transcript
from mediawright.core.money import PriceBasis
from mediawright.core.operations import MediaKind
from mediawright.core.provider import MediaProvider, Usage


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
        unchanging: bool = False,
    ) -> Asset:
        """Probe, hash, render and keep a file; repeating after a crash is harmless.

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

    async def read(self, asset: Asset) -> bytes:
        """Return the whole file."""
        ...

    async def delete(self, asset: Asset) -> bool:
        """Delete the file and its renditions."""
        ...


CostOf = Callable[[Generation, RoutePlan, Usage], tuple[Decimal, PriceBasis] | None]
"""What the provider bills for a finished job, in US dollars; `None` when nobody knows."""


class Engine(Protocol):
    """Runs generations to their end, across crashes."""

    async def start(self) -> None:
        """Begin to work, and take up what an earlier process left."""
        ...

    async def enqueue(self, generation_id: str) -> None:
        """Run the generation; asking twice runs it once."""
        ...

    async def forget(self, generation_id: str) -> None:
        """Drop the engine's own record of a finished generation."""
        ...

    async def counts(self) -> dict[str, int]:
        """Return how many of the engine's records are in which state."""
        ...

    async def close(self) -> None:
        """Stop working; what is unfinished is taken up at the next start."""
        ...
