"""Requests as the documents of other systems show them run as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.api.running import Member, RunningServer
from tests.file_host import FileHost, picture

from mediawright.app.directory import SandboxAddress
from mediawright.app.settings import MediaSettings, load_settings
from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.settings import SandboxSettings

TEXT_TO_IMAGE = {
    "prompt": "A futuristic city at sunset with flying cars",
    "model": "nano-banana",
    "generation_type": "text-to-image",
    "aspect_ratio": "16:9",
    "quality": "pro",
}
IMAGE_TO_VIDEO = {
    "prompt": "Gentle motion and subtle movement",
    "model": "kling-2-6-image-to-video",
    "generation_type": "image-to-video",
    "source_media_urls": ["https://example.com/your-image.jpg"],
    "aspect_ratio": "16:9",
    "duration": "5s",
}
VARIANT_REQUIRED = {
    "error": "variant_required",
    "family": "seedance-2-fast",
    "available_variants": [
        "seedance-2-fast-480p",
        "seedance-2-fast-720p",
        "seedance-2-fast-480p-video-ref",
        "seedance-2-fast-720p-video-ref",
    ],
}
GENERATE_IMAGE = {
    "prompt": "A futuristic cityscape at sunset",
    "provider": "openai",
    "model": "dall-e-3",
    "size": "1792x1024",
    "quality": "hd",
}
CONFIGURATION = """\
media:
  default_provider: openai
  providers:
    openai:
      enabled: true
      default_model: dall-e-3
      default_size: "1024x1024"
    stability:
      enabled: true
      default_model: stable-diffusion-xl-1024-v1-0
    falai:
      enabled: true
      default_model: flux-pro
  output:
    save_to_disk: true
    base_path: "assets/generated"
    format: png
  safety:
    block_nsfw: true
    content_filter: moderate
"""


@pytest.fixture(scope="module")
def host() -> Iterator[FileHost]:
    with FileHost() as host:
        host.put("/your-image.jpg", picture(480, 270, "JPEG"))
        yield host


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, host: FileHost) -> Iterator[RunningServer]:
    # Tiny media have the ratios and lengths that were asked for.
    with (
        BackgroundSandbox(SandboxSettings(vendors=("fal", "openai"), media="tiny")) as vendors,
        RunningServer(
            tmp_path_factory.mktemp("api"),
            sandbox_address=SandboxAddress(
                root=vendors.root, base_urls=vendors.base_urls, credentials=vendors.credentials
            ),
            initial_credits=Decimal(1000),
            media=MediaSettings(allowed_origins=(host.root,)),
        ) as running,
    ):
        yield running


def run(member: Member, body: dict[str, Any]) -> dict[str, Any]:
    """Send a request as it stands, and poll until it is completed or failed."""
    reply = member.http.post("/v1/generate/media", json=body)
    assert reply.status_code == 202, reply.text
    started = reply.json()
    assert started["generation_id"]
    assert started["status"] in {"pending", "queued", "processing"}
    assert started["estimated_time_seconds"] > 0
    ended = member.ended(started["generation_id"])
    assert ended["status"] == "completed", ended
    for name in ("url", "thumbnail_url", "optimized_url", "media_type", "dimensions"):
        assert name in ended["outputs"][0]
    assert ended["progress"] == 1
    return ended


def adjustments(generation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["pointer"]: item for item in generation["adjustments"]}


@pytest.mark.rule(26, shows="adjusts")
@pytest.mark.rule(44, 45, shows="accepts")
def test_text_to_image_with_a_quality_that_is_ignored(member: Member) -> None:
    ended = run(member, TEXT_TO_IMAGE)
    size = ended["outputs"][0]["dimensions"]
    assert size["width"] / size["height"] == pytest.approx(16 / 9, abs=0.05)
    ignored = adjustments(ended)["/quality"]
    assert (ignored["kind"], ignored["requested"]) == ("dropped", "pro")


@pytest.mark.rule(8, 11, 28, 44, 45, shows="accepts")
def test_image_to_video_with_one_picture(member: Member, host: FileHost) -> None:
    [url] = IMAGE_TO_VIDEO["source_media_urls"]
    ended = run(
        member,
        {
            **IMAGE_TO_VIDEO,
            "source_media_urls": [str(url).replace("https://example.com", host.root)],
        },
    )
    [film] = ended["outputs"]
    assert film["media_type"] == "video/mp4"
    assert film["seconds"] == pytest.approx(5, abs=0.1)
    assert ended["model"] == "kling-2-6-image-to-video"


@pytest.mark.rule(48, shows="accepts")
def test_image_to_video_with_an_upload(member: Member) -> None:
    uploaded = member.http.post(
        "/v1/upload/media", files={"file": ("your-image.jpg", picture(480, 270, "JPEG"))}
    )
    ended = run(member, {**IMAGE_TO_VIDEO, "source_media_urls": uploaded.json()["urls"]})
    assert ended["outputs"][0]["media_type"] == "video/mp4"


@pytest.mark.rule(30, shows=("accepts", "refuses"))
def test_a_family_label_is_answered_with_its_variants(member: Member) -> None:
    before = member.left_behind()
    reply = member.http.post(
        "/v1/generate/media", json={"prompt": "waves", "model": "seedance-2-fast"}
    )
    body = reply.json()
    assert reply.status_code == 400
    assert {name: body[name] for name in VARIANT_REQUIRED} == VARIANT_REQUIRED
    for word in ("which", "resolution", "reference video", "price"):
        assert word in body["hint"]
    assert member.left_behind() == before
    # Whoever asks again with one of them gets further.
    again = member.http.post(
        "/v1/generate/media",
        json={
            "prompt": "waves",
            "model": body["available_variants"][0],
            "generation_type": "text-to-video",
            "duration": "4s",
        },
    )
    assert again.status_code == 202, again.text
    member.http.post(f"/v1/generations/{again.json()['generation_id']}/cancel")


@pytest.mark.rule(67, 81, shows="adjusts")
def test_a_picture_of_a_model_that_has_ended(member: Member) -> None:
    ended = run(member, GENERATE_IMAGE)
    assert ended["model"] == "gpt-image-2"
    replaced = adjustments(ended)["/model"]
    assert (replaced["requested"], replaced["applied"]) == ("dall-e-3", "gpt-image-2")
    size = ended["outputs"][0]["dimensions"]
    assert size["width"] / size["height"] == pytest.approx(1792 / 1024, abs=0.05)


@pytest.mark.rule(82, shows="accepts")
def test_an_edit_of_a_picture(member: Member) -> None:
    """The paths of the document are those of its own machine; a server gets them uploaded."""
    image, mask = member.http.post(
        "/v1/upload/media",
        files=[("files", picture(256, 256)), ("files", hole(256, 256))],
    ).json()["files"]
    ended = run(
        member,
        {
            "prompt": "Add a rainbow in the sky",
            "model": "gpt-image-2",
            "generation_type": "image-to-image",
            "inputs": [
                {"asset_id": image["asset_id"], "role": "reference_image"},
                {"asset_id": mask["asset_id"], "role": "mask"},
            ],
        },
    )
    assert ended["outputs"][0]["media_type"].startswith("image/")


@pytest.mark.rule(88, shows="accepts")
def test_the_configuration_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "atlas_config.yaml"
    path.write_text(CONFIGURATION)
    settings = load_settings(path)
    assert settings.media.default_provider == "openai"
    assert settings.provider("fal").default_model == "flux-pro"
    assert settings.provider("openai").default_size == "1024x1024"
    assert settings.media.output.base_path == "assets/generated"
    assert settings.media.safety.content_filter == "moderate"


def hole(width: int, height: int) -> bytes:
    """Return a mask whose left half is to be repainted."""
    import io

    from PIL import Image

    mask = Image.new("RGBA", (width, height), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, width // 2, height))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    return buffer.getvalue()
