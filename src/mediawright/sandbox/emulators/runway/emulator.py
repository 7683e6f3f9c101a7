"""The vendor's paths and what they do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mediawright.sandbox.emulators.runway import inputs, rules, wire
from mediawright.sandbox.emulators.runway.account import Account, new_accounts, tier_of
from mediawright.sandbox.emulators.runway.prices import credits_for
from mediawright.sandbox.emulators.runway.queue import TaskQueue
from mediawright.sandbox.emulators.runway.uploads import REQUEST as UPLOAD_REQUEST
from mediawright.sandbox.emulators.runway.uploads import UploadBook, UploadError
from mediawright.sandbox.emulators.runway.work import Output, Studio
from mediawright.sandbox.kit.call import Call, Reply, VendorError
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.fields import Fault, Violation
from mediawright.sandbox.kit.jobs import Job, JobState
from mediawright.sandbox.kit.sandbox_kit import SandboxKit
from mediawright.sandbox.kit.scenario import RequestKind, Scenario, ScenarioName

VERSION_HEADER = "X-Runway-Version"
VERSION = "2024-11-06"
BUCKET_PATH = "/ephemeral-uploads"
"""Where uploads are posted to; on the vendor's side this is another host."""

TASK_PATH = "/v1/tasks/{id}"
_ANY_TASK = re.compile(r"/runway/v1/tasks/[^/]+")


class RunwayEmulator(Emulator):
    """Imitates the Runway API, version 2024-11-06.

    A key with `tier1` to `tier5` in it belongs to an organisation of that tier, every other to
    one of the fifth.
    """

    name = "runway"
    credential = "key_sandbox"
    bases: ClassVar[Mapping[str, str]] = {"api": ""}

    def __init__(self, kit: SandboxKit) -> None:
        super().__init__(kit)
        self._accounts = new_accounts()
        self._uploads = UploadBook(self.ids)
        self._queue = TaskQueue(kit.clock)
        self._studio = Studio(kit.media)

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""
        return [
            *(
                Endpoint(
                    method="POST",
                    path=f"/v1/{operation}",
                    handler=self._create,
                    kind=RequestKind.SUBMIT,
                )
                for operation in rules.OPERATIONS
            ),
            Endpoint(
                method="GET",
                path=TASK_PATH,
                handler=self._read,
                kind=RequestKind.POLL,
                job="id",
            ),
            Endpoint(
                method="DELETE",
                path=TASK_PATH,
                handler=self._delete,
                kind=RequestKind.CANCEL,
                job="id",
            ),
            Endpoint(
                method="POST",
                path="/v1/uploads",
                handler=self._begin_upload,
                kind=RequestKind.UPLOAD,
            ),
            Endpoint(
                method="POST",
                path=BUCKET_PATH,
                handler=self._receive_upload,
                kind=RequestKind.UPLOAD,
                needs_key=False,
            ),
            Endpoint(
                method="GET",
                path="/v1/organization",
                handler=self._organization,
                kind=RequestKind.OTHER,
            ),
        ]

    def presented_key(self, call: Call) -> str | None:
        """Return the bearer token."""
        scheme, _, key = call.headers.get("Authorization", "").partition(" ")
        return key.strip() or None if scheme.lower() == "bearer" else None

    def fault(self, scenario: Scenario, call: Call) -> Reply:
        """Return the vendor's reply to a request that meets the scenario."""
        del call
        match scenario.name:
            case ScenarioName.RATE_LIMITED:
                seconds = 1.0 if scenario.seconds is None else scenario.seconds
                return wire.error_reply(
                    429, "Too many requests.", headers={"Retry-After": f"{seconds:g}"}
                )
            case ScenarioName.BAD_KEY:
                return wire.error_reply(401, "You must provide a valid API key.")
            case ScenarioName.OUT_OF_CREDIT:
                return wire.credit_reply()
            case ScenarioName.MODERATED:
                return wire.error_reply(400, "The input was refused by content moderation.")
            case _:
                return wire.error_reply(scenario.status or 500, "An unexpected error occurred.")

    def not_found(self, call: Call) -> Reply:
        """Return 405 for a known path, and 404 for others."""
        known = {f"/{self.name}{endpoint.path}" for endpoint in self.endpoints()}
        if call.path in known or _ANY_TASK.fullmatch(call.path):
            return wire.error_reply(405, "Method not allowed.")
        return wire.error_reply(404, "Not found.")

    def reset(self) -> None:
        """Forget tasks and uploads, and restore the account."""
        super().reset()
        self._accounts = new_accounts()
        self._uploads.reset()
        self._queue.reset()

    async def _create(self, call: Call) -> Reply:
        self._require_version(call)
        operation = call.path.rpartition("/")[2]
        fields = self._checked(operation, call)
        files = await self._read_inputs(fields)
        price = credits_for(operation, fields)
        self._require_room(call, fields["model"], price)
        return Reply.json(self._take(call, operation, fields, files, price))

    def _account(self, call: Call) -> Account:
        return self._accounts[tier_of(self.presented_key(call) or "")]

    def _checked(self, operation: str, call: Call) -> dict[str, Any]:
        if call.body.malformed:
            raise VendorError(wire.error_reply(400, "The body is not valid JSON."))
        found = [
            violation
            for violation in rules.check(operation, call.body.document)
            if not self._is_own_file(violation)
        ]
        if found:
            raise VendorError(wire.invalid_reply(found))
        fields = call.body.fields
        return fields if fields is not None else {}

    def _is_own_file(self, violation: Violation) -> bool:
        """Let the sandbox's own files pass, whose addresses are not public ones."""
        value = violation.value
        is_rule = violation.fault is Fault.RULE and isinstance(value, str)
        return is_rule and value.startswith(f"{self.kit.root}/")

    async def _read_inputs(self, fields: Mapping[str, Any]) -> inputs.Inputs:
        found, violations = await inputs.InputReader(self.kit, self._uploads).read(fields)
        if violations:
            raise VendorError(wire.invalid_reply(violations))
        return found

    def _require_room(self, call: Call, model: str, price: int) -> None:
        account = self._account(call)
        if account.daily_count(model, self.kit.clock.now()) >= account.tier.daily:
            text = f"You have reached the daily generation limit for {model}."
            raise VendorError(wire.error_reply(429, text))
        if price > account.balance:
            raise VendorError(wire.credit_reply())

    def _take(
        self,
        call: Call,
        operation: str,
        fields: Mapping[str, Any],
        files: inputs.Inputs,
        price: int,
    ) -> dict[str, Any]:
        seed = int(fields.get("seed", self.ids.number(2**32)))

        async def work() -> list[Output]:
            return await self._studio.make(operation, fields, files, seed)

        account = self._account(call)
        details = {"credits": price, "call": call, "account": account}
        job = self.jobs.create(call, self.ids.uuid4(), work, details)
        account.balance -= price
        account.count(fields["model"], self.kit.clock.now())
        self._queue.join((id(account), fields["model"]), job)
        return {"id": job.id, "estimatedCost": {"credits": price}}

    async def _read(self, call: Call) -> Reply:
        self._require_version(call)
        job = call.job
        if job is None:
            return wire.error_reply(404, "Task not found.")
        account: Account = job.details["account"]
        throttled = self._queue.is_throttled(job, account.tier.concurrent)
        if not throttled:
            await job.advance()
            self._settle(job)
        return Reply.json(wire.task(job, throttled=throttled))

    def _settle(self, job: Job) -> None:
        """Give a task that ended its cost, and one that succeeded its addresses."""
        if job.state.is_terminal and "cost" not in job.details:
            kept = job.state is JobState.SUCCEEDED or job.is_refused
            job.details["cost"] = job.details["credits"] if kept else 0
            account: Account = job.details["account"]
            account.balance += job.details["credits"] - job.details["cost"]
        if job.state is JobState.SUCCEEDED:
            self._publish(job)

    def _publish(self, job: Job) -> None:
        """Put a task's files on the shelf, anew when their addresses are a day old."""
        now = self.kit.clock.now()
        published = job.details.get("published")
        if published is not None and now - published < wire.ADDRESS_LIFETIME:
            return
        outputs: list[Output] = job.result
        call: Call = job.details["call"]
        job.details["published"] = now
        job.details["urls"] = [
            self.publish(call, output.data, output.content_type, output.extension)
            for output in outputs
        ]

    async def _delete(self, call: Call) -> Reply:
        self._require_version(call)
        job = call.job
        if job is None or job.state is JobState.CANCELLED:
            return wire.error_reply(404, "Task not found.")
        if job.cancel():
            self._settle(job)
        else:
            self.jobs.forget(job.id)
        return Reply(status=204)

    async def _begin_upload(self, call: Call) -> Reply:
        self._require_version(call)
        if call.body.malformed:
            return wire.error_reply(400, "The body is not valid JSON.")
        violations = list(UPLOAD_REQUEST.check(call.body.document))
        if violations:
            return wire.invalid_reply(violations)
        fields: Any = call.body.document
        upload = self._uploads.begin(fields["filename"], self.kit.clock.now())
        return Reply.json(
            {
                "uploadUrl": f"{self.kit.root}/{self.name}{BUCKET_PATH}",
                "fields": upload.form,
                "runwayUri": upload.uri,
            }
        )

    async def _receive_upload(self, call: Call) -> Reply:
        try:
            self._uploads.receive(call.body.parts, self.kit.clock.now())
        except UploadError as error:
            return Reply.text(error.to_xml(), error.status, "application/xml")
        return Reply(status=204)

    async def _organization(self, call: Call) -> Reply:
        self._require_version(call)
        return Reply.json(self._account(call).to_json(self.kit.clock.now()))

    def _require_version(self, call: Call) -> None:
        version = call.headers.get(VERSION_HEADER)
        if version != VERSION:
            given = "is required" if version is None else f"{version!r} is not supported"
            text = f"The header {VERSION_HEADER} {given}; the version is {VERSION}."
            raise VendorError(wire.error_reply(400, text))
