"""Running models: at once, or through the queue."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from mediawright.sandbox.emulators.fal.applications import (
    APPLICATIONS,
    KNOWN_SHORT_IDS,
    short_id,
)
from mediawright.sandbox.emulators.fal.endpoint import Application
from mediawright.sandbox.emulators.fal.outputs import Outputs
from mediawright.sandbox.emulators.fal.signing import Signer
from mediawright.sandbox.emulators.fal.wire import (
    FalError,
    detail_reply,
    invalid_input,
    model_error,
    platform_error,
)
from mediawright.sandbox.kit.call import Call, Reply, VendorError, event
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.hooks import Hook
from mediawright.sandbox.kit.jobs import UNHEARD_OF_WORD, Job, JobState
from mediawright.sandbox.kit.scenario import SCENARIO_HEADER, RequestKind

_WORDS = {
    JobState.QUEUED: "IN_QUEUE",
    JobState.RUNNING: "IN_PROGRESS",
    JobState.UNHEARD_OF: UNHEARD_OF_WORD.upper(),
}
_REQUEST = "/queue/{application:.+}/requests/{id}"
_STREAM_SECONDS = 0.1
_ANSWER_SECONDS = 15.0
_PAUSES = tuple(7.0 * 2**number for number in range(10))
"""Ten repeats of a webhook within two hours."""
STILL_RUNNING = "Request is still in progress"


class Queue:
    """The paths of `queue.fal.run` and `fal.run`."""

    def __init__(self, emulator: Emulator, outputs: Outputs) -> None:
        """Belong to an emulator."""
        self._emulator = emulator
        self._outputs = outputs
        self._signer = Signer(emulator.kit.seed)

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""

        def of(
            method: str, path: str, handler: Any, kind: RequestKind, job: str | None = "id"
        ) -> Endpoint:
            return Endpoint(method=method, path=path, handler=handler, kind=kind, job=job)

        return (
            of("GET", f"{_REQUEST}/status", self._status, RequestKind.POLL),
            of("GET", f"{_REQUEST}/status/stream", self._stream, RequestKind.OTHER),
            of("GET", f"{_REQUEST}/response", self._result, RequestKind.RESULT),
            of("GET", _REQUEST, self._result, RequestKind.RESULT),
            of("PUT", f"{_REQUEST}/cancel", self._cancel, RequestKind.CANCEL),
            of("POST", "/queue/{application:.+}", self._submit, RequestKind.SUBMIT, None),
            of("POST", "/run/{application:.+}", self._run, RequestKind.SUBMIT, None),
            Endpoint(
                method="GET",
                path="/rest/.well-known/jwks.json",
                handler=self._signer.show_keys,
                kind=RequestKind.OTHER,
                needs_key=False,
            ),
        )

    async def _run(self, call: Call) -> Reply:
        application = _application(call)
        if call.body.malformed:
            raise model_error("json_invalid", "JSON decode error")
        return Reply.json(await self._work(call, application))

    async def _submit(self, call: Call) -> Reply:
        application = _application(call)
        if call.body.malformed:
            raise platform_error(400, "Invalid JSON body", "bad_request")

        async def work() -> dict[str, Any]:
            return await self._work(call, application)

        details = {"application": short_id(call.match["application"])}
        job = self._emulator.jobs.create(
            call, self._emulator.ids.uuid4(), work, details, refuses_itself=True
        )
        address = call.query.get("fal_webhook")
        if address:
            await self._emulator.kit.courier.expect(self._hook(call, job, address))
        return Reply.json(
            {
                "status": "IN_QUEUE",
                "request_id": job.id,
                "gateway_request_id": job.id,
                **self._addresses(job),
                "queue_position": self._position(job),
            }
        )

    async def _work(self, call: Call, application: Application) -> dict[str, Any]:
        """Validate as the model behind the queue does, and make its output."""
        violations = list(application.rules.check(call.body.document))
        if violations:
            raise invalid_input(violations)
        return await self._outputs.make(call, application, call.body.fields or {})

    def _hook(self, call: Call, job: Job, address: str) -> Hook:
        scenario = self._emulator.kit.scenarios.choose(
            vendor=self._emulator.name,
            kind=RequestKind.HOOK,
            header=call.headers.get(SCENARIO_HEADER),
            marked=call.later,
            source=job.id,
        )
        return Hook(
            vendor=self._emulator.name,
            url=address,
            job=job,
            write=_report,
            sign=self._signer.headers,
            answer_seconds=_ANSWER_SECONDS,
            pauses=_PAUSES,
            scenario=scenario,
        )

    async def _status(self, call: Call) -> Reply:
        job = self._job(call)
        await job.advance()
        return Reply.json(self._describe(call, job), 200 if job.state.is_terminal else 202)

    async def _stream(self, call: Call) -> Reply:
        return Reply.events(self._events(call, self._job(call)))

    async def _events(self, call: Call, job: Job) -> AsyncIterator[bytes]:
        while True:
            job.count_poll()
            await job.advance()
            yield event(self._describe(call, job))
            if job.state.is_terminal:
                return
            await asyncio.sleep(_STREAM_SECONDS)

    async def _result(self, call: Call) -> Reply:
        job = self._job(call)
        if not job.state.is_terminal:
            # Some clients never ask for the status and wait here.
            job.count_poll()
        match await job.advance():
            case JobState.SUCCEEDED:
                return Reply.json(job.result)
            case JobState.FAILED | JobState.CANCELLED:
                return _failure(job).reply
            case _:
                return detail_reply(400, STILL_RUNNING)

    async def _cancel(self, call: Call) -> Reply:
        if call.job is None or call.job.details["application"] != call.match["application"]:
            return Reply.json({"status": "NOT_FOUND"}, 404)
        await call.job.advance()
        if call.job.cancel():
            return Reply.json({"status": "CANCELLATION_REQUESTED"}, 202)
        return Reply.json({"status": "ALREADY_COMPLETED"}, 400)

    def _job(self, call: Call) -> Job:
        named = call.match["application"]
        if named != short_id(named):
            raise VendorError(detail_reply(405, "Method Not Allowed"))
        if call.job is None or call.job.details["application"] != named:
            raise VendorError(detail_reply(404, f"Request {call.match['id']} not found"))
        return call.job

    def _describe(self, call: Call, job: Job) -> dict[str, Any]:
        logs = _logs(job) if call.query.get("logs", "").lower() in ("1", "true") else None
        common = {"request_id": job.id, **self._addresses(job)}
        if not job.state.is_terminal:
            described: dict[str, Any] = {"status": _WORDS[job.state], **common}
            if job.state is JobState.QUEUED:
                return {**described, "queue_position": self._position(job)}
            return {**described, "logs": logs}
        ended = job.finished_at or job.created_at
        seconds = round((ended - job.created_at).total_seconds(), 3)
        metrics = {} if job.state is not JobState.SUCCEEDED else {"inference_time": seconds}
        described = {"status": "COMPLETED", **common, "logs": logs, "metrics": metrics}
        if job.state is JobState.SUCCEEDED:
            return described
        error = _failure(job)
        return {**described, "error": error.message, "error_type": error.error_type}

    def _addresses(self, job: Job) -> dict[str, str]:
        root = f"{self._emulator.kit.root}/fal/queue"
        address = f"{root}/{job.details['application']}/requests/{job.id}"
        return {
            "response_url": address,
            "status_url": f"{address}/status",
            "cancel_url": f"{address}/cancel",
        }

    def _position(self, job: Job) -> int:
        earlier = 0
        for other in self._emulator.jobs.all():
            if other is job:
                break
            earlier += other.state is JobState.QUEUED
        return earlier


def _application(call: Call) -> Application:
    endpoint_id = call.match["application"]
    application = APPLICATIONS.get(endpoint_id)
    if application is not None:
        return application
    alias = short_id(endpoint_id)
    if alias in KNOWN_SHORT_IDS:
        path = endpoint_id.removeprefix(alias)
        raise VendorError(detail_reply(404, f"Path {path or '/'} not found"))
    raise VendorError(detail_reply(404, f"Application '{alias.rpartition('/')[2]}' not found"))


def _failure(job: Job) -> FalError:
    """Return how a job ended that made nothing."""
    if job.state is JobState.CANCELLED:
        return platform_error(499, "Request was cancelled by the client", "client_cancelled")
    if isinstance(job.error, FalError):
        return job.error
    message = "Unexpected error while the model was running."
    return model_error("internal_server_error", message, status=500)


def _report(job: Job) -> bytes:
    """Return what a webhook says about a job."""
    report: dict[str, Any] = {"request_id": job.id, "gateway_request_id": job.id}
    if job.state is JobState.SUCCEEDED:
        report |= {"status": "OK", "payload": job.result}
    else:
        reply = _failure(job).reply
        report |= {
            "status": "ERROR",
            "error": f"Invalid status code: {reply.status}",
            "payload": json.loads(reply.body),
        }
    return json.dumps(report, ensure_ascii=False).encode()


def _logs(job: Job) -> list[dict[str, Any]]:
    lines = ["Running the model."] if job.state is not JobState.QUEUED else []
    if job.state is JobState.SUCCEEDED:
        lines.append("Finished.")
    return [
        {
            "message": line,
            "level": "INFO",
            "source": "USER",
            "timestamp": job.created_at.isoformat(),
        }
        for line in lines
    ]
