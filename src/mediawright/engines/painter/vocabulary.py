"""The words the painter knows, and what each stands for."""

from __future__ import annotations

from typing import Final

from mediawright.engines.painter.scene import Feature, Ground, Hour, Subject

PHRASES: Final[dict[str, str]] = {
    "golden hour": "goldenhour",
    "blue hour": "bluehour",
    "magic hour": "goldenhour",
    "milky way": "milkyway",
    "northern lights": "aurora",
    "southern lights": "aurora",
    "aurora borealis": "aurora",
    "hot air balloon": "balloon",
    "hot-air balloon": "balloon",
    "black and white": "monochrome",
    "black & white": "monochrome",
    "full moon": "moon",
    "palm tree": "palm",
    "sail boat": "sailboat",
    "light house": "lighthouse",
    "apple green": "green",
    "sky line": "skyline",
}

HOURS: Final[dict[str, Hour]] = {
    "dawn": Hour.DAWN, "daybreak": Hour.DAWN, "sunrise": Hour.DAWN,
    "morning": Hour.MORNING,
    "noon": Hour.NOON, "midday": Hour.NOON, "day": Hour.NOON, "daylight": Hour.NOON,
    "daytime": Hour.NOON, "sunny": Hour.NOON, "afternoon": Hour.NOON, "summer": Hour.NOON,
    "goldenhour": Hour.GOLDEN, "evening": Hour.GOLDEN, "autumn": Hour.GOLDEN,
    "sunset": Hour.SUNSET, "sundown": Hour.SUNSET,
    "dusk": Hour.DUSK, "twilight": Hour.DUSK, "bluehour": Hour.DUSK,
    "night": Hour.NIGHT, "midnight": Hour.NIGHT, "nighttime": Hour.NIGHT,
    "nocturnal": Hour.NIGHT, "starry": Hour.NIGHT, "starlit": Hour.NIGHT,
    "moonlit": Hour.NIGHT, "moonlight": Hour.NIGHT,
}  # fmt: skip

WEATHERS: Final[dict[str, dict[str, float]]] = {
    "clear": {"cloud": 0.0}, "cloudless": {"cloud": 0.0}, "sunny": {"cloud": 0.18},
    "cloud": {"cloud": 0.6}, "cloudy": {"cloud": 0.68}, "overcast": {"cloud": 0.95},
    "grey": {"cloud": 0.8},
    "fog": {"fog": 0.9, "cloud": 0.5}, "foggy": {"fog": 0.9, "cloud": 0.5},
    "mist": {"fog": 0.65}, "misty": {"fog": 0.65}, "haze": {"fog": 0.5}, "hazy": {"fog": 0.5},
    "smoke": {"fog": 0.6}, "steam": {"fog": 0.5},
    "rain": {"rain": 0.8, "cloud": 0.9, "fog": 0.25},
    "rainy": {"rain": 0.8, "cloud": 0.9, "fog": 0.25},
    "drizzle": {"rain": 0.4, "cloud": 0.85, "fog": 0.35},
    "shower": {"rain": 0.7, "cloud": 0.85}, "downpour": {"rain": 1.0, "cloud": 0.95, "fog": 0.3},
    "snowing": {"snow": 0.8, "cloud": 0.8, "fog": 0.3}, "snowfall": {"snow": 0.8, "cloud": 0.8},
    "snow": {"snow": 0.45, "cloud": 0.6, "fog": 0.12}, "snowy": {"snow": 0.6, "cloud": 0.65},
    "blizzard": {"snow": 1.0, "cloud": 0.95, "fog": 0.6, "wind": 1.0},
    "storm": {"storm": 0.9, "rain": 0.55, "cloud": 0.97, "wind": 1.0},
    "stormy": {"storm": 0.9, "rain": 0.45, "cloud": 0.97, "wind": 1.0},
    "thunder": {"storm": 1.0, "rain": 0.6, "cloud": 0.97, "wind": 0.9},
    "thunderstorm": {"storm": 1.0, "rain": 0.7, "cloud": 0.97, "wind": 0.9},
    "lightning": {"storm": 1.0, "cloud": 0.95, "rain": 0.3},
    "wind": {"wind": 0.9}, "windy": {"wind": 0.9}, "breeze": {"wind": 0.5},
    "calm": {"wind": 0.08}, "still": {"wind": 0.03}, "serene": {"wind": 0.08},
    "quiet": {"wind": 0.1}, "peaceful": {"wind": 0.1}, "tranquil": {"wind": 0.06},
    "mirror": {"wind": 0.02}, "rough": {"wind": 0.95}, "wild": {"wind": 0.8},
}  # fmt: skip

GROUNDS: Final[dict[str, Ground]] = {
    "sea": Ground.SEA, "ocean": Ground.SEA, "wave": Ground.SEA, "beach": Ground.SEA,
    "coast": Ground.SEA, "shore": Ground.SEA, "seaside": Ground.SEA, "bay": Ground.SEA,
    "harbour": Ground.SEA, "harbor": Ground.SEA, "island": Ground.SEA, "surf": Ground.SEA,
    "seascape": Ground.SEA,
    "lake": Ground.LAKE, "river": Ground.LAKE, "pond": Ground.LAKE, "fjord": Ground.LAKE,
    "water": Ground.LAKE, "loch": Ground.LAKE, "reflection": Ground.LAKE,
    "lagoon": Ground.LAKE,
    "meadow": Ground.MEADOW, "field": Ground.MEADOW, "grass": Ground.MEADOW,
    "grassland": Ground.MEADOW, "pasture": Ground.MEADOW, "prairie": Ground.MEADOW,
    "garden": Ground.MEADOW, "steppe": Ground.MEADOW, "savanna": Ground.MEADOW,
    "park": Ground.MEADOW, "farm": Ground.MEADOW, "lawn": Ground.MEADOW,
    "desert": Ground.DESERT, "dune": Ground.DESERT, "sand": Ground.DESERT,
    "sahara": Ground.DESERT, "arid": Ground.DESERT, "mars": Ground.DESERT,
    "glacier": Ground.SNOWFIELD, "arctic": Ground.SNOWFIELD, "tundra": Ground.SNOWFIELD,
    "antarctic": Ground.SNOWFIELD, "ice": Ground.SNOWFIELD, "snowfield": Ground.SNOWFIELD,
    "polar": Ground.SNOWFIELD,
}  # fmt: skip

FEATURES: Final[dict[str, Feature]] = {
    "mountain": Feature.MOUNTAINS, "peak": Feature.MOUNTAINS, "alps": Feature.MOUNTAINS,
    "alpine": Feature.MOUNTAINS, "summit": Feature.MOUNTAINS, "ridge": Feature.MOUNTAINS,
    "cliff": Feature.MOUNTAINS, "fjord": Feature.MOUNTAINS, "volcano": Feature.MOUNTAINS,
    "glacier": Feature.MOUNTAINS, "canyon": Feature.MOUNTAINS, "himalaya": Feature.MOUNTAINS,
    "hill": Feature.HILLS, "hilly": Feature.HILLS, "valley": Feature.HILLS,
    "countryside": Feature.HILLS, "highland": Feature.HILLS, "island": Feature.HILLS,
    "landscape": Feature.HILLS, "vineyard": Feature.HILLS,
    "forest": Feature.FOREST, "wood": Feature.FOREST, "woodland": Feature.FOREST,
    "pine": Feature.FOREST, "spruce": Feature.FOREST, "fir": Feature.FOREST,
    "conifer": Feature.FOREST, "taiga": Feature.FOREST, "jungle": Feature.FOREST,
    "trees": Feature.FOREST, "grove": Feature.FOREST,
    "city": Feature.CITY, "skyline": Feature.CITY, "cityscape": Feature.CITY,
    "town": Feature.CITY, "skyscraper": Feature.CITY, "metropolis": Feature.CITY,
    "urban": Feature.CITY, "downtown": Feature.CITY, "street": Feature.CITY,
    "building": Feature.CITY, "manhattan": Feature.CITY, "tokyo": Feature.CITY,
    "cyberpunk": Feature.CITY,
}  # fmt: skip

SUBJECTS: Final[dict[str, Subject]] = {
    "boat": Subject.BOAT, "sailboat": Subject.BOAT, "ship": Subject.BOAT, "yacht": Subject.BOAT,
    "sail": Subject.BOAT, "sailing": Subject.BOAT,
    "lighthouse": Subject.LIGHTHOUSE, "beacon": Subject.LIGHTHOUSE,
    "house": Subject.HOUSE, "cabin": Subject.HOUSE, "cottage": Subject.HOUSE,
    "hut": Subject.HOUSE, "barn": Subject.HOUSE, "home": Subject.HOUSE, "village": Subject.HOUSE,
    "tree": Subject.TREE, "oak": Subject.TREE,
    "palm": Subject.PALM, "tropical": Subject.PALM,
    "castle": Subject.CASTLE, "fortress": Subject.CASTLE, "tower": Subject.CASTLE,
    "palace": Subject.CASTLE,
    "person": Subject.PERSON, "man": Subject.PERSON, "woman": Subject.PERSON,
    "traveller": Subject.PERSON, "traveler": Subject.PERSON, "hiker": Subject.PERSON,
    "wanderer": Subject.PERSON, "girl": Subject.PERSON, "boy": Subject.PERSON,
    "people": Subject.PERSON, "child": Subject.PERSON, "couple": Subject.PERSON,
    "kite": Subject.KITE,
    "balloon": Subject.BALLOON,
    "bird": Subject.BIRDS, "seagull": Subject.BIRDS, "gull": Subject.BIRDS,
    "geese": Subject.BIRDS, "crow": Subject.BIRDS, "swallow": Subject.BIRDS,
    "flock": Subject.BIRDS,
}  # fmt: skip

COLOURS: Final[dict[str, str]] = {
    "red": "#d4313a", "crimson": "#b3122f", "scarlet": "#e0301e", "orange": "#f0832a",
    "amber": "#f5a623", "gold": "#e8b23a", "golden": "#e8b23a", "yellow": "#f2d33c",
    "lime": "#a4d037", "green": "#3f9d4e", "emerald": "#1f9d6b", "teal": "#1f8f95",
    "turquoise": "#2cc3c0", "cyan": "#35c4e0", "blue": "#2f6fd0", "azure": "#3d9be8",
    "indigo": "#4a3fb0", "violet": "#7d4fc9", "purple": "#8a3fb5", "lavender": "#b49ae0",
    "magenta": "#cf3a9e", "pink": "#f08bb0", "rose": "#e57f8f", "peach": "#f7b48f",
    "coral": "#f37a62", "brown": "#8a5a3a", "sepia": "#a5825a", "copper": "#b8693d",
    "silver": "#b9c3cf", "neon": "#d03fd0",
}  # fmt: skip

MOODS: Final[dict[str, dict[str, float]]] = {
    "dark": {"exposure": 0.62, "contrast": 1.12}, "moody": {"exposure": 0.78, "contrast": 1.15,
    "saturation": 0.85}, "gloomy": {"exposure": 0.7, "saturation": 0.65},
    "eerie": {"exposure": 0.75, "saturation": 0.7, "warmth": -0.35},
    "mysterious": {"exposure": 0.8, "saturation": 0.85, "warmth": -0.2},
    "melancholic": {"saturation": 0.7, "warmth": -0.25}, "sad": {"saturation": 0.65},
    "lonely": {"saturation": 0.8, "warmth": -0.15},
    "dramatic": {"contrast": 1.22, "bloom": 0.3}, "epic": {"contrast": 1.2, "bloom": 0.4},
    "cinematic": {"contrast": 1.15, "saturation": 0.92},
    "dreamy": {"bloom": 0.75, "fade": 0.35, "saturation": 0.92}, "soft": {"bloom": 0.55,
    "contrast": 0.9}, "ethereal": {"bloom": 0.8, "fade": 0.3}, "magical": {"bloom": 0.6,
    "saturation": 1.15}, "romantic": {"bloom": 0.5, "warmth": 0.3},
    "pastel": {"fade": 0.5, "saturation": 0.8, "contrast": 0.85, "exposure": 1.15},
    "vibrant": {"saturation": 1.35}, "vivid": {"saturation": 1.35}, "colourful":
    {"saturation": 1.3}, "colorful": {"saturation": 1.3}, "happy": {"saturation": 1.15,
    "exposure": 1.1}, "bright": {"exposure": 1.2}, "cheerful": {"saturation": 1.15,
    "exposure": 1.1}, "faded": {"fade": 0.6, "saturation": 0.7}, "muted": {"saturation": 0.65},
    "cold": {"warmth": -0.45}, "icy": {"warmth": -0.5}, "frozen": {"warmth": -0.4},
    "winter": {"warmth": -0.25}, "cool": {"warmth": -0.3}, "warm": {"warmth": 0.45},
    "cosy": {"warmth": 0.4}, "cozy": {"warmth": 0.4}, "hot": {"warmth": 0.4},
    "monochrome": {"saturation": 0.0, "contrast": 1.12}, "noir": {"saturation": 0.0,
    "contrast": 1.3, "exposure": 0.8}, "vintage": {"fade": 0.45, "saturation": 0.7,
    "warmth": 0.3}, "retro": {"fade": 0.4, "saturation": 0.8, "warmth": 0.25},
    "minimalist": {"contrast": 0.95, "saturation": 0.85},
}  # fmt: skip

STARS: Final[dict[str, float]] = {
    "star": 0.8, "starry": 1.0, "starlit": 0.9, "milkyway": 1.0, "galaxy": 1.0,
    "constellation": 0.9, "cosmos": 1.0, "cosmic": 1.0, "universe": 1.0, "space": 1.0,
}  # fmt: skip

MOON: Final = frozenset({"moon", "moonlit", "moonlight", "moonrise"})
SUN: Final = frozenset({"sun", "sunny", "sunset", "sunrise", "sundown", "sunlight", "sunlit"})
AURORA: Final = frozenset({"aurora", "polarlight"})
RAINBOW: Final = frozenset({"rainbow"})
SNOW_COVER: Final[dict[str, float]] = {
    "snow": 0.95, "snowy": 0.95, "snowing": 0.9, "snowfall": 0.85, "blizzard": 1.0,
    "winter": 0.8, "snowfield": 1.0, "frozen": 0.7, "glacier": 0.9, "arctic": 1.0,
    "antarctic": 1.0, "polar": 1.0, "icy": 0.6, "snowcapped": 0.45, "frost": 0.5,
    "christmas": 0.9, "ski": 0.9, "ice": 0.9,
}  # fmt: skip
FLOWERS: Final = frozenset(
    {"flower", "flowery", "bloom", "blossom", "poppy", "poppies", "wildflower", "spring", "tulip"}
)
FOLIAGE: Final[dict[str, str]] = {
    "autumn": "#c8702a", "fall": "#c8702a", "october": "#b8602a", "maple": "#c2452a",
    "cherry": "#eda9bd", "blossom": "#eda9bd", "sakura": "#eda9bd", "spring": "#7fa848",
}  # fmt: skip
NATURAL: Final = frozenset({
    "green meadow", "green field",  "green grass",
    "green pasture", "green garden", "blue sky", "blue sea", "blue ocean", "blue lake",
    "blue water", "golden sand", "golden sun", "yellow sand", "red sun", "silver moon",
    "orange sun", "golden desert",
})  # fmt: skip
"""Colours that things have by themselves."""
NEGATIONS: Final = frozenset({"no", "without", "not", "never"})
