"""fal: every model behind one queue of submit, status, result and cancel (fal dossier)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import msgspec

from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import (
    Accepted,
    Broken,
    Done,
    Fault,
    FaultKind,
    Feature,
    InlineMedia,
    LoadedInput,
    MediaCall,
    RemoteMedia,
    Waiting,
)
from mediawright.providerkit.adapter import Adapter, Again, CredentialRule, Upload
from mediawright.providerkit.hooks import HookNotice, HookRequest, HookRule, PublishedKeys
from mediawright.providerkit.http import (
    HttpCall,
    HttpReply,
    JsonBody,
    RawBody,
    Trust,
    UnreadableReplyError,
)
from mediawright.providerkit.payload import (
    at_field,
    call_fields,
    inline_reference,
    optional,
    parse_data_uri,
    place_inputs,
    read_leniently,
    unsupported_operation,
)
from mediawright.providerkit.signature_rules import FAL
from mediawright.providerkit.status_faults import fault_for_status

_LONGEST_DATA_URI = 350_000
"""Characters, about 256 KiB of file; larger data URIs slow requests down (section 5)."""
_DATA_URI_AUDIO = {
    "audio/mpeg": "audio/mpeg",
    "audio/wav": "audio/x-wav",
    "audio/x-wav": "audio/x-wav",
}
"""The audio types that data URIs may declare, and how (section 5)."""

_INPUT_FIELDS: dict[str, str] = {
    InputRole.FIRST_FRAME: "image_url",
    InputRole.REFERENCE_IMAGE: "image_url",
    InputRole.LAST_FRAME: "end_image_url",
    InputRole.MASK: "mask_url",
    InputRole.REFERENCE_VIDEO: "video_url",
    InputRole.REFERENCE_AUDIO: "audio_url",
}
_OUTPUT_FIELDS = {
    "images": MediaKind.IMAGE,
    "image": MediaKind.IMAGE,
    "videos": MediaKind.VIDEO,
    "video": MediaKind.VIDEO,
    "audio": MediaKind.AUDIO,
    "audio_url": MediaKind.AUDIO,
    "audio_file": MediaKind.AUDIO,
}
_STAGES = {"IN_QUEUE": "queued", "IN_PROGRESS": "running"}
_JOB_FAULT_KINDS = {
    "content_policy_violation": FaultKind.REFUSED,
    "client_cancelled": FaultKind.CANCELLED,
    "no_media_generated": FaultKind.FAILED,
}
_NAMESPACES = frozenset({"workflows", "comfy"})
"""First steps of a model's path that requests keep in front of owner and alias (section 3.1)."""
_ABOUT_ASKING = frozenset({401, 403, 404, 408, 429})
"""Statuses of a result call that are no verdict of the job's model."""

_OWN_TROUBLE = frozenset({None, "internal_error"})
"""Error types of a server error that may be about the question as well as about the job."""


class _Handle(msgspec.Struct, omit_defaults=True):
    request_id: str
    status_url: str
    response_url: str
    cancel_url: str | None = None
    step: Literal["status", "result"] = "status"
    error: str | None = None
    """What the status said went wrong; the result then says more."""
    error_type: str | None = None


class _Queued(msgspec.Struct):
    request_id: str
    status_url: str
    response_url: str
    cancel_url: str | None = None


class _Status(msgspec.Struct):
    status: str
    error: Any = None
    error_type: Any = None


class _Report(msgspec.Struct):
    request_id: str


class _File(msgspec.Struct):
    url: str
    content_type: Any = None


class _Result(msgspec.Struct):
    images: Any = None
    image: Any = None
    videos: Any = None
    video: Any = None
    audio: Any = None
    audio_url: Any = None
    audio_file: Any = None
    seed: Any = None
    has_nsfw_concepts: Any = None


class _UploadToken(msgspec.Struct):
    token: str
    token_type: str | None = None
    base_url: str | None = None


class _Uploaded(msgspec.Struct):
    access_url: str


class _Mistake(msgspec.Struct):
    msg: str = ""
    type: str | None = None
    loc: list[str | int] = []


class _ErrorObject(msgspec.Struct):
    message: str | None = None
    code: str | None = None


class _ErrorReply(msgspec.Struct):
    detail: Any = None
    error: Any = None
    message: Any = None
    error_type: Any = None


class _Explanation(msgspec.Struct):
    message: str | None = None
    error_type: str | None = None


class FalAdapter(Adapter):
    """fal's queue."""

    name = "fal"
    title = "fal"
    documentation = "https://fal.ai/docs"
    credential = CredentialRule(
        variables=("FAL_KEY", "FAL_API_KEY"), header="Authorization", prefix="Key "
    )
    default_base_urls: ClassVar[Mapping[str, str]] = {
        "queue": "https://queue.fal.run",
        "run": "https://fal.run",
        "rest": "https://rest.fal.ai",
        "cdn": "https://v3.fal.media",
    }
    features = frozenset({Feature.CANCEL, Feature.WEBHOOK})
    hooks = HookRule(signature=FAL, keys=PublishedKeys(base="rest", path="/.well-known/jwks.json"))

    def upload(self, media: LoadedInput) -> Upload | None:
        """Upload to the CDN what is too large for a data URI (section 5.2)."""
        return None if _inline(media) is not None else self._upload(media)

    def submit(self, call: MediaCall, uploads: Mapping[int, str]) -> HttpCall:
        """Put the model's input on its queue."""
        if call.operation is Operation.SPEECH_TO_TEXT:
            raise unsupported_operation(call, self.title)
        references = {
            index: uploads[index] if index in uploads else _inline(item) or ""
            for index, item in enumerate(call.inputs)
        }
        prompt = {} if call.prompt is None else {"prompt": call.prompt}
        return HttpCall(
            method="POST",
            url=f"{self.base_urls['queue']}/{quote(call.upstream_id)}",
            query={"fal_webhook": call.hook_url} if call.hook_url else {},
            body=JsonBody(
                {
                    **prompt,
                    **place_inputs(call, references, _INPUT_FIELDS),
                    **call_fields(call, self.name),
                }
            ),
        )

    def read_submit(self, call: MediaCall, reply: HttpReply) -> Accepted:
        """Keep the request's own URLs: their path is not the submit's (section 3.1)."""
        del call
        queued: _Queued = reply.json_as(_Queued)
        handle = _Handle(
            request_id=queued.request_id,
            status_url=queued.status_url,
            response_url=queued.response_url,
            cancel_url=queued.cancel_url,
        )
        return Accepted(handle=msgspec.to_builtins(handle), vendor_id=handle.request_id)

    def poll(self, handle: dict[str, Any]) -> HttpCall:
        """Ask for the status, or for the result once the status says it is there."""
        known = msgspec.convert(handle, _Handle)
        url = known.status_url if known.step == "status" else known.response_url
        return HttpCall(method="GET", url=url, trust=Trust.REPLY)

    def read_poll(
        self, handle: dict[str, Any], reply: HttpReply
    ) -> Waiting | Done | Broken | Again:
        """Read a status or a result; `COMPLETED` is only the end, not success."""
        if msgspec.convert(handle, _Handle).step == "result":
            return _read_result(reply)
        body: _Status = reply.json_as(_Status)
        if body.status != "COMPLETED":
            return _waiting(body.status)
        error, error_type = optional(body.error, str), optional(body.error_type, str)
        if error_type in _JOB_FAULT_KINDS:
            return Broken(fault=_job_fault(_Explanation(error, error_type)))
        said = {"error": error or error_type, "error_type": error_type}
        noted = {name: text for name, text in said.items() if text}
        return Again(handle={**handle, **noted, "step": "result"})

    def read_poll_error(self, handle: dict[str, Any], reply: HttpReply) -> Waiting | Broken:
        """Tell the job's failure, which a result call answers, from trouble with asking."""
        known = msgspec.convert(handle, _Handle)
        if known.step == "status" or reply.status in _ABOUT_ASKING:
            return super().read_poll_error(handle, reply)
        explanation = _explain(reply)
        message = explanation.message or known.error
        if "still in progress" in (message or ""):
            return Waiting(stage="running")
        is_doubtful = reply.status >= 500 and explanation.error_type in _OWN_TROUBLE  # noqa: PLR2004
        if is_doubtful and not known.error:
            return super().read_poll_error(handle, reply)
        error_type = explanation.error_type or known.error_type
        return Broken(fault=_job_fault(_Explanation(message, error_type), reply))

    def cancel(self, handle: dict[str, Any]) -> HttpCall | None:
        """Ask to take the request out of the queue or to stop its runner."""
        url = msgspec.convert(handle, _Handle).cancel_url
        return HttpCall(method="PUT", url=url, trust=Trust.REPLY) if url else None

    def attach(self, vendor_id: str, upstream_id: str) -> dict[str, Any]:
        """Build a request's URLs, for when the reply that names them is lost (section 3.1)."""
        steps = upstream_id.split("/")
        application = "/".join(steps[: 3 if steps[0] in _NAMESPACES else 2])
        address = (
            f"{self.base_urls['queue']}/{quote(application)}/requests/{quote(vendor_id, safe='')}"
        )
        handle = _Handle(
            request_id=vendor_id,
            status_url=f"{address}/status",
            response_url=address,
            cancel_url=f"{address}/cancel",
        )
        return msgspec.to_builtins(handle)

    def read_hook(self, request: HookRequest) -> HookNotice:
        """Read a report; there is one for each request, at its end (section 4)."""
        try:
            report = msgspec.json.decode(request.body, type=_Report)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableReplyError("the webhook does not name its request") from error
        return HookNotice(delivery_id=report.request_id, vendor_id=report.request_id, finished=True)

    def read_error(self, reply: HttpReply) -> Fault:
        """Read any of fal's error shapes (section 6)."""
        explanation = _explain(reply)
        kind = _JOB_FAULT_KINDS.get(explanation.error_type or "")
        if reply.status == 403 and "balance" in (explanation.message or "").lower():  # noqa: PLR2004
            kind = FaultKind.OUT_OF_CREDIT
        return fault_for_status(
            reply,
            explanation.message or "",
            synchronous=False,
            vendor_code=explanation.error_type,
            kinds={reply.status: kind} if kind else None,
        )

    def _upload(self, media: LoadedInput) -> Upload:
        reply = yield HttpCall(
            method="POST",
            url=f"{self.base_urls['rest']}/storage/auth/token",
            query={"storage_type": "fal-cdn-v3"},
            body=JsonBody({}),
        )
        token: _UploadToken = reply.json_as(_UploadToken)
        reply = yield HttpCall(
            method="POST",
            url=f"{token.base_url or self.base_urls['cdn']}/files/upload",
            trust=Trust.REPLY,
            authenticated=False,
            headers={
                "Authorization": f"{token.token_type or 'Bearer'} {token.token}",
                "X-Fal-File-Name": quote(media.name),
            },
            body=RawBody(media.data or b"", media.content_type),
        )
        uploaded: _Uploaded = reply.json_as(_Uploaded)
        return uploaded.access_url


def _inline(media: LoadedInput) -> str | None:
    if media.kind is not MediaKind.AUDIO:
        return inline_reference(media, longest=_LONGEST_DATA_URI)
    declared = _DATA_URI_AUDIO.get(media.content_type)
    longest = _LONGEST_DATA_URI if declared else 0
    return inline_reference(media, longest=longest, content_type=declared)


def _waiting(status: str) -> Waiting:
    stage = _STAGES.get(status)
    if stage is None:
        return Waiting(stage=status.lower(), warning=f"fal answers an unknown status: {status}")
    return Waiting(stage=stage)


def _read_result(reply: HttpReply) -> Done | Broken:
    body: _Result = reply.json_as(_Result)
    values = {name: value for name in _OUTPUT_FIELDS if (value := getattr(body, name)) is not None}
    if not values:
        raise UnreadableReplyError("the result holds no field that is known to carry files")
    files = [
        (_OUTPUT_FIELDS[name], file) for name, value in values.items() for file in _files(value)
    ]
    flags = optional(body.has_nsfw_concepts, list[bool]) or []
    flagged = {index for index, is_flagged in enumerate(flags) if is_flagged}
    if flagged and flagged.issuperset(range(len(files))):
        message = "The safety checker replaced the result with a black picture."
        return Broken(fault=_job_fault(_Explanation(message, "content_policy_violation")))
    if not files:
        return Broken(fault=_job_fault(_Explanation("The result holds no file.", None)))
    seed = optional(body.seed, int)
    return Done(
        outputs=tuple(
            _output(kind, file, seed)
            for index, (kind, file) in enumerate(files)
            if index not in flagged
        )
    )


def _files(value: Any) -> Iterator[_File]:
    items = optional(value, list[Any])
    for item in [value] if items is None else items:
        file = _File(url=item) if isinstance(item, str) else optional(item, _File)
        if file is None:
            raise UnreadableReplyError("the result names a file without its URL")
        yield file


def _output(kind: MediaKind, file: _File, seed: int | None) -> RemoteMedia | InlineMedia:
    if file.url.startswith("data:"):
        data, content_type = parse_data_uri(file.url)
        return InlineMedia(kind=kind, data=data, content_type=content_type, seed=seed)
    content_type = optional(file.content_type, str)
    return RemoteMedia(kind=kind, url=file.url, content_type=content_type, seed=seed)


def _job_fault(explanation: _Explanation, reply: HttpReply | None = None) -> Fault:
    is_mistake = reply is not None and reply.status == 422  # noqa: PLR2004
    otherwise = FaultKind.INVALID_REQUEST if is_mistake else FaultKind.FAILED
    kind = _JOB_FAULT_KINDS.get(explanation.error_type or "", otherwise)
    return Fault(
        kind=kind,
        message=explanation.message or explanation.error_type or "The job failed.",
        vendor_code=explanation.error_type,
        http_status=reply.status if reply else None,
    )


def _explain(reply: HttpReply) -> _Explanation:
    body = read_leniently(reply, _ErrorReply) or _ErrorReply()
    error_type = optional(body.error_type, str) or reply.headers.get("x-fal-error-type")
    mistakes = optional(body.detail, list[_Mistake])
    if mistakes:
        text = "; ".join(at_field(mistake.loc, mistake.msg) for mistake in mistakes)
        return _Explanation(text, error_type or mistakes[0].type)
    error = optional(body.error, _ErrorObject)
    texts = (body.detail, body.error, error.message if error else None, body.message)
    return _Explanation(
        next((text for text in texts if isinstance(text, str)), None),
        error_type or (error.code if error else None),
    )
