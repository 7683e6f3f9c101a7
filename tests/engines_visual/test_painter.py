import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediawright.engines.painter.encode import encode
from mediawright.engines.painter.paint import paint
from mediawright.engines.requests import PaintRequest

EVERYTHING = (
    "stormy night, aurora, milky way and lightning over a snowy forest and city, meadow with "
    "flowers, boat, lighthouse, house, tree, palm, castle, person, kite, balloon, birds, rainbow"
)


def test_the_same_request_gives_the_same_bytes():
    request = PaintRequest(prompt=EVERYTHING, width=200, height=120, seed=5)
    assert encode(paint(request), "png") == encode(paint(request), "png")


@pytest.mark.parametrize("prompt", ["sunset over the sea", "mountains", "quixotic xylophone", ""])
def test_another_seed_gives_a_visibly_different_picture(prompt, pixels):
    first, second = (
        pixels(paint(PaintRequest(prompt=prompt, width=160, height=100, seed=seed)))
        for seed in (1, 2)
    )
    assert np.abs(first - second).mean() > 0.03


def test_prompts_without_a_known_word_have_scenes_of_their_own(pixels):
    prompts = ["portrait of a fox", "xylophone quark", "lorem ipsum", "zzz"]
    pictures = [
        pixels(paint(PaintRequest(prompt=prompt, width=96, height=64))) for prompt in prompts
    ]
    for place, picture in enumerate(pictures):
        assert picture.std() > 0.05
        for other in pictures[place + 1 :]:
            assert np.abs(picture - other).mean() > 0.04


@settings(max_examples=12, deadline=None)
@given(
    width=st.integers(16, 160),
    height=st.integers(16, 160),
    seed=st.integers(-(2**63), 2**64),
    prompt=st.one_of(
        st.text(max_size=30),
        st.sampled_from(["sea, boat", "night city", "desert person", EVERYTHING]),
    ),
)
def test_every_size_seed_and_text_is_painted_exactly(width, height, seed, prompt):
    image = paint(PaintRequest(prompt=prompt, width=width, height=height, seed=seed))
    assert image.size == (width, height)
    assert image.mode == "RGB"


@pytest.mark.parametrize("size", [(16, 16), (1008, 16), (16, 700), (336, 144), (144, 256)])
def test_odd_ratios_hold_everything_the_painter_knows(size, pixels):
    picture = paint(PaintRequest(prompt=EVERYTHING, width=size[0], height=size[1]))
    assert picture.size == size
    assert pixels(picture).std() > 0.01


def brightness(prompt, pixels, rows=slice(None)):
    pictures = [
        pixels(paint(PaintRequest(prompt=prompt, width=120, height=80, seed=seed)))[rows]
        for seed in range(3)
    ]
    return float(np.mean(pictures))


def test_night_is_darker_than_dusk_and_dusk_than_noon(pixels):
    night, dusk, noon = (
        brightness(f"mountains and a lake at {hour}", pixels) for hour in ("night", "dusk", "noon")
    )
    assert night < dusk - 0.08
    assert dusk < noon - 0.08


def test_snow_whitens_the_ground(pixels):
    ground = slice(60, None)
    plain, snowy = (
        brightness(prompt, pixels, ground) for prompt in ("meadow at noon", "snow, meadow at noon")
    )
    assert snowy > plain + 0.2


@pytest.mark.parametrize(("name", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_a_colour_word_tints_the_picture(name, channel, pixels):
    def share(prompt):
        mean = pixels(paint(PaintRequest(prompt=prompt, width=96, height=64))).mean(axis=(0, 1))
        return mean[channel] / mean.sum()

    assert share(f"{name} desert at noon, clear") > share("desert at noon, clear") + 0.02


def test_a_thing_s_own_colour_does_not_tint_the_rest(pixels):
    plain, green = (
        pixels(paint(PaintRequest(prompt=prompt, width=96, height=64)))[:20].mean(axis=(0, 1))
        for prompt in ("meadow at noon, clear", "green meadow at noon, clear")
    )
    for mean in (plain, green):
        assert mean[2] > mean[1]


def test_a_storm_is_darker_and_greyer_than_a_clear_day(pixels):
    def facts(prompt):
        picture = pixels(paint(PaintRequest(prompt=prompt, width=120, height=80)))
        return picture.mean(), (picture.max(axis=2) - picture.min(axis=2)).mean()

    clear, storm = facts("clear sea at noon"), facts("storm over the sea at noon")
    assert storm[0] < clear[0] - 0.05
    assert storm[1] < clear[1] - 0.05


def test_fog_hides_what_is_far(pixels):
    def contrast(prompt):
        picture = pixels(paint(PaintRequest(prompt=prompt, width=160, height=100)))
        return picture[30:70].std()

    assert contrast("foggy mountains at noon") < contrast("mountains at noon") * 0.8


def test_a_word_after_without_is_not_painted(pixels):
    def top(prompt):
        return pixels(paint(PaintRequest(prompt=prompt, width=96, height=64, seed=3)))

    assert brightness("noon meadow without snow", pixels, slice(50, None)) < (
        brightness("noon meadow with snow", pixels, slice(50, None)) - 0.15
    )
    assert np.abs(top("noon sea") - top("noon sea without storm")).mean() < 0.25


def test_black_and_white_has_no_colour(pixels):
    picture = pixels(paint(PaintRequest(prompt="sunset sea, black and white", width=96, height=64)))
    assert (picture.max(axis=2) - picture.min(axis=2)).max() <= 2 / 255


def test_progress_rises_to_one():
    seen = []
    paint(PaintRequest(prompt="sea", width=32, height=32), lambda done, _: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 4


def test_progress_may_stop_the_work():
    def stop(done, stage):
        if stage == "clouds":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        paint(PaintRequest(prompt="sea", width=32, height=32), stop)
