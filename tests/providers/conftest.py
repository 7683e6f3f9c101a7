"""Builders of calls and replies, so that adapters are tested without any I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mediawright.core.operations import InputRole, Operation
from mediawright.core.provider import LoadedInput, MediaCall
from mediawright.core.request import Parameters
from mediawright.providerkit.http import HttpReply

CallBuilder = Callable[..., MediaCall]
ReplyBuilder = Callable[..., HttpReply]
InputBuilder = Callable[..., LoadedInput]


@pytest.fixture
def make_call() -> CallBuilder:
    def build(
        operation: Operation,
        *,
        upstream_id: str = "a-model",
        prompt: str | None = "a red kite",
        fields: dict[str, Any] | None = None,
        inputs: tuple[LoadedInput, ...] = (),
        vendor: dict[str, dict[str, Any]] | None = None,
    ) -> MediaCall:
        return MediaCall(
            generation_id="gen_1",
            client_reference="ref_1",
            operation=operation,
            upstream_id=upstream_id,
            prompt=prompt,
            parameters=Parameters(vendor=vendor),
            fields=fields or {},
            inputs=inputs,
        )

    return build


@pytest.fixture
def make_input() -> InputBuilder:
    def build(
        role: InputRole = InputRole.REFERENCE_IMAGE,
        *,
        data: bytes | None = b"picture",
        url: str | None = None,
        content_type: str = "image/png",
        name: str = "a.png",
    ) -> LoadedInput:
        return LoadedInput(
            role=role,
            kind=role.media_kind,
            content_type=content_type,
            name=name,
            data=data,
            url=url,
        )

    return build


@pytest.fixture
def make_reply() -> ReplyBuilder:
    def build(body: Any = None, status: int = 200, **headers: str) -> HttpReply:
        is_raw = isinstance(body, bytes)
        content_type = {} if is_raw else {"content-type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return HttpReply(
            status=status,
            headers={**content_type, **named},
            body=body if is_raw else msgspec.json.encode(body),
        )

    return build
