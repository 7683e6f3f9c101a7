"""Five thousand malformed requests: each is refused by name, and none leaves anything behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.api.running import Member, RunningServer

from mediawright.api.application import create_application
from mediawright.api.request_bodies import GenerateBody

BATCH = 20
BATCHES = 250
GENERATE, QUOTES = "/v1/generate/media", "/v1/quotes"
OF_THE_WHOLE = {
    "invalid_json",
    "invalid_body",
    "invalid_content_type",
    "invalid_idempotency_key",
    "body_too_large",
}
"""Codes of what is wrong with a request that is no field of it."""


class Sent(NamedTuple):
    """A request that is no good."""

    content: bytes
    field: str | None = None
    """The one field that is at fault, where one is."""
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Answer(NamedTuple):
    status: int
    body: Any


# What a request can be made of that is good, and then spoilt.
GOOD: list[dict[str, Any]] = [
    {"model": "local-sketch-image", "prompt": "a kite", "size": "64x64"},
    {"model": "nano-banana", "prompt": "a kite", "aspect_ratio": "16:9", "quality": "pro"},
    {"model": "gpt-image-2", "prompt": "a kite", "resolution": "1K", "n": 2},
    {
        "model": "seedance-2-480p",
        "prompt": "a kite",
        "generation_type": "text-to-video",
        "duration": "5s",
    },
    {
        "model": "kling-2-6-text-to-video",
        "prompt": "a kite",
        "generation_type": "text-to-video",
        "duration": 10,
        "sound": True,
        "seed": 7,
    },
]
COUNTED = [{"model": "gpt-image-2", "prompt": "a kite"}]
TAKEN_BY = {"duration": GOOD[3:], "count": COUNTED, "n": COUNTED}
"""Fields that most models ignore, whatever is in them."""
TABLES = {"metadata", "vendor"}
FIELDS = sorted(GenerateBody.model_fields)
JUNK_TEXT = st.text(max_size=40)
KEYS = st.text(st.characters(codec="utf-8"), max_size=8)
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | JUNK_TEXT
    | st.sampled_from([10**400, -(10**400), 2**63, 1e308, float("nan"), float("inf")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
UNREADABLE = ("\0", "a\0b", "\ud800", "a\udfff", "\udc80\ud83d")


def encoded(value: Any) -> bytes:
    """Return JSON as sloppy clients write it: NaN and Infinity bare, halves of characters."""
    return json.dumps(value).encode()


def spoilt(field: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Sent]:
    """Return good requests with one field that is not."""
    return st.builds(
        lambda good, value: Sent(encoded({**good, field: value}), field),
        st.sampled_from(TAKEN_BY.get(field, GOOD)),
        values,
    )


def of_wrong_type(field: str) -> st.SearchStrategy[Any]:
    if field in TABLES:
        return st.integers() | st.lists(st.integers(), min_size=1, max_size=2) | st.just("x")
    wrong: list[Any] = [[[[]]], [{"a": [[]]}, 1], [[1], [2]], [None, []]]
    if field not in {"inputs", "kling_elements", "shots", "loras", "source_media_urls"}:
        wrong += [{}, {"a": 1}, []]
    return st.sampled_from(wrong)


def unknown_fields() -> st.SearchStrategy[Sent]:
    names = KEYS.filter(lambda name: name not in FIELDS)
    return st.builds(
        lambda good, name, value: Sent(encoded({**good, name: value})),
        st.sampled_from(GOOD),
        names,
        JUNK,
    )


def not_json() -> st.SearchStrategy[Sent]:
    whole = encoded(GOOD[0])
    return st.one_of(
        st.binary(max_size=60).filter(is_no_object).map(Sent),
        st.integers(1, len(whole) - 1).map(lambda end: Sent(whole[:end])),
        st.sampled_from(
            [whole + b"}", whole + b"x", b"\xff\xfe" + whole, b"'" + whole, b"{,}"]
        ).map(Sent),
        # Deeper than any parser of ours goes.
        st.integers(1_000, 100_000).map(lambda n: Sent(b"[" * n + b"]" * n)),
        st.integers(1_000, 100_000).map(lambda n: Sent(b'{"model":' * n + b"1" + b"}" * n)),
    )


def is_no_object(content: bytes) -> bool:
    try:
        return not isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return True


def no_object() -> st.SearchStrategy[Sent]:
    return JUNK.filter(lambda value: not isinstance(value, dict)).map(
        lambda value: Sent(encoded(value))
    )


def junk_objects() -> st.SearchStrategy[Sent]:
    """Objects of our own fields with anything in them, whose model is none of ours."""
    bodies = st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=6)
    models = JUNK.filter(lambda value: not isinstance(value, str)) | JUNK_TEXT.map(
        lambda text: f"no-such-{text}"
    )
    return st.builds(lambda body, model: Sent(encoded({**body, "model": model})), bodies, models)


def deep_settings() -> st.SearchStrategy[Sent]:
    """A table of settings that is nested deeper than any provider's."""

    def nested(depth: int) -> Sent:
        inside = b'{"a":' * depth + b"1" + b"}" * depth
        return Sent(b'{"model":"gpt-image-2","prompt":5,"vendor":{"openai":' + inside + b"}}")

    return st.integers(1, 30_000).map(nested)


def bad_values() -> dict[str, list[Any]]:
    """Return values that no model takes, by field."""
    return {
        "model": ["", " ", "nope", "x" * 5000, "../etc", "seedance-2", "p-video", *UNREADABLE],
        "generation_type": ["", "text-to-smell", "IMAGE", "text_to_image", *UNREADABLE],
        "prompt": ["", " \n", "x" * 40_000, *UNREADABLE],
        "provider": ["", "nobody", "x" * 5000, *UNREADABLE],
        "fallback": ["", "always", *UNREADABLE],
        "file_path": [
            "", "../x.png", "/etc/passwd", "a//b", "con.png", "a\0", "x" * 4000, "a.exe", "\ud800",
        ],
        "metadata": [{"a": 1}, {"a": None}, {"a": "\0"}, {f"k{n}": "v" for n in range(65)}],
        "vendor": [
            {"openai": 5}, {"openai": [1]}, {"openai": {"a": "\0"}}, {"openai": {"\ud800": 1}},
        ],
        "duration": ["", "long", "5m", "-1s", -5, True, "1e3", "∞s"],
        "seed": [1.5, "x", "1e400", float("nan")],
        "count": [0, -1, 5_000, 10**30, 1.5, "x"],
        "n": [0, -1, 5_000, 10**30, 1.5, "x"],
        "sound": ["maybe", 7, 0.5],
        "source_media_urls": [
            "", "kite.png", "/etc/passwd", "ftp://a.test/x.png", "file:///etc/passwd",
            "http://127.0.0.1/x.png", "http://[::1]/x.png", "http://169.254.169.254/x.png",
            "http://[/x.png", "http://a b/x.png", "http://localhost:1/x.png",
            "https://a.test/x.exe", "data:image/png;base64,",
            "http://user:pw@10.0.0.1/x.png", "http://a.test:99999999/x.png",
            "ast_" + "0" * 32, "ast_x", [""], ["https://a.test/x"], ["x"] * 65, *UNREADABLE,
        ],
        "inputs": [
            [{}], [{"role": "hero"}], [{"url": 5}], [{"asset_id": "ast_x"}], [{"asset_id": ""}],
            [{"url": "http://10.0.0.1/x.png", "asset_id": "ast_" + "0" * 32}], [{"what": 1}],
            [{"url": "http://0x7f000001/x.png", "role": "reference_image"}], ["x"], [5],
        ],
    }  # fmt: skip


BAD = bad_values()
MALFORMED: st.SearchStrategy[Sent] = st.one_of(
    *(spoilt(field, of_wrong_type(field)) for field in FIELDS),
    *(spoilt(field, st.sampled_from(values)) for field, values in BAD.items()),
    unknown_fields(),
    not_json(),
    no_object(),
    junk_objects(),
    deep_settings(),
    st.sampled_from(["", "x" * 256, "a" * 70_000]).map(
        lambda key: Sent(encoded(GOOD[0]), headers=((b"idempotency-key", key.encode()),))
    ),
    st.sampled_from([b"text/plain", b"application/xml", b"multipart/form-data", b""]).map(
        lambda kind: Sent(encoded(GOOD[0]), headers=((b"content-type", kind),))
    ),
)


class Door:
    """The application, without a socket."""

    def __init__(self, server: RunningServer, member: Member) -> None:
        self._server = server
        self._app = create_application(server.runtime)
        self._key = member.key

    def ask(self, path: str, batch: list[Sent]) -> list[Answer]:
        async def all_of_them() -> list[Answer]:
            return [await self._ask(path, sent) for sent in batch]

        return self._server.run(all_of_them())

    async def _ask(self, path: str, sent: Sent) -> Answer:
        headers = {
            b"host": b"gateway.test",
            b"content-type": b"application/json",
            b"authorization": f"Bearer {self._key}".encode(),
            **dict(sent.headers),
        }
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": list(headers.items()),
            "client": ("203.0.113.9", 4711),
            "server": ("gateway.test", 80),
        }
        messages = [{"type": "http.request", "body": sent.content, "more_body": False}]
        answered: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            answered.append(message)

        await self._app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in answered[1:])
        return Answer(answered[0]["status"], json.loads(content))


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Door, Callable[[], Any]]]:
    with RunningServer(tmp_path_factory.mktemp("api"), sandbox=True) as server:
        member = server.new_member()
        yield Door(server, member), member.left_behind


@pytest.mark.timeout(300)
@settings(
    max_examples=BATCHES,
    deadline=None,
    # A failing request is told in full; looking for a smaller one would take minutes.
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(batch=st.lists(MALFORMED, min_size=BATCH, max_size=BATCH))
def test_malformed_requests_are_refused_by_name_and_leave_nothing(
    door: tuple[Door, Callable[[], Any]], batch: list[Sent]
) -> None:
    asking, left_behind = door
    before = left_behind()
    require_refused(asking, GENERATE, batch)
    assert left_behind() == before


@pytest.mark.timeout(300)
@settings(
    max_examples=BATCHES // 10,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(batch=st.lists(MALFORMED, min_size=BATCH, max_size=BATCH))
def test_what_is_wrong_with_a_request_is_wrong_with_a_quote_of_it(
    door: tuple[Door, Callable[[], Any]], batch: list[Sent]
) -> None:
    require_refused(door[0], QUOTES, [sent for sent in batch if not has_key(sent)])


def has_key(sent: Sent) -> bool:
    return any(name == b"idempotency-key" for name, _ in sent.headers)


def require_refused(asking: Door, path: str, batch: list[Sent]) -> None:
    for sent, (status, body) in zip(batch, asking.ask(path, batch), strict=True):
        told = (sent.content[:300], sent.headers, status, body)
        assert 400 <= status < 500, told
        assert isinstance(body["error"], str), told
        assert body["error"].isidentifier(), told
        assert body["message"], told
        assert body["request_id"], told
        if sent.field is not None:
            pointers = [body.get("pointer"), *(p.get("pointer") for p in body.get("problems", []))]
            assert any((p or "").startswith(f"/{sent.field}") for p in pointers), told
        assert body["error"] in OF_THE_WHOLE or body["pointer"], told
