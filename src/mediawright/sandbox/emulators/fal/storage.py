"""Files that clients upload: tokens, the CDN, signed addresses, uploads in parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mediawright.sandbox.emulators.fal.wire import detail_reply
from mediawright.sandbox.kit.call import Call, Reply, VendorError
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.fields import ListOf, Record, Text, Whole
from mediawright.sandbox.kit.scenario import RequestKind
from mediawright.sandbox.kit.shelf import FetchedFile, FetchError

_TOKEN_LIFE = timedelta(hours=1)
_STORAGE_TYPES = ("fal-cdn-v3", "gcs")
_COMPLETION = Record(
    required={
        "parts": ListOf(
            item=Record(required={"partNumber": Whole(least=1), "etag": Text()}, closed=False)
        )
    },
    closed=False,
)
_CDN_FILES = "/cdn/files/{id}/{name}"
_SIGNED = "/cdn/signed/{id}/{name}"


@dataclass(kw_only=True)
class _Upload:
    name: str
    content_type: str
    data: bytes | None = None
    """Missing until everything arrived."""
    parts: dict[int, bytes] = field(default_factory=dict[int, bytes])
    expires_at: datetime | None = None


class Storage:
    """fal's storage and CDN."""

    def __init__(self, emulator: Emulator) -> None:
        """Belong to an emulator."""
        self._emulator = emulator
        self._uploads: dict[str, _Upload] = {}
        self._tokens: dict[str, datetime] = {}

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""

        def of(method: str, path: str, handler: Any, *, needs_key: bool = True) -> Endpoint:
            return Endpoint(
                method=method,
                path=path,
                handler=handler,
                kind=RequestKind.UPLOAD,
                needs_key=needs_key,
            )

        return (
            of("POST", "/rest/storage/auth/token", self._issue_token),
            of("POST", "/rest/storage/upload/initiate", self._initiate),
            of("POST", "/rest/storage/upload/initiate-multipart", self._initiate),
            of("PUT", _SIGNED, self._put_signed, needs_key=False),
            of("PUT", f"{_SIGNED}/{{number}}", self._put_signed_part, needs_key=False),
            of("POST", f"{_SIGNED}/complete", self._complete, needs_key=False),
            of("POST", "/cdn/files/upload", self._upload),
            of("POST", "/cdn/files/upload/multipart", self._begin_parts),
            of("PUT", f"{_CDN_FILES}/multipart/{{upload}}/{{number}}", self._put_part),
            of("POST", f"{_CDN_FILES}/multipart/{{upload}}/complete", self._complete),
            Endpoint(
                method="GET",
                path=_CDN_FILES,
                handler=self._download,
                kind=RequestKind.OTHER,
                needs_key=False,
            ),
        )

    async def fetch(self, url: str) -> FetchedFile:
        """Return an input file: one that was uploaded, a data URI, or the sandbox's own.

        Raises:
            FetchError: If it cannot be had.
        """
        prefix = self._address("")
        if not url.startswith(prefix):
            return await self._emulator.kit.shelf.fetch(url)
        upload = self._uploads.get(url.removeprefix(prefix).partition("/")[0])
        if upload is None or upload.data is None or self._is_expired(upload):
            raise FetchError("no such file")
        return FetchedFile(data=upload.data, content_type=upload.content_type)

    def reset(self) -> None:
        """Drop every file and token."""
        self._uploads.clear()
        self._tokens.clear()

    async def _issue_token(self, call: Call) -> Reply:
        if call.query.get("storage_type") != "fal-cdn-v3":
            raise VendorError(detail_reply(400, "Unknown storage type"))
        token = self._emulator.ids.alphanumeric(64)
        expires_at = self._emulator.kit.clock.now() + _TOKEN_LIFE
        self._tokens[token] = expires_at
        return Reply.json(
            {
                "token": token,
                "token_type": "Bearer",
                "base_url": f"{self._emulator.kit.root}/fal/cdn",
                "expires_at": expires_at.isoformat(),
            }
        )

    async def _upload(self, call: Call) -> Reply:
        upload_id, upload = self._begin_cdn(call)
        upload.data = call.body.raw
        return Reply.json({"access_url": self._address(f"{upload_id}/{upload.name}")})

    async def _begin_parts(self, call: Call) -> Reply:
        upload_id, upload = self._begin_cdn(call)
        return Reply.json(
            {
                "access_url": self._address(f"{upload_id}/{upload.name}"),
                "uploadId": self._emulator.ids.hexadecimal(32),
            }
        )

    async def _put_part(self, call: Call) -> Reply:
        self._check_token(call)
        return Reply(headers={"ETag": self._keep_part(call)})

    async def _put_signed_part(self, call: Call) -> Reply:
        etag = self._keep_part(call)
        return Reply.json({"partNumber": int(call.match["number"]), "etag": etag})

    async def _complete(self, call: Call) -> Reply:
        upload = self._find(call)
        if any(_COMPLETION.check(call.body.document)):
            raise VendorError(detail_reply(422, "The parts are missing"))
        entries = (call.body.fields or {})["parts"]
        numbers = sorted(entry["partNumber"] for entry in entries)
        if numbers != sorted(upload.parts):
            raise VendorError(detail_reply(400, "The parts do not match what was uploaded"))
        upload.data = b"".join(upload.parts[number] for number in numbers)
        upload.parts.clear()
        return Reply.json({"access_url": self._address(f"{call.match['id']}/{upload.name}")})

    async def _initiate(self, call: Call) -> Reply:
        fields = call.body.fields or {}
        content_type = fields.get("content_type")
        if call.query.get("storage_type") not in _STORAGE_TYPES or not content_type:
            raise VendorError(detail_reply(400, "Unknown storage type or content type"))
        upload_id, upload = self._begin(str(fields.get("file_name", "")), str(content_type))
        path = f"{upload_id}/{upload.name}"
        root = self._emulator.kit.root
        return Reply.json(
            {
                "upload_url": f"{root}/fal/cdn/signed/{path}?signature={upload_id}",
                "file_url": self._address(path),
            }
        )

    async def _put_signed(self, call: Call) -> Reply:
        self._find(call).data = call.body.raw
        return Reply()

    async def _download(self, call: Call) -> Reply:
        upload = self._find(call)
        if upload.data is None or self._is_expired(upload):
            raise VendorError(detail_reply(404, "File not found"))
        return Reply(body=upload.data, content_type=upload.content_type)

    def _begin_cdn(self, call: Call) -> tuple[str, _Upload]:
        self._check_token(call)
        upload_id, upload = self._begin(
            call.headers.get("X-Fal-File-Name", ""),
            call.headers.get("Content-Type", "application/octet-stream"),
        )
        upload.expires_at = self._expiry(call.headers.get("X-Fal-Object-Lifecycle"))
        return upload_id, upload

    def _begin(self, name: str, content_type: str) -> tuple[str, _Upload]:
        upload_id = self._emulator.ids.alphanumeric(21)
        clean = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
        upload = _Upload(name=clean or "upload.bin", content_type=content_type)
        self._uploads[upload_id] = upload
        return upload_id, upload

    def _keep_part(self, call: Call) -> str:
        number = call.match["number"]
        if not number.isdigit() or int(number) < 1:
            raise VendorError(detail_reply(400, "Part numbers begin at 1"))
        self._find(call).parts[int(number)] = call.body.raw
        return f'"{hashlib.md5(call.body.raw, usedforsecurity=False).hexdigest()}"'

    def _find(self, call: Call) -> _Upload:
        upload = self._uploads.get(call.match["id"])
        if upload is None:
            raise VendorError(detail_reply(404, "File not found"))
        return upload

    def _check_token(self, call: Call) -> None:
        token = call.headers.get("Authorization", "").partition(" ")[2]
        expires_at = self._tokens.get(token)
        if expires_at is None or expires_at <= self._emulator.kit.clock.now():
            raise VendorError(detail_reply(401, "Invalid or expired token"))

    def _expiry(self, lifecycle: str | None) -> datetime | None:
        try:
            seconds = json.loads(lifecycle or "{}").get("expiration_duration_seconds")
        except (ValueError, AttributeError):
            raise VendorError(detail_reply(400, "Invalid object lifecycle")) from None
        return self._emulator.kit.clock.now() + timedelta(seconds=seconds) if seconds else None

    def _is_expired(self, upload: _Upload) -> bool:
        return upload.expires_at is not None and upload.expires_at <= self._emulator.kit.clock.now()

    def _address(self, path: str) -> str:
        return f"{self._emulator.kit.root}/fal/cdn/files/{path}"
