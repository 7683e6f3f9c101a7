"""Holds our books against the vendors' journal and the files, line by line.

A line has two sides that must be equal; a finding names one generation, file or account with
which something is wrong. Nothing here shares code with what it checks.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
from PIL import Image
from tests.crash.evidence import Evidence, Row, Submit

ENDED = ("succeeded", "failed", "refused", "cancelled", "expired")
CLOSING = ("capture", "release")
EXCUSED_SCENARIOS = ("moderated", "job_failed", "truncated_file", "expired_url", "garbage")
"""With these the vendor bills, or may bill, and gives nothing that could be kept."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Two figures that must be equal."""

    what: str
    left: int
    right: int

    @property
    def balances(self) -> bool:
        return self.left == self.right


@dataclass(kw_only=True)
class Report:
    """The outcome of a reconciliation."""

    lines: list[Line] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def balances(self) -> bool:
        return not self.findings and all(line.balances for line in self.lines)

    def text(self) -> str:
        """Return the report as a table."""
        width = max((len(line.what) for line in self.lines), default=0)
        rows = [
            f"{line.what:<{width}}  {line.left:>12,}  {line.right:>12,}  "
            f"{'balances' if line.balances else 'DOES NOT BALANCE'}"
            for line in self.lines
        ]
        return "\n".join([*rows, *(f"finding: {finding}" for finding in self.findings)])


def reconcile(evidence: Evidence) -> Report:
    """Return every line and every finding."""
    report = Report()
    report.findings.extend(_submit_findings(evidence))
    report.findings.extend(_outcome_findings(evidence))
    report.findings.extend(_money_findings(evidence))
    report.findings.extend(_file_findings(evidence))
    report.findings.extend(_event_findings(evidence))
    report.lines.extend(_generation_lines(evidence))
    report.lines.extend(_submit_lines(evidence))
    report.lines.extend(_money_lines(evidence))
    report.lines.extend(_file_lines(evidence))
    return report


def _generation_lines(evidence: Evidence) -> Iterator[Line]:
    states = evidence.states()
    ended = sum(states[state] for state in ENDED)
    yield Line(
        what="generations = ended + unknown",
        left=len(evidence.generations),
        right=ended + states["unknown"],
    )
    for state in (*ENDED, "unknown"):
        kind = f"generation.{state}"
        announced = {row["generation_id"] for row in evidence.events if row["type"] == kind}
        still = {row["id"] for row in evidence.generations if row["state"] == state}
        yield Line(
            what=f"  {state} = announced as {state}",
            left=states[state],
            right=len(announced & still),
        )


def _submit_lines(evidence: Evidence) -> Iterator[Line]:
    attempts = Counter(row["state"] for row in evidence.attempts)
    taken = [submit for submit in evidence.submits if submit.is_taken]
    by_generation = evidence.submits_by_generation()
    unknown = [row for row in evidence.attempts if row["state"] == "unknown"]
    taken_unknown = sum(
        any(submit.is_taken and submit.vendor == row["provider"] for submit in submits)
        for row in unknown
        for submits in [by_generation.get(row["generation_id"], [])]
    )
    unsent = sum(
        max(0, count - sum(submit.vendor == vendor for submit in by_generation[generation]))
        for (generation, vendor), count in _attempt_counts(evidence).items()
    )
    yield Line(
        what="attempts = submits in the journal + never sent",
        left=len(evidence.attempts),
        right=len(evidence.submits) + unsent,
    )
    yield Line(
        what="submits taken = acknowledged + unknown that were taken",
        left=len(taken),
        right=attempts["acknowledged"] + taken_unknown,
    )
    yield Line(
        what="submits taken = generations with one",
        left=len(taken),
        right=len({submit.tag for submit in taken}),
    )
    yield Line(what="attempts left as intent = 0", left=attempts["intent"], right=0)


def _attempt_counts(evidence: Evidence) -> Counter[tuple[str, str]]:
    return Counter((row["generation_id"], row["provider"]) for row in evidence.attempts)


def _submit_findings(evidence: Evidence) -> Iterator[str]:
    by_generation = evidence.submits_by_generation()
    counts = _attempt_counts(evidence)
    for submit in by_generation.pop("", []):
        yield f"{submit.vendor} was sent {submit.tag or 'something'} that no generation asked for"
    for generation, submits in by_generation.items():
        taken = [submit for submit in submits if submit.is_taken]
        if len(taken) > 1:
            vendors = ", ".join(submit.vendor for submit in taken)
            yield f"{generation} was paid for {len(taken)} times: {vendors}"
        sent = Counter(submit.vendor for submit in submits)
        for vendor, count in sent.items():
            written = counts[generation, vendor]
            if count > written:
                yield f"{generation} was sent to {vendor} {count} times with {written} attempts"


def _outcome_findings(evidence: Evidence) -> Iterator[str]:
    by_generation = evidence.submits_by_generation()
    attempts = evidence.of_generation(evidence.attempts)
    for row in evidence.generations:
        taken = [submit for submit in by_generation.get(row["id"], []) if submit.is_taken]
        states = [attempt["state"] for attempt in attempts.get(row["id"], [])]
        if row["state"] not in (*ENDED, "unknown"):
            yield f"{row['id']} never ended: {row['state']}"
        elif row["state"] == "unknown" and "unknown" not in states:
            yield f"{row['id']} is unknown without an unknown attempt"
        elif row["state"] == "succeeded" and not taken and row["provider"] != "local":
            yield f"{row['id']} succeeded and no vendor made it"
        elif row["state"] in ("failed", "refused", "expired") and _is_lost(taken):
            yield f"{row['id']} was paid for and its result is lost: {row['problem']}"


def _is_lost(taken: list[Submit]) -> bool:
    return any(submit.scenario not in EXCUSED_SCENARIOS for submit in taken)


def _money_lines(evidence: Evidence) -> Iterator[Line]:
    kinds = Counter(row["kind"] for row in evidence.ledger_entries)
    open_holds = _open_holds(evidence)
    yield Line(
        what="holds = captures + releases + kept for unknown",
        left=kinds["hold"],
        right=kinds["capture"] + kinds["release"] + len(open_holds),
    )
    yield Line(
        what="balances = sum of ledger entries (micros)",
        left=sum(row["balance_micros"] for row in evidence.workspaces),
        right=sum(row["amount_micros"] for row in evidence.ledger_entries),
    )
    yield Line(
        what="held = holds that are open (micros)",
        left=sum(row["held_micros"] for row in evidence.workspaces),
        right=sum(open_holds.values()),
    )
    charged = sum(row["charge_micros"] or 0 for row in evidence.generations)
    booked = -sum(
        row["amount_micros"]
        for row in evidence.ledger_entries
        if row["generation_id"] is not None and row["generation_id"] not in open_holds
    )
    yield Line(what="charges of generations = booked (micros)", left=charged, right=booked)


def _open_holds(evidence: Evidence) -> dict[str, int]:
    """Return the holds that nothing has closed, in micros, by generation."""
    found: dict[str, int] = {}
    for generation, entries in evidence.of_generation(evidence.ledger_entries).items():
        kinds = [entry["kind"] for entry in entries]
        if "hold" in kinds and not any(kind in CLOSING for kind in kinds):
            found[generation] = -sum(entry["amount_micros"] for entry in entries)
    return found


def _money_findings(evidence: Evidence) -> Iterator[str]:
    entries = evidence.of_generation(evidence.ledger_entries)
    attempts = evidence.of_generation(evidence.attempts)
    for row in evidence.workspaces:
        if row["balance_micros"] < 0:
            yield f"{row['id']} has a negative balance"
    for row in evidence.generations:
        in_doubt = row["charge_micros"] is None and any(
            attempt["state"] == "unknown" for attempt in attempts.get(row["id"], [])
        )
        yield from _booking_findings(row, entries.get(row["id"], []), in_doubt=in_doubt)
        acknowledged = any(
            attempt["state"] in ("acknowledged", "unknown")
            for attempt in attempts.get(row["id"], [])
        )
        if row["charge_micros"] and not acknowledged:
            yield f"{row['id']} was charged and no provider had it"


def _booking_findings(row: Row, entries: list[Row], *, in_doubt: bool) -> Iterator[str]:
    """Yield what is wrong with the entries of a generation.

    Args:
        row: The generation.
        entries: Its entries.
        in_doubt: Whether nobody knows if a provider has it, so that its hold is kept.
    """
    kinds = Counter(entry["kind"] for entry in entries)
    closed = kinds["capture"] + kinds["release"]
    if any(count > 1 for count in kinds.values()) or closed > 1:
        yield f"{row['id']} has entries twice: {dict(kinds)}"
    if kinds["hold"] and closed == 0 and not in_doubt:
        yield f"{row['id']} is {row['state']} and its hold is open"
    if in_doubt and closed:
        yield f"{row['id']} is in doubt and its hold was closed"
    if not in_doubt and -sum(entry["amount_micros"] for entry in entries) != (
        row["charge_micros"] or 0
    ):
        yield f"{row['id']} shows a charge of {row['charge_micros']} that was not booked"
    if row["state"] == "succeeded" and kinds["hold"] and not kinds["capture"]:
        yield f"{row['id']} succeeded and was not charged"
    if row["state"] in ("failed", "refused", "expired") and row["charge_micros"]:
        yield f"{row['id']} is {row['state']} and was charged"


def _file_lines(evidence: Evidence) -> Iterator[Line]:
    outputs = evidence.of_generation(evidence.assets)
    succeeded = [row["id"] for row in evidence.generations if row["state"] == "succeeded"]
    yield Line(
        what="succeeded = generations with files",
        left=len(succeeded),
        right=sum(bool(outputs.get(generation)) for generation in succeeded),
    )
    keys = evidence.stored_keys()
    yield Line(
        what="files that rows speak of = files that are there",
        left=len(keys),
        right=sum((evidence.files / key).is_file() for key in keys),
    )
    due = sum(bool(row["renditions_due"]) for row in evidence.assets)
    yield Line(what="smaller versions still to be made = 0", left=due, right=0)
    yield Line(what="finished files of no row = 0", left=len(evidence.stray_files()), right=0)
    yield Line(what="files left in staging = 0", left=_count(evidence.staging), right=0)
    yield Line(what="replies left unstored = 0", left=_count(evidence.replies), right=0)


def _count(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*")) if folder.is_dir() else 0


def _file_findings(evidence: Evidence) -> Iterator[str]:
    states = {row["id"]: row["state"] for row in evidence.generations}
    late = {
        row["generation_id"] for row in evidence.events if row["type"] == "generation.late_result"
    }
    for row in evidence.assets:
        fault = file_fault(evidence.files / row["key"], row["kind"], row["sha256"])
        if fault is not None:
            yield f"{row['id']} {fault}: {row['key']}"
        generation = row["generation_id"]
        if generation not in (None, *late) and states.get(generation) != "succeeded":
            yield f"{row['id']} belongs to {generation}, which is {states.get(generation)}"
    for key in evidence.stray_files():
        yield f"no row speaks of the file {key}"


def file_fault(path: Path, kind: str, sha256: str) -> str | None:
    """Return what is wrong with a stored file, if anything is."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return "has no file"
    if hashlib.sha256(content).hexdigest() != sha256:
        return "has other bytes than its row says"
    try:
        _open_whole(path, kind)
    except (OSError, SyntaxError, ValueError, av.FFmpegError) as error:
        return f"does not open ({type(error).__name__})"
    return None


def _open_whole(path: Path, kind: str) -> None:
    """Decode the whole file."""
    if kind == "image":
        with Image.open(path) as image:
            image.load()
    elif kind in ("video", "audio"):
        with av.open(str(path)) as container:
            frames = sum(1 for _ in container.decode(container.streams[0]))
        if not frames:
            raise ValueError("no frames")


def _event_findings(evidence: Evidence) -> Iterator[str]:
    endings = {f"generation.{state}" for state in ENDED}
    found = Counter(row["generation_id"] for row in evidence.events if row["type"] in endings)
    for row in evidence.generations:
        expected = 1 if row["state"] in ENDED else 0
        if found[row["id"]] != expected:
            yield f"{row['id']} is {row['state']} with {found[row['id']]} ending events"
