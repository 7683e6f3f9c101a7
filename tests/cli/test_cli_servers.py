"""serve and sandbox say where they are, answer, and stop cleanly when they are told to."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from typing import Any

import pytest


def ask(url: str, key: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as reply:
        return json.load(reply)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_stops_cleanly(number: signal.Signals, begin: Any, announced: Any, stop: Any) -> None:
    server = begin("serve", "--port", "0", "--json")
    document = announced(server)
    models = ask(f"{document['url']}/models", document["api_key"])
    assert "local-sketch-image" in json.dumps(models)
    outcome = stop(server, number)
    assert outcome.code == 0, outcome.err
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert document["api_key"] not in outcome.err
    if number is signal.SIGTERM:
        again = begin("serve", "--port", "0", "--json")
        assert announced(again)["api_key"] is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_stops_cleanly(
    number: signal.Signals, begin: Any, announced: Any, stop: Any
) -> None:
    server = begin("sandbox", "--port", "0", "--tiny", "--json")
    document = announced(server)
    assert "vendors" in ask(f"{document['root']}/__sandbox__/")
    outcome = stop(server, number)
    assert outcome.code == 0, outcome.err
    assert "Traceback" not in outcome.err


def test_a_taken_port_is_a_typed_error(call: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        served = call("serve", "--port", port, "--json")
        imitated = call("sandbox", "--port", port, "--json")
    assert (served.code, served.document["error"]) == (1, "address_in_use")
    assert (imitated.code, imitated.document["error"]) == (1, "sandbox_not_started")
    assert "--port" in served.err
    assert "--port" in imitated.err


def test_tls_hands_out_the_authority(begin: Any, announced: Any, stop: Any) -> None:
    server = begin("sandbox", "--port", "0", "--tls", "--json")
    document = announced(server)
    assert document["root"].startswith("https://")
    assert document["ca_certificate_pem"].startswith("-----BEGIN CERTIFICATE-----")
    assert stop(server, signal.SIGTERM).code == 0


def test_a_sandbox_that_is_not_there_is_a_typed_error(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIAWRIGHT_SANDBOX_URL", "http://127.0.0.1:9")
    outcome = call("--sandbox", "image", "x", "-m", "gpt-image-2", "--json")
    assert outcome.code == 1
    assert outcome.document["error"] == "sandbox_unreachable"
    assert outcome.last_line == "Next: mediawright sandbox"
