"""Traces and measurements arrive at a collector that speaks the real protocol."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mediawright.app.generate import generate
from mediawright.app.intake import Draft
from mediawright.app.runtime import Runtime
from mediawright.app.settings import Settings, TelemetrySettings
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.generation import Generation
from mediawright.core.request import Parameters

PROMPT = "a lighthouse nobody else should read about"


class Collector:
    """Takes in what is exported, over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.bodies.append((self.path, body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def spans(self) -> list[Any]:
        found: list[Any] = []
        for path, body in self.bodies:
            if path == "/v1/traces":
                message = ExportTraceServiceRequest.FromString(body)
                for resource in message.resource_spans:
                    for scope in resource.scope_spans:
                        found.extend(scope.spans)
        return found

    def metric_names(self) -> set[str]:
        names: set[str] = set()
        for path, body in self.bodies:
            if path == "/v1/metrics":
                message = ExportMetricsServiceRequest.FromString(body)
                for resource in message.resource_metrics:
                    for scope in resource.scope_metrics:
                        names.update(metric.name for metric in scope.metrics)
        return names


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.stop()


async def picture(settings: Settings) -> Generation:
    """Make a picture in an installation that is closed afterwards."""
    runtime = Runtime(settings, environment={})
    await runtime.start()
    try:
        draft = Draft(
            model="local-sketch-image", prompt=PROMPT, parameters=Parameters(size="64x64")
        )
        started = await generate(runtime, DEFAULT_WORKSPACE, draft)
        return await runtime.jobs.wait(started, 30)
    finally:
        await runtime.close()


def settings(folder: Path, telemetry: TelemetrySettings) -> Settings:
    return Settings(data_dir=folder, telemetry=telemetry)


async def test_a_generation_becomes_one_trace(tmp_path, collector):
    telemetry = TelemetrySettings(otlp_endpoint=collector.address)
    generation = await picture(settings(tmp_path, telemetry))

    spans = collector.spans()
    root = next(span for span in spans if not span.parent_span_id)
    parts = [span for span in spans if span.parent_span_id]
    attributes = {item.key: item.value.string_value for item in root.attributes}
    assert root.trace_id.hex() == generation.trace_id.partition("_")[2]
    assert attributes["mediawright.generation_id"] == generation.id
    assert attributes["mediawright.model"] == "local-sketch-image"
    assert {span.name for span in parts} >= {"submit", "store"}
    for span in parts:
        assert span.trace_id == root.trace_id
        assert span.parent_span_id == root.span_id
        assert root.start_time_unix_nano <= span.start_time_unix_nano
        assert span.end_time_unix_nano >= span.start_time_unix_nano


@pytest.mark.parametrize("texts", [False, True])
async def test_prompts_leave_only_when_told_to(tmp_path, collector, texts):
    telemetry = TelemetrySettings(otlp_endpoint=collector.address, texts=texts)
    await picture(settings(tmp_path, telemetry))

    sent = any(PROMPT.encode() in body for _, body in collector.bodies)
    assert sent is texts


async def test_measurements_are_sent_too(tmp_path, collector):
    telemetry = TelemetrySettings(otlp_endpoint=collector.address)
    await picture(settings(tmp_path, telemetry))

    assert {"mediawright.held_credits", "mediawright.generations_overdue"} <= (
        collector.metric_names()
    )


async def test_nothing_is_sent_without_an_address(tmp_path, collector):
    await picture(settings(tmp_path, TelemetrySettings()))

    assert collector.bodies == []
