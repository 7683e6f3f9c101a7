"""Limits and keys on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

PICTURE = ("image", "a lighthouse", "--size", "64x64")


def rows_of(out: str) -> dict[tuple[str, str], list[str]]:
    lines = [line.split("\t") for line in out.splitlines()]
    return {(line[0], line[1]): line[2:] for line in lines[1:]}


def test_limits_are_shown_with_what_is_used(call: Any) -> None:
    shown = rows_of(call("limits").out)
    assert shown["workspace", "requests per minute"] == ["-", "0", "-", "now"]
    assert shown["credits", "per US dollar"][0] == "100"
    assert shown["files", "largest upload bytes"][0] == "209,715,200"

    assert call("limits", "set", "--requests-per-minute", "1").code == 0
    assert call(*PICTURE).code == 0
    allowed, used, left, free = rows_of(call("limits").out)["workspace", "requests per minute"]
    assert (allowed, used, left) == ("1", "1", "0")
    assert free.startswith("in ")


def test_over_a_limit_the_command_says_when_to_come_back(call: Any) -> None:
    call("limits", "set", "--requests-per-minute", "1")
    call(*PICTURE)

    refused = call(*PICTURE, "--json")

    assert refused.code == 5
    assert refused.document["error"] == "rate_limited"
    seconds = refused.document["retry_after"]
    assert 1 <= seconds <= 60
    assert f"Try again in {seconds} s." in refused.err


def test_a_limit_is_changed_and_taken_away_on_its_own(call: Any) -> None:
    first = call("limits", "set", "--requests-per-minute", "5", "--concurrent", "2", "--json")
    assert first.document["concurrent_generations"] == 2
    second = call("limits", "set", "--concurrent", "none", "--json").document
    assert (second["requests_per_minute"], second["concurrent_generations"]) == (5, None)


def test_settings_limit_accounts(call: Any, tmp_path: Path) -> None:
    config = tmp_path / "limits.yaml"
    config.write_text(
        "media:\n  providers:\n    dalle:\n      limits: {concurrent: 3}\n"
        "limits:\n  workspace: {requests_per_minute: 9}\n  when_exceeded: queue\n"
    )
    document = call("limits", "--json", "--config", str(config)).document
    assert document["when_exceeded"] == "queue"
    assert document["workspace"]["requests_per_minute"]["allowed"] == 9
    accounts = {account["provider"]: account for account in document["accounts"]}
    assert accounts["openai"]["concurrent"]["allowed"] == 3

    config.write_text("limits:\n  workspace: {requests_per_minute: 0}\n")
    wrong = call("limits", "--config", str(config))
    assert wrong.code == 2
    assert "requests_per_minute" in wrong.err


def test_keys_are_made_listed_limited_and_revoked(call: Any) -> None:
    made = call("keys", "create", "--name", "build", "--requests-per-minute", "5")
    assert made.code == 0
    key = made.out.strip()
    assert key.startswith("mw_live_")
    assert key not in made.err

    (listed,) = call("keys", "list", "--json").document
    assert (listed["name"], listed["scopes"], listed["requests_per_minute"]) == ("build", [], 5)
    limited = call("keys", "limit", listed["key_id"], "--concurrent", "2", "--json").document
    assert (limited["requests_per_minute"], limited["concurrent_generations"]) == (5, 2)
    shown = rows_of(call("limits", "--key", listed["key_id"]).out)
    assert shown["key", "generations at a time"][0] == "2"

    assert call("keys", "revoke", listed["key_id"]).code == 0
    ((*_, state),) = rows_of(call("keys", "list").out).values()
    assert state == "revoked"


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("limits", "set", "--concurrent", "many"), 2, "usage"),
        (("limits", "set", "--concurrent", "0"), 2, "invalid_limit"),
        (("limits", "--key", "key_1"), 1, "key_not_found"),
        (("limits", "--workspace", "wsp_1"), 1, "workspace_not_found"),
        (("keys", "create"), 2, "usage"),
        (("keys", "create", "--name", ""), 2, "invalid_name"),
        (("keys", "create", "--name", "a", "--scope", "root"), 2, "usage"),
        (("keys", "create", "--name", "a", "--workspace", "wsp_1"), 1, "workspace_not_found"),
        (("keys", "limit", "key_1", "--concurrent", "1"), 1, "key_not_found"),
        (("keys", "revoke", "key_1"), 1, "key_not_found"),
    ],
)
def test_wrong_arguments(call: Any, arguments: tuple[str, ...], code: int, error: str) -> None:
    refused = call(*arguments, "--json")
    assert (refused.code, refused.document["error"]) == (code, error)
