"""Pure helpers that every adapter's bodies are built with, and its replies read with."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import InputRole, MediaKind
from mediawright.core.provider import (
    INPUT_FIELDS,
    InlineMedia,
    JsonObject,
    LoadedInput,
    MediaCall,
    StagedMedia,
)
from mediawright.providerkit.http import HttpReply, Part, UnreadableReplyError

_Shape = TypeVar("_Shape")
_AT_THE_END = frozenset({InputRole.LAST_FRAME})


def call_fields(call: MediaCall, provider: str) -> JsonObject:
    """Return what the catalogue and then the caller's own vendor settings say to send.

    Settings inside an object replace their namesakes there and leave its other members alone.
    """
    fields = {name: value for name, value in call.fields.items() if name != INPUT_FIELDS}
    return _merged(fields, (call.parameters.vendor or {}).get(provider, {}))


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> JsonObject:
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[name] = _merged(_members(below), _members(value)) if both else value
    return merged


def _members(value: Any) -> JsonObject:
    return msgspec.convert(value, dict[str, Any])


def place_inputs(
    call: MediaCall, references: Mapping[int, str], defaults: Mapping[str, str]
) -> JsonObject:
    """Return the vendor fields that carry the inputs.

    Args:
        call: The job; the catalogue may name fields by role under `INPUT_FIELDS`.
        references: What to write for each input (URL or data URI), by index.
        defaults: Field name by role where the catalogue names none.

    Raises:
        InvalidRequestError: No field takes an input, or one field would take two.
    """
    names = {**defaults, **call.fields.get(INPUT_FIELDS, {})}
    placed: JsonObject = {}
    # In a list of frames the last one comes last, in whatever order they were given.
    in_order = sorted(enumerate(call.inputs), key=lambda pair: pair[1].role in _AT_THE_END)
    for index, item in in_order:
        name = names.get(item.role)
        if name is None:
            raise unsupported_input(item.role, index)
        if name.endswith("[]"):
            placed.setdefault(name.removesuffix("[]"), []).append(references[index])
        elif name in placed:
            raise InvalidRequestError(
                "too_many_inputs",
                f"This model takes one input as {item.role}.",
                pointer=f"/inputs/{index}",
            )
        else:
            placed[name] = references[index]
    return placed


def unsupported_input(role: InputRole, index: int) -> InvalidRequestError:
    """Return the error for an input the vendor has no field for."""
    return InvalidRequestError(
        "unsupported_input",
        f"This model takes no {role}.",
        pointer=f"/inputs/{index}/role",
    )


def unsupported_operation(call: MediaCall, title: str) -> InvalidRequestError:
    """Return the error for an operation the vendor does not offer here."""
    return InvalidRequestError(
        "unsupported_operation",
        f"{title} does not do {call.operation} here.",
        pointer="/operation",
    )


def data_uri(data: bytes, content_type: str) -> str:
    """Return a base64 data URI."""
    return f"data:{content_type};base64,{base64.b64encode(data).decode('ascii')}"


def data_uri_length(byte_count: int, content_type: str) -> int:
    """Return how many characters `data_uri` gives for that many bytes."""
    return len(f"data:{content_type};base64,") + (byte_count + 2) // 3 * 4


def inline_reference(
    media: LoadedInput, *, longest: int, content_type: str | None = None
) -> str | None:
    """Return how an input travels inside the request, or `None` if it must be uploaded.

    Its bytes as a data URI if that has at most `longest` characters, else its public URL:
    bytes at hand cannot fail to be fetched, so they come first.
    """
    named_type = content_type or media.content_type
    if media.data is not None and data_uri_length(len(media.data), named_type) <= longest:
        return data_uri(media.data, named_type)
    return media.url


def parse_data_uri(uri: str) -> tuple[bytes, str]:
    """Return the bytes and the media type of a data URI in a reply.

    Raises:
        UnreadableReplyError: It is not a well-formed data URI.
    """
    head, comma, text = uri.partition(",")
    if not head.startswith("data:") or not comma:
        raise UnreadableReplyError("the reply holds a malformed data URI")
    content_type, *options = head.removeprefix("data:").split(";")
    try:
        data = unquote_to_bytes(text)
        if "base64" in options:
            data = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableReplyError("the reply holds a malformed data URI") from error
    return data, content_type.lower()


def media_output(
    kind: MediaKind, reply: HttpReply, content_type: str | None
) -> InlineMedia | StagedMedia:
    """Return the file that a reply's body is.

    Args:
        kind: What it should be.
        reply: The reply to a call that expected media.
        content_type: The type that was asked for, which is better known than the header's.

    Raises:
        UnreadableReplyError: The body is plainly something else, such as a web page.
    """
    if reply.content_type.startswith("text/") or reply.content_type.endswith("json"):
        raise UnreadableReplyError(f"the reply is {reply.content_type}, not {kind}")
    if reply.spooled is not None:
        return StagedMedia(kind=kind, path=reply.spooled, content_type=content_type)
    if not reply.body:
        raise UnreadableReplyError(f"the reply is empty instead of {kind}")
    return InlineMedia(kind=kind, data=reply.body, content_type=content_type)


def file_part(name: str, media: LoadedInput) -> Part:
    """Return the form part that carries an input's bytes with its type and file name."""
    return Part(
        name=name, data=media.data or b"", filename=media.name, content_type=media.content_type
    )


def form_parts(fields: Mapping[str, Any], *, list_suffix: str = "[]") -> tuple[Part, ...]:
    """Return text parts, leaving nulls out.

    Args:
        fields: Lists become repeated parts, objects parts called `name[key]`.
        list_suffix: What the names of repeated parts end in.
    """
    return tuple(
        part for name, value in fields.items() for part in _parts(name, value, list_suffix)
    )


def _parts(name: str, value: Any, list_suffix: str) -> list[Part]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        named = [(f"{name}[{key}]", item) for key, item in _members(value).items()]
    elif isinstance(value, list | tuple):
        named = [(name + list_suffix, item) for item in msgspec.convert(value, list[Any])]
    else:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        return [Part(name=name, data=text)]
    return [part for inner_name, item in named for part in _parts(inner_name, item, list_suffix)]


def at_field(path: Sequence[str | int], message: str) -> str:
    """Return a vendor's complaint with the field it is about, such as `body.size: too big`."""
    place = ".".join(str(step) for step in path)
    return f"{place}: {message}" if place else message


def optional(value: Any, shape: type[_Shape]) -> _Shape | None:
    """Return `value` as `shape`, or `None` if it is something else.

    For details of a reply that must not make its paid result unreadable.
    """
    try:
        return msgspec.convert(value, shape, strict=False)
    except (msgspec.ValidationError, ValueError):
        return None


def read_leniently(reply: HttpReply, shape: type[_Shape]) -> _Shape | None:
    """Return a reply's JSON body as `shape`, or `None` if it is not that. Never raises."""
    try:
        return optional(reply.json(), shape)
    except UnreadableReplyError:
        return None
