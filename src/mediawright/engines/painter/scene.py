"""What a prompt asks for, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Hour(StrEnum):
    """The time of day, which sets the light."""

    DAWN = "dawn"
    MORNING = "morning"
    NOON = "noon"
    GOLDEN = "golden"
    SUNSET = "sunset"
    DUSK = "dusk"
    NIGHT = "night"


class Ground(StrEnum):
    """What lies at the viewer's feet."""

    SEA = "sea"
    LAKE = "lake"
    MEADOW = "meadow"
    DESERT = "desert"
    SNOWFIELD = "snowfield"


class Feature(StrEnum):
    """What stands between the ground and the sky."""

    MOUNTAINS = "mountains"
    HILLS = "hills"
    FOREST = "forest"
    CITY = "city"


class Subject(StrEnum):
    """A single thing that draws the eye, painted as a silhouette or nearly so."""

    BOAT = "boat"
    LIGHTHOUSE = "lighthouse"
    HOUSE = "house"
    TREE = "tree"
    PALM = "palm"
    CASTLE = "castle"
    PERSON = "person"
    KITE = "kite"
    BALLOON = "balloon"
    BIRDS = "birds"


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What the air is doing; every amount runs from 0 to 1."""

    cloud: float = 0.35
    fog: float = 0.0
    rain: float = 0.0
    snow: float = 0.0
    storm: float = 0.0
    wind: float = 0.35


@dataclass(frozen=True, kw_only=True)
class Grade:
    """How the finished picture is developed; 1 is neutral unless said otherwise."""

    exposure: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    warmth: float = 0.0
    """-1 cold to 1 warm."""
    bloom: float = 0.25
    fade: float = 0.0
    """How far the blacks are lifted, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything the prompt says, with what it leaves open filled in from its hash."""

    hour: Hour
    ground: Ground
    features: frozenset[Feature]
    subjects: tuple[Subject, ...]
    weather: Weather
    grade: Grade
    sun: bool
    moon: bool
    stars: float
    """How thick the stars are, 0 to 1."""
    aurora: float
    rainbow: float
    snow_cover: float
    """How much of the land lies under snow, 0 to 1."""
    flowers: bool
    foliage: str
    """The colour of leaves, as `#rrggbb`."""
    colours: tuple[str, ...]
    """Colours asked for, as `#rrggbb`, in the prompt's order."""
    fingerprint: int
    """A hash of the prompt; with the seed it decides the composition."""
