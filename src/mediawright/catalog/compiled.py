"""Keeps a checked catalogue in a form that is read in a fraction of the time TOML takes.

A wheel brings that of its own rows along. Every other file lies in the user's cache folder,
under a name that is a digest of every data file and of the code that reads and checks them:
whatever changes, another file is looked for. Its content carries a checksum. A file that is
damaged, or belongs to somebody else, is left aside and the data files are read. Nothing fails
when the folder cannot be written to.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from importlib import resources
from pathlib import Path

import msgspec

from mediawright._version import __version__
from mediawright.catalog.catalogue import Catalogue
from mediawright.catalog.model import Family, Model

_CODE = ("mediawright.catalog", "mediawright.core")
_DIGEST_BYTES = 20
_SHIPPED = "catalogue.msgpack"
"""Beside the data files, in an installed package."""
_KEPT_FILES = 8
"""How many forms are kept: of other versions, and with operators' own rows."""


class _Book(msgspec.Struct, frozen=True, array_like=True):
    key: bytes
    models: tuple[Model, ...]
    families: tuple[Family, ...]
    patterns: tuple[Model, ...]


_decoder = msgspec.msgpack.Decoder(_Book)


def default_cache_folder() -> Path | None:
    """Return the platform's place for what can be made again; `None` if there is none."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where a catalogue is loaded

    try:
        folder = user_cache_path("mediawright", appauthor=False)
    except RuntimeError:
        return None
    # For an account without a home some versions raise, others start with a literal tilde.
    return folder if folder.is_absolute() else None


def key_of(sources: Iterable[tuple[str, str]]) -> bytes:
    """Return the digest of (file name, TOML text) pairs and of the code that reads them."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    _feed(digest, __version__.encode())
    for package in _CODE:
        for entry in sorted(resources.files(package).iterdir(), key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                _feed(digest, entry.name.encode())
                _feed(digest, entry.read_bytes())
    for name, text in sources:
        _feed(digest, name.encode())
        _feed(digest, text.encode())
    return digest.digest()


def read_compiled(folder: Path, key: bytes) -> Catalogue | None:
    """Return the catalogue kept under a key, or `None` if there is no sound one.

    Args:
        folder: Where it would be.
        key: What it must have been made from.
    """
    try:
        with _path(folder, key).open("rb") as file:
            if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            content = file.read()
    except OSError:
        return None
    return _from_bytes(content, key)


def read_shipped(key: bytes) -> Catalogue | None:
    """Return the catalogue that came with the package, if it was made from the same."""
    try:
        content = (resources.files("mediawright.catalog") / "data" / _SHIPPED).read_bytes()
    except OSError:
        return None
    return _from_bytes(content, key)


def compiled_form(key: bytes, catalogue: Catalogue) -> bytes:
    """Return a checked catalogue as it is kept, under the digest of what it was made from."""
    body = msgspec.msgpack.encode(
        _Book(key, tuple(catalogue), catalogue.families, catalogue.patterns)
    )
    return _checksum(body) + body


def _from_bytes(content: bytes, key: bytes) -> Catalogue | None:
    checksum, body = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if _checksum(body) != checksum:
        return None
    try:
        book = _decoder.decode(body)
    except msgspec.DecodeError:
        return None
    return Catalogue(book.models, book.families, book.patterns) if book.key == key else None


def write_compiled(folder: Path, key: bytes, catalogue: Catalogue) -> None:
    """Keep a catalogue for later processes, at once or not at all.

    Args:
        folder: Where to; made if it is not there.
        key: What it was made from.
        catalogue: Checked.
    """
    content = compiled_form(key, catalogue)
    # Without room or permission the next process reads the data files again.
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=folder, prefix="catalogue-", suffix=".new")
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            unfinished.replace(_path(folder, key))
        except OSError:
            unfinished.unlink()
            raise
        _forget_oldest(folder)


def _path(folder: Path, key: bytes) -> Path:
    return folder / f"catalogue-{key.hex()}.msgpack"


def _forget_oldest(folder: Path) -> None:
    found = sorted(folder.glob("catalogue-*.msgpack"), key=lambda path: path.stat().st_mtime)
    for path in found[:-_KEPT_FILES]:
        path.unlink(missing_ok=True)


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _feed(digest: hashlib.blake2b, part: bytes) -> None:
    digest.update(len(part).to_bytes(8))
    digest.update(part)
