"""Signatures of webhooks against what independent implementations make of the same secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from tests.providerkit.signing import BODY, NOW, PRIVATE, fal, key_set, published

from mediawright.core.errors import InvalidRequestError
from mediawright.providerkit.signature_rules import (
    BFL,
    ELEVENLABS,
    FAL,
    IDEOGRAM,
    KIE,
    STANDARD_WEBHOOKS,
)
from mediawright.providerkit.signatures import (
    HookRequest,
    Key,
    SignatureError,
    SignatureRule,
    UnknownKeyError,
    public_keys,
    secret_keys,
    verify,
)

SECONDS = str(int(NOW.timestamp()))
SECRET = "whsec_" + base64.b64encode(b"a secret of some length").decode()


def standard(
    secret: str = SECRET, body: bytes = BODY, at: datetime = NOW, name: str = "msg_1"
) -> HookRequest:
    signature = Webhook(secret).sign(name, at, body.decode())
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
    return HookRequest(headers=headers, body=body)


def changed(request: HookRequest, body: bytes | None = None, **headers: str) -> HookRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HookRequest(
        headers={**request.headers, **named}, body=request.body if body is None else body
    )


def accepts(
    rule: SignatureRule, request: HookRequest, keys: tuple[Key, ...], now: datetime = NOW
) -> bool:
    try:
        verify(rule, request, keys, now)
    except SignatureError:
        return False
    return True


KEYS = secret_keys(SECRET)


def test_standard_webhooks_are_accepted() -> None:
    verify(STANDARD_WEBHOOKS, standard(), KEYS, NOW)


@given(st.text(), st.text("abcdef_-0123456789", min_size=1), st.binary(min_size=1))
def test_whatever_the_standard_package_signs_is_accepted(text: str, name: str, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    request = standard(secret, text.encode("utf-8", "replace"), name=name)
    verify(STANDARD_WEBHOOKS, request, secret_keys(secret), NOW)
    other = secret_keys("whsec_" + base64.b64encode(key + b"!").decode())
    assert not accepts(STANDARD_WEBHOOKS, request, other)


@pytest.mark.parametrize(
    "altered",
    [
        changed(standard(), b"{}"),
        changed(standard(), BODY + b" "),
        changed(standard(), webhook_id="msg_2"),
        changed(standard(), webhook_timestamp=str(int(SECONDS) + 1)),
        changed(standard(), webhook_signature="v1,AAAA"),
    ],
)
def test_whatever_is_altered_on_the_way_is_refused(altered: HookRequest) -> None:
    with pytest.raises(UnknownKeyError) as raised:
        verify(STANDARD_WEBHOOKS, altered, KEYS, NOW)
    assert raised.value.code == "hook_signature_invalid"


@pytest.mark.parametrize("signature", ["", "v1,", "v1,***", "v2,AAAA", "v1", "v1a,AAAA", " "])
def test_without_a_signature_nothing_is_accepted(signature: str) -> None:
    with pytest.raises(SignatureError) as raised:
        verify(STANDARD_WEBHOOKS, changed(standard(), webhook_signature=signature), KEYS, NOW)
    assert raised.value.code in {"hook_signature_missing", "hook_signature_invalid"}


@pytest.mark.parametrize(
    ("away", "fine"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
def test_the_time_must_be_near_in_both_directions(away: int, fine: bool) -> None:
    sent = standard(at=NOW + timedelta(seconds=away))
    assert accepts(STANDARD_WEBHOOKS, sent, KEYS) is fine


def test_what_was_valid_once_is_too_old_later() -> None:
    with pytest.raises(SignatureError) as raised:
        verify(STANDARD_WEBHOOKS, standard(), KEYS, NOW + timedelta(hours=1))
    assert raised.value.code == "hook_too_old"


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "17:00", "9" * 40, "1795168800.5"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    assert not accepts(STANDARD_WEBHOOKS, changed(standard(), webhook_timestamp=text), KEYS)


def test_one_of_several_signatures_is_enough_while_a_secret_is_changed() -> None:
    other = "whsec_" + base64.b64encode(b"the next one").decode()
    both = (
        standard().headers["webhook-signature"] + " " + standard(other).headers["webhook-signature"]
    )
    request = changed(standard(), webhook_signature=f"v0,AAAA {both}")
    verify(STANDARD_WEBHOOKS, request, KEYS, NOW)
    verify(STANDARD_WEBHOOKS, request, secret_keys(other), NOW)
    verify(STANDARD_WEBHOOKS, standard(other), secret_keys(f"{SECRET} {other}"), NOW)


def test_no_more_signatures_are_tried_than_a_provider_would_send() -> None:
    genuine = standard().headers["webhook-signature"]
    filler = " ".join(["v1,AAAA"] * 1_000)
    assert not accepts(
        STANDARD_WEBHOOKS, changed(standard(), webhook_signature=f"{filler} {genuine}"), KEYS
    )


def test_a_secret_without_the_prefix_is_taken_as_it_is() -> None:
    digest = hmac.new(b"plain", f"msg_1.{SECONDS}.".encode() + BODY, hashlib.sha256).digest()
    request = changed(standard(), webhook_signature="v1," + base64.b64encode(digest).decode())
    verify(STANDARD_WEBHOOKS, request, secret_keys("plain"), NOW)


def test_a_broken_secret_is_named_without_being_told() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        secret_keys("whsec_not*base64")
    assert "not*base64" not in str(raised.value)


def elevenlabs(body: bytes = BODY, at: str = SECONDS, secret: bytes = b"wsec_1") -> HookRequest:
    signature = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return HookRequest(headers={"elevenlabs-signature": f"t={at},v0={signature}"}, body=body)


def test_elevenlabs_signs_time_and_body_in_one_header() -> None:
    keys = secret_keys("wsec_1")
    verify(ELEVENLABS, elevenlabs(), keys, NOW)
    verify(ELEVENLABS, elevenlabs(), keys, NOW + timedelta(minutes=30))
    assert not accepts(ELEVENLABS, elevenlabs(), keys, NOW + timedelta(minutes=31))
    assert not accepts(ELEVENLABS, changed(elevenlabs(), b"{}"), keys)
    assert not accepts(ELEVENLABS, elevenlabs(secret=b"wsec_2"), keys)
    later = elevenlabs().headers["elevenlabs-signature"].replace("t=1", "t=2")
    assert not accepts(ELEVENLABS, changed(elevenlabs(), elevenlabs_signature=later), keys)


def test_bfl_signs_the_body_alone() -> None:
    signature = hmac.new(b"chosen", BODY, hashlib.sha256).hexdigest()
    request = HookRequest(headers={"x-bfl-signature": f"sha256={signature}"}, body=BODY)
    verify(BFL, request, secret_keys("chosen"), NOW)
    assert not accepts(BFL, changed(request, BODY + b"\n"), secret_keys("chosen"))
    bare = changed(request, x_bfl_signature=signature)
    assert not accepts(BFL, bare, secret_keys("chosen"))


@pytest.mark.parametrize("name", ["taskId", "task_id"])
def test_kie_signs_the_task_and_the_time(name: str) -> None:
    body = json.dumps({"code": 200, "data": {name: "t_1"}}).encode()
    digest = hmac.new(b"key", f"t_1.{SECONDS}".encode(), hashlib.sha256).digest()
    headers = {
        "x-webhook-timestamp": SECONDS,
        "x-webhook-signature": base64.b64encode(digest).decode(),
    }
    request = HookRequest(headers=headers, body=body)
    verify(KIE, request, secret_keys("key"), NOW)
    for other in (
        b'{"data":{"taskId":"t_2"}}',
        b'{"data":[]}',
        b"[]",
        b"",
        b"\xff",
        b'{"data":{}}',
    ):
        assert not accepts(KIE, changed(request, other), secret_keys("key"))
    assert not accepts(KIE, changed(request, x_webhook_timestamp=str(int(SECONDS) + 5)), KEYS)


def test_fal_signs_with_a_key_that_it_publishes() -> None:
    keys = public_keys(key_set(published(Ed25519PrivateKey.generate()), published()))
    verify(FAL, fal(), keys, NOW)
    assert not accepts(FAL, fal(Ed25519PrivateKey.generate()), keys)
    assert not accepts(FAL, changed(fal(), b"{}"), keys)
    for name in ("request_id", "user_id"):
        assert not accepts(FAL, changed(fal(), **{f"x_fal_webhook_{name}": "else"}), keys)
    assert not accepts(FAL, fal(), keys, NOW + timedelta(seconds=301))
    missing = {name: value for name, value in fal().headers.items() if "user" not in name}
    assert not accepts(FAL, HookRequest(headers=missing, body=BODY), keys)


@pytest.mark.parametrize("write", [bytes.hex, lambda data: base64.b64encode(data).decode()])
def test_ideogram_names_the_key(write: Any) -> None:
    digest = hashlib.sha256(BODY).hexdigest()
    signature = PRIVATE.sign(f"gen_1\nusr_1\n{SECONDS}\n{digest}".encode())
    values = {
        "generation-id": "gen_1",
        "user-id": "usr_1",
        "timestamp": SECONDS,
        "key-id": "key_2",
        "signature": write(signature),
    }
    headers = {f"x-ideogram-webhook-{name}": value for name, value in values.items()}
    request = HookRequest(headers=headers, body=BODY)
    verify(IDEOGRAM, request, public_keys(key_set(published(kid="key_2"))), NOW)
    assert not accepts(IDEOGRAM, request, public_keys(key_set(published(kid="key_1"))))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        key_set(),
        key_set({"kty": "RSA", "n": "x", "e": "AQAB"}),
        key_set(published() | {"crv": "X25519"}),
        key_set(published() | {"x": 5}),
        key_set(published() | {"x": "AAAA"}),
        key_set(published() | {"x": "*"}),
        key_set({}),
        b'{"keys":[1]}',
    ],
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"key|Key"):
        public_keys(document)


def test_foreign_keys_of_a_set_are_left_out() -> None:
    keys = public_keys(key_set({"kty": "RSA"}, published(kid="a"), published(kid=7)))
    assert [key.id for key in keys] == ["a", None]


@given(st.dictionaries(st.sampled_from(sorted(fal().headers)), st.text()), st.binary())
def test_no_headers_or_bodies_break_the_verification(headers: dict[str, str], body: bytes) -> None:
    keys = public_keys(key_set(published()))
    request = HookRequest(headers={**fal().headers, **headers}, body=body)
    if (request.headers, body) != (fal().headers, BODY):
        assert not accepts(FAL, request, keys) or headers == {
            name: fal().headers[name] for name in headers
        }
    assert not accepts(KIE, HookRequest(headers=headers, body=body), KEYS)
