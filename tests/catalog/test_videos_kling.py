"""Kling 2.5 and 3.0: sound, frames, and the elements that a prompt speaks of."""

from decimal import Decimal

import pytest

from mediawright.catalog.preflight import collect_problems, preflight
from mediawright.catalog.public import public_model
from mediawright.catalog.schema import parameter_schema
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind
from mediawright.core.request import Element

KLING = "kling-3-0-std"
PICTURES = ("https://h.test/front.png", "https://h.test/side.jpg")


def element(name="cat", **changes):
    words = {"name": name, "description": "a grey cat", "element_input_urls": PICTURES}
    return Element(**{**words, **changes})


@pytest.fixture
def found(catalogue, ask, now):
    """Codes and places of what is wrong with a request that has elements."""

    def run(*elements, prompt="@cat sleeps", facts=None, model=KLING, **words):
        request = ask(model, prompt=prompt, kling_elements=elements, **words)
        problems = collect_problems(catalogue, request, now=now, element_facts=facts or {})
        return [(problem.code, problem.pointer) for problem in problems]

    return run


def place(*parts):
    return "/".join(("/parameters/kling_elements", *map(str, parts)))


@pytest.mark.rule(36, shows="accepts")
@pytest.mark.parametrize("model", [KLING, "kling-3-0-pro"])
@pytest.mark.parametrize("pictures", [2, 3, 4])
def test_elements_are_sent_along(catalogue, check, model, pictures):
    urls = tuple(f"https://h.test/{n}.png" for n in range(pictures))
    checked = check(
        catalogue, model, prompt="@cat sleeps", kling_elements=(element(element_input_urls=urls),)
    )
    assert [plan.provider for plan in checked.routes] == ["kie"]
    assert checked.routes[0].fields["kling_elements"] == [
        {"name": "cat", "description": "a grey cat", "element_input_urls": list(urls)}
    ]


@pytest.mark.rule(36, shows="accepts")
def test_an_element_may_be_shown_by_a_video(catalogue, check):
    shown = element(element_input_urls=(), element_input_video_urls=("https://h.test/a.mov",))
    checked = check(catalogue, KLING, prompt="@cat", kling_elements=(shown,))
    assert checked.routes[0].fields["kling_elements"] == [
        {
            "name": "cat",
            "description": "a grey cat",
            "element_input_video_urls": ["https://h.test/a.mov"],
        }
    ]


@pytest.mark.rule(36, 11, shows=("accepts", "refuses"))
def test_elements_go_with_frames_and_without(catalogue, check, found, media):
    frames = (media("first_frame"), media("last_frame", "b.png"))
    assert found(element(), operation="text-to-video") == []
    for number in (1, 2):
        inputs = frames[:number]
        assert found(element(), operation="image-to-video", inputs=inputs) == []
    assert found(element(), operation="image-to-video") == [("source_media_required", "/inputs")]


@pytest.mark.rule(36, shows="refuses")
@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": ""}, "name"),
        ({"name": " cat"}, "name"),
        ({"name": "@cat"}, "name"),
        ({"name": 7}, "name"),
        ({"description": " "}, "description"),
        ({"description": None}, "description"),
        ({"element_input_urls": PICTURES[:1]}, "element_input_urls"),
        ({"element_input_urls": PICTURES * 3}, "element_input_urls"),
        ({"element_input_urls": "https://h.test/a.png"}, "element_input_urls"),
        ({"element_input_urls": (PICTURES[0], "cat.png")}, "element_input_urls/1"),
        ({"element_input_urls": (PICTURES[0], "file:///etc/passwd")}, "element_input_urls/1"),
        ({"element_input_urls": ()}, ""),
        ({"element_input_video_urls": ("https://h.test/a.mp4",)}, ""),
        (
            {
                "element_input_urls": (),
                "element_input_video_urls": ("https://h.test/a.mp4", "https://h.test/b.mp4"),
            },
            "element_input_video_urls",
        ),
    ],
)
def test_a_misshapen_element_is_refused_with_its_place(found, changes, where):
    pointer = place(0, where) if where else place(0)
    assert found(element(**changes)) == [("invalid_elements", pointer)]


@pytest.mark.rule(36, shows="refuses")
def test_elements_must_be_a_list_of_elements(catalogue, ask, now, found):
    for value in ("cat", 7, {"name": "cat"}):
        request = ask(KLING, kling_elements=value)
        (problem,) = collect_problems(catalogue, request, now=now)
        assert (problem.code, problem.pointer) == ("invalid_elements", place())
    assert found("cat") == [("invalid_elements", place(0))]
    assert found(element(), element()) == [("invalid_elements", place(1, "name"))]


@pytest.mark.rule(36, shows="accepts")
def test_no_elements_are_no_elements(catalogue, check):
    checked = check(catalogue, KLING, prompt="mail me@cat.test", kling_elements=())
    assert checked.request.parameters.kling_elements is None
    assert [plan.provider for plan in checked.routes] == ["kling", "kie", "fal"]


@pytest.mark.rule(36, shows="refuses")
def test_every_breach_is_told_at_once(found):
    broken = element(description="", element_input_urls=PICTURES[:1])
    assert found(element(), broken) == [
        ("invalid_elements", place(1, "description")),
        ("invalid_elements", place(1, "element_input_urls")),
        ("invalid_elements", place(1, "name")),
    ]


@pytest.mark.rule(36, shows="accepts")
@pytest.mark.parametrize(
    "prompt",
    [
        "@cat",
        "(@cat) and @dog.",
        "@cat's dog is @dog, mail me@cats.test",
        "@dog @cat at 5 @ noon",
        "@cat在跑,@dog在睡",
        "@dog-like @cat",
    ],
)
def test_names_of_elements_are_found_in_the_prompt(found, prompt):
    assert found(element(), element("dog"), prompt=prompt) == []


@pytest.mark.rule(36, shows="refuses")
@pytest.mark.parametrize(
    ("prompt", "unknown"), [("@cats play", "cats"), ("@Cat", "Cat"), ("@cat and @bird", "bird")]
)
def test_an_unknown_name_is_refused(catalogue, ask, now, prompt, unknown):
    request = ask(KLING, prompt=prompt, kling_elements=(element(),))
    (problem,) = collect_problems(catalogue, request, now=now)
    assert (problem.code, problem.pointer) == ("unknown_element", "/prompt")
    assert problem.details == {"given": unknown, "allowed": ["cat"]}
    assert "@cat" in problem.hint


@pytest.mark.rule(36, shows=("accepts", "refuses"))
def test_the_longest_name_is_meant(found):
    names = (element("red"), element("red car"))
    assert found(*names, prompt="@red car beside @red") == []
    assert found(*names, prompt="@redder") == [("unknown_element", "/prompt")]


@pytest.mark.rule(36, shows="accepts")
def test_without_elements_an_at_sign_is_plain_text(found):
    assert found(prompt="@nobody waves") == []


@pytest.mark.rule(36, shows="adjusts")
def test_an_element_nobody_speaks_of_is_reported(catalogue, check, adjusted):
    checked = check(catalogue, KLING, prompt="@cat", kling_elements=(element(), element("dog")))
    assert adjusted(checked)[place(1)][0] == "warned"
    assert place(0) not in adjusted(checked)


@pytest.mark.rule(36, shows=("accepts", "refuses"))
def test_files_of_elements_are_checked_as_far_as_they_are_known(found, image_facts):
    def facts(**changes):
        return {PICTURES[1]: image_facts(**changes)}

    where = place(0, "element_input_urls", 1)
    assert found(element(), facts=facts(width=300, height=300, byte_count=10_000_000)) == []
    assert found(element(), facts=facts(height=299)) == [("image_side_out_of_range", where)]
    assert found(element(), facts=facts(byte_count=10_000_001)) == [("file_too_large", where)]
    webp = facts(content_type="image/webp")
    assert found(element(), facts=webp) == [("unsupported_format", where)]
    by_name = element(element_input_urls=(PICTURES[0], "https://h.test/b.webp"))
    assert found(by_name) == [("unsupported_format", where)]
    video = element(element_input_urls=(), element_input_video_urls=("https://h.test/v",))
    where = place(0, "element_input_video_urls", 0)

    def clip(content_type, byte_count):
        facts = MediaFacts(kind=MediaKind.VIDEO, content_type=content_type, byte_count=byte_count)
        return {"https://h.test/v": facts}

    assert found(video, facts=clip("video/quicktime", 50_000_000)) == []
    assert found(video, facts=clip("video/mp4", 50_000_001)) == [("file_too_large", where)]
    assert found(video, facts=clip("video/webm", 1000)) == [("unsupported_format", where)]


@pytest.mark.rule(36, shows="refuses")
def test_more_elements_than_a_provider_takes_are_refused(found):
    names = ("a", "b", "c", "d")
    elements = [element(name) for name in names]
    words = " ".join(f"@{name}" for name in names)
    assert found(*elements[:3], prompt="@a @b @c") == []
    assert found(*elements, prompt=words, provider="kie") == [("invalid_elements", place())]


@pytest.mark.rule(36, shows="refuses")
@pytest.mark.parametrize("model", ["kling-2-6-text-to-video", "seedance-2-480p", "nano-banana"])
def test_other_models_take_no_elements(found, model):
    assert ("unsupported_by_model", place()) in found(element(), model=model)


@pytest.mark.rule(36, shows="accepts")
def test_a_checked_request_with_elements_stays_as_it_is(catalogue, check, now):
    checked = check(catalogue, KLING, prompt="@cat", kling_elements=(element(),))
    again = preflight(catalogue, checked.request, now=now)
    assert (again.request, again.routes) == (checked.request, checked.routes)


@pytest.mark.rule(36, shows="accepts")
def test_the_schema_says_what_an_element_is(catalogue):
    schema = parameter_schema(catalogue.get(KLING))["properties"]["kling_elements"]
    item = schema["items"]
    assert schema["type"] == "array"
    assert item["required"] == ["name", "description"]
    assert item["oneOf"] == [
        {"required": ["element_input_urls"]},
        {"required": ["element_input_video_urls"]},
    ]
    pictures = item["properties"]["element_input_urls"]
    assert (pictures["minItems"], pictures["maxItems"]) == (2, 4)
    assert pictures["x-files"] == {
        "formats": ["jpeg", "png"],
        "max_bytes": 10_000_000,
        "min_side": 300,
    }


# Sound and its prices


@pytest.mark.rule(31, 32, shows=("accepts", "prices"))
@pytest.mark.parametrize(
    ("model", "silent", "loud"), [("kling-3-0-std", 17, 23), ("kling-3-0-pro", 21, 30)]
)
def test_sound_costs_the_rate_of_its_own_row(
    catalogue, check, *, adjusted, now, model, silent, loud
):
    assert check(catalogue, model, duration=7).price.credits == 7 * silent
    assert check(catalogue, model, duration=7, sound=False).price.credits == 7 * silent
    with_sound = check(catalogue, model, duration=7, sound=True)
    assert with_sound.price.credits == 7 * loud
    named = check(catalogue, f"{model}-audio", duration=7)
    assert (named.request, named.price) == (with_sound.request, with_sound.price)
    assert named.request.model == model
    assert adjusted(named)["/model"] == ("replaced", model)
    assert adjusted(named)["/parameters/sound"] == ("replaced", True)
    described = public_model(catalogue.get(model), now=now)
    assert f"{model}-audio" in described["aliases"]
    assert described["supports_sound"] is True


@pytest.mark.rule(32, shows="adjusts")
def test_the_name_with_audio_wins_over_a_parameter_that_says_otherwise(catalogue, check):
    checked = check(catalogue, "kling-3-0-pro-audio", sound=False, duration=3)
    (said,) = [item for item in checked.adjustments if item.pointer == "/parameters/sound"]
    assert (said.requested, said.applied) == (False, True)
    assert checked.price.credits == 90


@pytest.mark.rule(31, shows="adjusts")
def test_a_model_without_a_toggle_ignores_sound(catalogue, check, adjusted):
    checked = check(catalogue, "kling-2-5-text-to-video-pro", sound=True)
    assert adjusted(checked)["/parameters/sound"][0] == "dropped"
    assert checked.request.parameters.sound is None


@pytest.mark.rule(37, 29, shows=("accepts", "refuses"))
@pytest.mark.parametrize("model", ["kling-3-0-std", "kling-3-0-pro"])
def test_one_shot_with_a_prompt_of_2500(catalogue, check, problems, model):
    checked = check(catalogue, model, prompt="x" * 2500, provider="kie")
    assert checked.routes[0].fields["multi_shots"] is False
    assert problems(catalogue, model, prompt="x" * 2501) == [("prompt_too_long", "/prompt")]


@pytest.mark.rule(28, shows=("accepts", "refuses"))
@pytest.mark.parametrize("model", ["kling-3-0-std", "kling-3-0-pro"])
def test_three_to_fifteen_seconds(catalogue, problems, model):
    for fine in (3, "15s", "7"):
        assert problems(catalogue, model, duration=fine) == []
    for wrong in (2, 16, 3.5):
        found = problems(catalogue, model, duration=wrong)
        assert found == [("invalid_duration", "/parameters/duration")]


def test_the_ratio_is_sent_where_a_provider_demands_it(catalogue, check, media):
    """kie.ai wants it with a first frame too; Kling and fal let the picture set it."""
    words = {"operation": "image-to-video", "inputs": (media("first_frame"),)}
    checked = check(catalogue, KLING, aspect_ratio="9:16", **words)
    sent = {plan.provider: plan.fields.get("aspect_ratio") for plan in checked.routes}
    assert sent == {"kling": None, "kie": "9:16", "fal": None}


# Kling 2.5


@pytest.mark.rule(11, shows=("accepts", "refuses"))
def test_kling_2_5_takes_a_start_frame_and_perhaps_an_end_frame(catalogue, check, problems, media):
    model = "kling-2-5-image-to-video-pro"
    pictures = [media("reference_image", f"{n}.png") for n in range(3)]
    for number in (1, 2):
        checked = check(catalogue, model, inputs=tuple(pictures[:number]))
        roles = [item.role.value for item in checked.request.inputs]
        assert roles == ["first_frame", "last_frame"][:number]
    assert problems(catalogue, model, inputs=tuple(pictures)) == [
        ("invalid_media_count", "/inputs/2")
    ]
    assert problems(catalogue, model) == [("source_media_required", "/inputs")]


@pytest.mark.rule(27, shows="accepts")
@pytest.mark.rule(28, shows="adjusts")
def test_kling_2_5_keeps_its_length_and_honours_a_negative_prompt(
    catalogue, check, *, media, adjusted
):
    words = {"inputs": (media("first_frame"),), "negative_prompt": "blur"}
    checked = check(catalogue, "kling-2-5-image-to-video-pro", duration=10, **words)
    assert adjusted(checked)["/parameters/duration"] == ("dropped", 5.0)
    for plan in checked.routes:
        assert (plan.fields["duration"], plan.fields["negative_prompt"]) == ("5", "blur")
    long = check(
        catalogue,
        "kling-2-5-image-to-video-pro",
        inputs=words["inputs"],
        negative_prompt="x" * 501,
    )
    assert [plan.provider for plan in long.routes] == ["kling", "fal"]


@pytest.mark.rule(34, shows="accepts")
def test_sound_classes_of_kling_2_5(catalogue, now):
    made = public_model(catalogue.get("kling-2-5-image-to-video-pro"), now=now)
    assert made["capabilities"] == {"video_audio": "included"}
    assert (made["supports_sound"], made["flags"]) == (False, {"makes_sound": False})
    text = public_model(catalogue.get("kling-2-5-text-to-video-pro"), now=now)
    assert text["capabilities"] == {"video_audio": "silent"}


def test_kling_2_5_from_a_prompt(catalogue, check, problems):
    model = "kling-2-5-text-to-video-pro"
    assert check(catalogue, model, duration="10s").price.usd == Decimal("0.7")
    assert problems(catalogue, model, duration=7) == [("invalid_duration", "/parameters/duration")]
    assert problems(catalogue, model, aspect_ratio="4:3") == [
        ("invalid_aspect_ratio", "/parameters/aspect_ratio")
    ]
