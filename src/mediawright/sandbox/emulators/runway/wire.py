"""The vendor's task objects and error bodies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from mediawright.sandbox.emulators.runway.issues import issue, unknown_model
from mediawright.sandbox.kit.call import Reply, VendorError
from mediawright.sandbox.kit.fields import Fault, Violation
from mediawright.sandbox.kit.jobs import UNHEARD_OF_WORD, Job, JobState

DOCS_URL = "https://docs.dev.runwayml.com/api"
ADDRESS_LIFETIME = timedelta(hours=24)
"""After this an output's address may stop working; asking for the task gives a fresh one."""
NOT_ENOUGH_CREDITS = "You do not have enough credits to run this task."

_WORDS = {
    JobState.QUEUED: "PENDING",
    JobState.RUNNING: "RUNNING",
    JobState.UNHEARD_OF: UNHEARD_OF_WORD.upper(),
    JobState.SUCCEEDED: "SUCCEEDED",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "CANCELLED",
}


class TaskFailureError(VendorError):
    """Ends a task's work in failure.

    Attributes:
        code: The dotted failure code.
        text: The sentence for people.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(error_reply(400, text))
        self.code = code
        self.text = text


def error_reply(status: int, text: str, *, headers: dict[str, str] | None = None) -> Reply:
    """Return an error without issues."""
    return Reply.json({"error": text}, status=status, headers=headers)


def credit_reply() -> Reply:
    """Return the error of an organisation without enough credits."""
    return Reply.json({"error": NOT_ENOUGH_CREDITS, "docUrl": DOCS_URL}, status=400)


def invalid_reply(violations: Iterable[Violation]) -> Reply:
    """Return the error of a body that breaks rules."""
    issues: list[dict[str, Any]] = []
    for violation in violations:
        is_model = violation.path == ("model",)
        if not (is_model and violation.fault is Fault.NOT_A_CHOICE):
            issues.append(issue(violation))
        if is_model:
            issues.append(unknown_model())
    body = {"error": "Validation of body failed", "issues": issues, "docUrl": DOCS_URL}
    return Reply.json(body, status=400)


def timestamp(at: datetime) -> str:
    """Return a time in the vendor's form, such as `2026-11-20T09:00:00.000Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def task(job: Job, *, throttled: bool) -> dict[str, Any]:
    """Return a task as the vendor shows it.

    Args:
        job: The task, advanced. Its details hold `credits`, and once it ended `cost`.
        throttled: Whether it waits for others of its model to end.
    """
    shown: dict[str, Any] = {
        "id": job.id,
        "createdAt": timestamp(job.created_at),
        "status": "THROTTLED" if throttled else _WORDS[job.state],
    }
    if job.state.is_terminal:
        shown["cost"] = {"credits": job.details["cost"]}
    else:
        shown["estimatedCost"] = {"credits": job.details["credits"]}
    match job.state:
        case JobState.RUNNING if not throttled:
            shown["progress"] = round(job.done, 2)
        case JobState.SUCCEEDED:
            shown["output"] = job.details["urls"]
        case JobState.FAILED:
            shown.update(_failure(job))
        case _:
            pass
    return shown


def _failure(job: Job) -> dict[str, str]:
    if job.is_refused:
        text = "The input text was refused by our content moderation system."
        return {"failure": text, "failureCode": "SAFETY.INPUT.TEXT"}
    if isinstance(job.error, TaskFailureError):
        return {"failure": job.error.text, "failureCode": job.error.code}
    text = "An unexpected error occurred while the task was running."
    return {"failure": text, "failureCode": "INTERNAL.BAD_OUTPUT.CODE01"}
