"""OpenAI's API below `/openai`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from mediawright.sandbox.emulators.openai.models import MODELS
from mediawright.sandbox.emulators.openai.wire import error_reply, fault_reply
from mediawright.sandbox.kit.call import Call, Reply
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.scenario import RequestKind, Scenario


class OpenAIEmulator(Emulator):
    """Images, speech and transcription of OpenAI."""

    name = "openai"
    credential = "sk-sandbox"
    bases: ClassVar[Mapping[str, str]] = {"api": "/v1"}

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""
        return (
            Endpoint(
                method="GET",
                path="/v1/models",
                handler=self._list_models,
                kind=RequestKind.OTHER,
            ),
        )

    def presented_key(self, call: Call) -> str | None:
        """Return the bearer token."""
        scheme, _, key = call.headers.get("Authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else None

    def fault(self, scenario: Scenario, call: Call) -> Reply:
        """Return OpenAI's reply to a scenario."""
        return fault_reply(scenario, self.presented_key(call))

    def not_found(self, call: Call) -> Reply:
        """Return OpenAI's reply to an unknown path."""
        return error_reply(404, f"Invalid URL ({call.method} {call.path.removeprefix('/openai')})")

    def headers(self, call: Call) -> Mapping[str, str]:
        """Return the headers of every reply."""
        del call
        return {
            "x-request-id": f"req_{self.ids.hexadecimal(32)}",
            "openai-processing-ms": "12",
            "openai-version": "2020-10-01",
        }

    async def _list_models(self, call: Call) -> Reply:
        del call
        return Reply.json(
            {
                "object": "list",
                "data": [
                    {"id": name, "object": "model", "created": 1_764_000_000, "owned_by": "system"}
                    for name in MODELS
                ],
            }
        )
