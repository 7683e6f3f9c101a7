"""Camera moves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mediawright.engines.painter.noise import Dice


@dataclass(frozen=True, kw_only=True)
class Move:
    """How the camera travels from the clip's first frame to its last."""

    push: float = 0.0
    """How much closer the camera ends, as a part of the picture's width; negative to retreat."""
    pan: float = 0.0
    """How far to the right it ends, as a part of the width."""
    tilt: float = 0.0
    """How far up it ends, as a part of the height."""


_PATTERNS: Final[tuple[tuple[str, Move], ...]] = (
    (r"\b(static|locked|still|fixed) (camera|shot)|\bno camera (move|movement)", Move()),
    (r"\b(zoom|dolly|pull|push|move|track)(s|ing)? (out|back|away)|\bpull[- ]?back",
     Move(push=-0.16)),
    (r"\b(zoom|dolly|push|move|fly|track)(s|ing)?( (in|into|forward|towards?|through)\b)?",
     Move(push=0.18)),
    (r"\b(pan|truck|slide|move)(s|ning|ing)? (to the )?left|\bleftwards?", Move(pan=-0.09)),
    (r"\b(pan|truck|slide|move)(s|ning|ing)? (to the )?right|\brightwards?|\bpan(s|ning)?\b",
     Move(pan=0.09)),
    (r"\b(tilt|pan|crane|pedestal|boom)(s|ning|ing)? (up|upwards?)|\bcrane shot|\brising",
     Move(tilt=0.08)),
    (r"\b(tilt|pan|crane|pedestal|boom)(s|ning|ing)? (down|downwards?)|\bdescend",
     Move(tilt=-0.08)),
    (r"\b(orbit|arc|circl)(s|ing|e|es)?\b", Move(pan=0.07, push=0.06)),
)  # fmt: skip


def move_of(prompt: str, dice: Dice) -> Move:
    """Return the move `prompt` asks for, or a gentle one of the dice's choice.

    Args:
        prompt: Understood are words such as "zoom in", "dolly out", "pan left", "tilt up",
            "orbit" and "static camera".
        dice: Decides where the prompt does not.
    """
    text = " ".join(prompt.lower().split())
    found = [move for pattern, move in _PATTERNS if re.search(pattern, text)]
    if found:
        first = found[0]
        others = [move for move in found[1:] if _adds(first, move)]
        return _sum(first, others[0]) if others else first
    side = 1 if dice.chance(0.5) else -1
    return Move(push=dice.between(0.07, 0.12), pan=side * dice.between(0.015, 0.04))


def _adds(first: Move, second: Move) -> bool:
    """Tell whether the second move leaves alone what the first one moves."""
    pairs = ((first.push, second.push), (first.pan, second.pan), (first.tilt, second.tilt))
    return first != Move() and not any(one and other for one, other in pairs)


def _sum(first: Move, second: Move) -> Move:
    return Move(
        push=first.push + second.push, pan=first.pan + second.pan, tilt=first.tilt + second.tilt
    )


def ease(part: float) -> float:
    """Return how much of a move is done after `part` of its time: soft at both ends."""
    part = min(1.0, max(0.0, part))
    soft = part * part * (3 - 2 * part)
    return 0.45 * part + 0.55 * soft
