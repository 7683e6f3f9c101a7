"""Processes for benchmarks: the stub vendor, the server, and what they use of the machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")


class StubProcess:
    """The stub vendor."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "stub_vendor.py")], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.root = self._process.stdout.readline().strip()

    def stop(self) -> None:
        stop(self._process)


class Server:
    """`mediawright serve` with the stub in place of its vendors."""

    def __init__(
        self, folder: Path, stub: str, *, size: str = "small", mode: str = "now", **settings: Any
    ) -> None:
        """Prepare it; nothing is started.

        Args:
            folder: Its data folder, made when needed.
            stub: The stub's address.
            size: Of the pictures: `small` or `large`.
            mode: Whether tasks are finished `now` or on `hold`.
            settings: Further sections of the settings file.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None
        config = folder / "mediawright.yaml"
        providers = {
            "openai": {"base_urls": {"api": f"{stub}/openai/{size}/v1"}},
            "runway": {"base_urls": {"api": f"{stub}/runway/{mode}"}},
        }
        sections = {
            "account": {"initial_credits": 1_000_000_000},
            "media": {"providers": providers},
            **settings,
        }
        config.write_text(yaml.safe_dump(sections))
        self._environment = {
            **os.environ,
            "MEDIAWRIGHT_CONFIG": str(config),
            "MEDIAWRIGHT_DATA_DIR": str(folder / "data"),
            "OPENAI_API_KEY": "stub",
            "RUNWAYML_API_SECRET": "stub",
        }

    def start(self) -> float:
        """Start it; return the seconds until it served."""
        began = time.monotonic()
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "mediawright.cli", "serve"),
                    *("--port", str(self.port), "--loopback-without-key", "--json"),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
            )
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if line.startswith("}"):
                return time.monotonic() - began
        raise RuntimeError(f"the server did not start: {self.folder / 'server.log'}")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


def stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        process.wait(timeout=120)
    if process.stdout is not None:
        process.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process in MB (2**20 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no such process")


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def table(columns: list[str], rows: list[list[str]]) -> str:
    """Return text in columns, the first aligned to the left."""
    widths = [max(len(row[index]) for row in [columns, *rows]) for index in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [columns, *rows]
    )


def write_json(path: Path | None, results: Any) -> None:
    if path is not None:
        path.write_text(json.dumps(results, indent=2))
