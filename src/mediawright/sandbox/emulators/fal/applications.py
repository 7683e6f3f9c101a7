"""Which models fal runs here, and what their ids come to in paths."""

from __future__ import annotations

from mediawright.sandbox.emulators.fal.image_models import IMAGE_MODELS
from mediawright.sandbox.emulators.fal.video_models import VIDEO_MODELS

APPLICATIONS = {**IMAGE_MODELS, **VIDEO_MODELS}
"""The endpoints by id."""

_NAMESPACES = ("workflows", "comfy")


def short_id(endpoint_id: str) -> str:
    """Return what follow-up paths keep of an endpoint id: owner and alias."""
    steps = endpoint_id.split("/")
    return "/".join(steps[: 3 if steps[0] in _NAMESPACES else 2])


KNOWN_SHORT_IDS = frozenset(short_id(endpoint_id) for endpoint_id in APPLICATIONS)
