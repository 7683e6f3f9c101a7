"""What goes to Runway and what is read from it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import Broken, FaultKind, RemoteMedia, Waiting
from mediawright.providerkit.http import JsonBody, MultipartBody, Part, Trust
from mediawright.providers.runway import RunwayAdapter

ADAPTER = RunwayAdapter()
HANDLE = {"id": "17f20503", "kind": "video"}
PICTURE = "data:image/png;base64,cGljdHVyZQ=="


def test_a_clip_from_text_is_a_task_with_the_version_header(make_call, make_reply):
    call = make_call(
        Operation.TEXT_TO_VIDEO,
        upstream_id="gen4.5",
        fields={"ratio": "1280:720", "duration": 5, "seed": 1},
        vendor={"runway": {"contentModeration": {"publicFigureThreshold": "low"}}},
    )

    request = ADAPTER.submit(call, {})
    accepted = ADAPTER.read_submit(
        call, make_reply({"id": "17f20503", "estimatedCost": {"credits": 60}})
    )

    assert (request.method, request.url) == (
        "POST",
        "https://api.dev.runwayml.com/v1/text_to_video",
    )
    assert request.headers == {"X-Runway-Version": "2024-11-06"}
    assert request.body == JsonBody(
        {
            "model": "gen4.5",
            "promptText": "a red kite",
            "ratio": "1280:720",
            "duration": 5,
            "seed": 1,
            "contentModeration": {"publicFigureThreshold": "low"},
        }
    )
    assert json.loads(json.dumps(accepted.handle)) == HANDLE


def test_frames_have_positions_and_references_have_none(make_call, make_input):
    inputs = (
        make_input(InputRole.FIRST_FRAME),
        make_input(InputRole.LAST_FRAME, data=None, url="https://ex.test/z.png"),
        make_input(InputRole.REFERENCE_IMAGE),
    )
    call = make_call(Operation.IMAGE_TO_VIDEO, prompt=None, inputs=inputs)

    request = ADAPTER.submit(call, {})

    assert request.url.endswith("/v1/image_to_video")
    assert request.body == JsonBody(
        {
            "model": "a-model",
            "promptImage": [
                {"uri": PICTURE, "position": "first"},
                {"uri": "https://ex.test/z.png", "position": "last"},
                {"uri": PICTURE},
            ],
        }
    )


@pytest.mark.parametrize(
    ("operation", "path", "field"),
    [
        (Operation.TEXT_TO_IMAGE, "text_to_image", "referenceImages"),
        (Operation.IMAGE_TO_IMAGE, "text_to_image", "referenceImages"),
        (Operation.TEXT_TO_VIDEO, "text_to_video", "references"),
    ],
)
def test_references_take_the_field_of_the_endpoint(make_call, make_input, operation, path, field):
    request = ADAPTER.submit(make_call(operation, inputs=(make_input(),)), {})

    assert request.url.endswith(f"/v1/{path}")
    assert request.body.value[field] == [{"uri": PICTURE}]


def test_clips_and_sounds_are_references_of_text_to_video(make_call, make_input):
    inputs = (
        make_input(InputRole.REFERENCE_VIDEO, data=None, url="https://ex.test/a.mp4"),
        make_input(InputRole.REFERENCE_IMAGE),
        make_input(InputRole.REFERENCE_AUDIO, data=None, url="https://ex.test/a.mp3"),
    )
    body = ADAPTER.submit(make_call(Operation.TEXT_TO_VIDEO, inputs=inputs), {}).body.value

    assert body["references"] == [{"uri": PICTURE}]
    assert body["referenceVideos"] == [{"type": "video", "uri": "https://ex.test/a.mp4"}]
    assert body["referenceAudio"] == [{"type": "audio", "uri": "https://ex.test/a.mp3"}]


def test_what_cannot_be_done_is_refused_before_it_is_sent(make_call, make_input):
    cases = [
        make_call(Operation.TEXT_TO_SPEECH),
        make_call(Operation.IMAGE_TO_VIDEO),
        make_call(Operation.IMAGE_TO_VIDEO, inputs=(make_input(InputRole.MASK),)),
        make_call(Operation.TEXT_TO_IMAGE, inputs=(make_input(InputRole.MASK),)),
    ]

    for call in cases:
        with pytest.raises(InvalidRequestError):
            ADAPTER.submit(call, {})


def test_a_file_beyond_the_data_uri_limit_is_uploaded(make_call, make_input, make_reply):
    largest = 5_242_880 // 4 * 3 - len("data:image/png;base64,")
    picture = make_input(InputRole.FIRST_FRAME, data=b"x" * (largest + 100))
    conversation = ADAPTER.upload(picture)

    slot_call = next(conversation)
    file_call = conversation.send(
        make_reply(
            {
                "uploadUrl": "https://bucket.test/",
                "fields": {"key": "k", "policy": "p"},
                "runwayUri": "runway://abc",
            }
        )
    )
    with pytest.raises(StopIteration) as stopped:
        conversation.send(make_reply(b"", 204))

    assert slot_call.body == JsonBody({"filename": "a.png", "type": "ephemeral"})
    assert slot_call.headers == {"X-Runway-Version": "2024-11-06"}
    assert (file_call.url, file_call.trust) == ("https://bucket.test/", Trust.REPLY)
    assert not file_call.authenticated
    assert file_call.headers == {}
    assert file_call.body == MultipartBody(
        (
            Part(name="key", data="k"),
            Part(name="policy", data="p"),
            Part(name="file", data=picture.data, filename="a.png", content_type="image/png"),
        )
    )
    body = ADAPTER.submit(
        make_call(Operation.IMAGE_TO_VIDEO, inputs=(picture,)), {0: stopped.value.value}
    ).body
    assert body.value["promptImage"] == [{"uri": "runway://abc", "position": "first"}]
    assert ADAPTER.upload(make_input(data=b"x" * (largest - 100))) is None


@pytest.mark.parametrize(
    ("body", "stage", "progress", "warns"),
    [
        ({"status": "PENDING"}, "queued", None, False),
        ({"status": "THROTTLED"}, "queued", None, False),
        ({"status": "RUNNING", "progress": 0.25}, "running", 0.25, False),
        ({"status": "RUNNING", "progress": "soon"}, "running", None, False),
        ({"status": "DREAMING"}, "dreaming", None, True),
    ],
)
def test_a_task_that_is_not_finished_is_waiting(make_reply, body, stage, progress, warns):
    read = ADAPTER.read_poll(HANDLE, make_reply({"id": "x", **body}))

    assert isinstance(read, Waiting)
    assert (read.stage, read.progress) == (stage, progress)
    assert (read.warning is not None) is warns


def test_a_finished_task_has_its_files_and_its_cost_in_dollars(make_reply):
    reply = make_reply(
        {"status": "SUCCEEDED", "output": ["https://c/a.mp4"], "cost": {"credits": 25}}
    )

    done = ADAPTER.read_poll(HANDLE, reply)

    assert done.outputs == (RemoteMedia(kind=MediaKind.VIDEO, url="https://c/a.mp4"),)
    assert done.usage.cost.amount == Decimal("0.25")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SAFETY.INPUT.TEXT", FaultKind.REFUSED),
        ("SAFETY.OUTPUT.VIDEO", FaultKind.REFUSED),
        ("ASSET.INVALID", FaultKind.INVALID_REQUEST),
        ("INPUT_PREPROCESSING.INTERNAL", FaultKind.FAILED),
        ("INTERNAL.BAD_OUTPUT.CODE01", FaultKind.FAILED),
        ("NEW.CODE", FaultKind.FAILED),
        (None, FaultKind.FAILED),
    ],
)
def test_a_failed_task_is_told_by_the_prefix_of_its_code(make_reply, code, kind):
    reply = make_reply(
        {"status": "FAILED", "failure": "No.", "failureCode": code, "cost": {"credits": 12.5}}
    )

    read = ADAPTER.read_poll(HANDLE, reply)

    assert isinstance(read, Broken)
    assert (read.fault.kind, read.fault.message, read.fault.vendor_code) == (kind, "No.", code)
    assert read.usage.cost.amount == Decimal("0.125")


def test_a_cancelled_task_says_so_or_is_gone(make_reply):
    said = ADAPTER.read_poll(HANDLE, make_reply({"status": "CANCELLED"}))
    gone = ADAPTER.read_poll_error(HANDLE, make_reply({"error": "Not found"}, 404))

    assert said.fault.kind is FaultKind.CANCELLED
    assert gone.fault.kind is FaultKind.CANCELLED


def test_success_without_a_file_is_a_failure(make_reply):
    read = ADAPTER.read_poll(HANDLE, make_reply({"status": "SUCCEEDED", "output": []}))

    assert isinstance(read, Broken)
    assert read.fault.kind is FaultKind.FAILED


def test_the_task_is_asked_after_and_deleted_under_its_id():
    poll, cancel = ADAPTER.poll(HANDLE), ADAPTER.cancel({**HANDLE, "id": "../x"})

    assert (poll.method, poll.url) == ("GET", "https://api.dev.runwayml.com/v1/tasks/17f20503")
    assert (cancel.method, cancel.url) == (
        "DELETE",
        "https://api.dev.runwayml.com/v1/tasks/..%2Fx",
    )
    assert poll.headers == cancel.headers == {"X-Runway-Version": "2024-11-06"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (
            400,
            {"error": "Validation", "issues": [{"path": ["ratio"], "message": "bad"}]},
            FaultKind.INVALID_REQUEST,
            "Validation; ratio: bad",
        ),
        (
            400,
            {"error": "You do not have enough credits to run this task."},
            FaultKind.OUT_OF_CREDIT,
            "You do not have enough credits to run this task.",
        ),
        (401, {"error": "Bad key"}, FaultKind.BAD_CREDENTIAL, "Bad key"),
        (429, {"error": "Daily limit"}, FaultKind.RATE_LIMITED, "Daily limit"),
    ],
)
def test_errors_are_one_sentence_and_their_issues(make_reply, status, body, kind, message):
    fault = ADAPTER.read_error(make_reply(body, status))

    assert (fault.kind, fault.message) == (kind, message)


def test_trouble_with_asking_is_not_the_tasks_failure(make_reply):
    assert isinstance(ADAPTER.read_poll_error(HANDLE, make_reply(b"", 503)), Waiting)


@pytest.mark.parametrize(("model", "kind"), [("gen4.5", "video"), ("gen4_image_turbo", "image")])
def test_a_task_is_attached_by_its_id(model: str, kind: str) -> None:
    handle = ADAPTER.attach("17f20503", model)
    assert handle == {"id": "17f20503", "kind": kind}
    assert ADAPTER.poll(handle).url.endswith("/v1/tasks/17f20503")
