"""GET /v1/models and GET /v1/models/{id}."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from tests.api.running import Member, RunningServer
from tests.api.test_openapi import require_shape

from mediawright.api.reply_bodies import ModelPage
from mediawright.catalog.catalogue import Catalogue
from mediawright.catalog.model import Family


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose catalogue also has a model with slashes in its id, and a family label."""
    with RunningServer(tmp_path_factory.mktemp("api")) as running:
        known = running.runtime.catalogue
        flux = next(model for model in known if model.kind.value == "image" and model.routes)
        slashed = msgspec.structs.replace(flux, id="fal-ai/flux/schnell", aliases=("a/b/c/d",))
        label = Family(
            label="some-family",
            variants=("local-sketch-image", "fal-ai/flux/schnell"),
            hint="Ask the user which one.",
        )
        families = (*known.families, label)
        running.runtime.catalogue = Catalogue([*known, slashed], families)
        yield running


def test_the_list(server: RunningServer, member: Member) -> None:
    data = member.http.get("/v1/models").json()["data"]
    assert [item["id"] for item in data] == [model.id for model in server.runtime.catalogue]
    sketch = next(item for item in data if item["id"] == "local-sketch-video")
    assert sketch["generation_types"] == ["text-to-video", "image-to-video"]
    assert sketch["capabilities"]["video_audio"] == "toggle_via_sound_param"
    assert sketch["supports_sound"] is True
    assert sketch["input_media_types"] == ["image"]
    assert sketch["ready"] is True
    assert sketch["cost"][0]["amount"] == "0"
    gpt = next(item for item in data if item["id"] == "gpt-image-2")
    assert gpt["ready"] is False


@pytest.mark.parametrize(
    ("query", "some", "none"),
    [
        ({"kind": "video"}, "local-sketch-video", "local-sketch-image"),
        ({"generation_type": "text-to-speech"}, "local-voice", "local-listener"),
        ({"provider": "local"}, "local-sketch-music", "gpt-image-2"),
        ({"provider": "dalle"}, "gpt-image-2", "local-voice"),
        ({"live": "true"}, "local-voice", "nothing"),
        ({"max_credits": "2"}, "local-sketch-image", "gen4.5"),
        ({"max_credits": "0"}, "local-sketch-image", "flux-schnell"),
        ({"q": "kling MOTION"}, "kling-2-6-motion-control-720p", "kling-3-0-std"),
        ({"q": "text-to-speech", "max_credits": "0"}, "local-voice", "eleven_turbo_v2"),
    ],
)
def test_filters(member: Member, query: dict[str, str], some: str, none: str) -> None:
    found = {item["id"] for item in member.http.get("/v1/models", params=query).json()["data"]}
    assert some in found
    assert none not in found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"kind": "smell"}, "invalid_kind"),
        ({"generation_type": "x"}, "invalid_generation_type"),
        ({"live": "perhaps"}, "invalid_live"),
        ({"max_credits": "-1"}, "invalid_max_credits"),
        ({"max_credits": "NaN"}, "invalid_max_credits"),
        ({"provider": "nobody"}, "unknown_provider"),
    ],
)
def test_filters_that_make_no_sense(member: Member, query: dict[str, str], code: str) -> None:
    reply = member.http.get("/v1/models", params=query)
    assert (reply.status_code, reply.json()["error"]) == (400, code)


def test_what_nobody_knows_the_price_of_is_not_cheap(member: Member) -> None:
    cheap = member.http.get("/v1/models", params={"max_credits": 10**9}).json()["data"]
    everything = member.http.get("/v1/models").json()["data"]
    unknown = {item["id"] for item in everything if item["usual_price"]["credits"] is None}
    assert unknown
    assert {item["id"] for item in cheap} == {item["id"] for item in everything} - unknown


def test_families_are_listed_beside_the_models(member: Member) -> None:
    families = member.http.get("/v1/models").json()["families"]
    label = next(item for item in families if item["label"] == "some-family")
    assert label["variants"] == ["local-sketch-image", "fal-ai/flux/schnell"]
    assert label["hint"] == "Ask the user which one."


@pytest.mark.rule(47, shows="accepts")
def test_one_document_has_the_limits_of_every_model(member: Member) -> None:
    page = member.http.get("/v1/models")
    require_shape(ModelPage, page)
    promised = {
        "cost",
        "generation_types",
        "aspect_ratios",
        "input_media_types",
        "inputs",
        "prompt_max_length",
        "duration",
        "flags",
        "capabilities",
        "supports_sound",
        "estimated_time_seconds",
    }
    for model in page.json()["data"]:
        assert promised <= set(model), model["id"]


def test_a_model_with_the_schema_of_its_parameters(member: Member) -> None:
    shown = member.http.get("/v1/models/local-sketch-image").json()
    assert shown["id"] == "local-sketch-image"
    assert shown["parameter_schema"]["properties"]["seed"]["maximum"] == 2**32 - 1
    assert "engine" in shown


@pytest.mark.parametrize("path", ["fal-ai/flux/schnell", "fal-ai%2Fflux%2Fschnell", "a/b/c/d"])
def test_ids_with_slashes(member: Member, path: str) -> None:
    reply = member.http.get(f"/v1/models/{path}")
    assert reply.status_code == 200
    assert reply.json()["id"] == "fal-ai/flux/schnell"


def test_a_family_label_lists_its_variants(member: Member) -> None:
    expected = {
        "error": "variant_required",
        "family": "some-family",
        "available_variants": ["local-sketch-image", "fal-ai/flux/schnell"],
        "hint": "Ask the user which one.",
    }
    before = member.left_behind()
    for reply in (
        member.http.get("/v1/models/some-family"),
        member.start(model="some-family", source_media_urls="http://169.254.169.254/a.png"),
    ):
        assert reply.status_code == 400
        assert {name: reply.json()[name] for name in expected} == expected
    assert member.left_behind() == before


@pytest.mark.parametrize("path", ["nope", "fal-ai/flux", "local-sketch-image/", "x" * 2000])
def test_models_that_are_not_there(member: Member, path: str) -> None:
    reply = member.http.get(f"/v1/models/{path}")
    assert (reply.status_code, reply.json()["error"]) == (404, "model_not_found")


def test_a_close_name_is_suggested(member: Member) -> None:
    reply = member.http.get("/v1/models/local-sketch-imag")
    assert reply.json()["close_matches"][0] == "local-sketch-image"


def test_no_name_at_all(member: Member) -> None:
    reply = member.http.get("/v1/models/")
    assert (reply.status_code, reply.json()["error"]) == (400, "model_required")
