"""A small vendor: its adapter, the calls made to it, and servers that answer for it."""

from __future__ import annotations

from typing import Any, ClassVar

from aiohttp import web

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import (
    Accepted,
    Broken,
    Declined,
    Done,
    Fault,
    FaultKind,
    Feature,
    InlineMedia,
    LoadedInput,
    MediaCall,
    RemoteMedia,
    StagedMedia,
    Waiting,
)
from mediawright.core.request import Parameters
from mediawright.providerkit.adapter import Adapter, Again, CredentialRule
from mediawright.providerkit.http import Expectation, HttpCall, JsonBody, RawBody, Trust
from mediawright.providerkit.status_faults import fault_for_status

SECRET = "tiny-secret-0123456789"


class TinyAdapter(Adapter):
    """A vendor as small as can be: jobs on `/jobs`, uploads on `/files`."""

    name = "tiny"
    title = "Tiny"
    documentation = "https://tiny.example.com/docs"
    credential = CredentialRule(variables=("TINY_API_KEY",), header="Authorization", prefix="Key ")
    default_base_urls: ClassVar = {"api": "https://api.tiny.example.com/v1/"}
    features = frozenset({Feature.CANCEL})

    def submit(self, call, uploads):
        if call.prompt == "impossible":
            raise InvalidRequestError("option_unsupported", "Tiny cannot do that.")
        expects = (
            Expectation.MEDIA if call.operation is Operation.TEXT_TO_SPEECH else Expectation.JSON
        )
        return HttpCall(
            method="POST",
            url=f"{self.base_urls['api']}/jobs",
            body=JsonBody({"prompt": call.prompt, "files": [*uploads.items()]}),
            expects=expects,
        )

    def read_submit(self, call, reply):
        if reply.spooled is not None:
            media = StagedMedia(
                kind=MediaKind.AUDIO, path=reply.spooled, content_type=reply.content_type
            )
            return Done(outputs=(media,))
        body = reply.json()
        if "data" in body:
            return Done(outputs=(InlineMedia(kind=MediaKind.IMAGE, data=body["data"].encode()),))
        if body.get("blocked"):
            return Broken(fault=Fault(kind=FaultKind.REFUSED, message=body["blocked"]))
        return Accepted(handle={"id": body["id"]})

    def upload(self, media):
        return None if media.url else self._converse(media)

    def _converse(self, media):
        ticket = (
            yield HttpCall(method="POST", url=f"{self.base_urls['api']}/files", body=JsonBody({}))
        ).json()
        yield HttpCall(
            method="PUT",
            url=ticket["put"],
            trust=Trust.REPLY,
            body=RawBody(media.data, media.content_type),
        )
        return ticket["get"]

    def poll(self, handle):
        return HttpCall(method="GET", url=f"{self.base_urls['api']}/jobs/{handle['id']}")

    def read_poll(self, handle, reply):
        body = reply.json()
        match body["status"]:
            case "next":
                return Again(handle={"id": body["id"]})
            case "done":
                return Done(outputs=(RemoteMedia(kind=MediaKind.VIDEO, url=body["url"]),))
            case "failed":
                return Broken(fault=Fault(kind=FaultKind.FAILED, message=body["why"]))
            case other:
                return Waiting(stage=other, warning=body.get("note"))

    def cancel(self, handle):
        if handle["id"] == "fixed":
            return None
        return HttpCall(method="DELETE", url=f"{self.base_urls['api']}/jobs/{handle['id']}")

    def read_error(self, reply):
        text = reply.body.decode(errors="replace")
        if text == "confusing":
            raise ValueError("an adapter's mistake")
        return fault_for_status(
            reply, text, synchronous=False, vendor_code=reply.headers.get("x-code")
        )


def job(prompt: str = "a cat", **fields: Any) -> MediaCall:
    return MediaCall(
        **{
            "generation_id": "gen_1",
            "client_reference": "ref_1",
            "operation": Operation.TEXT_TO_VIDEO,
            "upstream_id": "tiny-1",
            "prompt": prompt,
            "parameters": Parameters(),
            "fields": {},
            **fields,
        }
    )


def picture(**fields: Any) -> LoadedInput:
    return LoadedInput(
        **{
            "role": InputRole.FIRST_FRAME,
            "kind": MediaKind.IMAGE,
            "content_type": "image/png",
            "name": "a.png",
            "data": b"png",
            **fields,
        }
    )


def no_report(done: float, stage: str) -> None:
    del done, stage


def answering(*replies: web.Response | dict):
    """Answer with one reply after the other, the last one again and again."""
    script = list(replies)

    async def handler(request):
        await request.content.read()
        reply = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(reply, dict):
            return web.json_response(reply)
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    return handler


async def fault_of(provider, call=None) -> Fault:
    outcome = await provider.submit(call or job(), no_report)
    assert isinstance(outcome, Declined)
    return outcome.fault
