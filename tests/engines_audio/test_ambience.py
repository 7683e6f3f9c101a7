from __future__ import annotations

import numpy as np
import pytest

from mediawright.core.errors import InvalidRequestError
from mediawright.engines.composer.ambience import ambience, sounds_of

RATE = 22_050
SCENES = [
    *("sea at sunset", "windy mountain", "rainy city", "forest at dawn", "meadow at night"),
    *("thunderstorm", "campfire", "a quiet river", "a distant galaxy", "abstract shapes"),
]


def names(prompt):
    return {name for name, _ in sounds_of(set(prompt.split()))}


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_sounds_without_clipping_and_fades_at_both_ends(scene):
    sound = ambience(scene, 2.5, 1, RATE)
    assert sound.samples.shape == (round(2.5 * RATE), 2)
    assert sound.samples.dtype == np.float32
    assert 0.02 < float(np.sqrt(np.mean(np.square(sound.samples)))) < 0.2
    assert float(np.abs(sound.samples).max()) <= 0.71
    assert float(np.abs(sound.samples[[0, -1]]).max()) < 1e-3


@pytest.mark.parametrize("seconds", [0.01, 0.3, 1.0, 26.5])
def test_the_length_is_exact(seconds):
    assert len(ambience("sea birds", seconds, 0, 8_000).samples) == round(seconds * 8_000)


def test_seeds_and_words_decide():
    first, again, other = (ambience("sea", 1.0, seed, 8_000).samples for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, ambience("wind", 1.0, 1, 8_000).samples)


def test_words_choose_the_sounds():
    assert names("waves on a beach") == {"waves"}
    assert names("a rainy street") == {"rain", "city"}
    assert names("forest morning") == {"birds"}
    assert names("forest night") == {"crickets"}
    assert names("ocean under the moon") == {"waves"}
    assert names("a red cube") == {"pad"}


def test_scenes_have_their_own_colour():
    def centre(scene):
        mono = ambience(scene, 3.0, 1, RATE).samples.mean(axis=1)
        power = np.abs(np.fft.rfft(mono)) ** 2
        return float((np.fft.rfftfreq(len(mono), 1 / RATE) * power).sum() / power.sum())

    assert centre("thunder") < 200 < centre("wind") < 1_000 < centre("birds") < 5_000


@pytest.mark.parametrize("seconds", [0.0, -1.0, 601.0, float("nan")])
def test_a_length_out_of_range_is_refused(seconds):
    with pytest.raises(InvalidRequestError) as caught:
        ambience("sea", seconds, 0)
    assert caught.value.code == "invalid_duration"
