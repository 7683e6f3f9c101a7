"""Models by a provider's own id, without a row: what is given goes on under its names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawright.catalog.loader import CatalogueError, build_catalogue, load_catalogue
from mediawright.catalog.preflight import PreflightSettings
from mediawright.catalog.public import public_model
from mediawright.core.errors import InvalidRequestError, NotFoundError
from mediawright.core.money import PriceBasis
from mediawright.core.operations import Operation
from mediawright.core.provider import INPUT_FIELDS

VERSION = "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b"
PROVIDERS = ["fal", "huggingface", "replicate", "together"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_has_models_by_its_own_ids(catalogue, check, provider):
    checked = check(catalogue, f"{provider}:owner/some-model")
    assert checked.model.id == f"{provider}:owner/some-model"
    assert [(plan.provider, plan.upstream_id) for plan in checked.routes] == [
        (provider, "owner/some-model")
    ]
    assert checked.operation is Operation.TEXT_TO_IMAGE
    assert checked.price.basis is PriceBasis.UNKNOWN
    assert (checked.price.credits, checked.price.usd) == (None, None)
    assert "price is not known" in checked.price.explanation


@pytest.mark.parametrize(
    ("written", "upstream_id"),
    [
        (f"replicate:stability-ai/sdxl:{VERSION}", f"stability-ai/sdxl:{VERSION}"),
        (f"stability-ai/sdxl:{VERSION}", f"stability-ai/sdxl:{VERSION}"),
        ("replicate:stability-ai/sdxl", "stability-ai/sdxl"),
    ],
)
@pytest.mark.rule(84, shows="accepts")
def test_replicate_takes_a_version(catalogue, check, written, upstream_id):
    checked = check(catalogue, written)
    assert checked.routes[0].upstream_id == upstream_id
    assert checked.model.id == f"replicate:{upstream_id}"
    assert checked.request.model in catalogue


@pytest.mark.parametrize("name", ["nobody:owner/model", "openai:gpt-image-9", "x/y:latest"])
def test_other_providers_have_none(catalogue, check, name):
    with pytest.raises(NotFoundError) as caught:
        check(catalogue, name)
    assert caught.value.code == "model_not_found"
    assert name not in catalogue


@given(st.text(max_size=60))
def test_no_text_makes_an_id_that_leaves_the_path(text):
    name = f"fal:{text}"
    found, problem = load_catalogue().find(name)
    if found is None:
        assert problem is not None
        assert problem.code == "model_not_found"
        return
    steps = found[0].routes[0].upstream_id.split("/")
    assert all(step and step.strip(".") and step.isascii() for step in steps)


def test_a_row_of_the_same_model_is_named(catalogue, check):
    checked = check(catalogue, "fal:fal-ai/flux/schnell")
    assert [item.reason for item in checked.adjustments if item.pointer == "/model"] == [
        "flux-schnell has rules and a price for this model"
    ]
    assert checked.model.id == "fal:fal-ai/flux/schnell"


@pytest.mark.parametrize(
    ("roles", "operation"),
    [
        ([], "text-to-image"),
        (["reference_image"], "image-to-image"),
        (["reference_image", "mask"], "image-to-image"),
        (["first_frame"], "image-to-video"),
        (["first_frame", "last_frame"], "image-to-video"),
        (["reference_video"], "video-to-video"),
        (["reference_video", "reference_image"], "video-to-video"),
        (["reference_audio"], "audio-to-audio"),
    ],
)
def test_the_inputs_say_what_to_do(catalogue, check, *, media, roles, operation):
    inputs = tuple(media(role, f"{n}.png") for n, role in enumerate(roles))
    assert check(catalogue, "fal:owner/m", inputs=inputs).operation.value == operation


@pytest.mark.parametrize("operation", ["text-to-video", "text-to-speech", "text-to-music"])
def test_the_caller_can_say_so_too(catalogue, check, operation):
    checked = check(catalogue, "fal:owner/m", operation=operation)
    assert checked.operation.value == operation


def test_parameters_go_on_as_given_under_the_providers_names(catalogue, check):
    checked = check(
        catalogue,
        "fal:owner/m",
        aspect_ratio="7:5",
        resolution="whatever",
        count=3,
        steps=7,
        sound=True,
        duration=3.5,
        negative_prompt="fog",
        loras=({"path": "https://h.test/a.safetensors", "scale": 0.5},),
    )
    assert checked.routes[0].fields == {
        "aspect_ratio": "7:5",
        "resolution": "whatever",
        "num_images": 3,
        "num_inference_steps": 7,
        "generate_audio": True,
        "duration": 3.5,
        "negative_prompt": "fog",
        "loras": [{"path": "https://h.test/a.safetensors", "scale": 0.5}],
    }
    sized = check(catalogue, "fal:owner/m", size="640x360").routes[0].fields
    assert sized == {"image_size": {"width": 640, "height": 360}}
    nothing = check(catalogue, "fal:owner/m").routes[0].fields
    assert nothing == {}


def test_settings_of_the_providers_own_go_first(catalogue, check, problems):
    vendor = {"fal": {"duration": "8s", "acceleration": "high"}}
    fields = check(catalogue, "fal:owner/m", duration=5, vendor=vendor).routes[0].fields
    assert fields == {"duration": "8s", "acceleration": "high"}
    assert problems(catalogue, "fal:owner/m", vendor={"fal": {"prompt": "x"}}) == [
        ("vendor_setting_not_allowed", "/parameters/vendor/fal/prompt")
    ]


def test_several_files_of_a_role_make_a_list(catalogue, check, media):
    one = (media("reference_image"),)
    assert INPUT_FIELDS not in check(catalogue, "fal:owner/m", inputs=one).routes[0].fields
    many = tuple(media("reference_image", f"{n}.png") for n in range(3))
    fields = check(catalogue, "fal:owner/m", inputs=many).routes[0].fields
    assert fields[INPUT_FIELDS] == {"reference_image": "image_urls[]"}


def test_values_must_still_be_of_their_kind(catalogue, problems):
    found = problems(catalogue, "fal:owner/m", seed="soon", sound="yes", loras=7)
    assert found == [
        ("invalid_sound", "/parameters/sound"),
        ("invalid_seed", "/parameters/seed"),
        ("invalid_loras", "/parameters/loras"),
    ]


def test_without_an_adapter_it_says_so(catalogue, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(
            catalogue,
            "together:owner/m",
            settings=PreflightSettings(adapters=frozenset({"fal"})),
        )
    assert caught.value.code == "provider_not_available"
    assert caught.value.details == {"providers": ["together"]}


def test_another_provider_does_not_serve_it(catalogue, check):
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, "fal:owner/m", provider="openai")
    assert caught.value.code == "unsupported_by_provider"
    assert check(catalogue, "fal:owner/m", provider="fal").routes


def test_it_can_be_described(catalogue, now):
    shown = public_model(catalogue.get("fal:owner/m"), now=now)
    assert (shown["id"], shown["title"], shown["live"]) == ("fal:owner/m", "owner/m", True)
    assert shown["cost"] == []
    assert catalogue.patterns[0].id not in {model.id for model in catalogue}


def test_a_pattern_has_one_route_to_its_provider():
    text = """
    [[open]]
    id = "fal"
    title = "A model"
    summary = "A model."
    kind = "image"
    source = { text = "nobody", seen_on = 2026-11-20 }
    operations.text-to-image = {}
    routes = [{ provider = "replicate", upstream_id = "x" }]
    """
    with pytest.raises(CatalogueError) as caught:
        build_catalogue([("open.toml", text)])
    assert "one route, to its provider" in caught.value.message
