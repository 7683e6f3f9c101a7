"""How webhooks are signed, as data, and the one function that verifies all of it.

Nothing here does any I/O or looks at a clock: keys and the time are handed in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

import msgspec

from mediawright.core.errors import InvalidRequestError, UnauthenticatedError

SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets of Standard Webhooks begin
_MOST_SIGNATURES = 16
"""More than any provider sends while it changes keys; each costs a computation."""
_SECONDS = re.compile(r"[0-9]{1,11}")
_ED25519_BYTES = 32


class SignatureError(UnauthenticatedError):
    """A webhook that cannot be shown to come from the provider."""


class UnknownKeyError(SignatureError):
    """No key at hand made the signature: it is forged, or the provider has a new key."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(
            "hook_signature_invalid",
            "The webhook's signature was not made with the provider's key.",
        )


class Algorithm(StrEnum):
    """How a signature is computed."""

    HMAC_SHA256 = "hmac_sha256"
    """With a secret that both sides have."""
    ED25519 = "ed25519"
    """With a private key, whose public half is published."""


class Encoding(StrEnum):
    """How a signature is written."""

    HEX = "hex"
    BASE64 = "base64"
    EITHER = "either"
    """The documentation does not say which of the two."""

    def decode(self, text: str) -> bytes | None:
        """Return the bytes, or `None` if the text is not of this encoding."""
        if self is not Encoding.BASE64:
            try:
                return bytes.fromhex(text)
            except ValueError:
                if self is Encoding.HEX:
                    return None
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None


class Place(msgspec.Struct, frozen=True):
    """Where in the headers something stands."""

    header: str
    """In lower case."""
    prefix: str = ""
    """What it begins with, which is no part of it; entries that begin otherwise are not meant."""
    separator: str | None = None
    """What stands between entries, where the header holds several."""

    def values(self, headers: Mapping[str, str]) -> list[str]:
        """Return what stands there, none if the header is missing."""
        text = headers.get(self.header, "")
        entries = [text] if self.separator is None else text.split(self.separator)
        found = (entry.strip() for entry in entries)
        return [
            entry.removeprefix(self.prefix)
            for entry in found
            if entry and entry.startswith(self.prefix)
        ]

    def value(self, headers: Mapping[str, str]) -> str | None:
        """Return what stands there first."""
        return next(iter(self.values(headers)), None)


class Content(StrEnum):
    """What of the body is signed."""

    BODY = "body"
    """Its bytes as they came."""
    BODY_DIGEST = "body_digest"
    """Their SHA-256 in lower-case hex."""


class BodyText(msgspec.Struct, frozen=True):
    """A text in a JSON body that is signed instead of the body."""

    paths: tuple[tuple[str, ...], ...]
    """Where it may stand, as names of members from the outside in."""


Part = Place | Content | BodyText


class SignatureRule(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of webhook is signed."""

    algorithm: Algorithm
    signature: Place
    """Where the signature stands, or several of them, of which one has to fit."""
    encoding: Encoding
    signed: tuple[Part, ...]
    """What is signed, piece by piece."""
    separator: str = "."
    """What stands between the pieces."""
    timestamp: Place | None = None
    """Where the seconds since 1970 stand at which it was sent; `None` where none are signed."""
    tolerance: float = 300.0
    """Seconds by which the clocks may differ and the webhook be late."""
    key_id: Place | None = None
    """Where the name of the key stands."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A secret, or a public key."""

    data: bytes
    id: str | None = None


class HookRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it came in."""

    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def body_digest(self) -> str:
        """The SHA-256 of the body in lower-case hex."""
        return hashlib.sha256(self.body).hexdigest()


def verify(rule: SignatureRule, request: HookRequest, keys: Iterable[Key], now: datetime) -> None:
    """Return if the provider sent the webhook, and lately.

    Args:
        rule: How the provider signs.
        request: The webhook.
        keys: Those that may have made the signature.
        now: The time, aware.

    Raises:
        SignatureError: `hook_signature_missing` or `hook_too_old`.
        UnknownKeyError: `hook_signature_invalid`.
    """
    texts = rule.signature.values(request.headers)[:_MOST_SIGNATURES]
    signatures = [data for text in texts if (data := rule.encoding.decode(text)) is not None]
    if not signatures:
        raise SignatureError("hook_signature_missing", "The webhook carries no signature.")
    _check_age(rule, request.headers, now)
    message = _message(rule, request)
    if message is None:
        raise UnknownKeyError
    named = rule.key_id.value(request.headers) if rule.key_id else None
    fits = False
    for key in keys:
        if named is None or key.id in (None, named):
            # All are tried, so that the time taken tells nothing.
            for signature in signatures:
                fits |= _fits(rule.algorithm, key, message, signature)
    if not fits:
        raise UnknownKeyError


def secret_keys(text: str) -> tuple[Key, ...]:
    """Return the keys of secrets as providers hand them out.

    Args:
        text: A secret, or several with spaces between them while they are being changed. What
            follows `whsec_` is base64; any other secret is taken as it is.

    Raises:
        InvalidRequestError: `invalid_settings`: what follows `whsec_` is not base64.
    """
    return tuple(Key(data=_secret_bytes(secret)) for secret in text.split())


def public_keys(document: bytes) -> tuple[Key, ...]:
    """Return the Ed25519 keys of a JSON Web Key Set (RFC 7517, RFC 8037); others are left out.

    Raises:
        ValueError: It is no such set, or holds no such key.
    """
    try:
        listed = msgspec.json.decode(document, type=_KeySet).keys
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("not a JSON Web Key Set") from error
    found = tuple(key for entry in listed if (key := _public_key(entry)) is not None)
    if not found:
        raise ValueError("no Ed25519 key")
    return found


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


def _public_key(entry: dict[str, Any]) -> Key | None:
    text, name = entry.get("x"), entry.get("kid")
    if entry.get("kty") != "OKP" or entry.get("crv") != "Ed25519" or not isinstance(text, str):
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(data) != _ED25519_BYTES:
        return None
    return Key(data=data, id=name if isinstance(name, str) else None)


def _secret_bytes(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequestError(
            "invalid_settings",
            f"A webhook secret that begins with {SECRET_PREFIX} goes on in base64.",
            hint="Copy it again from the provider's pages.",
        ) from None


def _check_age(rule: SignatureRule, headers: Mapping[str, str], now: datetime) -> None:
    if rule.timestamp is None:
        return
    text = rule.timestamp.value(headers) or ""
    if not _SECONDS.fullmatch(text):
        raise SignatureError("hook_signature_missing", "The webhook does not say when it was sent.")
    if abs(now.timestamp() - int(text)) > rule.tolerance:
        raise SignatureError(
            "hook_too_old",
            f"The webhook was sent more than {rule.tolerance:.0f} seconds from now.",
            hint="If it is new, the clock of this machine is wrong.",
        )


def _message(rule: SignatureRule, request: HookRequest) -> bytes | None:
    pieces = [_piece(part, request) for part in rule.signed]
    known = [piece for piece in pieces if piece is not None]
    return rule.separator.encode().join(known) if len(known) == len(pieces) else None


def _piece(part: Part, request: HookRequest) -> bytes | None:
    if part is Content.BODY:
        return request.body
    if part is Content.BODY_DIGEST:
        return request.body_digest.encode()
    text = part.value(request.headers) if isinstance(part, Place) else _text_in(request.body, part)
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _text_in(body: bytes, part: BodyText) -> str | None:
    try:
        document: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    for path in part.paths:
        value = document
        for name in path:
            value = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    return None


def _fits(algorithm: Algorithm, key: Key, message: bytes, signature: bytes) -> bool:
    if algorithm is Algorithm.HMAC_SHA256:
        return hmac.compare_digest(hmac.digest(key.data, message, "sha256"), signature)
    # Slow to load, and needed by the first webhook only.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    try:
        Ed25519PublicKey.from_public_bytes(key.data).verify(signature, message)
    except InvalidSignature:
        return False
    return True
