"""How the tests run the command line: in this process, as a process, and at a terminal."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.remote_sandbox import MEDIAWRIGHT, RemoteSandbox, read_document

from mediawright.cli.main import run
from mediawright.providers.registry import adapter_class, provider_names

PATIENCE = 60.0
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-B0-2]")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one document on stdout; anything besides it is an error."""
        return json.loads(self.out)

    @property
    def last_line(self) -> str:
        return self.err.rstrip().rpartition("\n")[2]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's: no keys, no settings, a data folder and a place of its own."""
    for name in list(os.environ):
        if name.startswith("MEDIAWRIGHT_") or name in {"NO_COLOR", "COLUMNS", "LINES"}:
            monkeypatch.delenv(name)
    for provider in provider_names():
        for variable in adapter_class(provider).credential.variables:
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MEDIAWRIGHT_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


Call = Callable[..., Outcome]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Runs the command line in this process."""

    def calling(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = run(list(arguments))
        out, err = capsys.readouterr()
        return Outcome(code=code, out=out, err=err)

    yield calling
    # Both keep the streams that they were given, which end with the test.
    structlog.reset_defaults()
    logging.getLogger("dbos").handlers.clear()


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start the command line as a process of its own."""
    return subprocess.Popen(
        [*MEDIAWRIGHT, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture
def process() -> Call:
    """Runs the command line as a process of its own."""

    def running(*arguments: str, **environment: str) -> Outcome:
        began = start(*arguments, **environment)
        out, err = began.communicate(timeout=PATIENCE)
        return Outcome(code=began.returncode, out=out, err=err)

    return running


class Terminal:
    """The command line at a terminal of its own."""

    def __init__(self, arguments: list[str], *, width: int, environment: dict[str, str]) -> None:
        self._written = ""
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.execve(MEDIAWRIGHT[0], [*MEDIAWRIGHT, *arguments], environment)  # noqa: S606 - after fork
        size = struct.pack("HHHH", 50, width, 0, 0)
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, size)

    @property
    def text(self) -> str:
        """Everything written so far, without what steers the terminal."""
        return _CONTROL.sub("", self._written)

    @property
    def raw(self) -> str:
        return self._written

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in re.split(r"[\r\n]+", self.text) if line.strip()]

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def until(self, text: str) -> None:
        """Wait until a text has been written."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.text}"
            assert self._read(), f"ended without {text!r}:\n{self.text}"

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < deadline, f"does not end:\n{self.text}"
        _, status = os.waitpid(self.pid, 0)
        os.close(self._descriptor)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], 0.2)
        if not ready:
            return True
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            return False
        self._written += data.decode(errors="replace")
        return bool(data)


Sit = Callable[..., Terminal]


@pytest.fixture
def sit() -> Iterator[Sit]:
    """Starts the command line at a terminal."""
    opened: list[Terminal] = []

    def sitting(*arguments: str, width: int = 100, **environment: str) -> Terminal:
        surroundings = {**os.environ, "TERM": "xterm-256color", **environment}
        terminal = Terminal(list(arguments), width=width, environment=surroundings)
        opened.append(terminal)
        return terminal

    yield sitting
    for terminal in opened:
        try:
            os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            continue


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[RemoteSandbox]:
    running = RemoteSandbox()
    yield running
    running.stop()


@pytest.fixture
def sandbox(sandbox_process: RemoteSandbox) -> RemoteSandbox:
    """A sandbox as it is at the start."""
    sandbox_process.ask("reset", {})
    return sandbox_process


@pytest.fixture
def stop() -> Callable[[subprocess.Popen[str], signal.Signals], Outcome]:
    """Sends a signal to a process and returns how it ended."""

    def stopping(process: subprocess.Popen[str], number: signal.Signals) -> Outcome:
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        return Outcome(code=process.returncode, out=out, err=err)

    return stopping


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits until something holds."""

    def waiting(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, "it did not come to that"
            time.sleep(0.1)

    return waiting


@pytest.fixture
def begin() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that goes on until it is stopped."""
    begun: list[subprocess.Popen[str]] = []

    def beginning(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        begun.append(start(*arguments, **environment))
        return begun[-1]

    yield beginning
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def announced() -> Callable[[subprocess.Popen[str]], Any]:
    """Reads the JSON document that a server prints when it is ready."""
    return read_document
