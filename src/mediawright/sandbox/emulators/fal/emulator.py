"""fal's hosts below `/fal`: `queue`, `run`, `rest` and `cdn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from mediawright.sandbox.emulators.fal.outputs import Outputs
from mediawright.sandbox.emulators.fal.queue import Queue
from mediawright.sandbox.emulators.fal.storage import Storage
from mediawright.sandbox.emulators.fal.wire import detail_reply, fault_reply
from mediawright.sandbox.kit.call import Call, Reply
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.sandbox_kit import SandboxKit
from mediawright.sandbox.kit.scenario import Scenario


class FalEmulator(Emulator):
    """fal's queue, synchronous runs and storage.

    What is wrong with an input shows as fal shows it: at once in a synchronous run, and in a
    queued request as a completed one whose result is the error. The scenario `moderated` gives
    what the model would give: black pictures with `has_nsfw_concepts` where it has a safety
    checker (unless the request turns it off), and a refusal elsewhere; with a `status` set it
    is always a refusal.
    """

    name = "fal"
    credential = "sandbox:key"
    bases: ClassVar[Mapping[str, str]] = {
        "queue": "/queue",
        "run": "/run",
        "rest": "/rest",
        "cdn": "/cdn",
    }

    def __init__(self, kit: SandboxKit) -> None:
        """Belong to a sandbox."""
        super().__init__(kit)
        self._storage = Storage(self)
        self._queue = Queue(self, Outputs(self, self._storage))

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""
        return (*self._queue.endpoints(), *self._storage.endpoints())

    def presented_key(self, call: Call) -> str | None:
        """Return the key, or the bearer token of the CDN."""
        scheme, _, key = call.headers.get("Authorization", "").partition(" ")
        return key.strip() if scheme.lower() in ("key", "bearer") else None

    def fault(self, scenario: Scenario, call: Call) -> Reply:
        """Return fal's reply to a scenario."""
        return fault_reply(scenario, has_key=bool(self.presented_key(call)))

    def not_found(self, call: Call) -> Reply:
        """Return fal's reply to an unknown path."""
        known = call.path.startswith(("/fal/queue/", "/fal/run/"))
        return detail_reply(405, "Method Not Allowed") if known else detail_reply(404, "Not Found")

    def headers(self, call: Call) -> Mapping[str, str]:
        """Return the headers of every reply."""
        return {"x-fal-request-id": call.job.id if call.job else self.ids.uuid4()}

    def reset(self) -> None:
        """Forget everything, uploads and tokens too."""
        super().reset()
        self._storage.reset()
