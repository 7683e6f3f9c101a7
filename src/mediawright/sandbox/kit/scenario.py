"""Faults on demand: their names, how they are written, and which one a request meets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from mediawright.sandbox.kit.progression import Progression, ProgressionError

SCENARIO_HEADER = "X-Sandbox-Scenario"
PROGRESSION_HEADER = "X-Sandbox-Progression"
_MARKER = re.compile(r"\s*\[\[\s*sandbox:\s*([^\]]*?)\s*\]\]", re.IGNORECASE)


class RequestKind(StrEnum):
    """What a request is for. `submit` is every request that a vendor bills."""

    SUBMIT = "submit"
    POLL = "poll"
    RESULT = "result"
    CANCEL = "cancel"
    UPLOAD = "upload"
    OTHER = "other"
    HOOK = "hook"
    """A webhook, which the vendor sends."""


class ScenarioName(StrEnum):
    """What may go wrong."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    """Too many requests; `seconds` is the Retry-After, 1 by default."""
    SERVER_ERROR = "server_error"
    """The vendor fails; `status` is 500 by default."""
    SLOW = "slow"
    """The answer comes after `seconds` of real time, 0.2 by default."""
    MODERATED = "moderated"
    BAD_KEY = "bad_key"
    OUT_OF_CREDIT = "out_of_credit"
    LOST_REPLY = "lost_reply"
    """The request is carried out and the connection dropped without a reply."""
    TRUNCATED_FILE = "truncated_file"
    """Media ends in the middle, for the first `downloads` downloads or for all."""
    EXPIRED_URL = "expired_url"
    """Media addresses answer `status`, 403 by default, for the first `downloads` or for all."""
    GARBAGE = "garbage"
    """200 with a body that makes no sense."""
    UNKNOWN_STATUS = "unknown_status"
    """An asynchronous job shows an unheard-of status word for `polls` polls, 2 by default."""
    JOB_FAILED = "job_failed"
    """An asynchronous job is taken and ends in failure."""
    LOST_HOOK = "lost_hook"
    """The job's webhook is never sent."""
    LATE_HOOK = "late_hook"
    """It is sent `seconds` of virtual time after the end of the job, 60 by default."""
    DUPLICATE_HOOK = "duplicate_hook"
    """It is sent twice at the same time."""
    EARLY_HOOK = "early_hook"
    """It is sent before the submit is answered."""
    FORGED_HOOK = "forged_hook"
    """Before it, one comes that a stranger has signed."""


JOB_SCENARIOS = frozenset(
    {
        ScenarioName.MODERATED,
        ScenarioName.TRUNCATED_FILE,
        ScenarioName.EXPIRED_URL,
        ScenarioName.UNKNOWN_STATUS,
        ScenarioName.JOB_FAILED,
    }
)
"""Scenarios that concern what a submit makes, and so nothing but submits."""


HOOK_SCENARIOS = frozenset(
    {
        ScenarioName.LOST_HOOK,
        ScenarioName.LATE_HOOK,
        ScenarioName.DUPLICATE_HOOK,
        ScenarioName.EARLY_HOOK,
        ScenarioName.FORGED_HOOK,
    }
)
"""Scenarios that concern webhooks, and so nothing else."""


class ScenarioError(ValueError):
    """The text or the JSON is no scenario."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault with its settings."""

    name: ScenarioName
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """How many matching requests meet it; `None` is every one."""
    kind: RequestKind | None = None
    """Which requests meet it; `None` is submits, or the request whose header names it.
    Scenarios of webhooks concern webhooks and nothing else."""
    seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    polls: Annotated[int, msgspec.Meta(ge=1)] = 2
    downloads: Annotated[int, msgspec.Meta(ge=1)] | None = None

    @classmethod
    def parse(cls, text: str) -> Scenario:
        """Read text such as `rate_limited; times=2; seconds=3`.

        Raises:
            ScenarioError: If a name or a value is unknown.
        """
        name, *settings = (part.strip() for part in text.split(";"))
        fields = {"name": name}
        for setting in filter(None, settings):
            key, _, value = setting.partition("=")
            fields[key.strip()] = value.strip()
        return cls.from_fields(fields)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Scenario:
        """Read a scenario from JSON fields, or from text values.

        Raises:
            ScenarioError: If a name or a value is unknown.
        """
        try:
            return msgspec.convert(fields, cls, strict=False)
        except msgspec.ValidationError as error:
            names = ", ".join(ScenarioName)
            raise ScenarioError(f"not a scenario: {error} (known names: {names})") from None

    def concerns(self, kind: RequestKind) -> bool:
        """Tell whether requests of that kind meet the scenario."""
        if self.name in HOOK_SCENARIOS:
            return kind is RequestKind.HOOK
        return kind is (self.kind or RequestKind.SUBMIT)


OK = Scenario(name=ScenarioName.OK)


@dataclass(frozen=True, kw_only=True)
class Directives:
    """What a request itself asks of the sandbox."""

    scenarios: tuple[Scenario, ...] = ()
    progression: Progression | None = None


def take_markers(text: str) -> tuple[str, list[str]]:
    """Return a text without its `[[sandbox: ...]]` markers, and what they said.

    A text that is nothing but a marker becomes the marker's words, so that it stays a prompt.
    """
    words = _MARKER.findall(text)
    if not words:
        return text, []
    return _MARKER.sub("", text).strip() or words[0], words


def read_directives(texts: Iterable[str]) -> Directives:
    """Read what headers or markers say: scenarios, and progressions such as `polls=3`.

    Raises:
        ScenarioError: If one is neither.
    """
    scenarios: list[Scenario] = []
    progression = None
    for text in texts:
        try:
            progression = Progression.parse(text)
        except ProgressionError:
            scenarios.append(Scenario.parse(text))
    return Directives(scenarios=tuple(scenarios), progression=progression)


@dataclass(kw_only=True)
class StandingScenario:
    """A scenario set from outside, waiting for requests."""

    vendor: str | None
    scenario: Scenario
    met: int = 0

    @property
    def is_used_up(self) -> bool:
        """Whether it was met as often as it should be."""
        return self.scenario.times is not None and self.met >= self.scenario.times


class ScenarioBook:
    """Which scenario each request meets."""

    def __init__(self) -> None:
        self._standing: list[StandingScenario] = []
        self._met: Counter[tuple[str, ...]] = Counter()

    def set(self, scenario: Scenario, vendor: str | None = None) -> None:
        """Let coming requests of a vendor, or of all, meet a scenario.

        Several may stand; a request meets the first that concerns it, the vendor's own first.
        """
        self._standing.append(StandingScenario(vendor=vendor, scenario=scenario))

    def clear(self, vendor: str | None = None) -> None:
        """Forget the standing scenarios of a vendor, or all."""
        self._standing = [
            item for item in self._standing if vendor is not None and item.vendor != vendor
        ]

    def reset(self) -> None:
        """Forget everything, also how often scenarios in requests were met."""
        self._standing.clear()
        self._met.clear()

    def standing(self) -> list[StandingScenario]:
        """Return the scenarios that still wait for requests."""
        return [item for item in self._standing if not item.is_used_up]

    def choose(
        self,
        *,
        vendor: str,
        kind: RequestKind,
        header: str | None,
        marked: Iterable[Scenario],
        source: str,
    ) -> Scenario:
        """Return the scenario a request meets, and count it.

        Args:
            vendor: Whose emulator was asked.
            kind: What the request is for.
            header: The value of the request's scenario header; for a webhook the submit's.
            marked: Scenarios of the prompt, or of the job asked about.
            source: The prompt, or the job's id: the same one is counted as the same.

        Raises:
            ScenarioError: If the header is no scenario.
        """
        if header is not None:
            scenario = Scenario.parse(header)
            if scenario.name in HOOK_SCENARIOS or kind is RequestKind.HOOK:
                concerned = scenario.concerns(kind)
            else:
                concerned = scenario.kind in (None, kind) and (
                    kind is RequestKind.SUBMIT or scenario.name not in JOB_SCENARIOS
                )
            if concerned and self._count(scenario, vendor, "header", header):
                return scenario
            return OK
        for scenario in marked:
            if scenario.concerns(kind) and self._count(scenario, vendor, "marker", source):
                return scenario
        for owner in (vendor, None):
            for item in self.standing():
                if item.vendor == owner and item.scenario.concerns(kind):
                    item.met += 1
                    return item.scenario
        return OK

    def _count(self, scenario: Scenario, *key: str) -> bool:
        full_key = (*key, scenario.name)
        if scenario.times is not None and self._met[full_key] >= scenario.times:
            return False
        self._met[full_key] += 1
        return True
