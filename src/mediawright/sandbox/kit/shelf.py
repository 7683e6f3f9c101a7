"""Files that the sandbox hands out by URL: outputs, and what was uploaded to it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from mediawright.sandbox.kit.ids import SeededIds
from mediawright.sandbox.kit.replies import send_cut, send_file
from mediawright.sandbox.kit.scenario import OK, Scenario, ScenarioName

MEDIA_PATH = "/__media__/"
_FETCH_SECONDS = 20.0
_FETCH_BYTES = 64 * 1024 * 1024


class FetchError(Exception):
    """An input file cannot be had; the text says why."""


@dataclass(kw_only=True)
class StoredFile:
    """A file on the shelf."""

    name: str
    """Its last path piece: an id and an extension."""
    url: str
    data: bytes
    content_type: str
    scenario: Scenario = OK
    downloads: int = 0


@dataclass(frozen=True, kw_only=True)
class FetchedFile:
    """An input file."""

    data: bytes
    content_type: str


class Shelf:
    """Keeps files in memory and serves them."""

    def __init__(self, *, root: Callable[[], str], ids: SeededIds, outbound: bool) -> None:
        """Serve under `root`; fetch from elsewhere only if `outbound`."""
        self._root = root
        self._ids = ids
        self._outbound = outbound
        self._files: dict[str, StoredFile] = {}

    def put(
        self, data: bytes, content_type: str, extension: str, scenario: Scenario = OK
    ) -> StoredFile:
        """Keep a file under a new address.

        Args:
            data: Its bytes.
            content_type: What its downloads are declared as.
            extension: Of its name, without a dot.
            scenario: What goes wrong with its downloads, for a generated file.
        """
        name = f"{self._ids.hexadecimal(32)}.{extension}"
        file = StoredFile(
            name=name,
            url=f"{self._root()}{MEDIA_PATH}{name}",
            data=data,
            content_type=content_type,
            scenario=scenario,
        )
        self._files[name] = file
        return file

    async def fetch(self, url: str) -> FetchedFile:
        """Return the file behind a data URI, an address of the shelf, or (if allowed) any URL.

        Raises:
            FetchError: If there is none.
        """
        if url.startswith("data:"):
            return _decode_data_uri(url)
        if url.startswith(f"{self._root()}{MEDIA_PATH}"):
            file = self._files.get(urlsplit(url).path.removeprefix(MEDIA_PATH))
            if file is None:
                raise FetchError("no such file in the sandbox")
            return FetchedFile(data=file.data, content_type=file.content_type)
        if not self._outbound:
            raise FetchError("the sandbox fetches nothing from outside itself")
        return await _fetch_remote(url)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD for a file, with ranges."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            return web.Response(status=404, text="Not Found")
        if self._is_troubled(request, file):
            if file.scenario.name is ScenarioName.EXPIRED_URL:
                status = file.scenario.status or 403
                return web.Response(status=status, text="Request has expired")
            if request.method == "GET":
                return await send_cut(request, 200, file.data, {"Content-Type": file.content_type})
        return send_file(request, file.data, file.content_type, etag=file.name)

    def _is_troubled(self, request: web.Request, file: StoredFile) -> bool:
        """Tell whether this download goes wrong, and count it."""
        if file.scenario.name not in (ScenarioName.EXPIRED_URL, ScenarioName.TRUNCATED_FILE):
            return False
        download = file.downloads + 1
        if request.method == "GET":
            file.downloads = download
        return file.scenario.downloads is None or download <= file.scenario.downloads

    def reset(self) -> None:
        """Throw everything away."""
        self._files.clear()
        self._ids.reset()


def _decode_data_uri(url: str) -> FetchedFile:
    head, comma, payload = url.removeprefix("data:").partition(",")
    if not comma:
        raise FetchError("not a data URI")
    content_type = head.split(";")[0] or "text/plain"
    if not head.endswith(";base64"):
        return FetchedFile(data=unquote_to_bytes(payload), content_type=content_type)
    try:
        data = base64.b64decode(payload, validate=True)
    except binascii.Error:
        raise FetchError("broken base64 in a data URI") from None
    return FetchedFile(data=data, content_type=content_type)


async def _fetch_remote(url: str) -> FetchedFile:
    if urlsplit(url).scheme not in ("http", "https"):
        raise FetchError("only http and https addresses can be fetched")
    try:
        timeout = ClientTimeout(total=_FETCH_SECONDS)
        async with ClientSession(timeout=timeout) as session, session.get(url) as response:
            if response.status != web.HTTPOk.status_code:
                raise FetchError(f"the address answers {response.status}")
            data = bytearray()
            async for chunk in response.content.iter_any():
                data += chunk
                if len(data) > _FETCH_BYTES:
                    raise FetchError("larger than the sandbox takes")
            return FetchedFile(data=bytes(data), content_type=response.content_type)
    except (ClientError, TimeoutError, ValueError) as error:
        raise FetchError(f"cannot be fetched: {type(error).__name__}") from None
