"""A refused request leaves no hold, no row, no file, and no call to a provider.

One request for each class of error and for each step at which it can be refused, against a
server whose providers are all imitated: what the sandbox was asked is in its journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.api.running import TLS, Member, RunningServer
from tests.app.pricing_bench import reprice

from mediawright.api.body_limit import MOST_BYTES
from mediawright.app.limits import limit_workspace
from mediawright.core.provider import Fault, FaultKind

CLIP: dict[str, Any] = {"model": "gen4.5", "prompt": "waves", "duration": 5}
PICTURE: dict[str, Any] = {"model": "gpt-image-2", "prompt": "waves"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("refused"), sandbox=True) as running:
        yield running


@pytest.fixture
def journal(server: RunningServer) -> Iterator[Callable[[], list[Any]]]:
    """Returns what the imitated providers were asked."""
    sandbox = server.runtime.providers._sandbox
    assert sandbox is not None
    client = httpx.Client(base_url=sandbox.root, trust_env=False, verify=TLS)
    client.delete("/__sandbox__/journal").raise_for_status()
    yield lambda: client.get("/__sandbox__/journal").json()["entries"]
    client.close()


@pytest.fixture
def require_nothing(
    server: RunningServer, member: Member, journal: Callable[[], list[Any]]
) -> Callable[[httpx.Response, int, str], dict[str, Any]]:
    """Checks a refusal, and that everything is as it was when the test began."""
    before = member.left_behind()
    (generations, assets), balance = before[0]
    assert (generations, assets, balance.held.amount) == (0, 0, 0)

    def check(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
        assert (reply.status_code, reply.json()["error"]) == (status, code), reply.text
        assert member.left_behind() == before
        staging = server.runtime.folder.staging
        assert [path for path in staging.rglob("*") if path.is_file()] == []
        assert journal() == []
        return reply.json()

    return check


Check = Callable[[httpx.Response, int, str], dict[str, Any]]


def ask(member: Member, body: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return member.http.post("/v1/generate/media", json=body or CLIP, headers=named)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"model": "seedance-2"}, 400, "variant_required"),
        ({"model": "nothing-like-it"}, 404, "model_not_found"),
        ({"duration": 60}, 400, "invalid_duration"),
        ({"prompt": ""}, 400, "prompt_required"),
        ({"generation_type": "text-to-image"}, 400, "unsupported_generation_type"),
        ({"generation_type": "nonsense"}, 400, "invalid_generation_type"),
        ({"colour": "red"}, 400, "unknown_parameter"),
        ({"provider": "openai"}, 400, "unsupported_by_provider"),
        ({"provider": "nobody"}, 400, "unknown_provider"),
        ({"file_path": "../../x"}, 400, "invalid_path"),
        (
            {"inputs": [{"asset_id": "ast_0197f0c29d2a7b1e8c3d5f6a7b8c9d0e"}]},
            404,
            "asset_not_found",
        ),
        ({"source_media_urls": "http://169.254.169.254/a.png"}, 403, "url_not_allowed"),
        ({"source_media_urls": "http://127.0.0.1:9/a.png"}, 403, "url_not_allowed"),
        ({"quote": "quo_0197f0c29d2a7b1e8c3d5f6a7b8c9d0e"}, 404, "quote_not_found"),
    ],
)
def test_what_breaks_a_rule(
    member: Member, require_nothing: Check, changes: dict[str, Any], status: int, code: str
) -> None:
    require_nothing(ask(member, {**CLIP, **changes}), status, code)


def test_what_cannot_be_read(member: Member, require_nothing: Check) -> None:
    def post(content: bytes, kind: str = "application/json") -> httpx.Response:
        headers = {"Content-Type": kind}
        return member.http.post("/v1/generate/media", content=content, headers=headers)

    require_nothing(post(b"{"), 400, "invalid_json")
    require_nothing(post(b"[]"), 400, "invalid_body")
    require_nothing(post(b"x", "text/plain"), 415, "invalid_content_type")
    require_nothing(post(b" " * (MOST_BYTES + 1)), 413, "body_too_large")


def test_who_may_not(server: RunningServer, member: Member, require_nothing: Check) -> None:
    for client, code in ((server.client(), "api_key_required"), (server.client("x"), None)):
        reply = client.post("/v1/generate/media", json=CLIP)
        require_nothing(reply, 401, code or "invalid_api_key")


def test_what_is_not_covered(member: Member, require_nothing: Check) -> None:
    long = {"model": "seedance-2-1080p", "prompt": "waves", "duration": 15}
    require_nothing(ask(member, long), 402, "insufficient_credit")


def test_what_exceeds_a_budget(member: Member, require_nothing: Check) -> None:
    budget = {"period": "day", "limit_credits": 59}
    member.http.put("/v1/budgets", json=budget).raise_for_status()
    require_nothing(ask(member), 402, "budget_exceeded")


def test_what_has_no_price_under_a_budget(
    server: RunningServer, member: Member, require_nothing: Check
) -> None:
    budget = {"period": "day", "limit_credits": 100}
    member.http.put("/v1/budgets", json=budget).raise_for_status()
    before = server.runtime.catalogue
    reprice(server.runtime, "gen4.5", None)
    try:
        require_nothing(ask(member), 402, "price_unknown")
    finally:
        server.runtime.catalogue = before


def test_what_its_quote_does_not_fit(member: Member, require_nothing: Check) -> None:
    made = member.http.post("/v1/quotes", json=CLIP).json()["quote_id"]
    require_nothing(ask(member, {**CLIP, "quote": made, "duration": 10}), 400, "quote_mismatch")


def test_what_is_over_a_limit(
    server: RunningServer, member: Member, require_nothing: Check
) -> None:
    limits = {"requests_per_minute": 1, "concurrent_generations": None}
    server.run(limit_workspace(server.runtime, member.workspace_id, **limits))
    made = member.make(prompt="one is within it")
    left = member.left_behind()
    reply = ask(member)
    assert (reply.status_code, reply.json()["error"]) == (429, "rate_limited")
    assert int(reply.headers["Retry-After"]) >= 1
    assert member.left_behind() == left
    assert made["status"] == "completed"


def test_the_key_of_another_request(
    server: RunningServer, member: Member, journal: Callable[[], list[Any]]
) -> None:
    member.make(key="once")
    left, asked = member.left_behind(), journal()
    reply = ask(member, CLIP, Idempotency_Key="once")
    assert (reply.status_code, reply.json()["error"]) == (409, "idempotency_key_reused")
    assert (journal(), member.left_behind()) == (asked, left)
    reply = ask(member, CLIP, Idempotency_Key="x" * 256)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_idempotency_key")
    assert (journal(), member.left_behind()) == (asked, left)


def test_a_quote_that_was_used(
    server: RunningServer, member: Member, journal: Callable[[], list[Any]]
) -> None:
    free = {"model": "local-sketch-image", "prompt": "a fox", "size": "64x64"}
    made = member.http.post("/v1/quotes", json=free).json()["quote_id"]
    member.make(**free, quote=made)
    left, asked = member.left_behind(), journal()
    reply = ask(member, {**free, "quote": made})
    assert (reply.status_code, reply.json()["error"]) == (409, "quote_used")
    assert (journal(), member.left_behind()) == (asked, left)


def test_an_input_of_the_caller_s_stays_as_it_was(
    server: RunningServer, member: Member, journal: Callable[[], list[Any]]
) -> None:
    picture = member.make(size="640x368")["outputs"][0]
    assert picture["asset_id"]
    left = member.left_behind()
    changes = {"inputs": [{"asset_id": picture["asset_id"]}], "duration": 99}
    reply = ask(member, {**CLIP, **changes})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_duration")
    assert member.left_behind() == left
    assert journal() == []


def test_a_provider_that_is_left_alone(
    server: RunningServer, member: Member, require_nothing: Check
) -> None:
    circuits = server.runtime.circuits
    down = Fault(kind=FaultKind.UNAVAILABLE, message="down", http_status=503)

    async def shut() -> None:
        for _ in range(5):
            await circuits.failed("runway", down)

    server.run(shut())
    try:
        reply = ask(member)
        assert int(reply.headers["Retry-After"]) >= 1
        require_nothing(reply, 503, "provider_unavailable")
    finally:
        server.run(circuits.reset("runway"))


def test_the_same_refusals_make_no_quote(member: Member, require_nothing: Check) -> None:
    reply = member.http.post("/v1/quotes", json={**CLIP, "duration": 60})
    require_nothing(reply, 400, "invalid_duration")
    reply = member.http.post("/v1/estimates", json={"model": "gen4.5", "generation_type": "x"})
    require_nothing(reply, 400, "invalid_generation_type")


def test_what_is_not_refused_is_in_the_journal(
    server: RunningServer, member: Member, journal: Callable[[], list[Any]]
) -> None:
    """Otherwise an empty journal would prove nothing."""
    reply = member.http.post("/v1/generate/media", json=PICTURE, headers={"Prefer": "wait=30"})
    assert reply.json()["status"] == "completed", reply.text
    assert [entry["kind"] for entry in journal()].count("submit") == 1
