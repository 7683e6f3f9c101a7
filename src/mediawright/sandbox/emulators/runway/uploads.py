"""Ephemeral uploads: a form that the sandbox hands out, and the bucket it is posted to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mediawright.sandbox.kit.bodies import Part
from mediawright.sandbox.kit.fields import Choice, Record, Text
from mediawright.sandbox.kit.ids import SeededIds

LIFETIME = timedelta(hours=24)
SMALLEST_FILE = 512
LARGEST_FILE = 200 * 1024 * 1024
CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "aac": "audio/aac",
}

REQUEST = Record(
    required={
        "filename": Text(
            shortest=3,
            longest=255,
            pattern=re.compile(rf".+\.({'|'.join(CONTENT_TYPES)})", re.IGNORECASE),
        ),
        "type": Choice(("ephemeral",)),
    },
    optional={"numberOfParts": Choice((1,))},
)


class UploadError(Exception):
    """The bucket refuses a form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Say why, in the words of an object store."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def to_xml(self) -> str:
        """Return the body of the bucket's error reply."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
        )


@dataclass(kw_only=True)
class Upload:
    """A place for one file."""

    uri: str
    key: str
    policy: str
    content_type: str
    expires_at: datetime
    data: bytes | None = None
    """`None` until the file came."""

    @property
    def form(self) -> dict[str, str]:
        """The fields that have to be posted before the file."""
        return {"Content-Type": self.content_type, "key": self.key, "policy": self.policy}


class UploadBook:
    """Every upload that was begun."""

    def __init__(self, ids: SeededIds) -> None:
        self._ids = ids
        self._by_key: dict[str, Upload] = {}
        self._by_uri: dict[str, Upload] = {}

    def begin(self, filename: str, now: datetime) -> Upload:
        """Make a place for a file of that name."""
        extension = filename.rpartition(".")[2].lower()
        key = f"ephemeral/{self._ids.uuid4()}/{filename}"
        upload = Upload(
            uri=f"runway://{self._ids.alphanumeric(64)}",
            key=key,
            policy=self._ids.alphanumeric(64),
            content_type=CONTENT_TYPES[extension],
            expires_at=now + LIFETIME,
        )
        self._by_key[key] = upload
        self._by_uri[upload.uri] = upload
        return upload

    def receive(self, parts: Sequence[Part], now: datetime) -> Upload:
        """Take a posted form.

        Raises:
            UploadError: The fields are not those handed out, the file is not the last part, or
                its size is out of bounds.
        """
        fields = {part.name: part.text for part in parts if part.filename is None}
        upload = self._by_key.get(fields.get("key", ""))
        if upload is None or fields.get("policy") != upload.policy or now >= upload.expires_at:
            raise UploadError(403, "AccessDenied", "Invalid according to Policy")
        if any(fields.get(name) != value for name, value in upload.form.items()):
            raise UploadError(403, "AccessDenied", "Invalid according to Policy")
        if not parts or parts[-1].name != "file":
            raise UploadError(400, "InvalidArgument", "The file must be the last part.")
        file = parts[-1]
        if len(file.data) < SMALLEST_FILE:
            raise UploadError(400, "EntityTooSmall", "Your proposed upload is too small.")
        if len(file.data) > LARGEST_FILE:
            raise UploadError(400, "EntityTooLarge", "Your proposed upload is too large.")
        upload.data = file.data
        return upload

    def find(self, uri: str, now: datetime) -> Upload | None:
        """Return the upload of that URI, if its file came and it has not expired."""
        upload = self._by_uri.get(uri)
        if upload is None or upload.data is None or now >= upload.expires_at:
            return None
        return upload

    def reset(self) -> None:
        """Forget every upload."""
        self._by_key.clear()
        self._by_uri.clear()
