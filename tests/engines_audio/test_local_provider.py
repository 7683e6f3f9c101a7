from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading

import av
import numpy as np
import pytest
from PIL import Image

from mediawright.core.media import Transcript
from mediawright.core.money import Money
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import (
    Broken,
    Declined,
    Done,
    FaultKind,
    Feature,
    InlineMedia,
    LoadedInput,
    MediaCall,
    StagedMedia,
    TranscriptOutput,
)
from mediawright.core.request import Parameters
from mediawright.engines.listener.samples import sample_bytes, sample_text
from mediawright.engines.local import work
from mediawright.engines.local.job import seed_from
from mediawright.engines.local.provider import LocalProvider
from mediawright.engines.sound_files import read_sound, read_text
from mediawright.engines.voice.speakers import speaker_in_use

PROMPT = "a calm sea under the moon"
ENGINES = {
    Operation.TEXT_TO_IMAGE: "sketch-image",
    Operation.IMAGE_TO_IMAGE: "sketch-image",
    Operation.TEXT_TO_VIDEO: "sketch-video",
    Operation.IMAGE_TO_VIDEO: "sketch-video",
    Operation.TEXT_TO_MUSIC: "sketch-music",
    Operation.TEXT_TO_SPEECH: "voice",
    Operation.SPEECH_TO_TEXT: "listener",
}


def call(operation, *, prompt=PROMPT, inputs=(), parameters=None, upstream_id=None, **fields):
    return MediaCall(
        generation_id="gen_1",
        client_reference="gen_1:1",
        operation=operation,
        upstream_id=upstream_id or ENGINES[operation],
        prompt=prompt,
        parameters=parameters or Parameters(),
        fields=fields,
        inputs=tuple(inputs),
    )


def picture(width=64, height=48, colour=(200, 40, 40)):
    target = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(target, "PNG")
    return target.getvalue()


def given(role, data, kind=MediaKind.IMAGE, content_type="image/png"):
    return LoadedInput(role=role, kind=kind, content_type=content_type, name="given.png", data=data)


@pytest.fixture
def provider(tmp_path):
    made = LocalProvider(tmp_path / "staging")
    yield made
    made.close()


@pytest.fixture
def submit(provider, recorder):
    async def run(made_call, report=None):
        return await provider.submit(made_call, report or recorder())

    return run


async def done(submit, made_call):
    outcome = await submit(made_call)
    assert isinstance(outcome, Done), outcome
    assert outcome.usage.cost == Money.usd(0)
    return outcome.outputs


def opened(output):
    return Image.open(io.BytesIO(output.data))


async def test_a_picture_is_painted(submit):
    (output,) = await done(submit, call(Operation.TEXT_TO_IMAGE, width=96, height=64))
    assert isinstance(output, InlineMedia)
    assert (output.kind, output.content_type) == (MediaKind.IMAGE, "image/png")
    assert opened(output).size == (96, 64)
    assert opened(output).format == "PNG"
    assert output.seed == seed_from(PROMPT)


async def test_a_count_gives_one_seed_after_the_other(submit, recorder):
    report = recorder()
    request = call(
        Operation.TEXT_TO_IMAGE, width=64, height=64, count=3, seed=7, output_format="jpeg"
    )
    outcome = await submit(request, report)
    assert [output.seed for output in outcome.outputs] == [7, 8, 9]
    assert {opened(output).format for output in outcome.outputs} == {"JPEG"}
    assert len({output.data for output in outcome.outputs}) == 3
    assert report.parts == sorted(report.parts)
    assert report.parts[-1] == 1.0
    (second,) = await done(
        submit,
        call(Operation.TEXT_TO_IMAGE, width=64, height=64, seed=8, output_format="jpeg"),
    )
    assert second.data == outcome.outputs[1].data


async def test_a_picture_is_changed_at_its_own_size(submit):
    source = given(InputRole.REFERENCE_IMAGE, picture(80, 56))
    (output,) = await done(submit, call(Operation.IMAGE_TO_IMAGE, inputs=[source], strength=0.9))
    assert opened(output).size == (80, 56)
    assert (
        opened(output).convert("RGB").tobytes()
        != Image.new("RGB", (80, 56), (200, 40, 40)).tobytes()
    )


async def test_a_mask_keeps_what_it_does_not_mark(submit):
    mask = Image.new("L", (64, 48), 0)
    mask.paste(255, (32, 0, 64, 48))
    target = io.BytesIO()
    mask.save(target, "PNG")
    inputs = [
        given(InputRole.REFERENCE_IMAGE, picture()),
        given(InputRole.MASK, target.getvalue()),
    ]
    (output,) = await done(submit, call(Operation.IMAGE_TO_IMAGE, inputs=inputs))
    pixels = np.asarray(opened(output).convert("RGB"))
    assert (pixels[:, :16] == (200, 40, 40)).all()
    assert not (pixels[:, 48:] == (200, 40, 40)).all()


async def test_a_video_with_sound_is_staged(submit, tmp_path):
    request = call(Operation.TEXT_TO_VIDEO, width=128, height=96, seconds=1.0, sound=True, seed=5)
    (output,) = await done(submit, request)
    assert isinstance(output, StagedMedia)
    assert output.seed == 5
    assert output.path.parent == tmp_path / "staging"
    with av.open(output.path) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == (128, 96)
        assert container.duration / av.time_base == pytest.approx(1.0, abs=0.05)
        assert audio.rate == 48_000


async def test_sound_is_asked_for_by_the_parameter_too(submit):
    for sound in (True, False):
        request = call(
            Operation.TEXT_TO_VIDEO,
            parameters=Parameters(sound=sound),
            width=64,
            height=64,
            seconds=0.5,
        )
        (output,) = await done(submit, request)
        with av.open(output.path) as container:
            assert bool(container.streams.audio) is sound


async def test_a_picture_is_set_in_motion_at_its_own_size(submit):
    inputs = [
        given(InputRole.FIRST_FRAME, picture(98, 65)),
        given(InputRole.LAST_FRAME, picture(98, 65, (20, 40, 200))),
    ]
    request = call(Operation.IMAGE_TO_VIDEO, prompt=None, inputs=inputs, seconds=1.0)
    (output,) = await done(submit, request)
    with av.open(output.path) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert frames[0].shape == (64, 98, 3)
    assert frames[0][..., 0].mean() > 150
    assert frames[-1][..., 0].mean() < 80
    assert frames[-1][..., 2].mean() > 150


async def test_music_is_as_long_and_in_the_format_asked_for(submit):
    request = call(Operation.TEXT_TO_MUSIC, prompt="lofi", seconds=2.5, output_format="wav")
    (output,) = await done(submit, request)
    assert output.content_type == "audio/wav"
    assert output.path.suffix == ".wav"
    assert output.seed == seed_from("lofi")
    sound = read_sound(output.path)
    assert len(sound.samples) == round(2.5 * 44_100)
    assert read_text(output.path) is None
    assert b"procedural sketch: lofi" in output.path.read_bytes()


async def test_speech_carries_its_text(submit):
    request = call(Operation.TEXT_TO_SPEECH, prompt="Hello there.", output_format="mp3", speed=1.5)
    outcome = await submit(request)
    (output,) = outcome.outputs
    assert output.content_type == "audio/mpeg"
    assert output.seed is None
    assert read_text(output.path) == "Hello there."
    assert outcome.usage.characters == 12
    assert outcome.usage.seconds == pytest.approx(read_sound(output.path).seconds, abs=0.1)


async def test_speech_is_transcribed(submit):
    recording = given(InputRole.REFERENCE_AUDIO, sample_bytes(), MediaKind.AUDIO, "audio/mpeg")
    request = call(Operation.SPEECH_TO_TEXT, prompt=None, inputs=[recording])
    (output,) = await done(submit, request)
    assert isinstance(output, TranscriptOutput)
    assert isinstance(output.transcript, Transcript)
    assert output.transcript.text == sample_text()


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (call(Operation.TEXT_TO_SPEECH, voice="alloy"), "unknown_voice"),
        (call(Operation.TEXT_TO_SPEECH, output_format="midi"), "unsupported_format"),
        (call(Operation.TEXT_TO_SPEECH, prompt="  "), "missing_prompt"),
        (call(Operation.TEXT_TO_MUSIC, prompt=None), "missing_prompt"),
        (call(Operation.TEXT_TO_MUSIC, seconds=-1), "invalid_parameter"),
        (call(Operation.TEXT_TO_IMAGE, width="wide"), "invalid_parameter"),
        (call(Operation.TEXT_TO_IMAGE, count=99), "invalid_parameter"),
        (call(Operation.IMAGE_TO_IMAGE), "missing_input"),
        (call(Operation.IMAGE_TO_VIDEO), "missing_input"),
        (call(Operation.SPEECH_TO_TEXT), "missing_input"),
        (
            call(
                Operation.IMAGE_TO_IMAGE,
                inputs=[given(InputRole.REFERENCE_IMAGE, b"no picture")],
            ),
            "unreadable_image",
        ),
        (
            call(
                Operation.SPEECH_TO_TEXT,
                inputs=[given(InputRole.REFERENCE_AUDIO, b"no sound", MediaKind.AUDIO)],
            ),
            "unreadable_audio",
        ),
        (
            call(
                Operation.IMAGE_TO_IMAGE,
                inputs=[
                    LoadedInput(
                        role=InputRole.REFERENCE_IMAGE,
                        kind=MediaKind.IMAGE,
                        content_type="image/png",
                        name="far.png",
                        url="https://example.org/far.png",
                    )
                ],
            ),
            "missing_input",
        ),
        (call(Operation.TEXT_TO_MUSIC, upstream_id="voice"), "unsupported_operation"),
        (call(Operation.TEXT_TO_MUSIC, upstream_id="orchestra"), "unknown_model"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_bad_requests_are_declined_and_leave_nothing(submit, tmp_path, refused, code):
    outcome = await submit(refused)
    assert isinstance(outcome, Declined)
    assert outcome.fault.kind is FaultKind.INVALID_REQUEST
    assert outcome.fault.vendor_code == code
    assert outcome.fault.accepted is False
    assert list((tmp_path / "staging").iterdir()) == []


async def test_a_missing_program_makes_the_provider_unavailable(submit, without_flite, monkeypatch):
    monkeypatch.setattr("mediawright.engines.voice.espeak._description", lambda: None)
    outcome = await submit(call(Operation.TEXT_TO_SPEECH))
    assert outcome.fault.kind is FaultKind.UNAVAILABLE
    assert "mediawright[speech]" in outcome.fault.message


@pytest.mark.parametrize(
    ("error", "says"),
    [(OSError(28, "No space left on device"), "No space left"), (KeyError("secret"), "KeyError")],
)
async def test_failures_of_our_own_end_as_faults(submit, monkeypatch, error, says):
    def fail(*_):
        raise error

    monkeypatch.setattr(work, "open_job", fail)
    outcome = await submit(call(Operation.TEXT_TO_MUSIC))
    assert outcome.fault.kind is FaultKind.FAILED
    assert says in outcome.fault.message
    assert "secret" not in outcome.fault.message


async def test_cancelling_the_task_stops_the_worker_at_its_next_report(provider, tmp_path):
    begun, go_on, reports = threading.Event(), threading.Event(), []

    def report(part, stage):
        reports.append(part)
        if part > 0.05:
            begun.set()
            assert go_on.wait(20)

    request = call(Operation.TEXT_TO_MUSIC, seconds=20.0, output_format="wav")
    task = asyncio.create_task(provider.submit(request, report))
    assert await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    heard = len(reports)
    go_on.set()
    # The pool takes the next call only when the stopped one has let go of its thread.
    for _ in range(2):
        await provider.submit(call(Operation.TEXT_TO_SPEECH, voice="none"), lambda *_: None)
    await asyncio.to_thread(provider._pool.shutdown)
    assert len(reports) == heard
    assert list((tmp_path / "staging").iterdir()) == []


async def test_work_finished_after_the_cancel_leaves_no_file(provider, tmp_path):
    last, go_on = threading.Event(), threading.Event()

    def report(part, stage):
        if stage == "writing":
            last.set()
            assert go_on.wait(20)

    request = call(Operation.TEXT_TO_SPEECH, prompt="Hello.", output_format="wav")
    task = asyncio.create_task(provider.submit(request, report))
    assert await asyncio.to_thread(last.wait, 20)
    assert len(list((tmp_path / "staging").iterdir())) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await asyncio.to_thread(provider._pool.shutdown)
    assert list((tmp_path / "staging").iterdir()) == []


async def test_the_loop_goes_on_while_an_engine_works(provider):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await provider.submit(call(Operation.TEXT_TO_MUSIC, seconds=2.0), lambda *_: None)
    ticking.cancel()
    assert ticks > 50


async def test_nothing_is_polled_or_cancelled_later(provider):
    polled = await provider.poll({}, "sketch-music")
    assert isinstance(polled, Broken)
    assert polled.fault.kind is FaultKind.NOT_FOUND
    assert await provider.cancel({}, "sketch-music") is False
    assert provider.name == "local"
    assert provider.features == {Feature.REPEATABLE_SUBMIT, Feature.PROGRESS}


@pytest.mark.parametrize("upstream_id", sorted(set(ENGINES.values())))
def test_every_engine_says_honestly_what_it_is(provider, upstream_id):
    assert provider.facts(upstream_id)["nature"] == "procedural, for trying and testing"


def test_the_voice_says_who_speaks(provider, without_flite, monkeypatch):
    facts = provider.facts("voice")
    speaker = speaker_in_use()
    assert facts["speaker"] == f"{speaker.name} {speaker.version}"
    assert speaker.default_voice in facts["voices"]
    monkeypatch.setattr("mediawright.engines.voice.espeak._description", lambda: None)
    assert "mediawright[speech]" in provider.facts("voice")["speaker"]


def test_the_provider_is_imported_without_heavy_libraries():
    code = (
        "import sys, mediawright.engines.local.provider;"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'av', 'PIL', 'pocketsphinx')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
