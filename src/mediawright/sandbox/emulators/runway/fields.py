"""The kinds of fields that Runway's operations share."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mediawright.sandbox.kit.fields import (
    Choice,
    Fault,
    Field,
    ListOf,
    Path,
    Record,
    Text,
    Violation,
    Whole,
    utf16_length,
)

LONGEST_URL = 2048
LONGEST_UPLOAD_URI = 5000
LONGEST_DATA_URI = {"image": 5_242_880, "video": 16_777_216, "audio": 16_777_216}
"""Characters of the whole string."""
IMAGE_TYPES = frozenset({"image/jpeg", "image/jpg", "image/png", "image/webp"})

_DATA_URI = re.compile(r"data:([a-z]+)/([a-z0-9.+-]+);base64,", re.IGNORECASE)


class MediaUriError(ValueError):
    """A string that is no usable media address."""


def parse_data_uri(uri: str) -> tuple[str, bytes]:
    """Return the content type and the bytes that a base64 data URI holds.

    Raises:
        MediaUriError: It is not one, or its base64 is broken.
    """
    match = _DATA_URI.match(uri)
    if match is None:
        raise MediaUriError("Invalid data URI: expected data:<type>;base64,<data>.")
    try:
        content = base64.b64decode(uri[match.end() :], validate=True)
    except binascii.Error as error:
        raise MediaUriError("Invalid base64 in data URI.") from error
    return f"{match[1]}/{match[2]}".lower(), content


@dataclass(frozen=True)
class MediaUri:
    """An address of a picture, a clip or a sound, in one of the three forms."""

    kind: str
    """image, video or audio."""

    @property
    def expected(self) -> str:
        """The JSON type it has to be of."""
        return "string"

    def check(self, value: Any, path: Path) -> Iterator[Violation]:
        """Yield what is wrong with `value`."""
        if not isinstance(value, str):
            yield Violation(fault=Fault.WRONG_TYPE, path=path, value=value, expected=self.expected)
            return
        try:
            self._examine(value)
        except MediaUriError as error:
            yield Violation(fault=Fault.RULE, path=path, value=value, message=str(error))

    def _examine(self, uri: str) -> None:
        if uri.startswith("data:"):
            self._examine_data(uri)
        elif uri.startswith("runway://"):
            _limit(uri, LONGEST_UPLOAD_URI)
        elif uri.startswith("https://"):
            _limit(uri, LONGEST_URL)
            _examine_host(uri)
        else:
            raise MediaUriError("Must be an HTTPS URL, a Runway upload URI or a data URI.")

    def _examine_data(self, uri: str) -> None:
        _limit(uri, LONGEST_DATA_URI[self.kind])
        content_type, content = parse_data_uri(uri)
        wrong_image = self.kind == "image" and content_type not in IMAGE_TYPES
        if wrong_image or not content_type.startswith(f"{self.kind}/"):
            raise MediaUriError(f"Unsupported content type for {self.kind}: {content_type}.")
        if not content:
            raise MediaUriError("The data URI is empty.")


def _limit(uri: str, longest: int) -> None:
    if len(uri) > longest:
        raise MediaUriError(f"String must contain at most {longest} character(s)")


def _examine_host(uri: str) -> None:
    host = urlsplit(uri).hostname
    if not host:
        raise MediaUriError("Invalid URL.")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    raise MediaUriError("URLs must use a host name, not an IP address.")


def prompt(longest: int) -> Text:
    """Return a non-empty prompt of at most `longest` UTF-16 code units."""
    return Text(shortest=1, longest=longest, length=utf16_length)


SEED = Whole(least=0, most=4_294_967_295)
MODERATION = Record(optional={"publicFigureThreshold": Choice(("auto", "low"))})
TAG = Text(shortest=3, longest=16, pattern=re.compile(r"[a-z][a-z0-9_]+"))


def _tags_differ(body: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    tags = [item["tag"] for item in body.get("referenceImages", []) if "tag" in item]
    if len(set(tags)) != len(tags):
        yield Violation(
            fault=Fault.RULE,
            path=(*path, "referenceImages"),
            message="Reference image tags must be unique.",
        )


REFERENCE_RULES = (_tags_differ,)


def references(fewest: int, most: int, **extra: Field) -> ListOf:
    """Return a list of reference pictures, each with an optional tag and what `extra` names."""
    item = Record(required={"uri": MediaUri("image")}, optional={"tag": TAG, **extra})
    return ListOf(item=item, fewest=fewest, most=most)


def frames(*positions: str) -> ListOf:
    """Return a list of pictures that stand at different `positions` of a clip."""
    item = Record(required={"uri": MediaUri("image"), "position": Choice(positions)})
    return ListOf(item=item, fewest=1, most=len(positions))


def first_frame_given(body: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    """Yield a violation when the frames lack a first one or name a position twice."""
    images = body["promptImage"]
    if isinstance(images, str):
        return
    positions: list[str] = [image["position"] for image in images]
    if "first" not in positions:
        message = "A last frame requires a first frame."
    elif len(set(positions)) != len(positions):
        message = "Each position may be used only once."
    else:
        return
    yield Violation(fault=Fault.RULE, path=(*path, "promptImage"), message=message)
