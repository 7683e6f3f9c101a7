"""Display names and live rates of the video models, to the last digit."""

from decimal import Decimal

import pytest

from mediawright.catalog.public import public_model
from mediawright.core.operations import MediaKind

# id, display name, credits for each second (and, with a reference clip, of the clips too)
LIVE_RATES = [
    ("seedance-2-1080p", "Seedance 2 (1080p)", "93"),
    ("seedance-2-1080p-video-ref", "Seedance 2 (1080p, video ref)", "65"),
    ("seedance-2-480p", "Seedance 2 (480p)", "18"),
    ("seedance-2-480p-video-ref", "Seedance 2 (480p, video ref)", "13"),
    ("seedance-2-720p", "Seedance 2 (720p)", "40"),
    ("seedance-2-720p-video-ref", "Seedance 2 (720p, video ref)", "29"),
    ("seedance-2-fast-480p", "Seedance 2.0 Fast", "16"),
    ("seedance-2-fast-480p-video-ref", "Seedance 2.0 Fast (video ref)", "12"),
    ("seedance-2-fast-720p", "Seedance 2.0 Fast", "34"),
    ("seedance-2-fast-720p-video-ref", "Seedance 2.0 Fast (video ref)", "24"),
    ("kling-3-0-pro", "Kling 3.0 Pro", "21"),
    ("kling-3-0-pro-audio", "Kling 3.0 Pro (with audio)", "30"),
    ("kling-3-0-std", "Kling 3.0", "17"),
    ("kling-3-0-std-audio", "Kling 3.0 Std (with audio)", "23"),
]

# id -> dollars of a request with all defaults on its first route, as far as anybody says
DOLLARS = {
    "kling-2-5-image-to-video-pro": "0.35",
    "kling-2-5-text-to-video-pro": "0.35",
    "kling-2-6-text-to-video": "0.35",
    "kling-2-6-image-to-video": "0.35",
    "kling-3-0-std": "0.42",
    "kling-3-0-pro": "0.56",
    "wan-2-5": "0.5",
    "v1-pro-fast-i2v": "0.10296",
    "seedance-1-5-pro": "0.10368",
    "grok-text-to-video-6s": "0.3",
    "grok-image-to-video": "0.302",
    "veo3-1": "3.2",
    "veo3-1-fast": "1.2",
    "gemini-omni-1.1-flash": "0.8",
    "p-video-720p": "0.1",
    "p-video-1080p": "0.2",
    "p-video-720p-draft": "0.025",
    "p-video-1080p-draft": "0.05",
}


def sold_rows(catalogue, now):
    """Give (id, name, credits per second) of every row that a video model is sold under."""
    for model in catalogue.models(kind=MediaKind.VIDEO):
        for cost in public_model(model, now=now)["cost"]:
            if cost["currency"] == "credits" and cost["unit"] == "second":
                sku, title = cost.get("sku", model.id), cost.get("title", model.title)
                yield sku, title, cost["amount"]


@pytest.mark.rule(32, 43, shows="accepts")
def test_names_and_rates_are_the_published_ones(catalogue, now):
    published = {model_id for model_id, _, _ in LIVE_RATES}
    shown = [row for row in sold_rows(catalogue, now) if row[0] in published]
    assert sorted(shown) == sorted(LIVE_RATES)


@pytest.mark.rule(32, 41, 42, 43, shows=("accepts", "prices"))
@pytest.mark.parametrize(("model_id", "title", "rate"), LIVE_RATES)
def test_a_rate_is_charged_by_the_second(
    catalogue, check, *, media, clip_facts, model_id, title, rate
):
    """Without a clip the output counts; with one, the clip as well, up to 15 s."""
    with_clip = model_id.endswith("-video-ref")
    inputs = (media("reference_video", "a.mp4"),) if with_clip else ()
    words = {"duration": 6, "inputs": inputs, "operation": "text-to-video"}
    seconds = 15 + 6 if with_clip else 6
    assert check(catalogue, model_id, **words).price.credits == Decimal(rate) * seconds
    if with_clip:
        known = check(catalogue, model_id, facts={0: clip_facts(4)}, **words)
        assert known.price.credits == Decimal(rate) * 10
    assert title


@pytest.mark.rule(43, shows="prices")
@pytest.mark.parametrize(("model_id", "dollars"), DOLLARS.items())
def test_dollars_of_a_request_with_all_defaults(catalogue, check, *, media, model_id, dollars):
    model = catalogue.get(model_id)
    operation = next(iter(model.operations))
    inputs = tuple(
        media(slot.role.value)
        for slot in model.operations[operation].inputs
        for _ in range(slot.minimum)
    )
    price = check(catalogue, model_id, operation=operation, inputs=inputs).price
    assert price.usd == Decimal(dollars)
