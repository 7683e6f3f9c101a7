"""Run many generations over all faults while the server is killed every few seconds.

Run: python scripts/chaos.py [--generations 2000] [--seed 1] [--clients 32] [--keep FOLDER]

The vendors are imitated by the sandbox, in a process of its own. At the end our books are held
against its journal; the exit status is 1 if a single line does not balance.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.crash.chaos import ChaosSettings, run_chaos, show


def main() -> int:
    """Run it and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="Leave everything in this empty folder.")
    arguments = parser.parse_args()
    settings = ChaosSettings(
        generations=arguments.generations, clients=arguments.clients, seed=arguments.seed
    )
    if arguments.keep is not None:
        return 0 if show(asyncio.run(run_chaos(arguments.keep, settings))) else 1
    with tempfile.TemporaryDirectory() as folder:
        return 0 if show(asyncio.run(run_chaos(Path(folder), settings))) else 1


if __name__ == "__main__":
    sys.exit(main())
