"""`mediawright serve` as a process: first key, stopping in order, and going on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.api.event_stream import EventStream, following
from tests.api.running import LONG_FILM, PICTURE


class Process:
    """A server process, and what it has said on stderr so far."""

    def __init__(self, data_dir: Path) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MEDIAWRIGHT_", "OPENAI_", "FAL_", "RUNWAY", "ELEVENLABS_"))
        }
        command = [sys.executable, "-m", "mediawright.cli", "serve", "--port", "0"]
        self.popen = subprocess.Popen(
            [*command, "--data-dir", str(data_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=data_dir.parent,
            env=environment,
        )
        self.said = ""
        self._spoke = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, pattern: str) -> re.Match[str]:
        with self._spoke:
            found = self._spoke.wait_for(lambda: re.search(pattern, self.said), timeout=60)
        assert found, self.said
        return found

    @property
    def address(self) -> str:
        return self.wait_for(r"serves (http://[^/\s]+)/v1").group(1)

    @property
    def key(self) -> str:
        return self.wait_for(r"API key \(shown once\): (\S+)").group(1)

    def tell(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def code(self) -> int:
        """Return the exit code, when it has ended by itself."""
        code = self.popen.wait(timeout=30)
        self._reader.join(timeout=10)
        return code

    def close(self) -> None:
        """Make sure that the process is gone."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.code()
        for stream in (self.popen.stdout, self.popen.stderr):
            assert stream is not None
            stream.close()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            with self._spoke:
                self.said += line
                self._spoke.notify_all()


@contextmanager
def serving(data_dir: Path) -> Iterator[Process]:
    process = Process(data_dir)
    try:
        yield process
    finally:
        process.close()


def client(process: Process, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=process.address, headers=headers, timeout=60, trust_env=False)


def drain(stream: EventStream) -> None:
    while True:
        stream.next()


def test_a_server_from_its_first_start_to_its_last(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with serving(data_dir) as process:
        key = process.key
        with client(process, key) as http:
            made = http.post("/v1/generate/media", json=PICTURE, headers={"Prefer": "wait=30"})
            assert made.json()["status"] == "completed"
            assert http.get(made.json()["outputs"][0]["url"]).content[1:4] == b"PNG"
            with serving(data_dir) as second:
                assert second.code() == 1
                assert "Another mediawright process" in second.said
                assert "Traceback" not in second.said
            film = http.post("/v1/generate/media", json=LONG_FILM).json()
            assert film["status"] in {"pending", "queued", "processing"}
            path = f"/v1/generations/{film['generation_id']}"
            # Neither a listener nor somebody who waits keeps the server from stopping.
            with (
                following(http) as stream,
                client(process, key) as other,
                ThreadPoolExecutor(1) as pool,
            ):
                waiting = pool.submit(other.get, path, headers={"Prefer": "wait=30"})
                stream.until("generation.progressed")
                begun = time.monotonic()
                process.tell(signal.SIGTERM)
                with pytest.raises(EOFError):
                    drain(stream)
                assert waiting.result().json()["status"] in {"queued", "processing"}
            assert process.code() == 0
            assert time.monotonic() - begun < 8
        assert process.said.count(key) == 1
        assert "Traceback" not in process.said
    contents = b"".join(path.read_bytes() for path in data_dir.rglob("*") if path.is_file())
    assert key.encode().removeprefix(b"mw_live_") not in contents

    # The next start shows no key, knows the old one, and finishes what was begun.
    with serving(data_dir) as process:
        with client(process, key) as http:
            ended = http.get(path, headers={"Prefer": "wait=60"}).json()
            assert ended["status"] == "completed"
            assert ended["outputs"][0]["seconds"] == pytest.approx(LONG_FILM["duration"], abs=0.1)
            assert len(http.get("/v1/generations").json()["data"]) == 2
        process.tell(signal.SIGINT)
        assert process.code() == 0
        assert "API key" not in process.said
        assert "Traceback" not in process.said
        assert process.popen.stdout is not None
        assert process.popen.stdout.read() == f"{process.address}/v1\n"
