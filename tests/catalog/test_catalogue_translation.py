from mediawright.catalog.translate import translate
from mediawright.core.provider import INPUT_FIELDS


def test_formats_scales_value_tables_and_nesting(sample, check):
    alpha, beta = check(
        sample, "clip-2-720p", duration=5, sound=False, aspect_ratio="16:9", seed=3
    ).routes
    assert alpha.fields == {
        "ratio": "16:9",
        "resolution": "720p",
        "duration": "5s",
        "audio": False,
    }
    assert beta.fields == {
        "input": {
            "ratio": "16:9",
            "ms": 5000,
            "sound": "off",
            "watermark": False,
            "size": "1280*720",
        },
        "tags": ["a"],
    }


def test_tables_leave_out_what_they_do_not_list(sample, check):
    beta = check(sample, "clip-2-720p", aspect_ratio="1:1").routes[1]
    assert "size" not in beta.fields["input"]


def test_fields_of_one_request_are_not_those_of_another(sample, check):
    first = check(sample, "clip-2-720p").routes[1].fields
    first["tags"].append("b")
    first["input"]["watermark"] = True
    second = check(sample, "clip-2-720p").routes[1].fields
    assert second["tags"] == ["a"]
    assert second["input"]["watermark"] is False


def test_input_fields_are_named_for_the_inputs_there_are(sample, catalogue, check, media):
    assert INPUT_FIELDS not in check(sample, "clip-2-720p").routes[0].fields
    framed = check(sample, "clip-2-720p", inputs=(media("first_frame"),)).routes[0]
    assert framed.fields[INPUT_FIELDS] == {"first_frame": "image_url"}
    edited = check(catalogue, "gpt-image-2", inputs=(media("reference_image"),), provider="fal")
    assert edited.routes[0].fields[INPUT_FIELDS] == {"reference_image": "image_urls[]"}


def test_translate_is_usable_by_itself(sample, check):
    checked = check(sample, "paint", count=2)
    route = checked.model.find_route("alpha", "alpha/paint")
    assert translate(route, checked.applied, {"extra": {"deep": 1}}) == {
        "ratio": "1:1",
        "quality": "1K",
        "n": 2,
        "extra": {"deep": 1},
    }
