"""Requests that break a rule: a typed error with its place, and nothing left behind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api.running import PICTURE, Member, RunningServer

from mediawright.api.request_bodies import GenerateBody


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose providers are imitated, so that every model could be called."""
    with RunningServer(tmp_path_factory.mktemp("api"), sandbox=True) as running:
        yield running


METADATA_URL = "http://169.254.169.254/latest/meta-data/a.png"
REFUSED: dict[str, tuple[int, str, str | None, dict[str, Any]]] = {
    "unknown model": (404, "model_not_found", "/model", {"model": "dall-e-99"}),
    "blank model": (400, "model_required", "/model", {"model": " "}),
    "no prompt": (400, "prompt_required", "/prompt", {"prompt": None}),
    "blank prompt": (400, "prompt_required", "/prompt", {"prompt": " "}),
    "long prompt": (
        400,
        "prompt_too_long",
        "/prompt",
        {"model": "gen4_image", "prompt": "x" * 1001, "size": None},
    ),
    "wrong ratio": (
        400,
        "invalid_aspect_ratio",
        "/aspect_ratio",
        {"model": "gpt-image-2", "aspect_ratio": "7:5", "size": None},
    ),
    "wrong duration": (
        400,
        "invalid_duration",
        "/duration",
        {"model": "gen4.5", "duration": "60s", "size": None},
    ),
    "too many": (400, "invalid_n", "/n", {"n": 9}),
    "too many, said otherwise": (400, "invalid_n", "/count", {"count": 9}),
    "wrong type for the model": (
        400,
        "unsupported_generation_type",
        "/generation_type",
        {"model": "gen4.5", "generation_type": "text-to-image", "size": None},
    ),
    "no source": (
        400,
        "source_media_required",
        "/source_media_urls",
        {"generation_type": "image-to-image"},
    ),
    "unknown provider": (400, "unknown_provider", "/provider", {"provider": "nobody"}),
    "provider of another model": (
        400,
        "unsupported_by_provider",
        "/provider",
        {"provider": "runway"},
    ),
    "path out of the drive": (
        400,
        "invalid_path",
        "/file_path",
        {"file_path": "../../etc/passwd"},
    ),
    "path out of the space": (
        400,
        "invalid_path",
        "/file_path",
        {"file_path": "/space/../../etc/passwd"},
    ),
    "absolute path": (400, "invalid_path", "/file_path", {"file_path": "/etc/passwd"}),
    "another extension": (400, "unsupported_format", "/file_path", {"file_path": "a.exe"}),
    "cloud metadata": (
        403,
        "url_not_allowed",
        "/source_media_urls",
        {"source_media_urls": METADATA_URL},
    ),
    "cloud metadata as an input": (
        403,
        "url_not_allowed",
        "/inputs/0",
        {"inputs": [{"url": METADATA_URL}]},
    ),
    "loopback": (
        403,
        "url_not_allowed",
        "/source_media_urls",
        {"source_media_urls": ["http://127.0.0.1:1/a.png"]},
    ),
    "loopback in disguise": (
        403,
        "url_not_allowed",
        "/source_media_urls",
        {"source_media_urls": ["http://2130706433/a.png"]},
    ),
    "a file of the server": (
        403,
        "url_not_allowed",
        "/source_media_urls",
        {"source_media_urls": ["file:///etc/passwd"]},
    ),
    "an asset of nobody": (
        404,
        "asset_not_found",
        "/source_media_urls/1",
        {"source_media_urls": ["PICTURE", "ast_0197f0c29d2a7b1e8c3d5f6a7b8c9d0e"]},
    ),
    "a picture where sound is wanted": (
        400,
        "unsupported_media_kind",
        "/source_media_urls",
        {"model": "local-listener", "prompt": None, "size": None, "source_media_urls": "PICTURE"},
    ),
    "more than there is": (
        402,
        "insufficient_credit",
        None,
        {"model": "gen4.5", "duration": 10, "size": None},
    ),
}


@pytest.fixture(scope="module")
def poor(server: RunningServer) -> Member:
    """A workspace with a picture, and with next to no credit left."""
    return server.new_member()


@pytest.fixture(scope="module")
def picture(poor: Member, server: RunningServer) -> str:
    made = poor.make()["outputs"][0]["asset_id"]
    _spend_nearly_all(server, poor)
    return made


def _spend_nearly_all(server: RunningServer, member: Member) -> None:
    ledger, runtime = server.runtime.ledger, server.runtime

    async def spend() -> None:
        from decimal import Decimal

        await runtime.database.write(
            lambda c: ledger.grant(c, member.workspace_id, Decimal(-499), now=runtime.clock.now())
        )

    server.run(spend())


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_breaks_a_rule(poor: Member, picture: str, name: str) -> None:
    status, code, pointer, changes = REFUSED[name]
    sources = changes.get("source_media_urls")
    if sources is not None:
        named = [sources] if isinstance(sources, str) else sources
        changes = {
            **changes,
            "source_media_urls": [picture if item == "PICTURE" else item for item in named],
        }
    before = poor.left_behind()
    reply = poor.start(**changes)
    assert reply.status_code == status, reply.text
    body = reply.json()
    assert body["error"] == code
    assert body.get("pointer") == pointer
    assert body["request_id"] == reply.headers["X-Request-Id"]
    assert poor.left_behind() == before


def test_problems_point_into_the_body_too(poor: Member) -> None:
    reply = poor.start(
        prompt=" ", n=9, file_path="x", generation_type="image-to-image", seed=-1, size="1x"
    )
    body = reply.json()
    assert reply.status_code == 400
    pointers = [item["pointer"] for item in body["problems"]]
    assert pointers[0] == body["pointer"] == "/prompt"
    assert {"/n", "/seed", "/size", "/source_media_urls"} <= set(pointers)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["local-sketch-image", "gen4.5", "gpt-image-2", "16:9", "0x0", "5s", "ast_", "../x", "1K"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
BODIES = st.dictionaries(
    st.sampled_from(sorted(GenerateBody.model_fields)) | st.text(max_size=8), VALUES, max_size=6
)


@pytest.fixture
def nothing_left(poor: Member, picture: str) -> Iterator[None]:
    """Nothing that happens in between leaves anything behind."""
    del picture
    before = poor.left_behind()
    yield
    assert poor.left_behind() == before


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=BODIES | VALUES)
@pytest.mark.usefixtures("nothing_left")
def test_whatever_is_sent_gets_a_typed_answer(poor: Member, body: Any) -> None:
    if isinstance(body, dict) and body.get("model") in ("local-sketch-image", "gen4.5"):
        # Such a body could be good by chance; this field makes it bad for certain.
        body["no_such_field"] = 1
    reply = poor.http.post("/v1/generate/media", json=_plain(body))
    assert 400 <= reply.status_code < 500, (body, reply.text)
    answer = reply.json()
    assert set(answer) >= {"error", "message", "request_id"}
    assert answer["error"].replace("_", "").isalnum()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    changes=st.dictionaries(st.sampled_from(sorted(GenerateBody.model_fields)), VALUES, max_size=4)
)
@pytest.mark.usefixtures("nothing_left")
def test_a_good_body_with_bad_values(poor: Member, changes: dict[str, Any]) -> None:
    """With a model that exists the rules behind the form are reached as well."""
    body = {**PICTURE, **changes, "file_path": "../out"}
    reply = poor.http.post("/v1/generate/media", json=_plain(body))
    assert 400 <= reply.status_code < 500, (body, reply.text)


def _plain(value: Any) -> Any:
    """Return what JSON can say of a value."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN"
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
