import re
from decimal import Decimal

import msgspec
import pytest

from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.model import ModelStatus
from mediawright.catalog.pricing import PriceSettings
from mediawright.catalog.public import public_model
from mediawright.catalog.schema import DIALECT, parameter_schema
from mediawright.core.operations import Operation

MODELS = sorted(model.id for model in load_catalogue())


@pytest.mark.parametrize("model_id", MODELS)
def test_every_model_can_be_described(catalogue, now, model_id):
    model = catalogue.get(model_id)
    described = public_model(model, now=now)
    assert msgspec.json.decode(msgspec.json.encode(described)) == described
    assert described["id"] == model_id
    noted = any(route.price_note for route in model.routes)
    assert described["cost"] or not model.routes or noted
    ended = model.lifecycle.status is ModelStatus.ENDED
    assert described["live"] is not ended
    assert described["unavailable_reason"] == ("ended" if ended else None)
    assert described["estimated_time_seconds"] > 0 or ended
    assert bool(described["routes"]) is not ended


def test_the_description_says_what_callers_ask_first(catalogue, now):
    described = public_model(catalogue.get("gpt-image-2"), now=now)
    assert described["generation_types"] == ["text-to-image", "image-to-image"]
    assert described["input_media_types"] == ["image"]
    assert described["aspect_ratios"] == ["auto", "1:1", "9:16", "16:9", "4:3", "3:4"]
    assert described["resolutions"] == ["1K", "2K", "4K"]
    assert [
        (row["amount"], row["when"]["resolution"])
        for row in described["cost"]
        if row["currency"] == "credits"
    ] == [("11", "1K"), ("15", "2K"), ("21", "4K")]
    assert described["prompt_max_length"] == 32000
    assert described["supports_sound"] is False
    assert described["inputs"]["image-to-image"][0] == {
        "media_type": "image",
        "formats": ["png", "webp", "jpeg"],
        "max_bytes": 50_000_000,
        "role": "reference_image",
        "minimum": 1,
        "maximum": 16,
    }
    assert described["capabilities"] == {"video_audio": None}


def test_video_descriptions(catalogue, now):
    turbo = public_model(catalogue.get("gen4_turbo"), now=now)
    assert turbo["duration"] == {
        "configurable": True,
        "default": 5,
        "minimum": 2,
        "maximum": 10,
        "whole": True,
    }
    assert turbo["capabilities"] == {"video_audio": "silent"}
    sketch = public_model(catalogue.get("local-sketch-video"), now=now)
    assert sketch["capabilities"] == {"video_audio": "toggle_via_sound_param"}
    assert sketch["supports_sound"] is True


def test_costs_in_dollars_are_shown_in_credits_too(catalogue, now):
    model = catalogue.get("gen4.5")
    assert public_model(model, now=now)["cost"][0]["credits"] == "12"
    prices = PriceSettings(credits_per_usd=Decimal(50), markup=Decimal(1))
    assert public_model(model, now=now, prices=prices)["cost"][0]["credits"] == "12"


def test_lifecycle_is_described(sample, now):
    dead = public_model(sample.get("old-paint"), now=now)
    assert dead["live"] is False
    assert dead["lifecycle"]["status"] == "ended"
    assert dead["lifecycle"]["ends_on"] == "2026-05-12"
    assert dead["lifecycle"]["successor"] == "paint"
    fixed = public_model(sample.get("clip-2-720p"), now=now)
    assert fixed["resolutions"] == ["720p"]
    assert fixed["aliases"] == ["clip-2-720p-silent"]


@pytest.mark.parametrize("model_id", MODELS)
def test_schemas_list_exactly_what_is_honoured(catalogue, model_id):
    model = catalogue.get(model_id)
    for operation in (None, *model.operations):
        schema = parameter_schema(model, operation)
        assert schema["$schema"] == DIALECT
        operations = [operation] if operation else list(model.operations)
        honoured = {
            name
            for name in public_model(model)["parameters"]
            if any(model.parameter(name, item) for item in operations)
        }
        assert set(schema["properties"]) == honoured
        for rule in schema["properties"].values():
            assert rule["description"]
            for member in rule.get("anyOf", [rule]):
                if "pattern" in member:
                    re.compile(member["pattern"])
                if "enum" in member and "default" in member:
                    assert member["default"] in member["enum"]


def test_schema_details(catalogue, sample):
    speech = parameter_schema(catalogue.get("gpt-4o-mini-tts"))["properties"]
    assert speech["speed"]["type"] == "number"
    assert (speech["speed"]["minimum"], speech["speed"]["maximum"]) == (0.25, 4)
    assert speech["instructions"]["maxLength"] == 4096
    video = parameter_schema(catalogue.get("gen4.5"))["properties"]
    assert video["duration"]["type"] == "integer"
    assert video["duration"]["x-unit"] == "seconds"
    assert {tuple(member["x-operations"]) for member in video["aspect_ratio"]["anyOf"]} == {
        ("text-to-video",),
        ("image-to-video",),
    }
    only = parameter_schema(catalogue.get("gen4.5"), Operation.TEXT_TO_VIDEO)["properties"]
    assert only["aspect_ratio"]["enum"] == ["1280:720", "720:1280"]
    edits = parameter_schema(catalogue.get("gpt-image-2"))["properties"]["edit_mode"]
    assert edits["x-operations"] == ["image-to-image"]
    clip = parameter_schema(sample.get("clip-2-720p"))["properties"]
    assert clip["resolution"]["const"] == "720p"
    ratio = parameter_schema(catalogue.get("flux-schnell"))["properties"]["aspect_ratio"]
    assert any("pattern" in member for member in ratio["anyOf"])
