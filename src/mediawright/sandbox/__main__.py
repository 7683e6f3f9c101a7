"""`python -m mediawright.sandbox`: the sandbox as a process."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from mediawright.sandbox.kit.progression import Progression
from mediawright.sandbox.kit.settings import DEFAULT_PROGRESSION, SandboxSettings
from mediawright.sandbox.registry import EMULATORS
from mediawright.sandbox.server import Sandbox


async def run(settings: SandboxSettings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; say where as one JSON line on stdout.

    Raises:
        OSError: If the port is taken.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    sandbox = Sandbox(settings)
    await sandbox.start(host, port)
    try:
        authority = sandbox.ca_certificate_pem
        line = {
            "root": sandbox.root,
            "base_urls": sandbox.base_urls,
            "credentials": sandbox.credentials,
            "ca_certificate_pem": authority.decode() if authority else None,
        }
        sys.stdout.write(f"{json.dumps(line)}\n")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await sandbox.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m mediawright.sandbox", description="Imitate media vendors on this machine."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--vendor", action="append", choices=sorted(EMULATORS), help="repeatable")
    parser.add_argument("--media", choices=("full", "tiny"), default="full")
    parser.add_argument("--progression", type=Progression.parse, default=DEFAULT_PROGRESSION)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--journal", type=Path, help="append every request to this file")
    parser.add_argument("--outbound", action="store_true", help="fetch input URLs from outside")
    arguments = parser.parse_args()
    settings = SandboxSettings(
        vendors=tuple(arguments.vendor) if arguments.vendor else None,
        media=arguments.media,
        progression=arguments.progression,
        seed=arguments.seed,
        tls=arguments.tls,
        journal_path=arguments.journal,
        outbound=arguments.outbound,
    )
    asyncio.run(run(settings, arguments.host, arguments.port))


if __name__ == "__main__":
    main()
