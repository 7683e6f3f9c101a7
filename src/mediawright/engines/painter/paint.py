"""Painting a picture from a request."""

from __future__ import annotations

from PIL import Image

from mediawright.engines.painter.compose import compose, flatten
from mediawright.engines.painter.develop import develop, to_image
from mediawright.engines.painter.noise import Dice
from mediawright.engines.painter.repaint import repaint
from mediawright.engines.painter.words import read_scene
from mediawright.engines.requests import PaintRequest, Report, ignore_progress


def paint(request: PaintRequest, report: Report = ignore_progress) -> Image.Image:
    """Return the picture asked for, of exactly the size asked for.

    The same request gives the same pixels; another seed gives another picture of the same
    kind. With sources the first of them is changed: by `strength` as a whole, or only
    where the mask allows, with every other pixel left exactly as it was.

    Args:
        request: What to paint.
        report: Called as the work goes on; what it raises stops the work.

    Raises:
        InvalidRequestError: `unreadable_image` or `image_too_large` for a source or mask.
    """
    scene = read_scene(request.prompt)
    if request.sources:
        picture = repaint(request, scene, report)
    else:
        composition = compose(scene, request.width, request.height, request.seed, report)
        report(0.8, "developing")
        dice = Dice(request.seed, scene.fingerprint, "grain")
        picture = to_image(develop(flatten(composition), scene.grade, dice))
    report(1.0, "finished")
    return picture
