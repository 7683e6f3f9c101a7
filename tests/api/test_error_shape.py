"""Every error, wherever it comes from, has one shape; every reply has an id."""

from __future__ import annotations

import re
import socket
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.api.running import PICTURE, Member, RunningServer

from mediawright.api.body_limit import MOST_BYTES
from mediawright.api.routes import health

ROUTES = [
    ("POST", "/v1/generate/media"),
    ("GET", "/v1/generations"),
    ("GET", "/v1/generations/gen_1"),
    ("POST", "/v1/generations/gen_1/cancel"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/any"),
    ("GET", "/v1/assets/ast_1"),
    ("GET", "/v1/assets/ast_1/content"),
    ("GET", "/v1/events"),
]


@pytest.fixture(scope="module")
def member(server: RunningServer) -> Member:
    """One caller for all: errors leave nothing behind."""
    return server.new_member()


def require_error(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check the one shape and return the body."""
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    body = reply.json()
    assert body["error"] == code
    assert isinstance(body["message"], str)
    assert body["message"].endswith(".")
    assert body["request_id"] == reply.headers["X-Request-Id"]
    assert re.fullmatch(r"req_[0-9a-f]{32}", body["request_id"])
    for name in ("pointer", "hint"):
        assert isinstance(body.get(name, ""), str)
    return body


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_key(server: RunningServer, method: str, path: str) -> None:
    json = PICTURE if method == "POST" else None
    reply = server.client().request(method, path, json=json)
    require_error(reply, 401, "api_key_required")
    assert reply.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), [*ROUTES, ("GET", "/healthz")])
def test_a_method_that_a_route_does_not_know(member: Member, method: str, path: str) -> None:
    for other in {"DELETE", "PUT", "PATCH", "POST", "OPTIONS"} - {method}:
        reply = member.http.request(other, path)
        require_error(reply, 405, "method_not_allowed")
        assert method in reply.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v2/models", "/v1/generations/", "/v1/generate", "/docs", "/v1/%00"]
)
def test_an_address_where_nothing_is(member: Member, path: str) -> None:
    require_error(member.http.get(path), 404, "route_not_found")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/generations/gen_1", "generation_not_found"),
        ("POST", "/v1/generations/gen_1/cancel", "generation_not_found"),
        ("GET", "/v1/models/any", "model_not_found"),
        ("GET", "/v1/assets/ast_1", "asset_not_found"),
        ("GET", "/v1/assets/ast_1/content", "asset_not_found"),
    ],
)
def test_things_that_are_not_there(member: Member, method: str, path: str, code: str) -> None:
    require_error(member.http.request(method, path), 404, code)


def test_health_answers_head_too(member: Member) -> None:
    reply = member.http.head("/healthz")
    assert (reply.status_code, reply.content) == (200, b"")


def test_a_reply_that_is_no_error_has_an_id_too(member: Member) -> None:
    seen = {member.http.get("/healthz").headers["X-Request-Id"] for _ in range(3)}
    assert len(seen) == 3
    asked = member.http.get("/v1/models", headers={"X-Request-Id": "mine"})
    assert asked.headers.get_list("X-Request-Id") != ["mine"]


BODIES: dict[str, tuple[bytes, str, str | None]] = {
    "nothing": (b"", "invalid_body", ""),
    "broken": (b'{"prompt": ', "invalid_json", None),
    "not text": (b"\xff\xfe\x00", "invalid_body", None),
    "a list": (b"[1, 2]", "invalid_body", ""),
    "a number": (b"7", "invalid_body", ""),
    "null": (b"null", "invalid_body", ""),
    "very deep": (b"[" * 200_000, "invalid_body", None),
    "a number with ten thousand digits": (
        b'{"model": "m", "seed": ' + b"1" * 10_000 + b"}",
        "invalid_body",
        None,
    ),
    "no model": (b'{"prompt": "a"}', "model_required", "/model"),
    "model is a number": (b'{"prompt": "a", "model": 3}', "model_required", "/model"),
    "prompt is a list": (b'{"prompt": ["a"], "model": "m"}', "prompt_required", "/prompt"),
    "unknown field": (b'{"model": "m", "sied": 3}', "unknown_parameter", "/sied"),
    "unknown field with signs": (
        b'{"model": "m", "a/b~c": 3}',
        "unknown_parameter",
        "/a~1b~0c",
    ),
    "seed is text": (b'{"model": "m", "seed": "x"}', "invalid_seed", "/seed"),
    "count is a part": (b'{"model": "m", "count": 1.5}', "invalid_n", "/count"),
    "n is a part": (b'{"model": "m", "n": 1.5}', "invalid_n", "/n"),
    "sound is 7": (b'{"model": "m", "sound": 7}', "invalid_sound", "/sound"),
    "strength is no number": (b'{"model": "m", "strength": NaN}', "invalid_strength", "/strength"),
    "strength has no end": (b'{"model": "m", "strength": 1e999}', "invalid_strength", "/strength"),
    "duration is soon": (b'{"model": "m", "duration": "soon"}', "invalid_duration", "/duration"),
    "duration is true": (b'{"model": "m", "duration": true}', "invalid_duration", "/duration"),
    "duration is a list": (b'{"model": "m", "duration": []}', "invalid_duration", "/duration"),
    "edit mode": (b'{"model": "m", "edit_mode": "x"}', "invalid_edit_mode", "/edit_mode"),
    "type": (
        b'{"model": "local-voice", "generation_type": "x"}',
        "invalid_generation_type",
        "/generation_type",
    ),
    "sources are numbers": (
        b'{"model": "m", "source_media_urls": ["http://a.b/c", 1]}',
        "invalid_source_media",
        "/source_media_urls/1",
    ),
    "sources are a table": (
        b'{"model": "m", "source_media_urls": {}}',
        "invalid_source_media",
        "/source_media_urls",
    ),
    "a path as source": (
        b'{"model": "m", "source_media_urls": ["/etc/passwd"]}',
        "invalid_source_media",
        "/source_media_urls",
    ),
    "too many sources": (
        b'{"model": "m", "source_media_urls": [' + b",".join([b'"http://a.b/c"'] * 65) + b"]}",
        "invalid_source_media",
        "/source_media_urls",
    ),
    "an input that is nothing": (
        b'{"model": "m", "source_media_urls": ["http://a.b/c"], "inputs": [{}]}',
        "invalid_source_media",
        "/inputs/0",
    ),
    "an input that is two things": (
        b'{"model": "m", "inputs": [{"url": "http://a.b/c", "asset_id": "ast_1"}]}',
        "invalid_source_media",
        "/inputs/0",
    ),
    "an input with a role of its own": (
        b'{"model": "m", "inputs": [{"url": "http://a.b/c", "role": "x"}]}',
        "invalid_source_media",
        "/inputs/0/role",
    ),
    "an input with more": (
        b'{"model": "m", "inputs": [{"url": "http://a.b/c", "path": "/etc/passwd"}]}',
        "unknown_parameter",
        "/inputs/0/path",
    ),
    "metadata is text": (b'{"model": "m", "metadata": "x"}', "invalid_metadata", "/metadata"),
    "metadata holds a number": (
        b'{"model": "m", "metadata": {"a": 1}}',
        "invalid_metadata",
        "/metadata/a",
    ),
    "vendor is flat": (b'{"model": "m", "vendor": {"fal": 1}}', "invalid_vendor", "/vendor/fal"),
    "vendor holds half a character": (
        b'{"model": "m", "vendor": {"fal": {"a": ["\\ud800"]}}}',
        "invalid_vendor",
        "/vendor",
    ),
    "half a character": (b'{"model": "m", "prompt": "\\ud800"}', "prompt_required", "/prompt"),
    "a character that is none": (
        b'{"model": "m", "prompt": "a\\u0000"}',
        "prompt_required",
        "/prompt",
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_the_wrong_form(member: Member, name: str) -> None:
    content, code, pointer = BODIES[name]
    reply = member.http.post(
        "/v1/generate/media", content=content, headers={"Content-Type": "application/json"}
    )
    body = require_error(reply, 400, code)
    assert body.get("pointer") == pointer
    assert "passwd" not in body["message"]


def test_all_that_is_wrong_is_told_at_once(member: Member) -> None:
    reply = member.http.post("/v1/generate/media", json={"seed": "x", "sied": 1, "duration": []})
    body = require_error(reply, 400, "model_required")
    told = {(item["code"], item["pointer"]) for item in body["problems"]}
    assert told == {
        ("model_required", "/model"),
        ("invalid_seed", "/seed"),
        ("invalid_duration", "/duration"),
        ("unknown_parameter", "/sied"),
    }


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "x"])
def test_a_body_that_does_not_say_it_is_json(member: Member, kind: str) -> None:
    reply = member.http.post(
        "/v1/generate/media", content=b'{"model": "local-voice"}', headers={"Content-Type": kind}
    )
    require_error(reply, 415, "invalid_content_type")


def test_a_body_that_is_just_not_too_large(member: Member) -> None:
    body = b'{"model": "nope", "prompt": "'
    body += b"x" * (MOST_BYTES - len(body) - 2) + b'"}'
    assert len(body) == MOST_BYTES
    reply = member.http.post(
        "/v1/generate/media", content=body, headers={"Content-Type": "application/json"}
    )
    require_error(reply, 404, "model_not_found")


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 6 * MOST_BYTES])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large(member: Member, size: int, *, chunked: bool) -> None:
    def chunks() -> Any:
        for _ in range(size // 65_536):
            yield b"x" * 65_536
        yield b"x" * (size % 65_536)

    reply = member.http.post(
        "/v1/generate/media",
        content=chunks() if chunked else b"x" * size,
        headers={"Content-Type": "application/json"},
    )
    require_error(reply, 413, "body_too_large")
    assert member.http.get("/healthz").status_code == 200


def test_a_body_that_never_ends_is_cut_off(server: RunningServer, member: Member) -> None:
    host, _, port = server.address.removeprefix("http://").partition(":")
    head = (
        f"POST /v1/generate/media HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {member.key}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode())
        with pytest.raises(OSError, match=r"reset|[Bb]roken"):
            _send_for_ever(connection, chunk)


def _send_for_ever(connection: socket.socket, chunk: bytes) -> None:
    for _ in range(64 * MOST_BYTES // len(chunk)):
        connection.sendall(chunk)


def test_a_defect_of_ours_is_not_shown(
    server: RunningServer, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret detail of /home/operator")

    monkeypatch.setattr(server.runtime.catalogue, "models", broken)
    reply = member.http.get("/v1/models")
    body = require_error(reply, 500, "internal_error")
    assert "secret" not in reply.text
    assert "Runtime" not in reply.text
    assert set(body) == {"error", "message", "hint", "request_id"}
    monkeypatch.undo()
    assert member.http.get("/v1/models").status_code == 200


def test_a_file_that_breaks_off_is_not_taken_for_whole(
    server: RunningServer, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = member.make()["outputs"][0]

    async def breaking(*_: Any) -> Any:
        yield b"\x89PNG"
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(server.runtime.library, "stream", breaking)
    with pytest.raises(httpx.RemoteProtocolError):
        member.http.get(asset["url"])


def test_a_database_that_does_not_answer(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_QUESTION", text("SELECT nothing FROM nowhere"))
    body = require_error(member.http.get("/healthz"), 503, "database_unavailable")
    assert "nowhere" not in str(body)


@pytest.mark.parametrize("host", ["", "[::1", "a b", "x" * 4000, "127.0.0.1:99999", "é"])
def test_odd_hosts_break_nothing(member: Member, host: str) -> None:
    reply = member.http.get("/v1/generations", headers={"Host": host.encode("latin-1")})
    assert reply.status_code in {200, 400}
