"""Saying on the command line what became of a submit whose answer was lost."""

from __future__ import annotations

from typing import Any

import pytest

VIDEO = ("video", "waves [[sandbox: lost_reply]]", "-m", "gen4.5", "--seconds", "2")


def unknown_one(call: Any, *command: str) -> str:
    began = call("--sandbox", *(command or VIDEO))
    assert began.code == 3, began.err
    (listed,) = call("--sandbox", "generations", "list", "--json").document
    assert (listed["state"], listed["attention"]) == ("unknown", "submit_unknown")
    return listed["generation_id"]


def test_an_unknown_one_is_seen_in_the_list(call: Any) -> None:
    unknown_one(call)
    listed = call("--sandbox", "generations", "list", "--plain")
    assert "processing (submit_unknown)" in " ".join(listed.out.split())


@pytest.mark.parametrize(
    ("word", "code", "says"),
    [
        ("charged", "submit_charged", "is failed; charged: "),
        ("not-charged", "submit_not_charged", "is failed; charged: 0 credits."),
    ],
)
def test_the_money_is_settled(call: Any, word: str, code: str, says: str) -> None:
    generation_id = unknown_one(call)
    resolved = call("--sandbox", "generations", "resolve", generation_id, "--as", word)
    assert resolved.code == 0, resolved.err
    assert f"{generation_id} {says}" in resolved.err
    shown = call("--sandbox", "generations", "show", generation_id, "--json").document
    assert shown["error"]["code"] == code
    again = call("--sandbox", "generations", "resolve", generation_id, "--as", word, "--json")
    assert (again.code, again.document["error"]) == (1, "not_unknown")


def test_a_provider_that_answers_at_once_has_nothing_to_attach(call: Any) -> None:
    picture = ("image", "a kite [[sandbox: lost_reply]]", "-m", "gpt-image-2")
    generation_id = unknown_one(call, *picture)
    words = ("--sandbox", "generations", "resolve", generation_id, "--as", "attach")
    nameless = call(*words, "--json")
    assert (nameless.code, nameless.document["error"]) == (2, "vendor_id_required")
    refused = call(*words, "img_1", "--json")
    assert (refused.code, refused.document["error"]) == (2, "attach_unsupported")


def test_a_job_that_is_attached_goes_on(call: Any) -> None:
    generation_id = unknown_one(call)
    command = ("generations", "resolve", generation_id, "--as", "attach", "task-1", "--json")
    attached = call("--sandbox", *command)
    assert attached.code == 0, attached.err
    assert attached.document["state"] == "running"
