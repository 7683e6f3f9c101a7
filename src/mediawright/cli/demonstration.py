"""What `mediawright demo` makes, and the table it prints."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mediawright.app.follow import failure_of, wait_for
from mediawright.app.generate import generate
from mediawright.app.intake import Draft, InputSource
from mediawright.app.parameters import parameters_from
from mediawright.app.views import outputs_of
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.cli.files import copy_to
from mediawright.cli.output import charge_words, console, facts_of, print_json, say
from mediawright.cli.progress import live_view
from mediawright.cli.session import working
from mediawright.cli.tables import Column, print_table
from mediawright.core.operations import InputRole
from mediawright.engines.listener.samples import sample_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediawright.app.runtime import Runtime
    from mediawright.cli.options import CommonOptions
    from mediawright.cli.progress import LiveView
    from mediawright.core.generation import Asset, Generation


_ROOMY = 110
"""Columns of a terminal from which on the table has room for everything."""


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
        with live_view(common) as view:
            return [await _make(runtime, piece, folder, view) for piece in pieces]


async def _make(runtime: Runtime, piece: Piece, folder: Path, view: LiveView) -> Made:
    began = time.monotonic()
    row = view.row(piece.title)
    if not view.is_drawn:
        say(f"  {piece.title} ...")
    with sample_path() as recording:
        draft = _draft(piece, recording)
        generation = await generate(runtime, DEFAULT_WORKSPACE, draft)
    generation = await wait_for(runtime, generation, on_progress=row.show)
    failure = failure_of(generation)
    if failure is not None:
        row.end(generation.state.value)
        raise failure
    row.end("done", well=True)
    seconds = time.monotonic() - began
    asset = (await outputs_of(runtime, generation))[0]
    source = await runtime.library.local_copy(asset)
    path = await asyncio.to_thread(copy_to, source, folder / f"{piece.name}{source.suffix}")
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


def _print(common: CommonOptions, title: str, made: Sequence[Made]) -> None:
    roomy = not sys.stdout.isatty() or console(common).width >= _ROOMY
    columns = (
        Column(name="model"),
        Column(name="file"),
        Column(name="facts from its bytes" if roomy else "facts", wraps=True),
        Column(name="cost" if roomy else "credits"),
        Column(name="seconds" if roomy else "s", right=True),
    )
    rows = [
        [
            item.piece.model,
            item.path.name,
            _facts(item.asset, roomy=roomy),
            charge_words(item.generation).removesuffix("" if roomy else " credits"),
            f"{item.seconds:.1f}",
        ]
        for item in made
    ]
    print_table(common, columns, rows, title=title)


def _facts(asset: Asset, *, roomy: bool) -> str:
    """Return what was found in a file's bytes; where room is scarce, what its name leaves open."""
    facts = facts_of(asset)
    if roomy or len(facts) == 1:
        return ", ".join(facts)
    return ", ".join(fact.replace(" ", "") for fact in facts[1:])


def _document(item: Made) -> dict[str, Any]:
    return {
        "title": item.piece.title,
        "model": item.piece.model,
        "generation_id": item.generation.id,
        "file": str(item.path),
        "facts": facts_of(item.asset),
        "charge": charge_words(item.generation),
        "seconds": round(item.seconds, 2),
        "text": item.asset.text,
    }
