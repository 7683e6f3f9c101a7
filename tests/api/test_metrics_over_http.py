"""The page for Prometheus: read by its own parser, and what it says is true."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families
from tests.api.running import Member, RunningServer

from mediawright.app.api_keys import create_key


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample of a page by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(text: str, name: str, **labels: str) -> float:
    """Return the sum of a metric's samples that have these labels."""
    wanted = set(labels.items())
    return sum(
        value
        for (found, had), value in samples(text).items()
        if found == name and wanted <= set(had)
    )


@pytest.fixture
def page(member: Member) -> Callable[[], str]:
    def read() -> str:
        reply = member.http.get("/metrics")
        assert reply.status_code == 200, reply.text
        assert reply.headers["content-type"].startswith("text/plain")
        return reply.text

    return read


def test_every_metric_is_explained_and_parses(page):
    families = list(text_string_to_metric_families(page()))

    assert len(families) > 8
    for family in families:
        assert family.name.startswith("mediawright_")
        assert family.documentation.endswith("."), family.name


def test_requests_are_timed_by_route_and_status(page, member):
    member.http.get("/v1/models")
    before = page()
    member.http.get("/v1/models")
    member.http.get("/v1/models/nobody-knows-this")
    member.http.get("/v1/no/such/place")
    after = page()

    name = "mediawright_http_request_seconds_count"

    def more(**labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    assert more(route="/v1/models", status="200", method="GET") == 1
    assert more(route="/v1/models/{model_id}", status="404") == 1
    assert more(route="none", status="404") == 1
    assert "nobody-knows-this" not in after


def test_a_word_of_the_caller_never_becomes_a_label(page, server, member):
    with httpx.Client(base_url=server.address, trust_env=False) as client:
        client.request("MKACTIVITY", "/v1/models")

    assert total(page(), "mediawright_http_request_seconds_count", method="other") >= 1
    assert "MKACTIVITY" not in page()


def test_unfinished_generations_are_counted_by_state_and_provider(page, server, member):
    finished = member.make()
    before = page()
    server.add_running(member, finished, "running")

    name = "mediawright_generations"
    labels = {"state": "running", "provider": "local"}
    assert total(page(), name, **labels) - total(before, name, **labels) == 1
    assert total(page(), "mediawright_generations_oldest_seconds", **labels) > 0


def test_it_needs_a_key_that_may_see_it(server: RunningServer, member: Member):
    async def key(*scopes: str) -> str:
        return (await create_key(server.runtime, member.workspace_id, "test", scopes))[1]

    def status(secret: str | None) -> int:
        return server.client(secret).get("/metrics").status_code

    assert status(None) == 401
    assert status(server.run(key())) == 403
    assert status(server.run(key("metrics"))) == 200
    assert status(server.run(key("operator"))) == 200


def test_the_open_form_is_given_to_whoever_asks_for_it(member: Member):
    accept = "application/openmetrics-text; version=1.0.0"
    reply = member.http.get("/metrics", headers={"Accept": accept})

    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert [family.name for family in open_families(reply.text)]


def test_what_ended_is_counted_and_timed(page, member):
    before = page()
    member.make()
    after = page()

    labels = {"operation": "text-to-image", "provider": "local"}
    finished = "mediawright_generations_finished_total"
    timed = "mediawright_generation_seconds_count"
    assert total(after, finished, **labels) - total(before, finished, **labels) == 1
    assert total(after, timed, **labels) - total(before, timed, **labels) == 1
