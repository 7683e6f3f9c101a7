"""Whatever elements, shots and prompts hold: a typed refusal, or a request that can be run."""

from datetime import UTC, datetime

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from mediawright.catalog.loader import build_catalogue, built_in_sources
from mediawright.catalog.preflight import preflight
from mediawright.core.errors import MediawrightError
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind
from mediawright.core.request import Element, GenerationRequest, Parameters, Shot

NOW = datetime(2026, 11, 20, tzinfo=UTC)
GATEWAY = """
[[model]]
like = "sora-2-pro-storyboard"
id = "storyboard"

[[model.routes]]
provider = "gateway"
upstream_id = "storyboard"
fields = { aspect_ratio = "aspect_ratio", duration = "n_frames", shots = "shots" }
"""
CATALOGUE = build_catalogue([*built_in_sources(), ("own.toml", GATEWAY)])
CODES = {
    "invalid_elements",
    "unknown_element",
    "unsupported_format",
    "file_too_large",
    "image_side_out_of_range",
    "invalid_shots",
    "invalid_duration",
    "prompt_required",
    "invalid_prompt",
}

loose = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.text(st.characters(), max_size=3),
    st.just(10**400),
    st.lists(st.integers(), max_size=2),
    st.lists(st.text(max_size=5), max_size=3),
).map(lambda value: value)
"""One choice among others: what is mapped is not drawn from branch by branch."""
good_elements = st.builds(
    Element,
    name=st.sampled_from(["cat", "dog", "red car", "red", "猫"]),
    description=st.just("grey"),
    element_input_urls=st.sampled_from(
        [("https://h.test/a.png",) * number for number in range(2, 5)]
    ),
)
good_shots = st.builds(
    Shot, scene=st.just("dawn"), duration=st.sampled_from([5, 5.0, 10, 2.5, 7.5])
)
urls = st.sampled_from(
    ["https://h.test/a.png", "https://h.test/b.webp", "https://h.test/c.mp4", "http://[", "a", ""]
)
names = st.sampled_from(["cat", "dog", "red car", "red", "ca", "猫"])
elements = st.builds(
    Element,
    name=st.one_of(names, loose),
    description=st.one_of(st.just("grey"), loose),
    element_input_urls=st.one_of(st.lists(urls, max_size=5).map(tuple), loose),
    element_input_video_urls=st.one_of(st.just(()), st.lists(urls, max_size=2).map(tuple), loose),
)
shots = st.builds(
    Shot,
    scene=st.one_of(st.just("dawn"), loose),
    duration=st.one_of(st.sampled_from([5, 5.0, 10, 15.0, 0.1]), loose),
)
prompts = st.lists(
    st.one_of(names, st.sampled_from(["@", "@@", " ", "a@b.c", "。", "s"]), st.text(max_size=3)),
    max_size=8,
).map(lambda parts: "".join(["film ", *parts]))
facts = st.dictionaries(
    urls,
    st.builds(
        MediaFacts,
        kind=st.sampled_from(MediaKind),
        content_type=st.sampled_from(["image/png", "video/mp4", "", "text"]),
        byte_count=st.integers(0, 10**9),
        width=st.one_of(st.none(), st.integers(0, 1000)),
        height=st.one_of(st.none(), st.integers(0, 1000)),
    ),
    max_size=3,
)


def outcome(request, known):
    try:
        return preflight(CATALOGUE, request, now=NOW, element_facts=known or {}), None
    except MediawrightError as error:
        return None, error


def run(request, known=None):
    checked, error = outcome(request, known)
    if error is not None:
        assert error.code in CODES
        assert error.pointer.startswith("/")
        msgspec.json.encode(error.to_problem())
        return None
    again = preflight(CATALOGUE, checked.request, now=NOW, element_facts=known or {})
    assert (again.request, again.routes) == (checked.request, checked.routes)
    msgspec.json.encode(checked.routes)
    return checked


@settings(max_examples=400, deadline=None)
@given(
    given_elements=st.one_of(
        st.lists(st.one_of(elements, loose), max_size=4).map(tuple),
        loose,
    ),
    prompt=prompts,
    known=facts,
)
def test_any_elements(given_elements, prompt, known):
    checked = run(
        GenerationRequest(
            model="kling-3-0-std",
            prompt=prompt,
            parameters=Parameters(kling_elements=given_elements),
        ),
        known,
    )
    applied = checked and checked.request.parameters.kling_elements
    if applied:
        for element in applied:
            pictures, videos = element.element_input_urls, element.element_input_video_urls
            assert (2 <= len(pictures) <= 4 and not videos) or (len(videos) == 1 and not pictures)
        assert len({element.name for element in applied}) == len(applied) <= 3


@settings(max_examples=300, deadline=None)
@given(
    given_shots=st.one_of(
        st.lists(st.one_of(shots, loose), max_size=4).map(tuple),
        loose,
    )
)
def test_any_shots(given_shots):
    checked = run(GenerationRequest(model="storyboard", parameters=Parameters(shots=given_shots)))
    if checked:
        parameters = checked.request.parameters
        assert parameters.duration in (10, 15, 25)
        assert round(sum(shot.duration for shot in parameters.shots), 3) == parameters.duration


@settings(max_examples=200, deadline=None)
@given(
    known=st.lists(good_elements, min_size=1, max_size=3, unique_by=lambda item: item.name),
    data=st.data(),
    stranger=st.booleans(),
)
def test_good_elements_and_their_names(known, data, stranger):
    spoken = st.sampled_from([*(f"@{element.name}" for element in known), "and", "me@cat.test"])
    words = data.draw(st.lists(spoken, min_size=1, max_size=6), "words")
    prompt = " ".join([*words, "@zebra"] if stranger else words)
    request = GenerationRequest(
        model="kling-3-0-std", prompt=prompt, parameters=Parameters(kling_elements=tuple(known))
    )
    checked, error = outcome(request, {})
    if stranger:
        assert (error.code, error.details["given"]) == ("unknown_element", "zebra")
        return
    assert checked.request.parameters.kling_elements == tuple(known)
    silent = {item.requested for item in checked.adjustments if item.kind.value == "warned"}
    assert silent == {element.name for element in known if f"@{element.name}" not in words}


@settings(max_examples=200, deadline=None)
@given(scenes=st.lists(good_shots, min_size=1, max_size=5).map(tuple))
def test_good_shots_and_their_sum(scenes):
    total = sum(shot.duration for shot in scenes)
    request = GenerationRequest(model="storyboard", parameters=Parameters(shots=scenes))
    checked, error = outcome(request, {})
    if total in (10, 15, 25):
        assert checked.applied.seconds == total
    else:
        assert (error.code, error.details["given"]) == ("invalid_duration", total)
