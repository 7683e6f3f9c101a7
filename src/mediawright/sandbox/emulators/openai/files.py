"""Files that requests refer to by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mediawright.sandbox.emulators.openai.wire import (
    error_reply,
    invalid,
    supported_values,
)
from mediawright.sandbox.kit.call import Call, Reply, VendorError
from mediawright.sandbox.kit.clock import VirtualClock
from mediawright.sandbox.kit.emulator import Endpoint
from mediawright.sandbox.kit.ids import SeededIds
from mediawright.sandbox.kit.scenario import RequestKind

_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_SHORTEST_LIFE = 3600
_LONGEST_LIFE = 2_592_000


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """An uploaded file."""

    data: bytes
    content_type: str
    description: dict[str, Any]
    """The file object of the API."""


class FileStore:
    """The uploaded files and their paths."""

    def __init__(self, ids: SeededIds, clock: VirtualClock) -> None:
        """Begin empty."""
        self._ids = ids
        self._clock = clock
        self._files: dict[str, StoredFile] = {}

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""
        one = "/v1/files/{id}"
        return (
            Endpoint(
                method="POST", path="/v1/files", handler=self._upload, kind=RequestKind.UPLOAD
            ),
            Endpoint(method="GET", path=one, handler=self._show, kind=RequestKind.OTHER),
            Endpoint(
                method="GET",
                path=f"{one}/content",
                handler=self._content,
                kind=RequestKind.OTHER,
            ),
            Endpoint(method="DELETE", path=one, handler=self._delete, kind=RequestKind.OTHER),
        )

    def data(self, file_id: str, param: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            VendorError: If there is none.
        """
        return self._find(file_id, param).data

    def reset(self) -> None:
        """Drop every file."""
        self._files.clear()

    async def _upload(self, call: Call) -> Reply:
        parts = call.body.files("file")
        if not parts:
            message = "Missing required parameter: 'file'."
            raise invalid(message, "file", "missing_required_parameter")
        purpose = "".join(call.body.texts("purpose"))
        if purpose not in _PURPOSES:
            raise supported_values(purpose, _PURPOSES, "purpose")
        now = int(self._clock.now().timestamp())
        description: dict[str, Any] = {
            "id": f"file-{self._ids.alphanumeric(22)}",
            "object": "file",
            "bytes": len(parts[0].data),
            "created_at": now,
            "filename": parts[0].filename,
            "purpose": purpose,
            "status": "processed",
        }
        life = _life(call)
        if life is not None:
            description["expires_at"] = now + life
        self._files[description["id"]] = StoredFile(
            data=parts[0].data,
            content_type=parts[0].content_type or "application/octet-stream",
            description=description,
        )
        return Reply.json(description)

    async def _show(self, call: Call) -> Reply:
        return Reply.json(self._find(call.match["id"], "id").description)

    async def _content(self, call: Call) -> Reply:
        file = self._find(call.match["id"], "id")
        return Reply(body=file.data, content_type=file.content_type)

    async def _delete(self, call: Call) -> Reply:
        file_id = self._find(call.match["id"], "id").description["id"]
        del self._files[file_id]
        return Reply.json({"id": file_id, "object": "file", "deleted": True})

    def _find(self, file_id: str, param: str) -> StoredFile:
        file = self._files.get(file_id)
        now = self._clock.now().timestamp()
        if file is None or file.description.get("expires_at", now + 1) <= now:
            raise VendorError(error_reply(404, f"No such File object: {file_id}", param=param))
        return file


def _life(call: Call) -> int | None:
    texts = call.body.texts("expires_after[seconds]")
    if not texts:
        return None
    if not texts[0].isdigit() or not _SHORTEST_LIFE <= int(texts[0]) <= _LONGEST_LIFE:
        message = f"Expected a value from {_SHORTEST_LIFE} to {_LONGEST_LIFE}."
        raise invalid(f"Invalid 'expires_after.seconds'. {message}", "expires_after.seconds")
    return int(texts[0])
