"""A vendor's adapter and the driver together: a provider as the jobs layer sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from mediawright.core.errors import (
    ForbiddenError,
    InvalidRequestError,
    MediawrightError,
)
from mediawright.core.measures import Measure, Measures, NoMeasures
from mediawright.core.provider import (
    Broken,
    Declined,
    Done,
    Fault,
    FaultKind,
    Feature,
    JsonObject,
    LoadedInput,
    LookedUp,
    MediaCall,
    Polled,
    ProgressReport,
    StagedMedia,
    Submitted,
    Unclear,
    Waiting,
)
from mediawright.providerkit.adapter import Adapter, Again, Upload
from mediawright.providerkit.driver import Driver
from mediawright.providerkit.http import MISREAD, HttpCall, HttpReply, UnreadableReplyError
from mediawright.providerkit.redaction import Redactor
from mediawright.providerkit.status_faults import fault_for_status
from mediawright.providerkit.transport import TransportError
from mediawright.providerkit.urls import origin_of

_QUESTIONS_PER_POLL = 4
_LONGEST_MESSAGE = 1_000
_T = TypeVar("_T")


class HttpProvider:
    """A vendor reached over HTTP.

    It sends what the adapter describes, once each, and puts every way this can end into the
    words of `core.provider`. The secret never appears in them.
    """

    def __init__(
        self,
        adapter: Adapter,
        driver: Driver,
        secret: str,
        *,
        trusted_origins: frozenset[str] = frozenset(),
        measures: Measures | None = None,
    ) -> None:
        """Join an adapter with a driver.

        Args:
            adapter: The vendor's wire format, with its configured addresses.
            driver: The process's driver.
            secret: The API key; blanks around it are dropped.
            trusted_origins: Origins that may get the key besides the adapter's own.
            measures: Who wants to know how long calls take.
        """
        secret = secret.strip()
        self._adapter = adapter
        self._driver = driver
        self._credential = adapter.credential.headers(secret)
        self._redactor = Redactor([secret])
        self._measures = measures or NoMeasures()
        self._trusted = trusted_origins | {origin_of(url) for url in adapter.base_urls.values()}

    @property
    def name(self) -> str:
        """The provider's name in the catalogue."""
        return self._adapter.name

    @property
    def features(self) -> frozenset[Feature]:
        """What the vendor can do beyond submitting."""
        return self._adapter.features

    @property
    def trusted_origins(self) -> frozenset[str]:
        """The vendor's configured origins, for fetching the files it names."""
        return self._trusted

    async def submit(self, call: MediaCall, report: ProgressReport) -> Submitted:
        """Upload what has to be uploaded, then send the job once.

        Returns:
            `Declined` for every failure: `fault.accepted` is `False` where the vendor cannot
            hold a job, and `None` where nobody can tell.
        """
        uploads = await self._upload_all(call.inputs, report)
        if isinstance(uploads, Fault):
            return Declined(fault=self._clean(uploads))
        if call.permit is not None:
            # Uploads take their time, and much may have happened meanwhile.
            call.permit()
        outcome = await self._submit(call, uploads)
        if isinstance(outcome, Declined):
            return Declined(fault=self._clean(outcome.fault))
        return outcome

    async def poll(self, handle: JsonObject, upstream_id: str) -> Polled:
        """Ask how a job stands; a vendor with separate questions is asked them at once."""
        del upstream_id
        for _ in range(_QUESTIONS_PER_POLL):
            outcome = await self._ask(handle)
            if isinstance(outcome, Broken):
                return Broken(fault=self._clean(outcome.fault), usage=outcome.usage)
            if isinstance(outcome, Waiting):
                return self._clean_waiting(outcome)
            if isinstance(outcome, Done):
                return outcome
            handle = outcome.handle
        return Waiting(stage="running", warning="The provider names one more question each time.")

    async def cancel(self, handle: JsonObject, upstream_id: str) -> bool:
        """Ask the vendor to stop a job; `False` if it cannot, would not, or did not hear."""
        del upstream_id
        call = self._adapter.cancel(handle)
        if call is None:
            return False
        try:
            reply = await self._send(call, "cancel")
            return self._adapter.read_cancel(reply)
        except (MediawrightError, *MISREAD):
            return False

    async def lookup(self, client_reference: str, upstream_id: str) -> LookedUp:
        """Find a job by our reference; `Unclear` where the vendor cannot tell."""
        call = self._adapter.lookup(client_reference, upstream_id)
        if call is None:
            return Unclear(reason="The provider cannot be asked about a job by our reference.")
        try:
            reply = await self._send(call, "lookup")
            if not reply.is_success:
                return Unclear(reason=self._clean(self._read_error(reply)).message)
            return self._adapter.read_lookup(client_reference, reply)
        except (MediawrightError, *MISREAD) as error:
            return Unclear(reason=self._clean_text(_words_of(error)))

    def attach(self, vendor_id: str, upstream_id: str) -> JsonObject | None:
        """Return the handle of a job by the vendor's own name for it."""
        return self._adapter.attach(vendor_id, upstream_id)

    async def _send(self, call: HttpCall, what: str) -> HttpReply:
        started = time.monotonic()
        outcome = "lost"
        try:
            reply = await self._driver.send(
                call, credential=self._credential, trusted_origins=self._trusted
            )
            outcome = f"{reply.status // 100}xx"
        finally:
            self._measures.observe(
                Measure.PROVIDER_CALL,
                time.monotonic() - started,
                provider=self.name,
                call=what,
                outcome=outcome,
            )
        return reply

    async def _upload_all(
        self, inputs: tuple[LoadedInput, ...], report: ProgressReport
    ) -> dict[int, str] | Fault:
        try:
            planned = [(index, self._adapter.upload(item)) for index, item in enumerate(inputs)]
        except InvalidRequestError as error:
            return _invalid(error)
        conversations = [(index, upload) for index, upload in planned if upload is not None]
        if not conversations:
            return {}
        report(0.0, "uploading")
        results = await asyncio.gather(*(self._upload(upload) for _, upload in conversations))
        references: dict[int, str] = {}
        for (index, _), result in zip(conversations, results, strict=True):
            if isinstance(result, Fault):
                return result
            references[index] = result
        return references

    async def _upload(self, upload: Upload) -> str | Fault:
        """Hold the conversation of one upload. It costs nothing, so nothing can be pending."""
        try:
            call = next(upload)
            while True:
                reply = await self._send(call, "upload")
                if not reply.is_success:
                    return msgspec.structs.replace(self._read_error(reply), accepted=False)
                call = upload.send(reply)
        except StopIteration as end:
            return end.value
        except TransportError as error:
            return msgspec.structs.replace(_lost(error), accepted=False)
        except InvalidRequestError as error:
            return _invalid(error)
        except MISREAD as error:
            return _garbage(error, accepted=False)
        except MediawrightError as error:
            return Fault(kind=FaultKind.FAILED, message=error.message)
        finally:
            upload.close()

    async def _submit(self, call: MediaCall, uploads: Mapping[int, str]) -> Submitted:
        try:
            reply = await self._send(self._adapter.submit(call, uploads), "submit")
        except TransportError as error:
            return Declined(fault=_lost(error))
        except InvalidRequestError as error:
            return Declined(fault=_invalid(error))
        except ForbiddenError as error:
            return Declined(fault=Fault(kind=FaultKind.FAILED, message=error.message))
        except MediawrightError as error:
            # The reply was under way and could not be kept, for example on a full disk.
            fault = Fault(kind=FaultKind.LOST_REPLY, message=error.message, accepted=None)
            return Declined(fault=fault)
        if not reply.is_success:
            return Declined(fault=self._read_error(reply))
        outcome = await self._read(reply, lambda: self._adapter.read_submit(call, reply))
        if isinstance(outcome, Fault):
            return Declined(fault=outcome)
        if isinstance(outcome, Broken):
            return Declined(fault=outcome.fault)
        return outcome

    async def _ask(self, handle: JsonObject) -> Waiting | Done | Broken | Again:
        try:
            reply = await self._send(self._adapter.poll(handle), "poll")
            if not reply.is_success:
                return self._adapter.read_poll_error(handle, reply)
        except (MediawrightError, *MISREAD) as error:
            return _unanswered(_fault_of(error))
        outcome = await self._read(reply, lambda: self._adapter.read_poll(handle, reply))
        return _unanswered(outcome) if isinstance(outcome, Fault) else outcome

    async def _read(self, reply: HttpReply, reading: Callable[[], _T]) -> _T | Fault:
        """Return what the adapter reads; a file that its outcome does not name is removed."""
        outcome: _T | Fault
        try:
            outcome = reading()
        except MISREAD as error:
            outcome = _garbage(error, accepted=None)
        if reply.spooled is not None and not _names(outcome, reply.spooled):
            await asyncio.to_thread(reply.spooled.unlink, missing_ok=True)
        return outcome

    def _read_error(self, reply: HttpReply) -> Fault:
        try:
            return self._adapter.read_error(reply)
        except (MediawrightError, *MISREAD):
            return fault_for_status(reply, synchronous=False)

    def _clean(self, fault: Fault) -> Fault:
        code = fault.vendor_code
        return msgspec.structs.replace(
            fault,
            message=self._clean_text(fault.message),
            vendor_code=None if code is None else self._clean_text(code),
        )

    def _clean_waiting(self, waiting: Waiting) -> Waiting:
        if waiting.warning is None:
            return waiting
        return msgspec.structs.replace(
            waiting,
            warning=self._clean_text(waiting.warning),
            fault=None if waiting.fault is None else self._clean(waiting.fault),
        )

    def _clean_text(self, text: str) -> str:
        """Return a vendor's words without secrets and not longer than is worth keeping."""
        text = self._redactor.text(text)
        return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."


def _unanswered(fault: Fault) -> Waiting:
    """Return what a question comes to that got no answer: the job may be well all the same."""
    return Waiting(stage="unreachable", warning=fault.message, fault=fault)


def _fault_of(error: Exception) -> Fault:
    """Return what went wrong with a question that costs nothing."""
    if isinstance(error, TransportError):
        return _lost(error)
    if isinstance(error, MediawrightError) and not isinstance(error, UnreadableReplyError):
        return Fault(kind=FaultKind.FAILED, message=error.message)
    return _garbage(error, accepted=None)


def _lost(error: TransportError) -> Fault:
    if error.sent:
        return Fault(kind=FaultKind.LOST_REPLY, message=error.message, accepted=None)
    return Fault(kind=FaultKind.UNREACHABLE, message=error.message, accepted=False)


def _invalid(error: InvalidRequestError) -> Fault:
    return Fault(kind=FaultKind.INVALID_REQUEST, message=error.message, accepted=False)


def _garbage(error: Exception, *, accepted: bool | None) -> Fault:
    return Fault(kind=FaultKind.GARBAGE, message=_words_of(error), accepted=accepted)


def _words_of(error: Exception) -> str:
    if isinstance(error, MediawrightError):
        return error.message
    return f"The provider's reply has an unexpected shape ({type(error).__name__})."


def _names(outcome: object, path: Path) -> bool:
    return isinstance(outcome, Done) and any(
        isinstance(output, StagedMedia) and output.path == path for output in outcome.outputs
    )
