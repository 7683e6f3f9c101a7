"""The styles: what each genre's players play, and on which instruments."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a genre is played."""

    name: str
    words: tuple[str, ...]
    """Words of a prompt that ask for it."""
    tempo: tuple[int, int]
    """Beats per minute, from and to."""
    scales: tuple[str, ...]
    chords: str
    """The instrument of the chords."""
    chord_pattern: str
    melody: str
    """The instrument of the melody."""
    bass: str
    bass_pattern: str
    drums: tuple[str, ...] = ()
    """Names of drum grooves to choose from; empty for none."""
    pad: str | None = None
    """An instrument that holds the chords underneath."""
    beats_per_bar: int = 4
    sevenths: bool = False
    density: float = 0.5
    """How many notes the melody has, 0 to 1."""
    swing: float = 0.0
    """How late every second eighth comes, as part of an eighth."""
    human: float = 0.006
    """How far players stray from the beat, in seconds."""
    reverb: float = 0.22
    room_seconds: float = 1.6
    echo: float = 0.0
    ducking: float = 0.0
    """How far the kick pushes the rest down, 0 to 1."""
    crackle: bool = False
    melody_octave: int = 5
    progressions: tuple[tuple[int, ...], ...] = field(default=())
    """The genre's own progressions; empty to take those of the scale."""


STYLES: tuple[Style, ...] = (
    Style(
        name="lofi",
        words=("lofi", "lo-fi", "chillhop", "hip-hop", "hiphop", "study", "beats", "trip-hop"),
        tempo=(70, 86),
        scales=("major", "dorian", "minor"),
        chords="electric piano",
        chord_pattern="lazy",
        melody="electric piano",
        bass="sub bass",
        bass_pattern="lazy",
        drums=("boom bap", "half-time"),
        sevenths=True,
        density=0.4,
        swing=0.28,
        human=0.012,
        crackle=True,
        echo=0.12,
        progressions=((3, 2, 1, 0), (1, 4, 0, 5), (0, 5, 1, 4), (3, 4, 2, 5)),
    ),
    Style(
        name="ambient",
        words=("ambient", "drone", "meditation", "meditative", "spa", "sleep", "space", "ethereal"),
        tempo=(54, 68),
        scales=("lydian", "major", "dorian"),
        chords="pad",
        chord_pattern="held",
        melody="bell",
        bass="sub bass",
        bass_pattern="held",
        sevenths=True,
        density=0.15,
        reverb=0.5,
        room_seconds=4.0,
        echo=0.3,
        progressions=((0, 3), (0, 5, 3, 0), (0, 1), (0, 2, 3, 3)),
    ),
    Style(
        name="piano",
        words=("piano", "ballad", "nocturne", "prelude", "solo"),
        tempo=(66, 92),
        scales=("major", "minor"),
        chords="piano",
        chord_pattern="broken",
        melody="piano",
        bass="piano",
        bass_pattern="held",
        density=0.45,
        human=0.01,
        reverb=0.3,
        room_seconds=2.2,
    ),
    Style(
        name="rock",
        words=("rock", "metal", "punk", "grunge", "band"),
        tempo=(112, 142),
        scales=("mixolydian", "minor", "major"),
        chords="drive guitar",
        chord_pattern="eighths",
        melody="lead guitar",
        bass="electric bass",
        bass_pattern="eighths",
        drums=("rock", "rock open"),
        density=0.5,
        reverb=0.14,
        room_seconds=1.1,
    ),
    Style(
        name="house",
        words=("house", "edm", "dance", "disco", "club", "deep-house", "electronic"),
        tempo=(118, 126),
        scales=("minor", "dorian"),
        chords="synth",
        chord_pattern="offbeat",
        melody="pluck",
        bass="synth bass",
        bass_pattern="offbeat",
        drums=("four on the floor",),
        pad="pad",
        sevenths=True,
        density=0.55,
        human=0.0,
        ducking=0.6,
        echo=0.2,
    ),
    Style(
        name="techno",
        words=("techno", "trance", "rave", "industrial", "acid", "minimal"),
        tempo=(126, 136),
        scales=("minor", "phrygian"),
        chords="synth",
        chord_pattern="stabs",
        melody="synth",
        bass="synth bass",
        bass_pattern="sixteenths",
        drums=("techno",),
        pad="pad",
        density=0.5,
        human=0.0,
        ducking=0.7,
        echo=0.28,
        melody_octave=4,
        progressions=((0, 0, 0, 0), (0, 0, 5, 6), (0, 0, 2, 1)),
    ),
    Style(
        name="jazz",
        words=("jazz", "swing", "bebop", "bossa", "blues", "lounge", "smoky"),
        tempo=(108, 144),
        scales=("major", "dorian"),
        chords="piano",
        chord_pattern="comping",
        melody="flute",
        bass="upright bass",
        bass_pattern="walking",
        drums=("swing",),
        sevenths=True,
        density=0.6,
        swing=0.62,
        human=0.009,
        progressions=((1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4), (1, 4, 0, 0)),
    ),
    Style(
        name="cinematic",
        words=(
            *("cinematic", "orchestral", "orchestra", "trailer", "film", "soundtrack", "symphony"),
            *("symphonic", "classical", "epic", "heroic", "fantasy", "adventure"),
        ),
        tempo=(84, 104),
        scales=("minor", "dorian", "major"),
        chords="strings",
        chord_pattern="ostinato",
        melody="brass",
        bass="low strings",
        bass_pattern="pulse",
        drums=("war drums",),
        pad="strings",
        density=0.35,
        reverb=0.4,
        room_seconds=2.8,
        melody_octave=4,
    ),
    Style(
        name="folk",
        words=("folk", "acoustic", "country", "campfire", "celtic", "guitar", "ukulele", "indie"),
        tempo=(92, 116),
        scales=("major", "mixolydian", "dorian"),
        chords="guitar",
        chord_pattern="picked",
        melody="flute",
        bass="upright bass",
        bass_pattern="root and fifth",
        drums=("shaker",),
        density=0.5,
        human=0.008,
    ),
    Style(
        name="chiptune",
        words=("chiptune", "8-bit", "8bit", "arcade", "retro", "video-game", "videogame", "game"),
        tempo=(124, 152),
        scales=("major", "minor"),
        chords="pulse",
        chord_pattern="arpeggio",
        melody="square",
        bass="triangle",
        bass_pattern="octaves",
        drums=("chip",),
        density=0.75,
        human=0.0,
        reverb=0.05,
        room_seconds=0.8,
    ),
    Style(
        name="waltz",
        words=("waltz", "ballroom", "vienna", "viennese", "carousel", "3/4"),
        tempo=(138, 168),
        scales=("major", "minor"),
        chords="strings pizzicato",
        chord_pattern="oom-pah-pah",
        melody="strings",
        bass="low strings pizzicato",
        bass_pattern="root and fifth",
        beats_per_bar=3,
        density=0.45,
        reverb=0.32,
        room_seconds=2.2,
        progressions=((0, 0, 4, 4, 4, 4, 0, 0), (0, 5, 3, 4), (0, 3, 4, 0)),
    ),
    Style(
        name="pop",
        words=("pop", "upbeat", "summer", "corporate", "advert", "jingle", "cheerful", "fun"),
        tempo=(98, 118),
        scales=("major",),
        chords="electric piano",
        chord_pattern="syncopated",
        melody="pluck",
        bass="electric bass",
        bass_pattern="syncopated",
        drums=("pop",),
        pad="pad",
        density=0.55,
        human=0.004,
        echo=0.12,
    ),
)
"""Every style; where words of several are in a prompt, the earliest word decides."""

STYLES_BY_NAME = {style.name: style for style in STYLES}
