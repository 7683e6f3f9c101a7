from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from mediawright.core.errors import InvalidRequestError
from mediawright.engines.animator.animate import animate
from mediawright.engines.animator.frames import last_frame
from mediawright.engines.painter.paint import paint
from mediawright.engines.requests import AnimateRequest, PaintRequest, Sound

SIZE = {"width": 160, "height": 96}


def decoded(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


def tone(seconds, rate=22_050, channels=1):
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * time).astype(np.float32)
    return Sound(samples=np.repeat(wave[:, None], channels, axis=1), sample_rate=rate)


def difference(first, second):
    return np.abs(np.asarray(first, int) - np.asarray(second, int)).mean()


@pytest.mark.parametrize(
    ("seconds", "rate", "size"),
    [(1.0, 24, (160, 96)), (0.5, 30, (96, 160)), (0.04, 25, (32, 32)), (0.7, 24, (210, 90))],
)
def test_a_clip_is_exactly_as_long_and_large_as_asked(seconds, rate, size, clip):
    animate(
        AnimateRequest(
            prompt="sunset sea", seconds=seconds, frames_per_second=rate,
            width=size[0], height=size[1],
        ),
        clip,
    )  # fmt: skip
    with av.open(str(clip)) as container:
        (stream,) = container.streams
        assert stream.type == "video"
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == size
        assert stream.average_rate == rate
        frames = list(container.decode(video=0))
        count = round(seconds * rate)
        assert len(frames) == count
        assert stream.frames == count
        assert stream.duration * stream.time_base == Fraction(count, rate)
        assert [frame.time for frame in frames] == pytest.approx(
            [index / rate for index in range(count)], abs=1e-4
        )
        assert container.metadata["comment"] == "procedural sketch"


def test_players_may_start_before_the_file_is_whole(clip):
    animate(AnimateRequest(prompt="sea", seconds=0.2, **SIZE), clip)
    data = clip.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("length", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_sound_is_fitted_to_the_picture(length, channels, clip):
    request = AnimateRequest(
        prompt="sea", seconds=1.0, width=48, height=32, sound=tone(length, channels=channels)
    )
    animate(request, clip)
    with av.open(str(clip)) as container:
        (video,) = container.streams.video
        (audio,) = container.streams.audio
        assert audio.codec_context.name == "aac"
        video_seconds = float(video.duration * video.time_base)
        audio_seconds = float(audio.duration * audio.time_base)
        assert video_seconds == 1.0
        assert abs(audio_seconds - video_seconds) <= 1024 / audio.rate
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    middle = samples[round(0.6 * audio.rate) : round(0.7 * audio.rate)]
    assert np.sqrt((middle**2).mean()) > 0.2


def test_the_same_request_gives_the_same_bytes(clip, tmp_path):
    request = AnimateRequest(
        prompt="rain over a lake, boat", seconds=0.3, seed=4, sound=tone(0.2), **SIZE
    )
    again = tmp_path / "again.mp4"
    animate(request, clip)
    animate(request, again)
    assert clip.read_bytes() == again.read_bytes()


def test_another_seed_gives_another_clip(clip, tmp_path):
    other = tmp_path / "other.mp4"
    animate(AnimateRequest(prompt="sea", seconds=0.1, seed=1, **SIZE), clip)
    animate(AnimateRequest(prompt="sea", seconds=0.1, seed=2, **SIZE), other)
    assert difference(decoded(clip)[0], decoded(other)[0]) > 8


@pytest.mark.parametrize(
    "prompt",
    ["sea", "snowing forest", "rain", "starry night", "meadow", "thunderstorm over the city"],
)
def test_scenes_move_from_frame_to_frame(prompt, clip):
    animate(AnimateRequest(prompt=f"{prompt}, static camera", seconds=0.5, **SIZE), clip)
    frames = decoded(clip)
    assert difference(frames[2], frames[-2]) > 0.25


def test_the_first_frame_is_the_given_one(clip, as_png):
    first = paint(PaintRequest(prompt="desert", width=160, height=96))
    animate(AnimateRequest(prompt="zoom in", seconds=1, first_frame=as_png(first), **SIZE), clip)
    frames = decoded(clip)
    assert difference(frames[0], first) < 3
    assert difference(frames[-1], first) > 3


def test_it_begins_to_snow_in_a_given_picture(clip, as_png):
    first = Image.new("RGB", (160, 96), (30, 40, 60))
    request = AnimateRequest(
        prompt="snowfall, static camera", seconds=1, first_frame=as_png(first), **SIZE
    )
    animate(request, clip)
    frames = decoded(clip)
    assert difference(frames[0], first) < 3
    assert frames[-1].max() > frames[0].max() + 60


def test_the_last_frame_is_the_given_one(clip, as_png):
    first = paint(PaintRequest(prompt="desert", width=160, height=96))
    last = paint(PaintRequest(prompt="night city", width=320, height=192, seed=3))
    request = AnimateRequest(
        prompt="pan left", seconds=1, first_frame=as_png(first), last_frame=as_png(last), **SIZE
    )
    animate(request, clip)
    fitted = last.resize((160, 96), Image.Resampling.LANCZOS)
    assert difference(decoded(clip)[0], first) < 3
    assert difference(last_frame(clip), fitted) < 4


def test_a_scene_can_lead_to_a_given_last_frame(clip, as_png):
    last = paint(PaintRequest(prompt="noon desert", width=160, height=96))
    request = AnimateRequest(prompt="night sea", seconds=0.5, last_frame=as_png(last), **SIZE)
    animate(request, clip)
    assert decoded(clip)[0].mean() < last_frame_mean(clip) - 30
    assert difference(last_frame(clip), last) < 4


def last_frame_mean(path):
    return np.asarray(last_frame(path)).mean()


def test_last_frame_is_the_last_of_all(clip):
    animate(AnimateRequest(prompt="sea, zoom in", seconds=1.5, **SIZE), clip)
    assert difference(last_frame(clip), decoded(clip)[-1]) < 1


@pytest.mark.parametrize(("word", "sign"), [("pan left", 1), ("pan right", -1)])
def test_a_pan_moves_the_picture_the_other_way(word, sign, clip, as_png):
    # A white bar in the middle wanders to the right when the camera turns left.
    bar = Image.new("RGB", (160, 96), "black")
    bar.paste("white", (76, 0, 84, 96))
    animate(AnimateRequest(prompt=word, seconds=1, first_frame=as_png(bar), **SIZE), clip)
    frames = decoded(clip)
    columns = np.arange(160)
    places = [(frame[48].sum(axis=1) * columns).sum() / frame[48].sum() for frame in frames]
    assert (places[-1] - places[0]) * sign > 3


@pytest.mark.parametrize("stage", ["sky", "filming"])
def test_a_stop_leaves_no_file(stage, clip):
    def stop(done, name):
        if name == stage and (stage != "filming" or done > 0.5):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animate(AnimateRequest(prompt="sea", seconds=1, **SIZE), clip, stop)
    assert list(clip.parent.iterdir()) == []


def test_a_failed_clip_leaves_an_older_file_alone(clip):
    clip.write_bytes(b"older")

    def stop(done, name):
        if done > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        animate(AnimateRequest(prompt="sea", seconds=0.5, **SIZE), clip, stop)
    assert clip.read_bytes() == b"older"
    assert list(clip.parent.iterdir()) == [clip]


def test_progress_is_told_for_every_frame_and_rises_to_one(clip):
    seen = []
    animate(AnimateRequest(prompt="sea", seconds=0.5, **SIZE), clip, lambda *now: seen.append(now))
    done = [part for part, _ in seen]
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert sum(stage == "filming" for _, stage in seen) == 12


@pytest.mark.parametrize("field", ["first_frame", "last_frame"])
def test_a_broken_frame_is_named(field, clip):
    with pytest.raises(InvalidRequestError) as caught:
        animate(AnimateRequest(prompt="sea", seconds=0.2, **SIZE, **{field: b"broken"}), clip)
    assert caught.value.pointer == f"/{field}"
    assert list(clip.parent.iterdir()) == []


def test_last_frame_refuses_what_is_no_video(clip):
    clip.write_bytes(b"no video at all")
    with pytest.raises(InvalidRequestError) as caught:
        last_frame(clip)
    assert caught.value.code == "unreadable_video"
