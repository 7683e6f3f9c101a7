"""Input files by URL, from a server that the installation may talk to."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image
from tests.api.running import PICTURE, Member, RunningServer

from mediawright.app.directory import SandboxAddress


def picture(size: tuple[int, int] = (96, 64)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "PNG")
    return buffer.getvalue()


def huge_header() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


FILES = {
    "/good.png": picture(),
    "/empty.png": b"",
    "/page.png": b"<html><body>not a picture</body></html>",
    "/short.png": picture()[:60],
    "/huge.png": huge_header(),
}


class Files(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/inwards.png":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            return
        content = FILES.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def files() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    serving = ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (Files,), {"asked": asked}))
    serving.daemon_threads = True
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}", asked
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, files: tuple[str, list[str]]
) -> Iterator[RunningServer]:
    address = SandboxAddress(root=files[0], base_urls={}, credentials={})
    with RunningServer(tmp_path_factory.mktemp("api"), sandbox_address=address) as running:
        yield running


@pytest.mark.parametrize("as_list", [False, True])
def test_a_picture_by_url(member: Member, files: tuple[str, list[str]], *, as_list: bool) -> None:
    url = f"{files[0]}/good.png"
    made = member.make(
        generation_type="image-to-image", source_media_urls=[url] if as_list else url, size=None
    )
    # A picture's ratio is kept unless another is asked for.
    size = made["outputs"][0]["dimensions"]
    assert size["width"] / size["height"] == pytest.approx(1.5, abs=0.05)


BAD = {
    "/empty.png": (400, "empty_file"),
    "/page.png": (400, "unsupported_format"),
    "/short.png": (400, "corrupt_file"),
    "/huge.png": (400, "image_too_large"),
    "/inwards.png": (403, "url_not_allowed"),
}


@pytest.mark.parametrize("path", BAD)
def test_files_that_are_no_good(member: Member, files: tuple[str, list[str]], path: str) -> None:
    before = member.left_behind()
    reply = member.start(
        source_media_urls=[f"{files[0]}/good.png", files[0] + path],
    )
    body = reply.json()
    assert (reply.status_code, body["error"]) == BAD[path]
    assert body["pointer"] == "/source_media_urls/1"
    assert member.left_behind() == before


@pytest.mark.parametrize("url", ["{files}/gone.png", "http://no-such-host.invalid/a.png"])
def test_a_file_that_cannot_be_fetched(
    member: Member, files: tuple[str, list[str]], url: str
) -> None:
    before = member.left_behind()
    reply = member.start(source_media_urls=url.format(files=files[0]))
    assert (reply.status_code, reply.json()["error"]) == (400, "source_media_unreachable")
    assert reply.json()["pointer"] == "/source_media_urls"
    assert member.left_behind() == before


def test_a_double_submit_keeps_one_input(
    server: RunningServer, member: Member, files: tuple[str, list[str]]
) -> None:
    def submit(_: int) -> str:
        with server.client(member.key) as http:
            reply = http.post(
                "/v1/generate/media",
                json={**PICTURE, "source_media_urls": f"{files[0]}/good.png"},
                headers={"Idempotency-Key": "once", "Prefer": "wait=30"},
            )
        assert reply.status_code == 200, reply.text
        return reply.json()["generation_id"]

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(submit, range(4)))) == 1
    (rows, _), _ = member.left_behind()
    assert rows == (1, 2)  # one generation; its input and its output
    assert [path for path in server.runtime.folder.staging.rglob("*") if path.is_file()] == []


def test_nothing_is_fetched_for_a_model_that_there_is_not(
    member: Member, files: tuple[str, list[str]]
) -> None:
    files[1].clear()
    reply = member.start(model="nope", source_media_urls=f"{files[0]}/good.png")
    assert reply.json()["error"] == "model_not_found"
    assert files[1] == []
