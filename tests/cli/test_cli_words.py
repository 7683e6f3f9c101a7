"""Prices, traces, next steps and log lines in words."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from mediawright.cli.commands.trace import draw
from mediawright.cli.model_pages import cost_words, lowest_price, price_lines
from mediawright.cli.output import one_line, printable
from mediawright.cli.session import configure_logging
from mediawright.core.generation import Span

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def cost(**fields: Any) -> dict[str, Any]:
    return {"currency": "USD", "amount": "0.5", "per": "1", "unit": "second", **fields}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (cost(), "$0.5 per second"),
        (cost(credits="50"), "$0.5 (50 credits) per second"),
        (cost(currency="credits", unit="image"), "0.5 credits per image"),
        (cost(per="3600", seconds_of="input"), "$0.5 per hour of the input"),
        (cost(per="1000", unit="character"), "$0.5 per 1,000 characters"),
        (cost(per="1.048576", unit="megapixel"), "$0.5 per 1.049 megapixels"),
        (
            cost(per="1000000", unit="token", token="input_text", estimated=True),
            "$0.5 per million input text tokens, estimated beforehand",
        ),
        (cost(minimum="2", base="1"), "$0.5 per second, plus 1, at least 2"),
    ],
)
def test_a_price_row_in_words(row: dict[str, Any], words: str) -> None:
    assert cost_words(row) == words


def test_an_unknown_price_is_never_nothing() -> None:
    model: dict[str, Any] = {"cost": [], "price_book_date": "2026-01-01"}
    assert lowest_price(model) == "unknown"
    assert price_lines(model) == ["price: unknown"]


def test_rows_that_differ_only_in_their_condition_become_one() -> None:
    rows = [
        cost(unit="image", when={"resolution": "1K"}),
        cost(unit="image", when={"resolution": "2K"}),
        cost(unit="image", amount="1", when={"resolution": "4K", "quality": ["high", "ultra"]}),
    ]
    lines = price_lines({"cost": rows, "price_book_date": "2026-01-01"})
    assert lines == [
        "price: $0.5 per image when resolution is 1K or 2K",
        "price: $1 per image when resolution is 4K and quality is high, ultra",
        "price book of 2026-01-01",
    ]
    assert lowest_price({"cost": rows}) == "from $0.5 per image"


def span(name: str, begin: float, end: float | None, parent: str | None = None) -> Span:
    return Span(
        id=name,
        trace_id="trc_1",
        workspace_id="wsp_1",
        name=name,
        kind="step",
        parent_id=parent,
        started_at=EPOCH + timedelta(seconds=begin),
        ended_at=None if end is None else EPOCH + timedelta(seconds=end),
        status="ok",
        attributes={"provider": "fal", "nothing": None},
    )


def test_a_trace_is_drawn_as_a_tree_in_the_order_of_time() -> None:
    spans = [
        span("store", 3, 4, "job"),
        span("job", 0, 4),
        span("submit", 0, 1, "job"),
        span("upload", 0.5, 1, "submit"),
        span("late", 4, None, "job"),
    ]
    lines = draw(spans)
    heads = [line.split("  ok")[0].rstrip() for line in lines if "  ok" in line]
    assert heads == ["job", "├─ submit", "│  └─ upload", "├─ store", "└─ late"]
    assert lines[0] == f"job{' ' * 9}  ok     +  0.000 s     4.000 s  {'█' * 24}"
    assert lines[1] == "│  provider: fal"
    assert "open" in lines[-2]
    assert not any("nothing" in line for line in lines)
    assert draw([]) == []


def test_texts_from_elsewhere_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\nc") == "a�[2Jb\nc"
    assert one_line("a\tb\r\n c") == "a b c"


def fail(prompt: str, secret: str) -> None:
    raise ValueError(f"bad key {secret} for a prompt of {len(prompt)} characters")


def test_the_log_shows_no_secret_and_no_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "abcdef-unusual-secret-0123456789"
    monkeypatch.setenv("FAL_KEY", secret)
    root = logging.getLogger()
    kept = root.handlers[:]
    root.handlers = []
    try:
        configure_logging()
        prompt = " ".join(("a", "private", "prompt"))
        try:
            fail(prompt, secret)
        except ValueError:
            structlog.get_logger("test").exception("a step failed", url=f"https://x/?k={secret}")
            logging.getLogger("test").exception("another failed with %s", secret)
        err = capsys.readouterr().err
    finally:
        root.handlers = kept
        structlog.reset_defaults()
    assert "a step failed" in err
    assert "another failed" in err
    assert secret not in err
    assert prompt not in err
