"""The media a request names: found, read and looked at."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from mediawright.sandbox.emulators.runway.uploads import UploadBook
from mediawright.sandbox.kit.fields import Fault, Path, Violation
from mediawright.sandbox.kit.sandbox_kit import SandboxKit
from mediawright.sandbox.kit.shelf import FetchError

PICTURE_FORMATS = ("JPEG", "PNG", "WEBP")
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises for bytes that are no picture, or one too large to look at."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An input picture.

    A picture of another host that the sandbox may not ask has no bytes.
    """

    role: str
    """first, last or reference."""
    data: bytes | None
    is_readable: bool = True


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The pictures of one request, in the order given."""

    pictures: tuple[Picture, ...] = field(default_factory=tuple)

    @property
    def has_unreadable(self) -> bool:
        """Whether one of them cannot be decoded."""
        return any(not picture.is_readable for picture in self.pictures)

    def data(self, role: str) -> tuple[bytes, ...]:
        """Return the bytes of the pictures with that role, as far as there are any."""
        return tuple(
            picture.data
            for picture in self.pictures
            if picture.role == role and picture.data is not None
        )


class InputReader:
    """Reads the pictures of a valid request."""

    def __init__(self, kit: SandboxKit, uploads: UploadBook) -> None:
        self._kit = kit
        self._uploads = uploads

    async def read(self, fields: Mapping[str, Any]) -> tuple[Inputs, list[Violation]]:
        """Return the pictures, and what is wrong with their addresses.

        A data URI whose bytes are no picture is refused at once. An upload is only looked at
        when the task runs, and fails it.
        """
        pictures: list[Picture] = []
        violations: list[Violation] = []
        for role, uri, path in _addresses(fields):
            try:
                data = await self._load(uri)
            except FetchError as error:
                violations.append(Violation(fault=Fault.RULE, path=path, message=str(error)))
                continue
            readable = data is None or await asyncio.to_thread(is_picture, data)
            if uri.startswith("data:") and not readable:
                text = "The image could not be decoded."
                violations.append(Violation(fault=Fault.RULE, path=path, message=text))
            pictures.append(Picture(role=role, data=data, is_readable=readable))
        return Inputs(pictures=tuple(pictures)), violations

    async def _load(self, uri: str) -> bytes | None:
        if uri.startswith("runway://"):
            upload = self._uploads.find(uri, self._kit.clock.now())
            if upload is None:
                raise FetchError("The upload does not exist or has expired.")
            return upload.data
        is_here = uri.startswith(("data:", f"{self._kit.root}/"))
        if not is_here and not self._kit.settings.outbound:
            return None
        return (await self._kit.shelf.fetch(uri)).data


def is_picture(data: bytes) -> bool:
    """Tell whether the bytes are a whole picture of a kind that the vendor takes."""
    try:
        with Image.open(io.BytesIO(data), formats=PICTURE_FORMATS) as picture:
            picture.load()
    except _UNREADABLE:
        return False
    return True


def _addresses(fields: Mapping[str, Any]) -> Iterator[tuple[str, str, Path]]:
    image: str | list[dict[str, Any]] = fields.get("promptImage", [])
    if isinstance(image, str):
        yield "first", image, ("promptImage",)
    else:
        for index, frame in enumerate(image):
            yield frame["position"], frame["uri"], ("promptImage", index, "uri")
    for name in ("referenceImages", "references"):
        references: list[dict[str, Any]] = fields.get(name, [])
        for index, reference in enumerate(references):
            yield "reference", reference["uri"], (name, index, "uri")
