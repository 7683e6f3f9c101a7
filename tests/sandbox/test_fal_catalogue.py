"""The fal emulator answers for every model of fal that the catalogue names."""

from __future__ import annotations

import base64
import io
import wave
from datetime import UTC, datetime
from typing import Any

import av
import httpx
import numpy as np
import pytest
from PIL import Image

from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.model import Model, Route
from mediawright.catalog.preflight import preflight
from mediawright.core.media import MediaFacts
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import LoadedInput, MediaCall
from mediawright.core.request import GenerationRequest, MediaInput, Parameters
from mediawright.providerkit.http import JsonBody
from mediawright.providers.fal import FalAdapter
from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.emulators.fal.applications import APPLICATIONS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CATALOGUE = load_catalogue()
ROUTES = {
    (route.upstream_id, operation): (model.id, index)
    for model in CATALOGUE
    for index, route in enumerate(model.routes)
    if route.provider == "fal" and not model.has_ended(route, NOW.date())
    for operation in model.route_operations(route)
}
"""A model and the place of its route for every model of fal's that a row names."""


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (128, 72), "teal").save(target, "PNG")
    return target.getvalue()


def clip(seconds: int = 4) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=6)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for _ in range(6 * seconds):
            frame = av.VideoFrame.from_ndarray(np.zeros((36, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return target.getvalue()


def sound(seconds: int = 2) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000 * seconds))
    return target.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[MediaKind, tuple[bytes, str, str]]:
    return {
        MediaKind.IMAGE: (picture(), "image/png", "a.png"),
        MediaKind.VIDEO: (clip(), "video/mp4", "a.mp4"),
        MediaKind.AUDIO: (sound(), "audio/wav", "a.wav"),
    }


def least_inputs(model: Model, operation: Operation, route: Route) -> tuple[MediaInput, ...]:
    """Give the fewest inputs that the route takes, by arrangement where there are some."""
    rule = model.operations[operation]
    least = max(route.min_inputs, rule.min_inputs)
    fitting = [
        roles
        for roles in rule.arrangements
        if len(roles) >= least and all(route.inputs_max.get(role, 1) for role in roles)
    ]
    roles: list[InputRole] = list(fitting[0]) if fitting else []
    if not fitting:
        for slot in rule.inputs:
            most = min(slot.maximum, route.inputs_max.get(slot.role, slot.maximum))
            roles += [slot.role] * min(max(slot.minimum, least - len(roles)), most)
    if any("without_video" in use.options for use in model.rules):
        roles.append(InputRole.REFERENCE_VIDEO)
    names = {MediaKind.IMAGE: "png", MediaKind.VIDEO: "mp4", MediaKind.AUDIO: "wav"}
    return tuple(
        MediaInput(
            role=role,
            kind=role.media_kind,
            url=f"https://h.test/{number}.{names[role.media_kind]}",
        )
        for number, role in enumerate(roles)
    )


def facts_of(inputs: tuple[MediaInput, ...]) -> dict[int, MediaFacts]:
    types = {
        MediaKind.IMAGE: "image/png",
        MediaKind.VIDEO: "video/mp4",
        MediaKind.AUDIO: "audio/wav",
    }
    return {
        index: MediaFacts(
            kind=item.kind,
            content_type=types[item.kind],
            byte_count=1000,
            width=None if item.kind is MediaKind.AUDIO else 1280,
            height=None if item.kind is MediaKind.AUDIO else 720,
            seconds=None if item.kind is MediaKind.IMAGE else 4.0,
        )
        for index, item in enumerate(inputs)
    }


def body_of(
    model: Model, operation: Operation, route: Route, files: dict[MediaKind, tuple[bytes, str, str]]
) -> Any:
    """Return what the adapter sends for the least request on a route."""
    inputs = least_inputs(model, operation, route)
    request = GenerationRequest(
        model=model.id,
        operation=operation,
        prompt="a red kite",
        provider="fal",
        inputs=inputs,
        parameters=Parameters(),
    )
    checked = preflight(CATALOGUE, request, now=NOW, input_facts=facts_of(inputs))
    plan = next(item for item in checked.routes if item.upstream_id == route.upstream_id)
    loaded = tuple(
        LoadedInput(
            role=item.role,
            kind=item.kind,
            data=files[item.kind][0],
            content_type=files[item.kind][1],
            name=files[item.kind][2],
        )
        for item in checked.request.inputs
    )
    call = MediaCall(
        generation_id="gen",
        client_reference="gen:1",
        operation=checked.operation,
        upstream_id=route.upstream_id,
        prompt=checked.request.prompt,
        parameters=checked.request.parameters,
        fields=plan.fields,
        inputs=loaded,
    )
    body = FalAdapter().submit(call, {}).body
    assert isinstance(body, JsonBody)
    return body.value


@pytest.mark.parametrize(("upstream_id", "operation"), ROUTES)
def test_it_makes_what_a_route_asks_for(
    sandbox: BackgroundSandbox,
    files: dict[MediaKind, tuple[bytes, str, str]],
    upstream_id: str,
    operation: Operation,
) -> None:
    assert upstream_id in APPLICATIONS
    model_id, place = ROUTES[upstream_id, operation]
    model = CATALOGUE.get(model_id)
    route = model.routes[place]
    reply = httpx.post(
        f"{sandbox.base_urls['fal']['run']}/{route.upstream_id}",
        json=body_of(model, operation, route, files),
        headers={"Authorization": f"Key {sandbox.credentials['fal']}"},
        timeout=60,
    )
    assert reply.status_code == 200, reply.text
    made = reply.json()
    if operation.output_kind is MediaKind.VIDEO:
        assert made["video"]["content_type"] == "video/mp4"
    else:
        assert made["images"][0]["content_type"].startswith("image/")


def test_a_movement_lasts_as_long_as_its_clip(
    sandbox: BackgroundSandbox, files: dict[MediaKind, tuple[bytes, str, str]]
) -> None:
    model = CATALOGUE.get("kling-2-6-motion-control-720p")
    route = next(route for route in model.routes if route.provider == "fal")
    body = body_of(model, Operation.IMAGE_TO_VIDEO, route, files)
    address = f"{sandbox.base_urls['fal']['run']}/{route.upstream_id}"
    headers = {"Authorization": f"Key {sandbox.credentials['fal']}"}
    made = httpx.post(address, json=body, headers=headers, timeout=60).json()
    film = httpx.get(made["video"]["url"]).content
    with av.open(io.BytesIO(film), "r") as container:
        assert container.duration is not None
        assert round(container.duration / av.time_base) == 4
    spoilt = "data:video/mp4;base64," + base64.b64encode(b"no film").decode()
    refused = httpx.post(address, json={**body, "video_url": spoilt}, headers=headers, timeout=60)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["type"] == "unsupported_video_format"


def test_key_frames_make_a_video_as_long_as_its_transitions(
    sandbox: BackgroundSandbox, files: dict[MediaKind, tuple[bytes, str, str]]
) -> None:
    frame = "data:image/png;base64," + base64.b64encode(files[MediaKind.IMAGE][0]).decode()
    made = httpx.post(
        f"{sandbox.base_urls['fal']['run']}/fal-ai/pika/v2.2/pikaframes",
        json={"image_urls": [frame] * 3, "transitions": [{"duration": 2}, {"duration": 1}]},
        headers={"Authorization": f"Key {sandbox.credentials['fal']}"},
        timeout=60,
    )
    film = httpx.get(made.json()["video"]["url"]).content
    with av.open(io.BytesIO(film), "r") as container:
        assert container.duration is not None
        assert round(container.duration / av.time_base) == 3
