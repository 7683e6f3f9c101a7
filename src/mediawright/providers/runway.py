"""Runway: pictures and clips as tasks that are created, asked after and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from mediawright.core.errors import InvalidRequestError
from mediawright.core.money import Money
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import (
    Accepted,
    Broken,
    Done,
    Fault,
    FaultKind,
    Feature,
    JsonObject,
    LoadedInput,
    MediaCall,
    RemoteMedia,
    Usage,
    Waiting,
)
from mediawright.providerkit.adapter import Adapter, CredentialRule, Upload
from mediawright.providerkit.http import (
    HttpCall,
    HttpReply,
    JsonBody,
    MultipartBody,
    Part,
    Trust,
)
from mediawright.providerkit.payload import (
    at_field,
    call_fields,
    file_part,
    inline_reference,
    optional,
    read_leniently,
    unsupported_input,
    unsupported_operation,
)
from mediawright.providerkit.status_faults import fault_for_status

_VERSION = "2024-11-06"
_USD_PER_CREDIT = Decimal("0.01")
_LONGEST_DATA_URI = {
    MediaKind.IMAGE: 5_242_880,
    MediaKind.VIDEO: 16_777_216,
    MediaKind.AUDIO: 16_777_216,
}
"""Characters of the whole data URI."""
_LONGEST_FILENAME = 255

_PATHS = {
    Operation.TEXT_TO_IMAGE: "/v1/text_to_image",
    Operation.IMAGE_TO_IMAGE: "/v1/text_to_image",
    Operation.TEXT_TO_VIDEO: "/v1/text_to_video",
    Operation.IMAGE_TO_VIDEO: "/v1/image_to_video",
}
_POSITIONS = {InputRole.FIRST_FRAME: "first", InputRole.LAST_FRAME: "last"}
_PICTURES = {InputRole.REFERENCE_IMAGE: "referenceImages"}
_REFERENCES = {
    InputRole.REFERENCE_IMAGE: "references",
    InputRole.REFERENCE_VIDEO: "referenceVideos",
    InputRole.REFERENCE_AUDIO: "referenceAudio",
}
_STAGES = {"PENDING": "queued", "THROTTLED": "queued", "RUNNING": "running"}
_FAULT_KINDS = {
    "SAFETY": FaultKind.REFUSED,
    "ASSET": FaultKind.INVALID_REQUEST,
    "INPUT_PREPROCESSING": FaultKind.FAILED,
    "INTERNAL": FaultKind.FAILED,
}
"""By the first component of the dotted `failureCode`."""


class _Credits(msgspec.Struct):
    credits: Decimal


class _Created(msgspec.Struct):
    id: str


class _Task(msgspec.Struct, rename="camel"):
    status: str
    progress: Any = None
    output: Any = None
    failure: Any = None
    failure_code: Any = None
    cost: Any = None


class _UploadSlot(msgspec.Struct, rename="camel"):
    upload_url: str
    runway_uri: str
    fields: dict[str, str] = {}


class _Handle(msgspec.Struct):
    id: str
    kind: MediaKind


class _Issue(msgspec.Struct):
    message: str = ""
    path: list[str | int] = []


class _ErrorReply(msgspec.Struct):
    error: str
    issues: Any = None


class RunwayAdapter(Adapter):
    """The task API of Runway."""

    name = "runway"
    title = "Runway"
    documentation = "https://docs.dev.runwayml.com"
    credential = CredentialRule(
        variables=("RUNWAYML_API_SECRET", "RUNWAYML_API_KEY"),
        header="Authorization",
        prefix="Bearer ",
    )
    default_base_urls: ClassVar[Mapping[str, str]] = {"api": "https://api.dev.runwayml.com"}
    features = frozenset({Feature.CANCEL, Feature.PROGRESS})

    def upload(self, media: LoadedInput) -> Upload | None:
        """Upload what is too large for a data URI and has no public URL."""
        return None if _inline(media) is not None else self._upload(media)

    def submit(self, call: MediaCall, uploads: Mapping[int, str]) -> HttpCall:
        """Create a task at the operation's endpoint."""
        path = _PATHS.get(call.operation)
        if path is None:
            raise unsupported_operation(call, self.title)
        references = [
            uploads[index] if index in uploads else _inline(item) or ""
            for index, item in enumerate(call.inputs)
        ]
        prompt = {} if call.prompt is None else {"promptText": call.prompt}
        body = {
            "model": call.upstream_id,
            **prompt,
            **_place_inputs(call, references),
            **call_fields(call, self.name),
        }
        return self._call("POST", path, JsonBody(body))

    def read_submit(self, call: MediaCall, reply: HttpReply) -> Accepted:
        """Keep the task's id and the kind of file it will make."""
        created: _Created = reply.json_as(_Created)
        handle = {"id": created.id, "kind": call.operation.output_kind.value}
        return Accepted(handle=handle, vendor_id=created.id)

    def poll(self, handle: dict[str, Any]) -> HttpCall:
        """Ask for the task."""
        return self._task_call("GET", handle)

    def read_poll(self, handle: dict[str, Any], reply: HttpReply) -> Waiting | Done | Broken:
        """Read the task's state; its output URLs live for a day or two."""
        task: _Task = reply.json_as(_Task)
        match task.status:
            case "SUCCEEDED":
                return _finished(msgspec.convert(handle, _Handle).kind, task)
            case "FAILED":
                return Broken(fault=_failure(task), usage=_usage(task))
            case "CANCELLED":
                fault = Fault(kind=FaultKind.CANCELLED, message="The task was cancelled.")
                return Broken(fault=fault, usage=_usage(task))
            case _:
                return _waiting(task)

    def read_poll_error(self, handle: dict[str, Any], reply: HttpReply) -> Waiting | Broken:
        """Read 404 as the end of a task that once was: it was cancelled or deleted."""
        if reply.status == 404:  # noqa: PLR2004
            return Broken(
                fault=Fault(
                    kind=FaultKind.CANCELLED,
                    message="The task no longer exists; it was cancelled or deleted.",
                    http_status=404,
                )
            )
        return super().read_poll_error(handle, reply)

    def cancel(self, handle: dict[str, Any]) -> HttpCall:
        """Delete the task, which stops it if it is not finished."""
        return self._task_call("DELETE", handle)

    def attach(self, vendor_id: str, upstream_id: str) -> JsonObject:
        """Name a task; what kind of file it makes follows from its model."""
        kind = MediaKind.IMAGE if "image" in upstream_id else MediaKind.VIDEO
        return {"id": vendor_id, "kind": kind.value}

    def read_error(self, reply: HttpReply) -> Fault:
        """Read the sentence, and the fields at fault if the vendor's schema found them."""
        body = read_leniently(reply, _ErrorReply)
        if body is None:
            return fault_for_status(reply, synchronous=False)
        issues = optional(body.issues, list[_Issue]) or []
        message = "; ".join(
            [body.error, *(at_field(issue.path, issue.message) for issue in issues)]
        )
        is_broke = "enough credits" in body.error
        kinds = {reply.status: FaultKind.OUT_OF_CREDIT} if is_broke else None
        return fault_for_status(reply, message, synchronous=False, kinds=kinds)

    def _task_call(self, method: str, handle: dict[str, Any]) -> HttpCall:
        task_id = msgspec.convert(handle, _Handle).id
        return self._call(method, f"/v1/tasks/{quote(task_id, safe='')}")

    def _call(self, method: str, path: str, body: JsonBody | None = None) -> HttpCall:
        return HttpCall(
            method=method,
            url=f"{self.base_urls['api']}{path}",
            headers={"X-Runway-Version": _VERSION},
            body=body,
        )

    def _upload(self, media: LoadedInput) -> Upload:
        filename = media.name[-_LONGEST_FILENAME:]
        body = JsonBody({"filename": filename, "type": "ephemeral"})
        reply = yield self._call("POST", "/v1/uploads", body)
        slot: _UploadSlot = reply.json_as(_UploadSlot)
        fields = [Part(name=name, data=value) for name, value in slot.fields.items()]
        yield HttpCall(
            method="POST",
            url=slot.upload_url,
            trust=Trust.REPLY,
            authenticated=False,
            body=MultipartBody((*fields, file_part("file", media))),
        )
        return slot.runway_uri


def _inline(media: LoadedInput) -> str | None:
    return inline_reference(media, longest=_LONGEST_DATA_URI.get(media.kind, 0))


def _place_inputs(call: MediaCall, references: list[str]) -> JsonObject:
    if call.operation is Operation.IMAGE_TO_VIDEO:
        return {"promptImage": _prompt_images(call, references)}
    fields = _REFERENCES if call.operation is Operation.TEXT_TO_VIDEO else _PICTURES
    placed: JsonObject = {}
    for index, (item, reference) in enumerate(zip(call.inputs, references, strict=True)):
        field = fields.get(item.role)
        if field is None:
            raise unsupported_input(item.role, index)
        # Pictures are told by the list they are in; others say their kind too.
        kind = {} if item.kind is MediaKind.IMAGE else {"type": item.kind.value}
        placed.setdefault(field, []).append({**kind, "uri": reference})
    return placed


def _prompt_images(call: MediaCall, references: list[str]) -> list[JsonObject]:
    images: list[JsonObject] = []
    for index, (item, reference) in enumerate(zip(call.inputs, references, strict=True)):
        if item.role in _POSITIONS:
            images.append({"uri": reference, "position": _POSITIONS[item.role]})
        elif item.role is InputRole.REFERENCE_IMAGE:
            images.append({"uri": reference})
        else:
            raise unsupported_input(item.role, index)
    if not images:
        raise InvalidRequestError(
            "missing_input", "An image-to-video task needs a picture.", pointer="/inputs"
        )
    return images


def _waiting(task: _Task) -> Waiting:
    stage = _STAGES.get(task.status)
    warning = None if stage else f"Runway answers an unknown status: {task.status}"
    return Waiting(
        stage=stage or task.status.lower(),
        progress=optional(task.progress, float),
        warning=warning,
    )


def _finished(kind: MediaKind, task: _Task) -> Done | Broken:
    urls = optional(task.output, list[str])
    if not urls:
        fault = Fault(kind=FaultKind.FAILED, message="The task ended without any file.")
        return Broken(fault=fault, usage=_usage(task))
    return Done(outputs=tuple(RemoteMedia(kind=kind, url=url) for url in urls), usage=_usage(task))


def _failure(task: _Task) -> Fault:
    code = optional(task.failure_code, str)
    return Fault(
        kind=_FAULT_KINDS.get((code or "").partition(".")[0], FaultKind.FAILED),
        message=optional(task.failure, str) or code or "The task failed.",
        vendor_code=code,
    )


def _usage(task: _Task) -> Usage:
    cost = optional(task.cost, _Credits)
    return Usage(cost=Money.usd(cost.credits * _USD_PER_CREDIT) if cost else None)
