"""The arguments of an agent's video tool, as the draft that the use-cases take (rules 49-61)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from mediawright.app.complaints import Complaints
from mediawright.app.intake import Draft, InputSource, parse_source
from mediawright.app.parameters import parameters_from
from mediawright.assets.naming import check_output_path
from mediawright.catalog.values import EXTENSIONS, extension_of
from mediawright.core.errors import InvalidRequestError
from mediawright.core.ids import IdPrefix, has_prefix
from mediawright.core.operations import InputRole, MediaKind
from mediawright.core.request import Parameters

DEFAULT_MODEL = "seedance-flagship"
"""What makes the video where no model is named."""

_PARAMETERS = {
    "durationSeconds": "duration",
    "aspectRatio": "aspect_ratio",
    "resolution": "resolution",
    "generateAudio": "sound",
    "watermark": "watermark",
    "returnLastFrame": "return_last_frame",
    "webSearch": "web_search",
}
_OTHERS = frozenset({"prompt", "file_path", "attachments", "model"})
_ATTACHMENT = frozenset({"path", "url", "type", "role", "name", "mimeType"})

Locate = Callable[[str], str | None]
"""Returns the id of the asset that lies at a path of the caller's Drive, if there is one."""


def video_tool_draft(arguments: Mapping[str, Any], locate: Locate) -> Draft:
    """Return what a call of the tool asks for; what its model takes is checked later.

    Args:
        arguments: `prompt` and `file_path`; perhaps `attachments`, `model`, `durationSeconds`,
            `aspectRatio`, `resolution`, `generateAudio`, `watermark`, `returnLastFrame` and
            `webSearch`.
        locate: Finds files of the caller's Drive by their paths.

    Raises:
        InvalidRequestError: `prompt_required`, `file_path_required` (rule 49),
            `invalid_attachment` (rule 50), `role_media_mismatch` (rule 51), `invalid_path` or
            `unsupported_format` (rule 61), `unknown_parameter`; all of it in its `problems`.
    """
    complaints = Complaints()
    prompt = complaints.read(lambda: _text(arguments, "prompt", "prompt_required"), "")
    path = complaints.read(lambda: _output_path(arguments), "")
    sources = [
        complaints.read(lambda item=item, n=n: _attachment(item, f"/attachments/{n}", locate), None)
        for n, item in enumerate(complaints.read(lambda: _attachments(arguments), []))
    ]
    parameters = complaints.read(lambda: _parameters(arguments), Parameters())
    model = complaints.read(lambda: _model(arguments), DEFAULT_MODEL)
    complaints.settle()
    return Draft(
        model=model,
        prompt=prompt,
        inputs=tuple(source for source in sources if source is not None),
        parameters=parameters,
        output_path=path,
        video_tool=True,
    )


def _text(arguments: Mapping[str, Any], name: str, code: str) -> str:
    value = arguments.get(name)
    if isinstance(value, str) and value.strip():
        return value
    raise InvalidRequestError(
        code, f"The video tool needs a {name}.", pointer=f"/{name}", hint=f"Give {name} as text."
    )


def _output_path(arguments: Mapping[str, Any]) -> str:
    path = _text(arguments, "file_path", "file_path_required")
    try:
        check_output_path(path, MediaKind.VIDEO)
    except InvalidRequestError as error:
        error.pointer = "/file_path"
        raise
    return path


def _model(arguments: Mapping[str, Any]) -> str:
    if arguments.get("model") is None:
        return DEFAULT_MODEL
    return _text(arguments, "model", "model_required")


def _parameters(arguments: Mapping[str, Any]) -> Parameters:
    for name in arguments:
        if name not in _PARAMETERS and name not in _OTHERS:
            raise InvalidRequestError(
                "unknown_parameter",
                f"The video tool has no {str(name)[:60]!a}.",
                pointer=f"/{name}",
                details={"allowed": sorted({*_PARAMETERS, *_OTHERS})},
            )
    return parameters_from({ours: arguments.get(name) for name, ours in _PARAMETERS.items()})


def _attachments(arguments: Mapping[str, Any]) -> list[Any]:
    found = arguments.get("attachments")
    if found is None:
        return []
    if not isinstance(found, list | tuple):
        raise _invalid("The attachments must be a list.", "/attachments")
    return list(cast("list[Any]", found))


def _attachment(item: Any, pointer: str, locate: Locate) -> InputSource:
    if isinstance(item, str):
        return _source(item, None, pointer, locate)
    if not isinstance(item, Mapping):
        raise _invalid("An attachment is a text or an object.", pointer)
    table = cast("Mapping[str, Any]", item)
    wrong = [name for name, value in table.items() if not isinstance(value, str | None)]
    unknown = [name for name in table if name not in _ATTACHMENT]
    if wrong or unknown:
        raise _invalid(f"{(wrong or unknown)[0]!r} of the attachment cannot be read.", pointer)
    url, path = table.get("url"), table.get("path")
    place = url or path
    if not place:
        raise _invalid("An attachment needs a path or a url.", pointer)
    role = _role(table.get("role"), pointer)
    kind = _kind(table, place, pointer)
    if role is not None and kind is not None and role.media_kind is not kind:
        raise InvalidRequestError(
            "role_media_mismatch",
            f"A {role.value} is of the kind {role.media_kind.value}, not {kind.value}.",
            pointer=f"{pointer}/role",
            hint="Give it another role, or another file.",
            details={"allowed": [r.value for r in InputRole if r.media_kind is kind]},
        )
    source = _source(place, role, pointer, locate)
    name = table.get("name")
    return source if name is None else _named(source, name)


def _source(place: str, role: InputRole | None, pointer: str, locate: Locate) -> InputSource:
    """Return what a URL, the id of an asset or a path in the Drive names (rule 50)."""
    if "://" in place or has_prefix(place, IdPrefix.ASSET):
        return parse_source(place, role)
    asset_id = locate(place) if place.strip() else None
    if asset_id is None:
        raise _invalid(f"There is no file {place[:80]!a} in the Drive.", pointer)
    return InputSource(role=role, asset_id=asset_id, name=place.rpartition("/")[2])


def _named(source: InputSource, name: str) -> InputSource:
    return InputSource(
        role=source.role, url=source.url, asset_id=source.asset_id, name=name or source.name
    )


def _role(word: str | None, pointer: str) -> InputRole | None:
    allowed = [role.value for role in InputRole if role is not InputRole.MASK]
    if word is None or word in allowed:
        return None if word is None else InputRole(word)
    raise InvalidRequestError(
        "invalid_attachment",
        f"There is no role {word[:60]!a}.",
        pointer=f"{pointer}/role",
        hint=f"Use one of {', '.join(allowed)}.",
        details={"allowed": allowed},
    )


def _kind(table: Mapping[str, Any], place: str, pointer: str) -> MediaKind | None:
    """Return what a file is said to be, or what its extension says; `None` if nothing does."""
    said = str(table.get("type") or table.get("mimeType") or "").partition("/")[0]
    if said:
        kinds = [kind.value for kind in MediaKind if kind is not MediaKind.TEXT]
        if said not in kinds:
            raise _invalid(f"An attachment cannot be {said[:60]!a}.", pointer, kinds)
        return MediaKind(said)
    known = EXTENSIONS.get(extension_of(place))
    return known[0] if known is not None else None


def _invalid(message: str, pointer: str, allowed: list[str] | None = None) -> InvalidRequestError:
    return InvalidRequestError(
        "invalid_attachment",
        message,
        pointer=pointer,
        hint="Give a URL, the id of an asset, a path in the Drive, or an object with path or url.",
        details={} if allowed is None else {"allowed": allowed},
    )
