"""Secrets taken out of whatever is logged, traced, stored or shown."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"

_SHORTEST_SECRET = 4
_LONGEST_SHOWN = 256
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET_WORDS = frozenset(
    {
        "auth",
        "authorization",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "hmac",
        "jwt",
        "key",
        "passphrase",
        "passwd",
        "password",
        "secret",
        "secrets",
        "sig",
        "signature",
        "token",
    }
)
_SECRET_ENDINGS = ("apikey", "token", "secret", "password", "signature", "authorization", "cookie")
_PUBLIC_NAMES = frozenset({"idempotency_key", "x_idempotency_key"})
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\s*")
_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w=.-]+)*;base64,")
_URL = re.compile(r"https?://[^\s\"'<>\\]+", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/?#@\s]*(?:@[^/?#@\s]*)*@")
_URL_PARAMETER = re.compile(r"([?&#;])([^=&#;?\s]+)=([^&#;\s]*)")
_SCHEMED = re.compile(r"\b(Bearer|Basic|Key|Token|ApiKey)(\s+)(?=\S*\d)[\w.~+/=:-]{8,}", re.I)
_WELL_KNOWN = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?"  # JSON Web Token
    r"|\b(?:sk|pk|rk)[-_][\w-]{12,}"
    r"|\bAIza[\w-]{20,}"
    r"|\br8_\w{20,}"
    r"|\bkey_[0-9a-f]{32,}"
)


def is_secret_name(name: str) -> bool:
    """Tell whether a header, query parameter or field of that name holds a secret."""
    plain = name.replace("-", "_").lower()
    if plain in _PUBLIC_NAMES:
        return False
    if plain.endswith(_SECRET_ENDINGS):
        return True
    return any(word.lower() in _SECRET_WORDS for word in _WORD.findall(name))


class Redactor:
    """Takes known secrets out of text, and what looks like one out of structured data."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Know the secrets by value, in plain and in their usual encodings.

        Args:
            secrets: API keys and the like; those shorter than four characters are ignored.
        """
        spellings = {
            spelling
            for secret in secrets
            if len(secret) >= _SHORTEST_SECRET
            for spelling in _spellings(secret)
        }
        ordered = sorted(spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """Return free text without secrets; URLs in it lose their signatures."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        if "://" in text:
            text = _URL.sub(lambda match: _plain_url(match.group()), text)
        text = _SCHEMED.sub(rf"\1\2{REDACTED}", text)
        return _WELL_KNOWN.sub(REDACTED, text)

    def url(self, url: str) -> str:
        """Return a URL without user name, password, tokens and signatures."""
        return self.text(_plain_url(url))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return headers, the values of secret ones replaced."""
        return {
            name: REDACTED if is_secret_name(name) else self.text(value)
            for name, value in headers.items()
        }

    def json(self, value: Any) -> Any:
        """Return a JSON value without secrets and without the bytes of files.

        Strings in fields that look secret are replaced; long base64 is replaced by its length.
        """
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, Mapping):
            fields = cast("Mapping[object, Any]", value)
            return {
                self.text(str(name)): self._field(str(name), item) for name, item in fields.items()
            }
        if isinstance(value, list | tuple):
            return [self.json(item) for item in cast("Iterable[Any]", value)]
        return value

    def _field(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and is_secret_name(name):
            return REDACTED
        return self.json(value)

    def _string(self, text: str) -> str:
        if len(text) > _LONGEST_SHOWN:
            prefix = _DATA_URI.match(text)
            start = prefix.end() if prefix else 0
            if prefix or _BASE64.fullmatch(text):
                return f"{text[:start]}[{len(text) - start} characters]"
        return self.text(text)


def _plain_url(url: str) -> str:
    url = _USERINFO.sub(f"{REDACTED}@", url)
    return _URL_PARAMETER.sub(_plain_parameter, url)


def _plain_parameter(match: re.Match[str]) -> str:
    joint, name, value = match.groups()
    return f"{joint}{name}={REDACTED if is_secret_name(name) else value}"


def _spellings(secret: str) -> Iterable[str]:
    """Yield how a secret may be written: plain, in a URL, in JSON, in base64."""
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    encoded = secret.encode(errors="surrogatepass")
    yield base64.b64encode(encoded).decode().rstrip("=")
    yield base64.urlsafe_b64encode(encoded).decode().rstrip("=")
