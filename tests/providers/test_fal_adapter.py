"""What goes to fal's queue and what is read from it."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import (
    INPUT_FIELDS,
    Broken,
    Done,
    FaultKind,
    InlineMedia,
    RemoteMedia,
    Waiting,
)
from mediawright.providerkit.adapter import Again
from mediawright.providerkit.hooks import HookNotice, HookRequest
from mediawright.providerkit.http import JsonBody, RawBody, Trust, UnreadableReplyError
from mediawright.providers.fal import FalAdapter

ADAPTER = FalAdapter()
ROOT = "https://queue.fal.run/fal-ai/flux/requests/764c"
HANDLE = {
    "request_id": "764c",
    "status_url": f"{ROOT}/status",
    "response_url": ROOT,
    "cancel_url": f"{ROOT}/cancel",
}
RESULT = {**HANDLE, "step": "result"}


def test_the_models_input_goes_to_its_own_queue_without_a_wrapper(make_call):
    call = make_call(
        Operation.TEXT_TO_IMAGE,
        upstream_id="fal-ai/flux/schnell",
        fields={"image_size": {"width": 1280, "height": 720}, "num_images": 1},
        vendor={"fal": {"acceleration": "high"}},
    )

    request = ADAPTER.submit(call, {})

    assert (request.method, request.url) == (
        "POST",
        "https://queue.fal.run/fal-ai/flux/schnell",
    )
    assert request.body == JsonBody(
        {
            "prompt": "a red kite",
            "image_size": {"width": 1280, "height": 720},
            "num_images": 1,
            "acceleration": "high",
        }
    )


def test_inputs_take_the_fields_the_catalogue_names(make_call, make_input):
    inputs = (
        make_input(data=None, url="https://ex.test/a.png"),
        make_input(data=b"b"),
        make_input(InputRole.MASK, data=None, url="https://ex.test/m.png"),
    )
    call = make_call(
        Operation.IMAGE_TO_IMAGE,
        fields={INPUT_FIELDS: {"reference_image": "image_urls[]", "mask": "mask_image_url"}},
        inputs=inputs,
    )

    body = ADAPTER.submit(call, {}).body

    assert body == JsonBody(
        {
            "prompt": "a red kite",
            "image_urls": ["https://ex.test/a.png", "data:image/png;base64,Yg=="],
            "mask_image_url": "https://ex.test/m.png",
        }
    )


def test_a_single_field_takes_a_single_input(make_call, make_input):
    call = make_call(Operation.IMAGE_TO_IMAGE, inputs=(make_input(), make_input()))

    with pytest.raises(InvalidRequestError) as raised:
        ADAPTER.submit(call, {})

    assert raised.value.pointer == "/inputs/1"


def test_the_handle_is_what_the_reply_names(make_call, make_reply):
    reply = make_reply({"status": "IN_QUEUE", "queue_position": 0, "new": [1], **HANDLE})

    accepted = ADAPTER.read_submit(make_call(Operation.TEXT_TO_IMAGE), reply)

    assert accepted.handle == HANDLE
    assert json.loads(json.dumps(accepted.handle)) == HANDLE


def test_large_files_are_uploaded_to_the_cdn_that_the_token_names(
    make_call, make_input, make_reply
):
    picture = make_input(data=b"x" * 300_000, name="grüße.png")
    conversation = ADAPTER.upload(picture)

    token_call = next(conversation)
    upload_call = conversation.send(
        make_reply({"token": "t", "token_type": "Bearer", "base_url": "https://v3.fal.media"})
    )
    with pytest.raises(StopIteration) as stopped:
        conversation.send(make_reply({"access_url": "https://v3.fal.media/files/x/a.png"}))

    assert token_call.url == "https://rest.fal.ai/storage/auth/token"
    assert token_call.query == {"storage_type": "fal-cdn-v3"}
    assert token_call.authenticated
    assert upload_call.url == "https://v3.fal.media/files/upload"
    assert upload_call.trust is Trust.REPLY
    assert not upload_call.authenticated
    assert upload_call.headers == {
        "Authorization": "Bearer t",
        "X-Fal-File-Name": "gr%C3%BC%C3%9Fe.png",
    }
    assert upload_call.body == RawBody(picture.data, "image/png")
    call = make_call(Operation.IMAGE_TO_IMAGE, inputs=(picture,))
    assert ADAPTER.submit(call, {0: stopped.value.value}).body.value["image_url"] == (
        "https://v3.fal.media/files/x/a.png"
    )


@pytest.mark.parametrize(
    ("content_type", "prefix"),
    [("audio/wav", "data:audio/x-wav;base64,"), ("audio/mpeg", "data:audio/mpeg;base64,")],
)
def test_audio_is_declared_as_fal_wants_it(make_call, make_input, content_type, prefix):
    recording = make_input(InputRole.REFERENCE_AUDIO, content_type=content_type)
    call = make_call(Operation.AUDIO_TO_AUDIO, inputs=(recording,))

    assert ADAPTER.upload(recording) is None
    assert ADAPTER.submit(call, {}).body.value["audio_url"].startswith(prefix)


def test_audio_that_no_data_uri_may_declare_is_uploaded(make_input):
    recording = make_input(InputRole.REFERENCE_AUDIO, content_type="audio/ogg")

    assert ADAPTER.upload(recording) is not None


@pytest.mark.parametrize(
    ("status", "stage", "warns"),
    [("IN_QUEUE", "queued", False), ("IN_PROGRESS", "running", False), ("PAUSED", "paused", True)],
)
def test_a_status_that_is_not_the_end_is_waiting(make_reply, status, stage, warns):
    read = ADAPTER.read_poll(HANDLE, make_reply({"status": status, "logs": None}, 202))

    assert isinstance(read, Waiting)
    assert read.stage == stage
    assert (read.warning is not None) is warns


def test_the_status_url_comes_first_and_then_the_result(make_reply):
    again = ADAPTER.read_poll(HANDLE, make_reply({"status": "COMPLETED", "logs": []}))

    assert isinstance(again, Again)
    first, then = ADAPTER.poll(HANDLE), ADAPTER.poll(again.handle)
    assert (first.method, first.url, first.trust) == ("GET", HANDLE["status_url"], Trust.REPLY)
    assert (then.method, then.url, then.trust) == ("GET", HANDLE["response_url"], Trust.REPLY)


@pytest.mark.parametrize(
    ("error_type", "kind"),
    [
        ("content_policy_violation", FaultKind.REFUSED),
        ("client_cancelled", FaultKind.CANCELLED),
        ("no_media_generated", FaultKind.FAILED),
    ],
)
def test_completed_with_a_telling_error_type_is_the_jobs_failure(make_reply, error_type, kind):
    reply = make_reply({"status": "COMPLETED", "error": "Words.", "error_type": error_type})

    read = ADAPTER.read_poll(HANDLE, reply)

    assert isinstance(read, Broken)
    assert (read.fault.kind, read.fault.message) == (kind, "Words.")
    assert read.fault.vendor_code == error_type


@pytest.mark.parametrize(
    ("said", "reply", "verdict"),
    [
        ({"error": "code 500"}, (b"gone", 502), (FaultKind.FAILED, "code 500", None)),
        (
            {"error": "No.", "error_type": "runner_server_error"},
            (b"gone", 500),
            (FaultKind.FAILED, "No.", "runner_server_error"),
        ),
        (
            {"error": "Bad.", "error_type": "one_of"},
            ({"detail": [{"loc": ["body", "seed"], "msg": "Bad.", "type": "one_of"}]}, 422),
            (FaultKind.INVALID_REQUEST, "body.seed: Bad.", "one_of"),
        ),
    ],
)
def test_completed_with_another_error_asks_the_result_for_the_reason(
    make_reply, said, reply, verdict
):
    again = ADAPTER.read_poll(HANDLE, make_reply({"status": "COMPLETED", **said}))
    read = ADAPTER.read_poll_error(again.handle, make_reply(*reply))

    assert isinstance(read, Broken)
    assert (read.fault.kind, read.fault.message, read.fault.vendor_code) == verdict


def test_pictures_are_read_with_their_seed(make_reply):
    reply = make_reply(
        {
            "images": [
                {"url": "https://v3.fal.media/a.jpg", "content_type": "image/jpeg", "width": None},
                {"url": "data:image/png;base64," + base64.b64encode(b"b").decode()},
            ],
            "seed": 42,
            "has_nsfw_concepts": [False, False],
            "timings": {"inference": 0.6},
        }
    )

    done = ADAPTER.read_poll(RESULT, reply)

    assert done == Done(
        outputs=(
            RemoteMedia(
                kind=MediaKind.IMAGE,
                url="https://v3.fal.media/a.jpg",
                content_type="image/jpeg",
                seed=42,
            ),
            InlineMedia(kind=MediaKind.IMAGE, data=b"b", content_type="image/png", seed=42),
        )
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"image": {"url": "https://x/a"}}, MediaKind.IMAGE),
        ({"video": {"url": "https://x/a"}}, MediaKind.VIDEO),
        ({"audio": {"url": "https://x/a"}}, MediaKind.AUDIO),
        ({"audio_url": "https://x/a"}, MediaKind.AUDIO),
        ({"audio_file": {"url": "https://x/a"}}, MediaKind.AUDIO),
    ],
)
def test_other_models_name_their_file_otherwise(make_reply, body, kind):
    done = ADAPTER.read_poll(RESULT, make_reply(body))

    assert done.outputs == (RemoteMedia(kind=kind, url="https://x/a"),)


def test_flagged_pictures_are_refused_and_the_others_kept(make_reply):
    pictures = [{"url": "https://x/0"}, {"url": "https://x/1"}]

    refused = ADAPTER.read_poll(
        RESULT, make_reply({"images": pictures, "has_nsfw_concepts": [True, True]})
    )
    kept = ADAPTER.read_poll(
        RESULT, make_reply({"images": pictures, "has_nsfw_concepts": [True, False]})
    )

    assert isinstance(refused, Broken)
    assert refused.fault.kind is FaultKind.REFUSED
    assert [output.url for output in kept.outputs] == ["https://x/1"]


@pytest.mark.parametrize("body", [{}, {"output": "x"}, {"images": [{"width": 1}]}, b"<html>"])
def test_a_result_that_holds_no_known_file_is_unreadable(make_reply, body):
    with pytest.raises(UnreadableReplyError):
        ADAPTER.read_poll(RESULT, make_reply(body))


def test_an_empty_list_of_pictures_is_a_failure(make_reply):
    read = ADAPTER.read_poll(RESULT, make_reply({"images": []}))

    assert isinstance(read, Broken)
    assert read.fault.kind is FaultKind.FAILED


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            422,
            {
                "detail": [
                    {"loc": ["body", "prompt"], "msg": "No.", "type": "content_policy_violation"}
                ]
            },
            FaultKind.REFUSED,
        ),
        (
            500,
            {"detail": [{"loc": ["body"], "msg": "No.", "type": "internal_server_error"}]},
            FaultKind.FAILED,
        ),
        (504, {"detail": "No.", "error_type": "startup_timeout"}, FaultKind.FAILED),
        (499, {"detail": "No.", "error_type": "client_cancelled"}, FaultKind.CANCELLED),
        (400, {"detail": "No."}, FaultKind.FAILED),
        (404, {"detail": "No."}, FaultKind.NOT_FOUND),
    ],
)
def test_the_results_error_is_the_jobs_verdict(make_reply, status, body, kind):
    read = ADAPTER.read_poll_error(RESULT, make_reply(body, status))

    assert isinstance(read, Broken)
    assert read.fault.kind is kind
    assert "No." in read.fault.message


@pytest.mark.parametrize(
    ("handle", "status", "body"),
    [
        (RESULT, 400, {"detail": "Request is still in progress"}),
        (RESULT, 429, {"detail": "slow down"}),
        (RESULT, 401, {"detail": "no key"}),
        (RESULT, 500, {"detail": "oops"}),
        (RESULT, 502, b"<html>nginx"),
        (RESULT, 500, {"detail": "x", "error_type": "internal_error"}),
        (HANDLE, 500, {"detail": "x", "error_type": "internal_error"}),
    ],
)
def test_trouble_with_asking_is_not_the_jobs_failure(make_reply, handle, status, body):
    assert isinstance(ADAPTER.read_poll_error(handle, make_reply(body, status)), Waiting)


def test_cancel_goes_to_the_url_of_the_reply():
    request = ADAPTER.cancel(HANDLE)

    assert (request.method, request.url, request.trust) == (
        "PUT",
        HANDLE["cancel_url"],
        Trust.REPLY,
    )


def test_a_finished_request_is_not_cancelled(make_reply):
    assert ADAPTER.read_cancel(make_reply({"status": "CANCELLATION_REQUESTED"}, 202))
    assert not ADAPTER.read_cancel(make_reply({"status": "ALREADY_COMPLETED"}, 400))


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (
            401,
            {"detail": "Authentication is required"},
            FaultKind.BAD_CREDENTIAL,
            "Authentication is required",
        ),
        (
            403,
            {"detail": "User is locked. Reason: Exhausted balance."},
            FaultKind.OUT_OF_CREDIT,
            "User is locked. Reason: Exhausted balance.",
        ),
        (
            422,
            {"detail": [{"loc": ["body", "prompt"], "msg": "field required", "type": "missing"}]},
            FaultKind.INVALID_REQUEST,
            "body.prompt: field required",
        ),
        (
            404,
            {"detail": "Application 'x' not found"},
            FaultKind.NOT_FOUND,
            "Application 'x' not found",
        ),
        (429, {"error": {"message": "Slow", "code": "rl"}}, FaultKind.RATE_LIMITED, "Slow"),
        (500, {"message": "Broken"}, FaultKind.UNAVAILABLE, "Broken"),
    ],
)
def test_every_error_shape_is_read(make_reply, status, body, kind, message):
    fault = ADAPTER.read_error(make_reply(body, status))

    assert (fault.kind, fault.message) == (kind, message)


def test_the_queue_is_told_where_to_report(make_call):
    url = "https://media.example.com/v1/hooks/fal/gen_1/1/token"
    call = msgspec.structs.replace(make_call(Operation.TEXT_TO_IMAGE), hook_url=url)

    assert ADAPTER.submit(call, {}).query == {"fal_webhook": url}
    assert ADAPTER.submit(make_call(Operation.TEXT_TO_IMAGE), {}).query == {}


@pytest.mark.parametrize(
    ("upstream_id", "application"),
    [
        ("fal-ai/flux", "fal-ai/flux"),
        ("fal-ai/flux/dev/image-to-image", "fal-ai/flux"),
        ("workflows/me/flow/deep", "workflows/me/flow"),
        ("comfy/me/flow", "comfy/me/flow"),
    ],
)
def test_a_request_whose_reply_is_lost_has_the_urls_that_it_would_have_named(
    upstream_id, application
):
    root = f"https://queue.fal.run/{application}/requests/764c"

    assert ADAPTER.attach("764c", upstream_id) == {
        "request_id": "764c",
        "status_url": f"{root}/status",
        "response_url": root,
        "cancel_url": f"{root}/cancel",
    }


def test_no_name_of_a_request_leads_elsewhere():
    handle = ADAPTER.attach("../../x?y#z", "fal-ai/flux")

    assert handle["response_url"].endswith("/fal-ai/flux/requests/..%2F..%2Fx%3Fy%23z")


@pytest.mark.parametrize("status", ["OK", "ERROR"])
def test_a_report_is_the_end_of_its_request(status):
    body = json.dumps({"request_id": "764c", "status": status, "payload": None}).encode()

    notice = ADAPTER.read_hook(HookRequest(headers={}, body=body))

    assert notice == HookNotice(delivery_id="764c", vendor_id="764c", finished=True)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"request_id":5}', b"\xff", b"[" * 9_000])
def test_a_report_about_nothing_is_unreadable(body):
    with pytest.raises(UnreadableReplyError):
        ADAPTER.read_hook(HookRequest(headers={}, body=body))
