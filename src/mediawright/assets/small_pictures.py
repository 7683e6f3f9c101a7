"""Small pictures, in memory or in files of ours, taken in many at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from mediawright.assets.formats import Format
from mediawright.assets.image_probe import Content, opened
from mediawright.assets.inspect import sniff_content
from mediawright.assets.local_drive import LocalDrive, SmallFile
from mediawright.assets.receiving import Wanted
from mediawright.assets.staging import Staging
from mediawright.core.batches import Batches
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind

_MOST_BYTES = 2_097_152


class SmallPicture(NamedTuple):
    """What is to be taken in."""

    content: Content
    wanted: Wanted
    key_of: Callable[[Format], str]
    """Returns where it is to lie."""
    unchanging: bool
    """Whether the bytes of its file will never change."""


class KeptFile(NamedTuple):
    """A file that lies on the drive."""

    key: str
    facts: MediaFacts
    digest: str
    """SHA-256, hexadecimal."""


class SmallPictures:
    """Looks at pictures and puts them into a folder, many in one go."""

    def __init__(self, drive: LocalDrive, staging: Staging, max_bytes: int) -> None:
        """Put them on this drive; what lies in the staging folder is moved away."""
        self._drive = drive
        self._staging = staging
        self._max_bytes = min(max_bytes, _MOST_BYTES)
        self._batches = Batches(self._keep_now)

    async def keep(self, picture: SmallPicture) -> KeptFile | None:
        """Look at a picture and put it on the drive.

        Returns:
            What was kept; `None`, with nothing kept, for what is no small picture, or would
            have to be copied first.

        Raises:
            InvalidRequestError: As of `probe`; or `unsupported_media_kind`.
            UnavailableError: `drive_unavailable`.
        """
        return await self._batches.do(picture)

    def _keep_now(self, pictures: Sequence[SmallPicture]) -> list[KeptFile | Exception | None]:
        results = [self._look(picture) for picture in pictures]
        good = {at: kept for at, kept in enumerate(results) if isinstance(kept, KeptFile)}
        files = [SmallFile(pictures[at].content, kept.key) for at, kept in good.items()]
        for at, error in zip(good, self._drive.put_small_now(files), strict=True):
            if error is not None:
                results[at] = error
        for picture, result in zip(pictures, results, strict=True):
            if result is not None:
                self._let_go(picture)
        return results

    def _look(self, picture: SmallPicture) -> KeptFile | Exception | None:
        content = picture.content
        try:
            if not self._is_meant(picture) or sniff_content(content).kind is not MediaKind.IMAGE:
                return None
            facts, found = picture.wanted.look(content)
            with opened(content) as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            return KeptFile(picture.key_of(found), facts, digest)
        except Exception as error:  # noqa: BLE001 - raised where the picture came from
            return error

    def _is_meant(self, picture: SmallPicture) -> bool:
        content = picture.content
        if isinstance(content, bytes):
            return len(content) <= self._max_bytes
        is_enough = picture.unchanging or self._staging.owns(content)
        return is_enough and content.is_file() and content.stat().st_size <= self._max_bytes

    def _let_go(self, picture: SmallPicture) -> None:
        """Remove a file that was to be moved, whatever became of it."""
        if isinstance(picture.content, Path) and self._staging.owns(picture.content):
            picture.content.unlink(missing_ok=True)
