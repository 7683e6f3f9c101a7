"""Secrets do not survive redaction, and the rest does."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mediawright.providerkit.redaction import REDACTED, Redactor, is_secret_name

secrets = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs"]), min_size=8, max_size=60
).filter(lambda secret: not secret.isspace() and secret not in f"{REDACTED * 2}")
tokens = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789-_", min_size=8, max_size=60
).filter(lambda token: token not in REDACTED)
words = st.text(max_size=30)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "X-API-Key",
        "xi-api-key",
        "x-key",
        "x-goog-api-key",
        "Cookie",
        "Set-Cookie",
        "X-Amz-Signature",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "X-Goog-Signature",
        "_jwt",
        "sig",
        "token",
        "access_token",
        "accessToken",
        "refreshToken",
        "apikey",
        "apiKey",
        "APIKey",
        "client_secret",
        "clientSecret",
        "password",
        "AWSAccessKeyId",
        "OSSAccessKeyId",
        "Signature",
        "X-Fal-Webhook-Signature",
        "key",
    ],
)
def test_names_that_hold_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Content-Type",
        "input_tokens",
        "max_tokens",
        "totalTokens",
        "Idempotency-Key",
        "keyframes",
        "keywords",
        "monkey",
        "seed",
        "prompt",
        "author",
        "design",
        "x-request-id",
        "Expires",
    ],
)
def test_names_that_hold_none(name):
    assert not is_secret_name(name)


def test_headers_keep_what_is_harmless():
    shown = Redactor(["my-long-secret"]).headers(
        {
            "Authorization": "Key abc:def",
            "xi-api-key": "k",
            "Content-Type": "application/json",
            "X-Echo": "you sent my-long-secret",
        }
    )
    assert shown == {
        "Authorization": REDACTED,
        "xi-api-key": REDACTED,
        "Content-Type": "application/json",
        "X-Echo": f"you sent {REDACTED}",
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://s3.test/b/k?X-Amz-Signature=abc&X-Amz-Date=2026&X-Amz-Credential=AK%2F1",
            f"https://s3.test/b/k?X-Amz-Signature={REDACTED}&X-Amz-Date=2026&X-Amz-Credential={REDACTED}",
        ),
        (
            "https://cdn.example.com/v.mp4?_jwt=a.b.c",
            f"https://cdn.example.com/v.mp4?_jwt={REDACTED}",
        ),
        ("https://u:p@example.com/x?y=1", f"https://{REDACTED}@example.com/x?y=1"),
        ("https://example.com/#access_token=abc", f"https://example.com/#access_token={REDACTED}"),
        (
            "https://example.com/?sv=1&se=2&sig=abc",
            f"https://example.com/?sv=1&se=2&sig={REDACTED}",
        ),
        ("https://example.com/plain?id=7", "https://example.com/plain?id=7"),
    ],
)
def test_urls_lose_signatures_tokens_and_passwords(url, shown):
    assert Redactor().url(url) == shown
    assert Redactor().text(f"see {url} now") == f"see {shown} now"


@pytest.mark.parametrize(
    "text",
    [
        "Bearer sk-abcdef0123456789abcdef",
        "authorization: Bearer eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
        "Incorrect API key provided: sk-proj-abcdef0123456789abcdef.",
        "Key 1234-5678:abcdef0123",
        "AIzaSyA0123456789012345678901234567890",
    ],
)
def test_well_known_kinds_of_keys_are_recognised_in_text(text):
    shown = Redactor().text(text)
    assert REDACTED in shown
    for piece in ("abcdef0123", "c2lnbmF0dXJl", "0123456789012"):
        assert piece not in shown


def test_ordinary_sentences_stay_as_they_are():
    text = (
        "Key frames must be given in order; the bearer of a token is not checked. "
        "Basic authentication. Key generation_mode is unknown."
    )
    assert Redactor(["some-secret"]).text(text) == text


def test_files_in_json_are_shortened_and_short_text_is_kept():
    picture = base64.b64encode(bytes(range(256)) * 20).decode()
    shown = Redactor().json(
        {
            "prompt": "a cat " * 200,
            "image": f"data:image/png;base64,{picture}",
            "b64_json": picture,
            "n": 2,
            "nested": [{"token": "abc", "tokens": 12, "ok": True, "none": None}],
        }
    )
    assert shown["prompt"] == "a cat " * 200
    assert shown["image"] == f"data:image/png;base64,[{len(picture)} characters]"
    assert shown["b64_json"] == f"[{len(picture)} characters]"
    assert shown["n"] == 2
    assert shown["nested"] == [{"token": REDACTED, "tokens": 12, "ok": True, "none": None}]


@given(secret=secrets, before=words, after=words)
def test_a_known_secret_never_survives_in_text(secret, before, after):
    assume(secret not in f"{before}{REDACTED}{after}")
    redactor = Redactor([secret])
    written = [
        secret,
        quote(secret),
        quote(secret, safe=""),
        json.dumps(secret),
        json.dumps({"error": f"bad key {secret}"}, ensure_ascii=False),
        urlencode({"q": secret}),
        base64.b64encode(secret.encode()).decode(),
    ]
    for spelling in written:
        shown = redactor.text(f"{before}{spelling}{after}")
        assert secret not in shown
        if spelling not in f"{before}{REDACTED}{after}":
            assert spelling.strip('"=') not in shown


@given(
    secret=tokens,
    name=st.sampled_from(["X-Amz-Signature", "token", "_jwt", "sig", "api_key", "key"]),
    host=st.sampled_from(["example.com", "cdn.example.com:8443"]),
)
def test_a_secret_parameter_never_survives_in_a_url(secret, name, host):
    assume(secret not in f"https://{host}/file.mp4?a=1&{name}={REDACTED}&z=2")
    url = f"https://{host}/file.mp4?a=1&{name}={secret}&z=2"
    for shown in (
        Redactor().url(url),
        Redactor().text(f"fetching {url}, failed"),
        str(Redactor().json({"u": [url]})),
    ):
        assert secret not in shown
        assert "a=1" in shown
        assert "z=2" in shown


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(secret=tokens, value=json_values, data=st.data())
def test_a_planted_secret_never_survives_in_json(secret, value, data):
    assume(secret not in msgspec.json.encode(value).decode() and secret not in REDACTED)
    planted = _plant(value, secret, data)
    shown = msgspec.json.encode(Redactor([secret]).json(planted)).decode()
    assert secret not in shown


def _plant(value, secret, data):
    where = data.draw(st.sampled_from(["text", "name", "field", "list"]))
    if where == "text":
        return {"message": f"bad key {secret}!", "rest": value}
    if where == "name":
        return {f"x{secret}": value}
    if where == "field":
        return {"inner": {"api_key": secret, "rest": value}}
    return [value, [secret, {"deep": [secret]}]]


@given(value=json_values)
def test_values_without_secrets_keep_their_shape(value):
    shown = Redactor().json(value)
    assert type(shown) is type(value)


def test_very_short_secrets_do_not_shred_the_text():
    assert Redactor(["", "a", "abc"]).text("an abacus: abc") == "an abacus: abc"
