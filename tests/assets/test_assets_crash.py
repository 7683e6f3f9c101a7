"""A process that is killed while it stores leaves no half file under a file's name."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from mediawright.assets.library import AssetLibrary
from mediawright.core.ids import IdPrefix, new_id

STORE_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from mediawright.assets.drive import Drive
from mediawright.assets.library import AssetLibrary
from mediawright.assets.staging import Staging
from mediawright.core.clock import SystemClock

async def main(folder, source, generation_id):
    library = AssetLibrary(
        Drive.local(folder / "drive"), Staging(folder / "staging"), SystemClock()
    )
    index = 0
    while True:
        asset = await library.store(
            source,
            workspace_id="wsp_1",
            asset_id=f"ast_{index}",
            generation_id=generation_id,
            index=index,
            output_path=f"out/{index}",
            renditions=index % 4 == 0,
        )
        print(asset.key, flush=True)
        index += 1

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
"""


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_killed_process_leaves_no_half_file(
    local_library: AssetLibrary, media, tmp_path: Path
):
    data = media.image("png", media.picture(900, 700))
    source = tmp_path / "source.png"
    source.write_bytes(data)
    generation_id = new_id(IdPrefix.GENERATION)
    command = [sys.executable, "-c", STORE_FOR_EVER, str(tmp_path), str(source), generation_id]
    drive = tmp_path / "drive"

    for seed in range(4):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        with child:
            reported = [child.stdout.readline().strip() for _ in range(2)]
            await asyncio.sleep(random.Random(seed).uniform(0.0, 0.03))
            child.kill()
            reported += [line.strip() for line in child.stdout if line.endswith("\n")]

        stored = files_below(drive / "agent")
        assert {path.read_bytes() for path in stored} == {data}
        assert {path.relative_to(drive).as_posix() for path in stored} >= set(reported)
        for path in files_below(drive / "renditions"):
            assert path.read_bytes()[8:12] == b"WEBP"

    names = sorted(path.name for path in (drive / "agent" / "out").iterdir())
    assert names == [f"{index}.png" for index in sorted(range(len(names)), key=str)]

    # Whatever the last one was doing, doing it again gives the name it was to have.
    asset = await local_library.store(
        source,
        workspace_id="wsp_1",
        asset_id="ast_again",
        generation_id=generation_id,
        index=len(names),
        output_path=f"out/{len(names)}",
    )
    assert asset.key == f"agent/out/{len(names)}.png"
    await local_library.clean_up(-60)
    left = files_below(tmp_path)
    assert all(path == source or path.is_relative_to(drive) for path in left)
