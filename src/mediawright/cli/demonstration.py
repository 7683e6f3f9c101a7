"""What `mediawright demo` makes, and the table it prints."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mediawright.app.embedded import describe_asset
from mediawright.app.follow import OnProgress, failure_of, wait_for
from mediawright.app.generate import generate
from mediawright.app.intake import Draft, InputSource
from mediawright.app.parameters import parameters_from
from mediawright.app.views import outputs_of
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.cli.output import charge_words, console, print_json, say
from mediawright.cli.session import working
from mediawright.core.operations import InputRole
from mediawright.engines.listener.samples import sample_path

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from rich.progress import Progress

    from mediawright.app.runtime import Runtime
    from mediawright.cli.options import CommonOptions
    from mediawright.core.generation import Asset, Generation


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One thing the demo makes."""

    title: str
    model: str
    prompt: str | None
    name: str
    """The file it is copied to, without extension."""
    parameters: dict[str, Any]
    recording: bool = False
    """Whether it works from the recording that comes with the package."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """One thing the demo has made."""

    piece: Piece
    generation: Generation
    asset: Asset
    path: Path
    seconds: float


EMBEDDED = (
    Piece(
        title="picture",
        model="local-sketch-image",
        prompt="a lighthouse above a calm sea at sunset, golden light, a few clouds",
        name="picture",
        parameters={"aspect_ratio": "16:9", "seed": 11},
    ),
    Piece(
        title="video",
        model="local-sketch-video",
        prompt="slow dolly over misty mountains at dawn, birds",
        name="video",
        parameters={"duration": 4, "aspect_ratio": "16:9", "sound": True, "seed": 4},
    ),
    Piece(
        title="music",
        model="local-sketch-music",
        prompt="calm lofi with a warm piano, 84 bpm",
        name="music",
        parameters={"duration": 12, "seed": 3},
    ),
    Piece(
        title="speech",
        model="local-voice",
        prompt="Every request is checked and priced before anything is spent.",
        name="speech",
        parameters={},
    ),
    Piece(
        title="transcript",
        model="local-listener",
        prompt=None,
        name="transcript",
        parameters={},
        recording=True,
    ),
)

SANDBOXED = (
    Piece(
        title="image (OpenAI)",
        model="gpt-image-2",
        prompt="a red kite over dunes, morning",
        name="openai-image",
        parameters={"aspect_ratio": "16:9"},
    ),
    Piece(
        title="image, queued (fal)",
        model="flux-schnell",
        prompt="a harbour town in the rain at night",
        name="fal-image",
        parameters={"seed": 5},
    ),
    Piece(
        title="video task (Runway)",
        model="gen4.5",
        prompt="waves rolling onto a beach at noon",
        name="runway-video",
        parameters={"duration": 4, "aspect_ratio": "16:9"},
    ),
    Piece(
        title="speech (ElevenLabs)",
        model="eleven_multilingual_v2",
        prompt="The same request, in the wire format of the provider.",
        name="elevenlabs-speech",
        parameters={},
    ),
)


async def demonstrate(common: CommonOptions, output: Path) -> int:
    """Make everything and print the tables."""
    folder = await asyncio.to_thread(output.resolve)
    here = replace(common, data_dir=common.data_dir or folder / "data", sandbox=False)
    began = time.monotonic()
    say("With the embedded engines: no key, no server, no network.")
    embedded = await _make_all(here, EMBEDDED, folder)
    say("Through the sandbox: the providers' wire formats, imitated on this machine.")
    sandboxed = await _make_all(replace(here, sandbox=True), SANDBOXED, folder)
    made = embedded + sandboxed
    if common.json:
        print_json([_document(item) for item in made])
        return 0
    _print(common, "Embedded engines", embedded)
    _print(common, "Through the sandbox", sandboxed)
    transcript = next(item for item in embedded if item.asset.text is not None)
    click.echo(f"The recording says: {transcript.asset.text}")
    click.echo(f"Everything lies in {folder} ({time.monotonic() - began:.0f} s in all).")
    say('Next: mediawright image "anything you like"    or    mediawright models list')
    return 0


async def _make_all(common: CommonOptions, pieces: Sequence[Piece], folder: Path) -> list[Made]:
    async with working(common) as runtime:
        with _bars(common) as progress:
            return [await _make(runtime, piece, folder, progress) for piece in pieces]


async def _make(runtime: Runtime, piece: Piece, folder: Path, progress: Progress | None) -> Made:
    began = time.monotonic()
    with _bar(progress, piece.title) as on_progress:
        with sample_path() as recording:
            draft = _draft(piece, recording)
            generation = await generate(runtime, DEFAULT_WORKSPACE, draft)
        generation = await wait_for(runtime, generation, on_progress=on_progress)
        failure = failure_of(generation)
        if failure is not None:
            raise failure
    seconds = time.monotonic() - began
    asset = (await outputs_of(runtime, generation))[0]
    source = await runtime.library.local_copy(asset)
    path = folder / f"{piece.name}{source.suffix}"
    await asyncio.to_thread(path.write_bytes, await asyncio.to_thread(source.read_bytes))
    return Made(piece=piece, generation=generation, asset=asset, path=path, seconds=seconds)


def _draft(piece: Piece, recording: Path) -> Draft:
    inputs: tuple[InputSource, ...] = ()
    if piece.recording:
        inputs = (InputSource(role=InputRole.REFERENCE_AUDIO, path=recording),)
    return Draft(
        model=piece.model,
        prompt=piece.prompt,
        inputs=inputs,
        parameters=parameters_from(piece.parameters),
        metadata={"conversation_id": "demo"},
    )


@contextmanager
def _bars(common: CommonOptions) -> Generator[Progress | None]:
    terminal = console(common, err=True)
    if common.plain or not terminal.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TextColumn("{task.fields[shown]:<12}"),
        TimeElapsedColumn(),
        console=terminal,
    ) as progress:
        yield progress


@contextmanager
def _bar(progress: Progress | None, title: str) -> Generator[OnProgress | None]:
    if progress is None:
        say(f"  {title} ...")
        yield None
        return
    task = progress.add_task(title, total=None, shown="")

    def update(done: float | None, stage: str | None) -> None:
        if done is None:
            progress.update(task, shown=stage or "")
        else:
            progress.update(task, total=1.0, completed=done, shown=stage or "")

    yield update
    progress.update(task, total=1.0, completed=1.0, shown="done")


def _print(common: CommonOptions, title: str, made: Sequence[Made]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("what", "model", "file", "facts from its bytes", "cost"):
        table.add_column(column)
    table.add_column("seconds", justify="right")
    for item in made:
        table.add_row(
            item.piece.title,
            item.piece.model,
            item.path.name,
            describe_asset(item.asset),
            charge_words(item.generation),
            f"{item.seconds:.1f}",
        )
    console(common).print(table)


def _document(item: Made) -> dict[str, Any]:
    return {
        "title": item.piece.title,
        "model": item.piece.model,
        "generation_id": item.generation.id,
        "file": str(item.path),
        "facts": describe_asset(item.asset),
        "charge": charge_words(item.generation),
        "seconds": round(item.seconds, 2),
        "text": item.asset.text,
    }
