"""A sandbox in a process of its own, driven over its admin routes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from typing import Any

MEDIAWRIGHT = [sys.executable, "-m", "mediawright.cli"]


class RemoteSandbox:
    """A sandbox process with tiny media, on a free port."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*MEDIAWRIGHT, "sandbox", "--port", "0", "--tiny", "--json", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        announced = read_document(self.process)
        self.root: str = announced["root"]
        self.credentials: dict[str, str] = announced["credentials"]

    @property
    def environment(self) -> dict[str, str]:
        return {"MEDIAWRIGHT_SANDBOX_URL": self.root}

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.root}/__sandbox__/{path}",
            data=data,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)

    def count(self, kind: str) -> int:
        return len(self.ask(f"journal?kind={kind}")["entries"])

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)


def read_document(process: subprocess.Popen[str]) -> Any:
    """Read the JSON document that a server prints when it is ready."""
    assert process.stdout is not None
    text = ""
    while not text.rstrip().endswith("\n}"):
        line = process.stdout.readline()
        assert line, f"it did not start: {process.stderr.read() if process.stderr else ''}"
        text += line
    return json.loads(text)
