"""Inside another program the log goes where that program's log goes, and tells no secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import logging, os, sys
from mediawright import Mediawright

class Broken:
    name = "openai"
    features = frozenset()

    async def submit(self, call, report):
        secret = os.environ["OPENAI_API_KEY"]
        raise ValueError("a defect")

with Mediawright(data_dir=sys.argv[1]) as mediawright:
    mediawright._asynchronous.runtime.providers._made["openai"] = Broken()
    handle = mediawright.image("a fox", model="gpt-image-2", provider="openai")
    try:
        handle.wait(timeout=30)
    except Exception as error:
        print(type(error).__name__, error.code)
"""


def test_a_defect_is_logged_on_stderr_without_the_values_of_variables(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path / "data")],
        env={"OPENAI_API_KEY": "sk-very-secret-value", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["GenerationFailedError", "submit_unknown"]
    assert "step failed" in done.stderr
    assert "ValueError: a defect" in done.stderr
    assert "sk-very-secret-value" not in done.stderr + done.stdout
