import numpy as np
import pytest
from PIL import Image, ImageDraw

from mediawright.core.errors import InvalidRequestError
from mediawright.engines.painter.paint import paint
from mediawright.engines.requests import PaintRequest

SIZE = (96, 72)


def white_mask():
    mask = Image.new("L", SIZE, 0)
    ImageDraw.Draw(mask).ellipse((20, 10, 80, 60), fill=255)
    return mask


def transparent_mask():
    mask = Image.new("RGBA", SIZE, (0, 0, 0, 255))
    mask.putalpha(Image.eval(white_mask(), lambda value: 255 - value))
    return mask


def edit(source, mask, **changes):
    fields = {"prompt": "sunset sea", "width": SIZE[0], "height": SIZE[1], "seed": 1, **changes}
    return paint(PaintRequest(sources=(source,), mask=mask, **fields))


@pytest.mark.parametrize("mask", [white_mask(), transparent_mask()], ids=["white", "transparent"])
def test_nothing_outside_the_mask_changes_and_the_inside_does(mask, patchwork, as_png):
    before = np.asarray(patchwork)
    after = np.asarray(edit(as_png(patchwork), as_png(mask)))
    inside = np.asarray(white_mask()) > 0
    assert np.array_equal(after[~inside], before[~inside])
    core = np.zeros_like(inside)
    core[25:45, 40:60] = True
    assert np.abs(after[core].astype(int) - before[core]).mean() > 20


def test_the_masks_edge_is_soft_on_its_inner_side(as_png):
    black = Image.new("RGB", SIZE)
    after = np.asarray(edit(as_png(black), as_png(white_mask()), prompt="noon desert"), int)
    row = after[36].sum(axis=1)
    assert row[:20].max() == 0
    assert 0 < row[21] < row[32] * 0.8
    assert row[50] > 150


@pytest.mark.parametrize("fill", [0, 255])
def test_an_empty_mask_keeps_everything_and_a_full_one_nothing(fill, patchwork, as_png):
    mask = Image.new("L", SIZE, fill)
    after = np.asarray(edit(as_png(patchwork), as_png(mask)), int)
    same = (after == np.asarray(patchwork)).all(axis=2).mean()
    assert same == 1 if fill == 0 else same < 0.05


def test_a_mask_of_single_pixels_is_honoured(patchwork, as_png):
    mask = Image.new("L", SIZE)
    mask.putpixel((30, 30), 255)
    before, after = np.asarray(patchwork), np.asarray(edit(as_png(patchwork), as_png(mask)))
    changed = (before != after).any(axis=2)
    assert changed.sum() == 1
    assert changed[30, 30]


def test_transparency_outside_the_mask_is_kept(patchwork, as_png):
    source = patchwork.convert("RGBA")
    source.putpixel((2, 3), (10, 20, 30, 40))
    after = edit(as_png(source), as_png(white_mask()))
    assert after.mode == "RGBA"
    assert after.getpixel((2, 3)) == (10, 20, 30, 40)


def test_strength_moves_the_picture_from_the_source_to_the_scene(pixels, as_png):
    source = paint(PaintRequest(prompt="meadow with hills at noon", width=96, height=72, seed=2))
    given = as_png(source)
    distances = [
        np.abs(pixels(edit(given, None, prompt="night", strength=strength)) - pixels(source)).mean()
        for strength in (0.0, 0.25, 0.6, 1.0)
    ]
    assert distances[0] == 0
    assert distances == sorted(distances)
    assert distances[2] > 0.1


def test_the_sources_forms_survive_a_regrade(pixels, as_png):
    source = Image.new("RGB", SIZE, (120, 150, 190))
    ImageDraw.Draw(source).rectangle((30, 20, 60, 72), fill=(70, 40, 30))
    after = pixels(edit(as_png(source), None, prompt="sunset", strength=0.4)).mean(axis=2)
    assert after[50:, 35:55].mean() < after[50:, 5:25].mean() - 0.1


def test_a_source_is_cut_around_its_middle(as_png):
    wide = Image.new("RGB", (300, 100), "red")
    ImageDraw.Draw(wide).rectangle((100, 0, 200, 100), fill="blue")
    after = paint(PaintRequest(prompt="", width=50, height=50, sources=(as_png(wide),), strength=0))
    assert after.size == (50, 50)
    assert after.getpixel((25, 25)) == (0, 0, 255)
    assert after.getpixel((2, 25))[2] > 200


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
@pytest.mark.parametrize("field", ["/images/0", "/mask"])
def test_broken_pictures_are_named(data, field, patchwork, as_png):
    good = as_png(patchwork)
    source, mask = (data, good) if field == "/images/0" else (good, data)
    with pytest.raises(InvalidRequestError) as caught:
        edit(source, mask)
    assert caught.value.code == "unreadable_image"
    assert caught.value.pointer == field


def test_a_truncated_picture_is_refused(patchwork, as_png):
    with pytest.raises(InvalidRequestError, match="decoded"):
        edit(as_png(patchwork)[:400], None)


def test_a_header_that_claims_too_many_pixels_is_refused(as_png):
    data = bytearray(as_png(Image.new("L", (1, 1))))
    data[16:24] = (100_000).to_bytes(4) * 2
    with pytest.raises(InvalidRequestError) as caught:
        edit(bytes(data), None)
    assert caught.value.code in {"image_too_large", "unreadable_image"}
