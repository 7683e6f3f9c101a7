"""The kit's parts by themselves."""

from __future__ import annotations

import asyncio
import io
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mediawright.core.errors import InvalidRequestError
from mediawright.sandbox.kit.bodies import Part, split_multipart
from mediawright.sandbox.kit.clock import VirtualClock
from mediawright.sandbox.kit.ids import SeededIds
from mediawright.sandbox.kit.journal import redact
from mediawright.sandbox.kit.media import MakerClosedError, MediaMaker, SoundStyle
from mediawright.sandbox.kit.pictures import picture_facts
from mediawright.sandbox.kit.progression import Progression, ProgressionError
from mediawright.sandbox.kit.scenario import (
    OK,
    RequestKind,
    Scenario,
    ScenarioBook,
    ScenarioError,
    ScenarioName,
    read_directives,
    take_markers,
)
from mediawright.sandbox.kit.shelf import FetchError, Shelf
from mediawright.sandbox.registry import EMULATORS, load_emulators

SUBMIT, POLL = RequestKind.SUBMIT, RequestKind.POLL


@pytest.mark.parametrize(
    ("text", "progression"),
    [
        ("now", Progression()),
        ("polls=3", Progression(polls=3)),
        (" seconds = 2.5 ", Progression(seconds=2.5)),
    ],
)
def test_reads_progressions(text: str, progression: Progression) -> None:
    assert Progression.parse(text) == progression
    assert Progression.parse(str(progression)) == progression


@pytest.mark.parametrize("text", ["", "later", "polls", "polls=-1", "polls=x", "now=3", "seconds="])
def test_refuses_other_progressions(text: str) -> None:
    with pytest.raises(ProgressionError):
        Progression.parse(text)


@given(st.integers(1, 50))
def test_counts_polls(polls: int) -> None:
    progression = Progression(polls=polls)
    done = [progression.done(polls=poll, seconds=0) for poll in range(polls + 2)]
    assert done == sorted(done)
    assert [poll for poll, part in enumerate(done) if part < 1.0] == list(range(polls + 1))


@given(st.floats(0.1, 1000), st.floats(0, 2000))
def test_waits_for_seconds(seconds: float, passed: float) -> None:
    done = Progression(seconds=seconds).done(polls=99, seconds=passed)
    assert (done == 1.0) == (passed >= seconds)


def test_the_clock_moves_forward_only() -> None:
    clock = VirtualClock()
    before = clock.now()
    clock.advance(3600)
    assert (clock.now() - before).total_seconds() >= 3600
    assert clock.ahead == 3600
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    clock.reset()
    assert clock.ahead == 0


def draw(ids: SeededIds) -> list[str | int]:
    return [ids.uuid4(), ids.hexadecimal(24), ids.alphanumeric(21), ids.number(1000)]


def test_ids_follow_from_the_seed() -> None:
    ids = SeededIds(7, "acme")
    first = draw(ids)
    second = draw(ids)
    ids.reset()
    assert draw(ids) == first == draw(SeededIds(7, "acme"))
    assert not set(first) & set(second)
    assert not set(first) & set(draw(SeededIds(8, "acme")))
    assert not set(first) & set(draw(SeededIds(7, "other")))
    assert uuid.UUID(str(first[0])).version == 4
    assert [len(str(item)) for item in first[1:3]] == [24, 21]


def test_reads_scenarios() -> None:
    assert Scenario.parse("ok") == OK
    assert Scenario.parse(" rate_limited; times=2 ;seconds=1.5; kind=poll;") == Scenario(
        name=ScenarioName.RATE_LIMITED, times=2, seconds=1.5, kind=POLL
    )


@pytest.mark.parametrize(
    "text",
    ["", "flood", "slow; seconds=-1", "slow; times=0", "slow; often=2", "slow; kind=never"],
)
def test_refuses_other_scenarios(text: str) -> None:
    with pytest.raises(ScenarioError, match="known names: ok, rate_limited"):
        Scenario.parse(text)


@pytest.mark.parametrize(
    ("text", "rest", "words"),
    [
        ("a kite", "a kite", []),
        ("a kite [[sandbox: moderated]]", "a kite", ["moderated"]),
        ("[[Sandbox:slow; seconds=2 ]] a kite", "a kite", ["slow; seconds=2"]),
        ("a [[sandbox: now]] kite [[sandbox: ok]]", "a kite", ["now", "ok"]),
        ("[[sandbox: moderated]]", "moderated", ["moderated"]),
        ("a [[kite]] here", "a [[kite]] here", []),
    ],
)
def test_takes_markers_out(text: str, rest: str, words: list[str]) -> None:
    assert take_markers(text) == (rest, words)


def test_tells_scenarios_from_progressions() -> None:
    directives = read_directives(["moderated", "polls=4", "slow; kind=poll"])
    assert directives.progression == Progression(polls=4)
    assert [item.name for item in directives.scenarios] == ["moderated", "slow"]
    with pytest.raises(ScenarioError):
        read_directives(["polls=many"])


def choose(book: ScenarioBook, **settings: Any) -> str:
    request = {"vendor": "acme", "kind": SUBMIT, "header": None, "marked": (), "source": ""}
    return book.choose(**{**request, **settings}).name


def test_header_goes_before_marker_before_standing() -> None:
    book = ScenarioBook()
    book.set(Scenario(name=ScenarioName.SERVER_ERROR))
    slow = (Scenario(name=ScenarioName.SLOW),)
    assert choose(book, header="garbage", marked=slow) == "garbage"
    assert choose(book, header="ok", marked=slow) == "ok"
    assert choose(book, marked=slow) == "slow"
    assert choose(book) == "server_error"
    assert choose(book, kind=POLL) == "ok"


def test_a_vendors_own_scenario_goes_before_everybodys() -> None:
    book = ScenarioBook()
    book.set(Scenario(name=ScenarioName.SERVER_ERROR))
    book.set(Scenario(name=ScenarioName.SLOW, times=1), "acme")
    assert choose(book, vendor="other") == "server_error"
    assert [choose(book), choose(book)] == ["slow", "server_error"]
    book.clear("acme")
    assert choose(book) == "server_error"
    book.clear()
    assert choose(book) == "ok"


def test_standing_scenarios_follow_one_another() -> None:
    book = ScenarioBook()
    book.set(Scenario(name=ScenarioName.RATE_LIMITED, times=2))
    book.set(Scenario(name=ScenarioName.SERVER_ERROR, times=1))
    assert [choose(book) for _ in range(4)] == [
        "rate_limited",
        "rate_limited",
        "server_error",
        "ok",
    ]
    assert book.standing() == []


def test_counts_by_source() -> None:
    book = ScenarioBook()
    once = (Scenario(name=ScenarioName.SLOW, times=1),)
    assert [choose(book, marked=once, source=source) for source in "aab"] == ["slow", "ok", "slow"]
    assert [choose(book, header="slow; times=1") for _ in range(2)] == ["slow", "ok"]


def test_headers_reach_any_request_but_not_the_jobs_scenarios() -> None:
    book = ScenarioBook()
    assert choose(book, kind=POLL, header="rate_limited") == "rate_limited"
    assert choose(book, kind=POLL, header="rate_limited; kind=submit") == "ok"
    assert choose(book, kind=POLL, header="job_failed") == "ok"


def test_hides_secrets() -> None:
    hidden = redact(
        {"Authorization": "Bearer x", "xi-api-key": "x", "X-Fal-Token": "x", "Accept": "*/*"}
    )
    assert set(hidden.values()) == {"[redacted]", "*/*"}


BOUNDARY = "xXx"
TYPE = f'multipart/form-data; boundary="{BOUNDARY}"'


def write_multipart(parts: list[Part]) -> bytes:
    pieces: list[bytes] = []
    for part in parts:
        file = f'; filename="{part.filename}"' if part.filename is not None else ""
        kind = f"\r\nContent-Type: {part.content_type}" if part.content_type else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part.name}"{file}{kind}'
        pieces.append(head.encode() + b"\r\n\r\n" + part.data + b"\r\n")
    return b"".join(pieces) + f"--{BOUNDARY}--\r\n".encode()


NAMES = st.text("abc[]_é ", min_size=1).filter(lambda name: name == name.strip())
PARTS = st.builds(
    Part,
    name=NAMES,
    data=st.binary(max_size=200).filter(lambda data: BOUNDARY.encode() not in data),
    filename=st.none() | st.text("abc.é", min_size=1),
    content_type=st.none() | st.just("image/png"),
)


@given(st.lists(PARTS, max_size=4))
def test_reads_multipart_bodies(parts: list[Part]) -> None:
    assert split_multipart(write_multipart(parts), TYPE) == parts


@given(st.binary(max_size=200))
def test_broken_multipart_bodies_are_value_errors(raw: bytes) -> None:
    try:
        split_multipart(raw, TYPE)
    except ValueError:
        return
    assert b"--" + BOUNDARY.encode() in raw


def test_a_boundary_must_be_named() -> None:
    with pytest.raises(ValueError, match="boundary"):
        split_multipart(b"", "multipart/form-data")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"progressive": True}])
def test_reads_what_pictures_are(mode: str, kind: str, options: dict[str, bool]) -> None:
    target = io.BytesIO()
    picture = Image.new(mode, (123, 45))
    if kind == "JPEG":
        picture = picture.convert("RGB")
    picture.save(target, kind, **options)
    facts = picture_facts(target.getvalue())
    assert facts is not None
    assert (facts.width, facts.height) == (123, 45)
    assert facts.content_type == f"image/{kind.lower()}"
    if kind in ("PNG", "WEBP") and mode != "P":
        assert facts.has_alpha == (mode == "RGBA")


@given(st.binary(max_size=64), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"]))
def test_other_bytes_are_no_pictures(data: bytes, start: bytes) -> None:
    facts = picture_facts(start + data)
    assert facts is None or facts.width > 0


async def test_fetches_data_uris_and_its_own_files_only() -> None:
    shelf = Shelf(root=lambda: "http://here", ids=SeededIds(1, "media"), outbound=False)
    stored = shelf.put(b"abc", "image/png", "png")
    assert stored.url == f"http://here/__media__/{stored.name}"
    assert (await shelf.fetch(stored.url)).data == b"abc"
    assert (await shelf.fetch("data:text/plain,a%20b")).data == b"a b"
    coded = await shelf.fetch("data:image/png;base64,YWJj")
    assert (coded.data, coded.content_type) == (b"abc", "image/png")
    for url in (
        "data:image/png;base64,@",
        "data:",
        "http://here/__media__/none.png",
        "http://127.0.0.1:1/a.png",
        "file:///etc/passwd",
    ):
        with pytest.raises(FetchError):
            await shelf.fetch(url)


async def test_fetches_from_outside_if_allowed() -> None:
    shelf = Shelf(root=lambda: "http://here", ids=SeededIds(1, "media"), outbound=True)
    for url in ("file:///etc/passwd", "http://127.0.0.1:1/a.png"):
        with pytest.raises(FetchError):
            await shelf.fetch(url)


async def test_makes_each_file_once() -> None:
    maker = MediaMaker("tiny")
    first, second, other = await asyncio.gather(
        maker.image("waves", 1024, 512),
        maker.image("waves", 1024, 512),
        maker.image("waves", 1024, 512, seed=1),
    )
    assert first is second
    assert first != other
    facts = picture_facts(first)
    assert facts is not None
    assert (facts.width, facts.height) == (64, 32)


async def test_forgets_what_could_not_be_made() -> None:
    maker = MediaMaker("tiny")
    for _ in range(2):
        with pytest.raises(InvalidRequestError):
            await maker.image("waves", 64, 64, sources=(b"no picture",))


async def test_closing_stops_the_work() -> None:
    maker = MediaMaker("full")
    film = asyncio.create_task(maker.video("waves", 60.0, 1280, 720))
    await asyncio.sleep(0)
    await maker.close()
    with pytest.raises(MakerClosedError):
        await film
    assert await maker.image("waves", 32, 32)


async def test_speech_can_be_read_back() -> None:
    maker = MediaMaker("tiny")
    opus = SoundStyle(sound_format="opus")
    spoken = await maker.speech("Nine red kites.", voice="alloy", speed=4.0, style=opus)
    transcript = await maker.transcript(spoken)
    assert transcript.text == "Nine red kites."
    assert [word.text for word in transcript.words] == ["Nine", "red", "kites."]
    assert transcript.words[-1].end <= (transcript.seconds or 0)
    assert spoken != await maker.speech("Nine red kites.", voice="nova", speed=4.0, style=opus)


async def test_music_has_its_length() -> None:
    maker = MediaMaker("tiny")
    style = SoundStyle(sound_format="pcm", sample_rate=8000)
    data = await maker.music("calm piano", 1.0, style=style)
    assert len(data) in (8000 * 2, 8000 * 4)


def test_knows_its_vendors() -> None:
    assert set(load_emulators(["openai", "fal"])) == {"openai", "fal"}
    with pytest.raises(ValueError, match="known: openai, fal"):
        load_emulators(["acme"])
    for name, emulator in load_emulators(None).items():
        assert emulator.name == name
        assert "bad" not in emulator.credential
    assert set(load_emulators(None)) == set(EMULATORS)


def test_every_emulator_says_where_its_shapes_come_from() -> None:
    for place in EMULATORS.values():
        folder = Path("src", *place.partition(":")[0].split(".")[:-1])
        assert (Path(__file__).parents[2] / folder / "PROVENANCE.md").read_text().startswith("# ")
