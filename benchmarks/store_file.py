"""How fast a large video is stored, and in how much memory, against a plain copy of the file.

Run: python benchmarks/store_file.py [--megabytes 200] [--repeats 5] [--json FILE]

Every way is measured in a fresh process, in turn with the floors, in the same folder. The
floors: `shutil.copyfile`, which lets the kernel move the bytes, without and with a flush to the
disk; reading and writing 64 KiB at a time, with a flush; reading and hashing. Storing always
writes or moves, flushes, hashes, probes and draws a thumbnail.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np

from mediawright.assets.drive import Drive
from mediawright.assets.library import AssetLibrary
from mediawright.assets.staging import Staging
from mediawright.core.clock import SystemClock
from mediawright.core.ids import IdPrefix, new_id

FLOORS = ("copy", "copy and flush", "read and write", "hash alone")
WAYS = ("from a stream", "from a path", "from staging")
SMALL = "small.mp4"
AIM_RATIO, AIM_MEBIBYTES = 0.6, 32


def make_video(path: Path, megabytes: int) -> None:
    """Write a short video, made as large as wanted by a box that players skip."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(24):
            image = np.full((720, 1280, 3), number * 9, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode(None))
    filler = megabytes * 1_000_000 - len(buffer.getvalue())
    with path.open("wb") as file:
        file.write(buffer.getvalue())
        file.write(filler.to_bytes(4, "big") + b"free")
        for _ in range(filler // 1_000_000):
            file.write(os.urandom(1_000_000))
        file.write(bytes(filler % 1_000_000 - 8))


def run_floor(way: str, source: Path, folder: Path) -> float:
    target = folder / "copy"
    target.touch()
    began = time.perf_counter()
    if way == "hash alone":
        with source.open("rb") as file:
            hashlib.file_digest(file, "sha256")
    elif way == "read and write":
        with source.open("rb") as reader, target.open("wb", buffering=0) as writer:
            shutil.copyfileobj(reader, writer, 65_536)
    else:
        shutil.copyfile(source, target)
    if way in ("copy and flush", "read and write"):
        with target.open("rb") as file:
            os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


class PeakMemory:
    """The most memory this process had resident since this was made.

    On Linux a process inherits the greatest figure of the one that started it, so it is reset.
    """

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self._before = self._peak()

    def growth(self) -> float:
        """Return by how many MiB it has grown."""
        return (self._peak() - self._before) / 2**20

    def _peak(self) -> int:
        with contextlib.suppress(OSError):
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def stream_of(path: Path) -> AsyncIterator[bytes]:
    """Bytes as a network client hands them over, only sooner."""
    with path.open("rb") as file:
        while chunk := file.read(65_536):
            yield chunk
            await asyncio.sleep(0)


async def store(source: Path, folder: Path, way: str) -> float:
    staging = Staging(folder / "staging")
    library = AssetLibrary(Drive.local(folder / "drive"), staging, SystemClock())
    given: Path | AsyncIterator[bytes] = source
    if way == "from a stream":
        given = stream_of(source)
    elif way == "from staging":
        given = staging.new_path()
        shutil.copyfile(source, given)
    began = time.perf_counter()
    asset = await library.store(
        given,
        workspace_id="wsp_benchmark",
        asset_id=new_id(IdPrefix.ASSET),
        generation_id=new_id(IdPrefix.GENERATION),
    )
    seconds = time.perf_counter() - began
    if asset.thumbnail_key is None:
        raise RuntimeError("the file was not stored as it should be")
    await library.delete(asset)
    return seconds


def measure(way: str, source: Path, folder: Path) -> dict[str, float]:
    """Measure one way once, in this process."""
    if way in FLOORS:
        return {"seconds": run_floor(way, source, folder), "mebibytes": 0}
    # Once with a small file, so that libraries are loaded before memory is looked at.
    asyncio.run(store(source.with_name(SMALL), folder, way))
    memory = PeakMemory()
    seconds = asyncio.run(store(source, folder, way))
    return {"seconds": seconds, "mebibytes": memory.growth()}


def measure_apart(way: str, source: Path, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", way, str(source), str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        way, source, folder = arguments.one
        print(json.dumps(measure(way, Path(source), Path(folder))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source.mp4"
        make_video(source, arguments.megabytes)
        make_video(folder / SMALL, 1)
        rounds = [
            {way: measure_apart(way, source, folder) for way in (*FLOORS, *WAYS)}
            for _ in range(arguments.repeats)
        ]
    report(rounds, arguments.megabytes, arguments.json)


def report(rounds: list[dict[str, dict[str, float]]], megabytes: int, target: Path | None) -> None:
    def middle(way: str, figure: str) -> float:
        return statistics.median(one[way][figure] for one in rounds)

    written, plain = middle("read and write", "seconds"), middle("copy", "seconds")
    print(f"{megabytes} MB, median of {len(rounds)}; speed 1.00 is that of the floor\n")
    print(f"{'way':<16}{'seconds':>9}{'to copy':>9}{'to read and write':>19}{'extra MiB':>11}")
    rows = []
    for way in (*FLOORS, *WAYS):
        seconds, mebibytes = middle(way, "seconds"), middle(way, "mebibytes")
        row = {
            "way": way,
            "seconds": seconds,
            "speed_to_copy": plain / seconds,
            "speed_to_read_and_write": written / seconds,
            "extra_mebibytes": mebibytes,
        }
        rows.append(row)
        print(
            f"{way:<16}{seconds:>9.3f}{row['speed_to_copy']:>9.2f}"
            f"{row['speed_to_read_and_write']:>19.2f}{mebibytes:>11.1f}"
        )
    print(f"\naims: speed >= {AIM_RATIO}, memory < {AIM_MEBIBYTES} MiB")
    if target is not None:
        target.write_text(json.dumps({"megabytes": megabytes, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
