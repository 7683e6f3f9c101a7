"""providers list, show, reset; the choice of a fallback; what doctor says of providers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from mediawright.cli.arguments import FALLBACK_POLICIES
from mediawright.core.errors import Problem
from mediawright.core.request import FallbackPolicy
from mediawright.store import provider_health
from mediawright.store.database import Database
from mediawright.store.kinds import HealthState
from mediawright.store.provider_health import Health

SMALL = ("--size", "1024x1024")


def leave_alone(data: Path, provider: str, code: str = "provider_unavailable") -> None:
    """Have a provider left alone for ten minutes."""
    database = Database(f"sqlite:///{data / 'sandbox' / 'mediawright.db'}")
    now = datetime.now(UTC)
    known = Health(provider=provider)
    following = Health(
        provider=provider,
        state=HealthState.OPEN,
        failures=5,
        opened_at=now,
        retry_at=now + timedelta(minutes=10),
        last_error=Problem(code=code, message=f"{provider}: no.", hint="Look after it."),
        last_failure_at=now,
    )
    assert database.write_now(lambda c: provider_health.change(c, known, following, now=now))
    database.close()


def test_the_list_shows_what_is_missing(call: Call) -> None:
    outcome = call("providers", "list")
    assert outcome.code == 0
    lines = {line.split("\t")[0]: line.split("\t") for line in outcome.out.splitlines()}
    assert lines["local"][1:4] == ["yes", "working", "5"]
    assert lines["runway"][1:3] == ["no key: set RUNWAYML_API_SECRET", "working"]
    shown = call("providers", "list", "--json").document
    assert [item["name"] for item in shown] == list(lines)[1:]
    assert shown[0]["circuit"]["state"] == "closed"


def test_one_that_failed_is_refused_by_name_and_used_again_after_a_reset(
    call: Call, data: Path
) -> None:
    assert call("--sandbox", "providers", "list").code == 0
    leave_alone(data, "openai", "provider_out_of_credit")
    listed = call("--sandbox", "providers", "list").out
    assert "failed (provider_out_of_credit); left alone for" in listed
    shown = call("--sandbox", "providers", "show", "dalle").out
    assert "openai: no. (provider_out_of_credit)" in shown
    assert "Look after it." in shown

    refused = call("--sandbox", "image", "a fox", "-m", "gpt-image-2", "--provider", "openai")
    assert refused.code == 1
    assert "left alone" in refused.err
    assert refused.last_line == "Next: mediawright --sandbox providers list"
    found = call("--sandbox", "doctor")
    assert found.code == 1
    assert "openai\tbroken\t" in found.out
    assert "mediawright --sandbox providers reset openai" in found.err

    reset = call("--sandbox", "providers", "reset", "openai")
    assert (reset.code, reset.err) == (0, "openai is used again.\n")
    assert call("--sandbox", "doctor").code == 0
    made = call(
        "--sandbox", "image", "a fox", "-m", "gpt-image-2", "--provider", "openai", *SMALL, "--json"
    )
    assert made.code == 0, made.err
    (route,) = made.document["routes"]
    assert (route["provider"], route["outcome"]) == ("openai", "taken")
    page = call("--sandbox", "generations", "show", made.document["generation_id"])
    assert "openai as gpt-image-2: taken" in page.out


def test_what_is_down_by_itself_is_no_defect_of_the_installation(call: Call, data: Path) -> None:
    assert call("--sandbox", "providers", "list").code == 0
    leave_alone(data, "fal")
    found = call("--sandbox", "doctor")
    assert found.code == 0
    assert "fal\tfailing\timitated by the sandbox; failed (provider_unavailable)" in found.out


def test_what_is_skipped_is_said_before_it_begins(call: Call, data: Path) -> None:
    assert call("--sandbox", "providers", "list").code == 0
    leave_alone(data, "openai")
    begun = call("--sandbox", "image", "a fox", "-m", "gpt-image-2", *SMALL)
    assert "gpt-image-2 on fal" in begun.err
    assert "skipped openai: openai is left alone" in begun.err


def test_a_name_nobody_knows(call: Call) -> None:
    outcome = call("providers", "reset", "nobody")
    assert outcome.code == 1
    assert outcome.last_line == "Next: mediawright providers list"
    assert call("providers", "show", "nobody", "--json").document["error"] == "provider_not_found"


@pytest.mark.parametrize("command", [("image", "a fox"), ("generate", "local-sketch-image")])
def test_a_policy_nobody_knows(call: Call, command: tuple[str, ...]) -> None:
    outcome = call(*command, "--fallback", "always")
    assert outcome.code == 2
    assert "on_refusal" in outcome.err


def test_the_policy_is_kept_with_the_generation(call: Call) -> None:
    made = call("image", "a fox", "--size", "64x64", "--fallback", "none", "--json")
    assert made.code == 0, made.err
    assert made.document["fallback"] == "none"


def test_the_command_line_knows_every_policy() -> None:
    assert tuple(policy.value for policy in FallbackPolicy) == FALLBACK_POLICIES
