"""What a request for a song asks for, checked and summed up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mediawright.sandbox.emulators.elevenlabs.rules import (
    CHUNK_PLAN,
    KEPT_CHUNK,
    LONGEST_SONG_MS,
    MUSIC,
    SECTION_PLAN,
    SHORTEST_SONG_MS,
)
from mediawright.sandbox.kit.fields import Fault, Path, Violation

CHOSEN_LENGTH_MS = 30_000
"""How long a song is when the request leaves it to the model."""
_ONLY_WITH_PROMPT = ("music_length_ms", "force_instrumental", "generation_mode")


@dataclass(frozen=True, kw_only=True)
class Song:
    """A song to compose."""

    prompt: str
    """Everything the request says about it, in words."""
    milliseconds: int
    seed: int | None
    model_id: str
    plan: Mapping[str, Any]
    """The composition plan, as given or made from the prompt."""
    from_plan: bool


def check(body: Any) -> list[Violation]:
    """Return what is wrong with the body of a request for a song."""
    found = list(MUSIC.check(body, ()))
    if found:
        return found
    return [*_check_choice(body), *_check_plan(body)]


def _check_choice(body: Mapping[str, Any]) -> Iterator[Violation]:
    given = [name for name in ("prompt", "composition_plan", "music_prompt") if _has(body, name)]
    if len(given) != 1:
        yield _rule((), "Value error, exactly one of prompt and composition_plan must be given")
    elif given != ["prompt"]:
        for name in _ONLY_WITH_PROMPT:
            if body.get(name):
                text = f"Value error, {name} can only be used with prompt"
                yield _rule((name,), text)


def _check_plan(body: Mapping[str, Any]) -> Iterator[Violation]:
    name = "composition_plan" if _has(body, "composition_plan") else "music_prompt"
    plan = body.get(name)
    if plan is None:
        return
    chunked = "chunks" in plan
    if chunked and body.get("model_id", "music_v1") == "music_v1":
        yield _rule((name,), "Value error, chunks need music_v2 or later")
        return
    found = list(_check_chunks(plan, (name,)) if chunked else SECTION_PLAN.check(plan, (name,)))
    yield from found
    if not found and not SHORTEST_SONG_MS <= _length(plan) <= LONGEST_SONG_MS:
        yield _rule((name,), "Value error, the plan's total must be 3000 to 600000 ms")


def _check_chunks(plan: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    """Yield what is wrong with chunks, each of which is new or kept from an earlier song."""
    made = [chunk for chunk in plan["chunks"] if "song_id" not in chunk]
    kept = [chunk for chunk in plan["chunks"] if "song_id" in chunk]
    if made or not kept:
        yield from CHUNK_PLAN.check({**plan, "chunks": made}, path)
    for index, chunk in enumerate(plan["chunks"]):
        if "song_id" in chunk:
            yield from KEPT_CHUNK.check(chunk, (*path, "chunks", index))


def song_of(body: Mapping[str, Any]) -> Song:
    """Return the song that a valid body asks for."""
    plan: Mapping[str, Any] | None = body.get("composition_plan") or body.get("music_prompt")
    model_id = body.get("model_id") or "music_v1"
    seed: int | None = body.get("seed")
    if plan is not None:
        return Song(
            prompt=", ".join(_words(plan)),
            milliseconds=_length(plan),
            seed=seed,
            model_id=model_id,
            plan=plan,
            from_plan=True,
        )
    milliseconds = int(body.get("music_length_ms") or CHOSEN_LENGTH_MS)
    prompt: str = body["prompt"]
    return Song(
        prompt=prompt,
        milliseconds=milliseconds,
        seed=seed,
        model_id=model_id,
        plan=_plan_for(prompt, milliseconds),
        from_plan=False,
    )


def _plan_for(prompt: str, milliseconds: int) -> dict[str, Any]:
    return {
        "positive_global_styles": [word.strip() for word in prompt.split(",")][:50],
        "negative_global_styles": [],
        "sections": [
            {
                "section_name": "Whole",
                "positive_local_styles": [],
                "negative_local_styles": [],
                "duration_ms": milliseconds,
                "lines": [],
            }
        ],
    }


def _words(plan: Mapping[str, Any]) -> Iterator[str]:
    yield from plan.get("positive_global_styles", [])
    for section in plan.get("sections", []):
        yield from section.get("positive_local_styles") or []
    for chunk in plan.get("chunks", []):
        yield from chunk.get("positive_styles") or []


def _length(plan: Mapping[str, Any]) -> int:
    parts: list[Mapping[str, Any]] = plan.get("sections") or plan.get("chunks") or []
    return sum(
        int(part["range"]["end_ms"]) - int(part["range"]["start_ms"])
        if "song_id" in part
        else int(part["duration_ms"])
        for part in parts
    )


def _has(body: Mapping[str, Any], name: str) -> bool:
    return body.get(name) is not None


def _rule(path: Path, message: str) -> Violation:
    return Violation(fault=Fault.RULE, path=path, message=message)
