"""Places in a canonical request, said in the words of the body that the caller sent.

The rules of a model speak of `/parameters/duration`; in the body it is `/duration`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediawright.api.request_bodies import QuoteBody
    from mediawright.core.errors import MediawrightError

_OTHER_NAMES = {"/operation": "/generation_type", "/output_path": "/file_path"}
_PARAMETERS = "/parameters/"
_INPUTS = "/inputs"


def flat_pointer(pointer: str) -> str:
    """Return a pointer into the body for one into the canonical request."""
    if pointer.startswith(_PARAMETERS):
        return pointer.removeprefix("/parameters")
    return _OTHER_NAMES.get(pointer, pointer)


def point_into(body: QuoteBody, error: MediawrightError) -> None:
    """Let an error, and the further problems in its details, point into the body."""
    if error.pointer is not None:
        error.pointer = _translated(body, error.pointer)
    problems: list[dict[str, Any]] = error.details.get("problems", [])
    for problem in problems:
        if "pointer" in problem:
            problem["pointer"] = _translated(body, problem["pointer"])


def _translated(body: QuoteBody, pointer: str) -> str:
    if pointer == f"{_PARAMETERS}count" and body.count is None:
        return "/n"
    if not pointer.startswith(_INPUTS):
        return flat_pointer(pointer)
    urls = len(body.source_media_urls or ())
    place = pointer.removeprefix(_INPUTS).removeprefix("/")
    if not place:
        return _INPUTS if body.inputs and not urls else "/source_media_urls"
    number, slash, rest = place.partition("/")
    if not number.isdecimal():
        return pointer
    index = int(number)
    if index < urls:
        # One URL need not have been sent as a list.
        return f"/source_media_urls/{index}" if urls > 1 else "/source_media_urls"
    return f"{_INPUTS}/{index - urls}{slash}{rest}"
