"""What the reconciliation must find: every planted fault, and nothing in books that are right."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.crash.evidence import Evidence, Submit
from tests.crash.reconciliation import reconcile

PRICE = 11_000_000
TOP_UP = 100_000_000


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(target, "PNG")
    return target.getvalue()


def entry(generation: str | None, kind: str, micros: int) -> dict[str, Any]:
    return {"generation_id": generation, "kind": kind, "amount_micros": micros}


def generation(number: int, state: str, charge: int | None) -> dict[str, Any]:
    return {
        "id": f"gen_{number}",
        "state": state,
        "request": f'{{"prompt":"a kite ref-{number}"}}',
        "provider": "openai",
        "problem": None,
        "charge_micros": charge,
    }


def attempt(number: int, state: str) -> dict[str, Any]:
    return {"generation_id": f"gen_{number}", "state": state, "provider": "openai", "number": 1}


def event(number: int, state: str) -> dict[str, Any]:
    return {"generation_id": f"gen_{number}", "type": f"generation.{state}"}


def submit(number: int, status: int | None = 200, scenario: str = "ok") -> Submit:
    return Submit(tag=f"ref-{number}", vendor="openai", status=status, scenario=scenario)


@pytest.fixture
def books(tmp_path: Path) -> Evidence:
    """One generation that succeeded, one that failed, one that nobody knows about."""
    files, staging, replies = (tmp_path / name for name in ("files", "staging", "replies"))
    for folder in (files, staging, replies):
        folder.mkdir()
    content = picture()
    (files / "one.png").write_bytes(content)
    asset = {
        "id": "ast_1",
        "generation_id": "gen_1",
        "kind": "image",
        "key": "one.png",
        "thumbnail_key": None,
        "optimized_key": None,
        "renditions_due": False,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return Evidence(
        workspaces=[
            {"id": "wsp_1", "balance_micros": TOP_UP - 2 * PRICE, "held_micros": PRICE},
        ],
        generations=[
            generation(1, "succeeded", PRICE),
            generation(2, "failed", 0),
            generation(3, "unknown", None),
        ],
        attempts=[attempt(1, "acknowledged"), attempt(2, "rejected"), attempt(3, "unknown")],
        assets=[asset],
        ledger_entries=[
            entry(None, "top_up", TOP_UP),
            entry("gen_1", "hold", -PRICE),
            entry("gen_1", "capture", 0),
            entry("gen_2", "hold", -PRICE),
            entry("gen_2", "release", PRICE),
            entry("gen_3", "hold", -PRICE),
        ],
        events=[event(1, "succeeded"), event(2, "failed"), event(3, "unknown")],
        submits=[submit(1), submit(2, 400), submit(3, None, "lost_reply")],
        files=files,
        staging=staging,
        replies=replies,
    )


def test_right_books_balance(books: Evidence) -> None:
    report = reconcile(books)
    assert report.balances, report.text()
    assert "DOES NOT" not in report.text()


def test_a_late_result_may_be_kept(books: Evidence) -> None:
    content = picture()
    (books.files / "two.png").write_bytes(content)
    late = {**books.assets[0], "id": "ast_2", "generation_id": "gen_2", "key": "two.png"}
    books.assets.append(late)
    books.events.append({"generation_id": "gen_2", "type": "generation.late_result"})
    report = reconcile(books)
    assert report.balances, report.text()


def test_a_hold_is_kept_for_what_was_cancelled_in_doubt(books: Evidence) -> None:
    books.generations[2]["state"] = "cancelled"
    books.events[2]["type"] = "generation.cancelled"
    report = reconcile(books)
    assert report.balances, report.text()


def submit_twice(books: Evidence) -> None:
    books.submits.append(submit(1))


def submit_elsewhere_too(books: Evidence) -> None:
    books.submits.append(Submit(tag="ref-1", vendor="fal", status=200, scenario="ok"))
    books.attempts.append({**attempt(1, "unknown"), "provider": "fal", "number": 2})


def send_without_attempt(books: Evidence) -> None:
    books.submits.append(submit(2, 429, "rate_limited"))


def send_what_nobody_asked_for(books: Evidence) -> None:
    books.submits.append(submit(9))


def lose_what_was_paid(books: Evidence) -> None:
    books.submits[1] = submit(2)


def make_nothing(books: Evidence) -> None:
    del books.submits[0]


def leave_running(books: Evidence) -> None:
    books.generations[2]["state"] = "running"


def doubt_without_attempt(books: Evidence) -> None:
    books.attempts[2]["state"] = "rejected"


def capture_and_release(books: Evidence) -> None:
    books.ledger_entries.append(entry("gen_1", "release", PRICE))


def hold_twice(books: Evidence) -> None:
    books.ledger_entries.append(entry("gen_2", "hold", -PRICE))


def forget_the_release(books: Evidence) -> None:
    del books.ledger_entries[4]


def release_what_is_unknown(books: Evidence) -> None:
    books.ledger_entries.append(entry("gen_3", "release", PRICE))


def show_another_charge(books: Evidence) -> None:
    books.generations[0]["charge_micros"] = PRICE - 1


def charge_for_a_failure(books: Evidence) -> None:
    books.generations[1]["charge_micros"] = PRICE
    books.ledger_entries[4]["amount_micros"] = 0


def misstate_the_balance(books: Evidence) -> None:
    books.workspaces[0]["balance_micros"] += 1


def misstate_what_is_held(books: Evidence) -> None:
    books.workspaces[0]["held_micros"] = 0


def overdraw(books: Evidence) -> None:
    books.workspaces[0]["balance_micros"] = -1
    books.ledger_entries[0]["amount_micros"] = 2 * PRICE - 1


def lose_the_file(books: Evidence) -> None:
    (books.files / "one.png").unlink()


def lose_the_thumbnail(books: Evidence) -> None:
    books.assets[0]["thumbnail_key"] = "one.thumbnail.webp"


def change_a_byte(books: Evidence) -> None:
    (books.files / "one.png").write_bytes(picture()[:-1] + b"x")


def write_half(books: Evidence) -> None:
    half = picture()[:40]
    (books.files / "one.png").write_bytes(half)
    books.assets[0]["sha256"] = hashlib.sha256(half).hexdigest()


def leave_a_stray_file(books: Evidence) -> None:
    (books.files / "other.png").write_bytes(picture())


def leave_a_staged_file(books: Evidence) -> None:
    (books.staging / "half").write_bytes(b"half")


def leave_a_reply(books: Evidence) -> None:
    (books.replies / "gen_1-1.json").write_bytes(b"{}")


def succeed_without_file(books: Evidence) -> None:
    books.assets.clear()
    (books.files / "one.png").unlink()


def keep_a_file_of_a_failure(books: Evidence) -> None:
    books.assets[0]["generation_id"] = "gen_2"


def leave_a_thumbnail_undone(books: Evidence) -> None:
    books.assets[0]["renditions_due"] = True


def announce_twice(books: Evidence) -> None:
    books.events.append(event(1, "succeeded"))


def announce_nothing(books: Evidence) -> None:
    del books.events[1]


FAULTS = [
    submit_twice,
    submit_elsewhere_too,
    send_without_attempt,
    send_what_nobody_asked_for,
    lose_what_was_paid,
    make_nothing,
    leave_running,
    doubt_without_attempt,
    capture_and_release,
    hold_twice,
    forget_the_release,
    release_what_is_unknown,
    show_another_charge,
    charge_for_a_failure,
    misstate_the_balance,
    misstate_what_is_held,
    overdraw,
    lose_the_file,
    lose_the_thumbnail,
    change_a_byte,
    write_half,
    leave_a_stray_file,
    leave_a_staged_file,
    leave_a_reply,
    succeed_without_file,
    keep_a_file_of_a_failure,
    leave_a_thumbnail_undone,
    announce_twice,
    announce_nothing,
]


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(plant: Callable[[Evidence], None], books: Evidence) -> None:
    plant(books)
    report = reconcile(books)
    assert not report.balances, report.text()
    assert "DOES NOT BALANCE" in report.text() or "finding:" in report.text()
