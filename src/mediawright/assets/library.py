"""The library: takes files in, tells what they are, and gives them out again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from mediawright.assets import reservations
from mediawright.assets.drive import Drive, FinishedFile
from mediawright.assets.formats import JSON, Format, format_for_content_type
from mediawright.assets.local_drive import LocalDrive
from mediawright.assets.naming import (
    default_key,
    output_key,
    rendition_key,
)
from mediawright.assets.reading import FileReader, missing
from mediawright.assets.receiving import Received, Receiver, Source, Wanted, discard
from mediawright.assets.renditions import Rendition, render
from mediawright.assets.reservations import reservation_key, reserve
from mediawright.assets.small_pictures import KeptFile, SmallPicture, SmallPictures
from mediawright.assets.staging import Staging, unwritable
from mediawright.core.clock import Clock
from mediawright.core.errors import (
    InvalidRequestError,
    MediawrightError,
    ProviderError,
)
from mediawright.core.generation import Asset
from mediawright.core.media import MediaFacts, Transcript
from mediawright.core.operations import MediaKind

_MOST_BYTES = 8 * 1024**3
_DAY_SECONDS = 24 * 3600.0

_log = logging.getLogger(__name__)


class _Place(msgspec.Struct, frozen=True):
    """What decides where a file lies."""

    workspace_id: str
    owner: str
    """Id of the generation, or of the asset itself for an upload."""
    index: int
    output_path: str | None


def no_folder(_workspace_id: str) -> str:
    """Keep the files of all workspaces together."""
    return ""


class AssetLibrary(FileReader):
    """Keeps files on a drive.

    A file gets its name only when it is complete and known to be good. Nothing here depends on
    the database, and everything may be repeated after a crash.

    Args:
        drive: Where files lie.
        staging: Where they are written before.
        clock: For the time of an asset.
        folder_of: Returns the folder of a workspace's files, ending with a slash, or nothing.
        max_bytes: The most a file may have.
    """

    def __init__(
        self,
        drive: Drive,
        staging: Staging,
        clock: Clock,
        *,
        folder_of: Callable[[str], str] = no_folder,
        max_bytes: int = _MOST_BYTES,
    ) -> None:
        """Use these parts; nothing is opened yet."""
        super().__init__(drive, staging)
        self._clock = clock
        self._folder_of = folder_of
        self._max_bytes = max_bytes
        self._receiver = Receiver(staging, drive, max_bytes)
        # What goes elsewhere over a network is better sent in many threads than in one.
        self._pictures = (
            SmallPictures(drive, staging, max_bytes) if isinstance(drive, LocalDrive) else None
        )

    async def store(
        self,
        source: Source,
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
        """Take a media file in.

        Storing an output again gives the same key and replaces the file, so that the step can
        be repeated after a crash. The bytes are kept as they are. On any error nothing is left
        behind.

        Args:
            source: The bytes, or where they come from. A file in the staging folder is moved
                away, any other is copied.
            workspace_id: Whose it is.
            asset_id: What it will be called by.
            generation_id: Whose output it is; `None` for an upload.
            index: Place among the outputs, from 0.
            output_path: Where the caller wants it (rule 61). A name that is taken gets a
                number; an extension of another format than the file has is replaced; where a
                file stands in place of a folder, the library names it.
            expected_kind: What it must be.
            seed: The seed the provider reports.
            revised_prompt: The prompt the provider reports to have used.
            renditions: Whether to make the smaller versions at once; `make_renditions` does it
                later. If one fails, the file is stored without it.
            unchanging: Whether a source file's bytes will never change, so that a second name
                for them serves as a copy.

        Raises:
            InvalidRequestError: An upload is `empty_file`, `unsupported_format`,
                `corrupt_file`, `image_too_large`, `media_too_long`, `file_too_large` or
                `unsupported_media_kind`; or the path is an `invalid_path`.
            ProviderError: `corrupt_media`: an output is one of these.
            UnavailableError: `staging_unwritable` or `drive_unavailable`.
        """
        is_output = generation_id is not None
        place = _Place(workspace_id, generation_id or asset_id, index, output_path)
        wanted = Wanted(expected_kind, is_output)
        with _blaming_provider(is_output):
            brought = await self._keep_small(source, place, wanted, unchanging=unchanging)
            if brought is None:
                brought = await self._receiver.receive(source, wanted, unchanging=unchanging)
        if isinstance(brought, Received):
            kept, made = await self._keep(brought, place, renditions=renditions)
        else:
            kept, made = brought, None
        asset = Asset(
            id=asset_id,
            workspace_id=workspace_id,
            key=kept.key,
            facts=kept.facts,
            sha256=kept.digest,
            created_at=self._clock.now(),
            generation_id=generation_id,
            index=index,
            seed=seed,
            revised_prompt=revised_prompt,
        )
        if made is None:
            return await self.make_renditions(asset) if renditions else asset
        return await self._put_renditions(asset, made)

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
        """Take a transcript in, as a JSON file; its words are in the asset too.

        Args:
            transcript: What was said.
            workspace_id: Whose it is.
            asset_id: What it will be called by.
            generation_id: Whose output it is.
            index: Place among the outputs, from 0.
            output_path: Where the caller wants it (rule 61).

        Raises:
            InvalidRequestError: `invalid_path`.
            UnavailableError: `staging_unwritable` or `drive_unavailable`.
        """
        content = msgspec.json.format(msgspec.json.encode(transcript), indent=2)
        staged = await asyncio.to_thread(self._staging.write_now, content)
        try:
            place = _Place(workspace_id, generation_id or asset_id, index, output_path)
            key = await self._choose_key(place, JSON)
            await self._put(staged.path, key, JSON)
        except BaseException:
            await discard(staged.path)
            raise
        return Asset(
            id=asset_id,
            workspace_id=workspace_id,
            key=key,
            facts=MediaFacts(
                kind=MediaKind.TEXT,
                content_type=JSON.content_type,
                byte_count=staged.byte_count,
            ),
            sha256=staged.sha256,
            created_at=self._clock.now(),
            generation_id=generation_id,
            index=index,
            text=transcript.text,
        )

    async def make_renditions(self, asset: Asset) -> Asset:
        """Make the smaller versions of a file that was stored without, or make them again.

        Returns:
            The asset with their keys; as it was for a file of which there can be none.

        Raises:
            NotFoundError: `asset_file_missing`.
        """
        found = format_for_content_type(asset.facts.content_type)
        if found is None or asset.facts.kind is MediaKind.TEXT:
            return asset
        made = await self._render(await self._to_render(asset), found, asset.facts)
        return await self._put_renditions(asset, made)

    async def delete(self, asset: Asset) -> bool:
        """Delete a file and its smaller versions.

        Returns:
            Whether there was such a file.
        """
        for key in (asset.thumbnail_key, asset.optimized_key, reservation_key(asset.key)):
            if key is not None:
                await self._drive.delete(key)
        return await self._drive.delete(asset.key)

    async def clean_up(self, older_than_seconds: float = _DAY_SECONDS) -> int:
        """Remove what crashes left behind and what was only temporary (rule 64).

        Args:
            older_than_seconds: What is younger may be in use.

        Returns:
            How many files were removed; never one that was stored.
        """
        removed = await asyncio.to_thread(self._staging.clean_up_now, older_than_seconds)
        removed += await self._drive.clean_up(older_than_seconds)
        for key in await self._drive.older_than(reservations.FOLDER, older_than_seconds):
            removed += await self._drive.delete(key)
        return removed

    async def _keep_small(
        self, source: Source, place: _Place, wanted: Wanted, *, unchanging: bool
    ) -> KeptFile | None:
        """Keep a small picture that need not be copied; `None` for anything else."""
        if self._pictures is None or place.output_path is not None:
            return None
        if not isinstance(source, Path | bytes):
            return None
        key_of = partial(self._default_key, place)
        return await self._pictures.keep(SmallPicture(source, wanted, key_of, unchanging))

    async def _keep(
        self, received: Received, place: _Place, *, renditions: bool
    ) -> tuple[KeptFile, list[Rendition]]:
        """Put a file that was received where it belongs, with its smaller versions at hand."""
        made: list[Rendition] = []
        try:
            key = await self._choose_key(place, received.format)
            if renditions:
                made = await self._render(received.path, received.format, received.facts)
            await self._put(received.path, key, received.format)
        except BaseException:
            await discard(received.path, *(one.path for one in made))
            raise
        return KeptFile(key, received.facts, received.digest), made

    async def _choose_key(self, place: _Place, found: Format) -> str:
        if place.output_path is not None:
            folder = self._folder_of(place.workspace_id)
            wanted = folder + output_key(place.output_path, found.extension)
            if not await self._drive.is_blocked(wanted):
                return await reserve(self._drive, wanted, f"{place.owner}-{place.index}")
            _log.warning("%s cannot be stored as %s: a file is in the way", place.owner, wanted)
        return self._default_key(place, found)

    def _default_key(self, place: _Place, found: Format) -> str:
        now = self._clock.now()
        key = default_key(place.owner, place.index, found.extension, now=now)
        return self._folder_of(place.workspace_id) + key

    async def _render(self, path: Path, found: Format, facts: MediaFacts) -> list[Rendition]:
        return await asyncio.to_thread(self._render_now, path, found, facts)

    async def _to_render(self, asset: Asset) -> Path:
        path = self.path_of(asset.key)
        return path if path is not None else await self.local_copy(asset)

    def _render_now(self, path: Path, found: Format, facts: MediaFacts) -> list[Rendition]:
        if not path.is_file():
            raise missing(path.name)
        made: list[Rendition] = []
        try:
            made.extend(render(path, found, facts, self._staging.new_path))
        except Exception:  # noqa: BLE001 - logged, with all there is to know
            # Whatever a file does to a decoder, it is good itself, and kept.
            _log.warning("could not make a rendition of a %s file", found.name, exc_info=True)
        return made

    async def _put_renditions(self, asset: Asset, made: list[Rendition]) -> Asset:
        files = [
            FinishedFile(
                one.path,
                rendition_key(asset.key, one.word, one.format.extension),
                one.format.content_type,
            )
            for one in made
        ]
        if not files:
            return asset
        try:
            await self._drive.put_files(files)
        except (MediawrightError, OSError):
            _log.warning("could not keep smaller versions of %s", asset.id, exc_info=True)
            await discard(*(one.path for one in made))
            return asset
        keys = {f"{one.word}_key": file.key for one, file in zip(made, files, strict=True)}
        return msgspec.structs.replace(asset, **keys)

    async def _put(self, path: Path, key: str, found: Format) -> None:
        try:
            await self._drive.put_file(path, key, content_type=found.content_type)
        except OSError as error:
            raise unwritable(error) from error


@contextmanager
def _blaming_provider(is_output: bool) -> Generator[None, None, None]:  # noqa: FBT001 - only here
    """Let what is wrong with an output be the fault of the provider that made it."""
    try:
        yield
    except InvalidRequestError as error:
        if not is_output:
            raise
        raise ProviderError(
            "corrupt_media",
            f"The provider's file cannot be used. {error.message}",
            hint="Try again, or with another provider.",
            details={**error.details, "reason": error.code},
        ) from error
