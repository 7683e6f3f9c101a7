"""OpenAI's API below `/openai`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mediawright.sandbox.emulators.openai.files import FileStore
from mediawright.sandbox.emulators.openai.images import Images
from mediawright.sandbox.emulators.openai.models import ALL_MODELS
from mediawright.sandbox.emulators.openai.speech import Speech
from mediawright.sandbox.emulators.openai.transcription import Transcription
from mediawright.sandbox.emulators.openai.wire import error_reply, fault_reply, model_not_found
from mediawright.sandbox.kit.call import Call, Reply
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.sandbox_kit import SandboxKit
from mediawright.sandbox.kit.scenario import RequestKind, Scenario

_MODELS_SINCE = 1_764_000_000


class OpenAIEmulator(Emulator):
    """Images, speech and transcription of OpenAI."""

    name = "openai"
    credential = "sk-sandbox"
    bases: ClassVar[Mapping[str, str]] = {"api": "/v1"}

    def __init__(self, kit: SandboxKit) -> None:
        """Belong to a sandbox."""
        super().__init__(kit)
        self._files = FileStore(self.ids, kit.clock)
        self._parts = (Images(self, self._files), Speech(self), Transcription(self), self._files)

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""
        return (
            *(endpoint for part in self._parts for endpoint in part.endpoints()),
            Endpoint(
                method="GET",
                path="/v1/models",
                handler=self._list_models,
                kind=RequestKind.OTHER,
            ),
            Endpoint(
                method="GET",
                path="/v1/models/{id}",
                handler=self._show_model,
                kind=RequestKind.OTHER,
            ),
        )

    def presented_key(self, call: Call) -> str | None:
        """Return the bearer token."""
        scheme, _, key = call.headers.get("Authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else None

    def fault(self, scenario: Scenario, call: Call) -> Reply:
        """Return OpenAI's reply to a scenario."""
        return fault_reply(scenario, self.presented_key(call), of_images="/images/" in call.path)

    def not_found(self, call: Call) -> Reply:
        """Return OpenAI's reply to an unknown path."""
        path = call.path.removeprefix("/openai")
        return error_reply(404, f"Invalid URL ({call.method} {path})")

    def headers(self, call: Call) -> Mapping[str, str]:
        """Return the headers of every reply."""
        del call
        return {
            "x-request-id": f"req_{self.ids.hexadecimal(32)}",
            "openai-processing-ms": "120",
            "openai-version": "2020-10-01",
            "x-ratelimit-limit-requests": "500",
            "x-ratelimit-remaining-requests": "499",
            "x-ratelimit-reset-requests": "120ms",
        }

    def reset(self) -> None:
        """Forget everything, the uploaded files too."""
        super().reset()
        self._files.reset()

    async def _list_models(self, call: Call) -> Reply:
        del call
        return Reply.json({"object": "list", "data": [_model(name) for name in ALL_MODELS]})

    async def _show_model(self, call: Call) -> Reply:
        if call.match["id"] not in ALL_MODELS:
            raise model_not_found(call.match["id"])
        return Reply.json(_model(call.match["id"]))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _MODELS_SINCE, "owned_by": "system"}
