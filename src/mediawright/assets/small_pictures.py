"""Pictures that are in memory and small, taken in many at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mediawright.assets.drive import Drive, SmallFile
from mediawright.assets.formats import Format
from mediawright.assets.inspect import sniff_content
from mediawright.assets.intake import Wanted
from mediawright.core.batches import Batches
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind

MOST_BYTES = 1_048_576


class SmallPicture(NamedTuple):
    """What is to be taken in."""

    data: bytes
    wanted: Wanted
    key_of: Callable[[Format], str]
    """Returns where it is to lie."""


class KeptFile(NamedTuple):
    """A file that lies on the drive."""

    key: str
    facts: MediaFacts
    digest: str
    """SHA-256, hexadecimal."""


class SmallPictures:
    """Looks at pictures and puts them on a drive, without a file of their own before."""

    def __init__(self, drive: Drive) -> None:
        """Put them on this drive."""
        self._drive = drive
        self._batches = Batches(self._keep_now)

    async def keep(self, picture: SmallPicture) -> KeptFile | None:
        """Look at a picture and put it on the drive.

        Returns:
            What was kept; `None`, with nothing kept, for what is no picture.

        Raises:
            InvalidRequestError: As of `probe`; or `unsupported_media_kind`.
            UnavailableError: `drive_unavailable`.
        """
        return await self._batches.do(picture)

    def _keep_now(self, pictures: Sequence[SmallPicture]) -> list[KeptFile | Exception | None]:
        results = [_look(picture) for picture in pictures]
        good = {at: kept for at, kept in enumerate(results) if isinstance(kept, KeptFile)}
        files = [
            SmallFile(pictures[at].data, kept.key, kept.facts.content_type)
            for at, kept in good.items()
        ]
        for at, error in zip(good, self._drive.put_small_now(files), strict=True):
            if error is not None:
                results[at] = error
        return results


def _look(picture: SmallPicture) -> KeptFile | Exception | None:
    try:
        if sniff_content(picture.data).kind is not MediaKind.IMAGE:
            return None
        facts, found = picture.wanted.look(picture.data)
        digest = hashlib.sha256(picture.data).hexdigest()
        return KeptFile(picture.key_of(found), facts, digest)
    except Exception as error:  # noqa: BLE001 - raised where the picture came from
        return error
