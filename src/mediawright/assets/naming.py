"""What files are called: names of our own, and the names callers ask for (rule 61)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from mediawright.assets.formats import extensions_of_kind, same_extension
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind

AGENT_FOLDER = "agent"
"""Where relative output paths lead."""
SPACE_FOLDER = "space"
"""Where output paths that begin with `/space/` lead."""
RENDITION_FOLDER = "renditions"

_SPACE_PREFIX = "/space/"
_POINTER = "/output_path"
_LONGEST_PATH_BYTES = 768
# Room for a suffix, and for the names of renditions and of partial files.
_LONGEST_NAME_BYTES = 200
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}$")
_HINT = (
    "Give a path such as pictures/lighthouse.png for the agent's drive, or "
    "/space/pictures/lighthouse.png for the space's."
)
# Names that Windows takes for devices, with any extension.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{device}{n}" for device in ("com", "lpt") for n in "123456789¹²³"}
)
# What obstore's local store calls its own files, and what it takes for a folder (a drive of
# Windows). The name of a media file ends with its extension, so none is like these.
_RESERVED_ENDING = re.compile(r"(#[0-9]+|[A-Za-z][:|])\Z")
_FORBIDDEN = frozenset('<>:"|?*\\')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID_VERSION = 7


def default_key(owner_id: str, index: int, extension: str, *, now: datetime) -> str:
    """Return the key of a file whose caller named none.

    It is made of the owner's id and the time in that id, so that storing the same output
    again gives the same key.

    Args:
        owner_id: Id of the generation, or of the asset itself for an upload.
        index: Place among the owner's files, from 0.
        extension: Without the dot.
        now: The time to name if the id carries none.

    Returns:
        A key such as `2026/11/20/20261120T101500Z-gen_0197...-0.png`.
    """
    moment = time_of_id(owner_id) or now.astimezone(UTC)
    name = f"{moment:%Y%m%dT%H%M%SZ}-{owner_id}-{index}.{extension}"
    return f"{moment:%Y/%m/%d}/{name}"


def time_of_id(value: str) -> datetime | None:
    """Return when an id was made, in UTC; `None` if it is not one of ours."""
    try:
        parsed = uuid.UUID(hex=value.rpartition("_")[2])
    except ValueError:
        return None
    if parsed.version != _UUID_VERSION:
        return None
    return _EPOCH + timedelta(milliseconds=parsed.int >> 80)


def resolve_output_path(path: str, extension: str) -> str:
    """Return the drive's key for the path a caller asked for (rule 61).

    A relative path lies in the agent's drive, one that begins with `/space/` in the space's.
    A missing extension is added.

    Args:
        path: As the caller wrote it.
        extension: Of the file to come, without the dot.

    Returns:
        A key such as `agent/pictures/lighthouse.png`.

    Raises:
        InvalidRequestError: `invalid_path` if it leads elsewhere or no file can have it;
            `unsupported_format` if it names another format than the file will have.
    """
    folder, inner = _split(path)
    found = _EXTENSION.search(inner)
    if found is None:
        inner = f"{inner}.{extension}"
    elif not same_extension(found.group()[1:], extension):
        raise _wrong_extension(found.group(), (extension,))
    _check_lengths(inner)
    return f"{folder}/{inner}"


def check_output_path(path: str, kind: MediaKind) -> None:
    """Check a path when it is not known yet in which format the file will come.

    Args:
        path: As the caller wrote it.
        kind: What the file will be.

    Raises:
        InvalidRequestError: `invalid_path`, or `unsupported_format` if the extension is none
            of that kind of file.
    """
    _, inner = _split(path)
    found = _EXTENSION.search(inner)
    allowed = extensions_of_kind(kind)
    if found is not None and found.group()[1:].lower() not in allowed:
        raise _wrong_extension(found.group(), tuple(sorted(allowed)))
    _check_lengths(inner)


def output_key(path: str, extension: str) -> str:
    """Like `resolve_output_path`, for a file that is there: it gets its own extension.

    Raises:
        InvalidRequestError: `invalid_path`.
    """
    try:
        return resolve_output_path(path, extension)
    except InvalidRequestError as error:
        if error.code != "unsupported_format":
            raise
    # It has been made and paid for, so another extension is replaced rather than refused.
    return resolve_output_path(f"{_EXTENSION.sub('', path)}.{extension}", extension)


def alternatives(key: str) -> Iterator[str]:
    """Return the key itself, and then the names to try while it is taken: `a (2).png`, ..."""
    yield key
    path = PurePosixPath(key)
    number = 2
    while True:
        yield str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
        number += 1


def rendition_key(key: str, word: str, extension: str) -> str:
    """Return the key of a smaller version of a file.

    Args:
        key: Of the file.
        word: `thumbnail` or `optimized`.
        extension: Of the rendition, without the dot.
    """
    return f"{RENDITION_FOLDER}/{key}.{word}.{extension}"


def is_safe_key(key: str) -> bool:
    """Tell whether a key names a file inside the drive, whatever the drive is made of.

    A key that ends like `#1` or `C:` does not; in the names of folders these are allowed.
    """
    if "\\" in key or _RESERVED_ENDING.search(key):
        return False
    return all(_is_safe_part(part) for part in key.split("/"))


def _split(path: str) -> tuple[str, str]:
    """Return the drive's folder and the path inside it."""
    folder, inner = AGENT_FOLDER, path
    if path.startswith(_SPACE_PREFIX):
        folder, inner = SPACE_FOLDER, path.removeprefix(_SPACE_PREFIX)
    if path.startswith("/") and folder is AGENT_FOLDER:
        raise _invalid("it is absolute and does not begin with /space/")
    for part in inner.split("/"):
        reason = _fault_of(part)
        if reason is not None:
            raise _invalid(reason)
    return folder, inner


def _fault_of(part: str) -> str | None:
    """Return why no part of a path may be called so."""
    if not part:
        return "a part of it is empty"
    if part.startswith("."):
        return "a part of it begins with a dot"
    if not part.isprintable() or any(character in _FORBIDDEN for character in part):
        return "it holds a character that file names cannot have"
    if part != part.strip() or part.endswith("."):
        return "a part of it begins or ends with a space, or ends with a dot"
    if part.partition(".")[0].rstrip().lower() in _DEVICES:
        return "a part of it is the name of a device"
    return None


def _is_safe_part(part: str) -> bool:
    return part not in ("", ".", "..") and all(character.isprintable() for character in part)


def _check_lengths(inner: str) -> None:
    try:
        encoded = inner.encode()
    except UnicodeEncodeError:
        raise _invalid("it is not valid Unicode") from None
    if len(encoded) > _LONGEST_PATH_BYTES:
        raise _invalid(f"it is longer than {_LONGEST_PATH_BYTES} bytes")
    if any(len(part) > _LONGEST_NAME_BYTES for part in encoded.split(b"/")):
        raise _invalid(f"a part of it is longer than {_LONGEST_NAME_BYTES} bytes")


def _invalid(reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        "invalid_path",
        f"The output path cannot be used: {reason}.",
        pointer=_POINTER,
        hint=_HINT,
    )


def _wrong_extension(found: str, allowed: tuple[str, ...]) -> InvalidRequestError:
    listed = ", ".join(f".{extension}" for extension in allowed)
    return InvalidRequestError(
        "unsupported_format",
        f"The output path ends with {found}, but the file will be {listed}.",
        pointer=_POINTER,
        hint="Leave the extension out, and the right one is added.",
        details={"allowed": list(allowed)},
    )
