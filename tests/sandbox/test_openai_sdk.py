"""The OpenAI emulator's images, files and faults as OpenAI's own SDK sees them."""

from __future__ import annotations

import base64
import io
from typing import Any

import openai
import pytest
from openai import OpenAI
from PIL import Image

from mediawright.sandbox.background import BackgroundSandbox

MODEL = "gpt-image-2"
# The SDK still has the methods of retired endpoints and of retiring models, and says so.
DEPRECATED_METHOD = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
SCENARIO = "X-Sandbox-Scenario"


@pytest.fixture
def client(openai_client: OpenAI) -> OpenAI:
    return openai_client


def connect(sandbox: BackgroundSandbox, **settings: Any) -> OpenAI:
    base = {
        "api_key": sandbox.credentials["openai"],
        "base_url": sandbox.base_urls["openai"]["api"],
        "max_retries": 0,
    }
    return OpenAI(**{**base, **settings})


def decode(b64_json: str | None) -> Image.Image:
    assert b64_json
    image = Image.open(io.BytesIO(base64.b64decode(b64_json)))
    image.load()
    return image


def picture(width: int = 64, height: int = 48, mode: str = "RGB", kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    Image.new(mode, (width, height), "teal").save(target, kind)
    return target.getvalue()


def test_makes_a_picture(client: OpenAI, sandbox: BackgroundSandbox) -> None:
    reply = client.images.generate(model=MODEL, prompt="waves", size="1536x1024", quality="medium")
    assert (reply.size, reply.quality) == ("1536x1024", "medium")
    assert (reply.background, reply.output_format) == ("opaque", "png")
    assert reply.usage
    assert reply.usage.total_tokens == (reply.usage.input_tokens + reply.usage.output_tokens)
    assert reply.usage.output_tokens == reply.usage.output_tokens_details.image_tokens > 1000
    image = decode(reply.data[0].b64_json)
    assert image.format == "PNG"
    assert abs(image.width / image.height - 1.5) < 0.05
    assert [entry.status for entry in sandbox.journal.entries(kind="submit")] == [200]


def test_makes_several_different_pictures(client: OpenAI) -> None:
    reply = client.images.generate(model=MODEL, prompt="waves", n=2, output_format="jpeg")
    images = [decode(item.b64_json) for item in reply.data]
    assert [image.format for image in images] == ["JPEG", "JPEG"]
    assert images[0].tobytes() != images[1].tobytes()


def test_cuts_a_picture_out(client: OpenAI) -> None:
    reply = client.images.generate(
        model="gpt-image-2.5-flare", prompt="waves", background="transparent",
        output_format="webp", quality="max",
    )  # fmt: skip
    image = decode(reply.data[0].b64_json)
    assert reply.background == "transparent"
    assert image.getchannel("A").getextrema() == (0, 255)


def test_streams_drafts_and_the_picture(client: OpenAI) -> None:
    stream = client.images.generate(model=MODEL, prompt="waves", stream=True, partial_images=2)
    events = list(stream)
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert [event.partial_image_index for event in events[:2]] == [0, 1]
    assert all(decode(event.b64_json) for event in events)
    assert events[2].usage.output_tokens > 0


@pytest.mark.parametrize(
    ("settings", "param", "code"),
    [
        ({"size": "1000x1000"}, "size", "invalid_value"),
        ({"size": "256x256"}, "size", "invalid_value"),
        ({"size": "3840x1024"}, "size", "invalid_value"),
        ({"size": "4096x2048"}, "size", "invalid_value"),
        ({"size": "512x512", "model": "gpt-image-1.5"}, "size", "invalid_value"),
        ({"size": "big"}, "size", "invalid_value"),
        ({"n": 11}, "n", "integer_above_max_value"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": "two"}, "n", "invalid_type"),
        ({"quality": "hd"}, "quality", "invalid_value"),
        ({"quality": "xhigh"}, "quality", "invalid_value"),
        ({"output_format": "bmp"}, "output_format", "invalid_value"),
        ({"output_format": "svg"}, "output_format", "invalid_value"),
        ({"background": "transparent", "output_format": "jpeg"}, "background", "invalid_value"),
        ({"output_compression": 50}, "output_compression", "invalid_value"),
        ({"partial_images": 2}, "partial_images", "invalid_value"),
        ({"frame_count": 4}, "frame_count", "invalid_value"),
        ({"complexity": "low"}, "complexity", "unsupported_parameter"),
        ({"response_format": "url"}, "response_format", "unknown_parameter"),
        ({"extra_body": {"seed": 4}}, "seed", "unknown_parameter"),
        ({"prompt": ""}, "prompt", "string_below_min_length"),
        ({"prompt": "x" * 32_001}, "prompt", "string_above_max_length"),
    ],
)
def test_refuses_a_bad_parameter(
    client: OpenAI, settings: dict[str, Any], param: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(**{"model": MODEL, "prompt": "waves", **settings})
    assert caught.value.type == "invalid_request_error"
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1", "gpt-image-99", None])
def test_does_not_know_retired_models(client: OpenAI, model: str | None) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.images.generate(model=model, prompt="waves")
    assert caught.value.code == "model_not_found"
    assert (model or "dall-e-2") in caught.value.message


@DEPRECATED_METHOD
def test_does_not_know_retired_paths(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        client.images.create_variation(image=("a.png", picture(), "image/png"))


def test_edits_one_picture(client: OpenAI, sandbox: BackgroundSandbox) -> None:
    reply = client.images.edit(model=MODEL, image=("a.png", picture(), "image/png"), prompt="waves")
    assert decode(reply.data[0].b64_json)
    assert reply.usage
    assert reply.usage.input_tokens_details.image_tokens > 0
    (entry,) = sandbox.journal.entries(kind="submit")
    names = {part["name"]: part for part in entry.body["parts"]}
    assert names["image"]["filename"] == "a.png"
    assert names["prompt"]["text"] == "waves"


def test_edits_several_pictures_with_a_mask(client: OpenAI) -> None:
    reply = client.images.edit(
        model="gpt-image-1.5",
        image=[
            ("a.png", picture(), "image/png"),
            ("b.jpg", picture(32, 32, kind="JPEG"), "image/jpeg"),
        ],
        mask=("m.png", picture(mode="RGBA"), "image/png"),
        prompt="waves",
        size="1024x1024",
        n=2,
        input_fidelity="high",
    )
    assert len(reply.data) == 2


def test_streams_an_edit(client: OpenAI) -> None:
    stream = client.images.edit(
        model=MODEL, image=("a.png", picture(), "image/png"), prompt="waves", stream=True,
        partial_images=1,
    )  # fmt: skip
    assert [event.type for event in stream] == ["image_edit.partial_image", "image_edit.completed"]


@pytest.mark.parametrize(
    ("settings", "param", "code"),
    [
        ({"image": picture()}, "image", "unsupported_file_mimetype"),
        ({"image": ("a.png", b"not a picture", "image/png")}, "image", "invalid_image_file"),
        ({"image": ("a.png", picture()[:60], "image/png")}, "image", "invalid_image_file"),
        ({"image": [("a.png", picture(), "image/png")] * 17}, "image", "array_above_max_length"),
        ({"mask": ("m.png", picture(), "image/png")}, "mask", "invalid_image_format"),
        (
            {"mask": ("m.png", picture(9, 9, "RGBA"), "image/png")},
            "mask",
            "invalid_mask_image_size",
        ),
        ({"input_fidelity": "high"}, "input_fidelity", "unsupported_parameter"),
        (
            {"input_fidelity": "high", "model": "gpt-image-1-mini"},
            "input_fidelity",
            "invalid_value",
        ),
        ({"extra_body": {"moderation": "low"}}, "moderation", "unknown_parameter"),
        ({"n": 20}, "n", "integer_above_max_value"),
    ],
)
def test_refuses_a_bad_edit(
    client: OpenAI, settings: dict[str, Any], param: str, code: str
) -> None:
    order = {"model": MODEL, "image": ("a.png", picture(), "image/png"), "prompt": "waves"}
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(**{**order, **settings})
    assert (caught.value.param, caught.value.code) == (param, code)


def test_edits_pictures_named_in_json(client: OpenAI) -> None:
    stored = client.files.create(file=("a.png", picture(), "image/png"), purpose="vision")
    address = "data:image/png;base64," + base64.b64encode(picture()).decode()
    reply = client.post(
        "/images/edits",
        body={
            "model": MODEL,
            "prompt": "waves",
            "images": [{"image_url": address}, {"file_id": stored.id}],
            "moderation": "low",
        },
        cast_to=openai.types.ImagesResponse,
    )
    assert decode(reply.data[0].b64_json)


@pytest.mark.parametrize(
    ("images", "param"),
    [
        ([], "images"),
        ([{}], "images[0]"),
        ([{"file_id": "file-none"}], "images[0]"),
        ([{"image_url": "ftp://host/a.png"}], "images[0].image_url"),
        ([{"image_url": "https://elsewhere.example/a.png"}], "images[0].image_url"),
        ([{"image_url": "data:image/png;base64,@@"}], "images[0].image_url"),
        ([{"url": "data:"}], "images[0].url"),
    ],
)
def test_refuses_pictures_it_cannot_have(
    client: OpenAI, images: list[dict[str, str]], param: str
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.post(
            "/images/edits",
            body={"model": MODEL, "prompt": "waves", "images": images},
            cast_to=object,
        )
    assert caught.value.status_code in (400, 404)
    assert caught.value.param == param


def test_keeps_files(client: OpenAI) -> None:
    stored = client.files.create(
        file=("a.png", picture(), "image/png"),
        purpose="vision",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert stored.bytes == len(picture())
    assert stored.expires_at == stored.created_at + 3600
    assert client.files.retrieve(stored.id) == stored
    assert client.files.content(stored.id).content == picture()
    assert client.files.delete(stored.id).deleted
    with pytest.raises(openai.NotFoundError, match="No such File object"):
        client.files.retrieve(stored.id)


def test_lists_models(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert MODEL in names
    assert "dall-e-3" not in names
    assert client.models.retrieve(MODEL).id == MODEL


@pytest.mark.parametrize("key", ["bad", "sk-bad-key"])
def test_refuses_a_bad_key(sandbox: BackgroundSandbox, key: str) -> None:
    with (
        connect(sandbox, api_key=key) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.images.generate(model=MODEL, prompt="waves")
    assert caught.value.code == "invalid_api_key"
    assert sandbox.journal.entries()[0].headers["Authorization"] == "[redacted]"


def scenario(text: str) -> dict[str, Any]:
    return {"extra_headers": {SCENARIO: text}, "model": MODEL, "prompt": "waves"}


def test_limits_the_rate(client: OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        client.images.generate(**scenario("rate_limited; seconds=3"))
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["retry-after"] == "3"


def test_the_sdk_retries_a_rate_limit(sandbox: BackgroundSandbox) -> None:
    with connect(sandbox, max_retries=2) as client:
        reply = client.images.generate(**scenario("rate_limited; times=2; seconds=0.01"))
    assert reply.data
    statuses = [entry.status for entry in sandbox.journal.entries(kind="submit")]
    assert statuses == [429, 429, 200]


def test_refuses_for_moderation(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=MODEL, prompt="waves [[sandbox: moderated]]")
    assert caught.value.type == "image_generation_user_error"
    assert caught.value.code == "moderation_blocked"
    assert caught.value.body["moderation_details"]["moderation_stage"] == "input"


def test_runs_out_of_credit(client: OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        client.images.generate(**scenario("out_of_credit"))
    assert caught.value.code == "insufficient_quota"


@pytest.mark.parametrize("status", [500, 503])
def test_fails(client: OpenAI, status: int) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.images.generate(**scenario(f"server_error; status={status}"))
    assert caught.value.status_code == status
    assert caught.value.response.headers["x-request-id"].startswith("req_")


def test_loses_a_reply_after_the_work(client: OpenAI, sandbox: BackgroundSandbox) -> None:
    with pytest.raises(openai.APIConnectionError):
        client.images.generate(**scenario("lost_reply"))
    (entry,) = sandbox.journal.entries(kind="submit")
    assert (entry.status, entry.scenario) == (None, "lost_reply")


def test_answers_late(sandbox: BackgroundSandbox) -> None:
    with connect(sandbox, timeout=0.05) as client, pytest.raises(openai.APITimeoutError):
        client.images.generate(**scenario("slow; seconds=0.3"))


def test_answers_garbage(client: OpenAI) -> None:
    reply = client.images.with_raw_response.generate(**scenario("garbage"))
    assert reply.status_code == 200
    assert "html" in reply.headers["content-type"]


def test_cuts_pictures_and_sounds_short(client: OpenAI) -> None:
    reply = client.images.generate(**scenario("truncated_file"))
    with pytest.raises(OSError, match="truncated"):
        decode(reply.data[0].b64_json)
    with pytest.raises(openai.APIConnectionError):
        client.audio.speech.create(
            model="tts-1", voice="alloy", input="hello", extra_headers={SCENARIO: "truncated_file"}
        )


async def test_answers_the_async_client(sandbox: BackgroundSandbox) -> None:
    async with openai.AsyncOpenAI(
        api_key=sandbox.credentials["openai"],
        base_url=sandbox.base_urls["openai"]["api"],
        max_retries=0,
    ) as client:
        reply = await client.images.generate(model=MODEL, prompt="waves")
    assert decode(reply.data[0].b64_json)
