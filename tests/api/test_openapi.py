"""The OpenAPI document: valid, complete, and true."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from pydantic import BaseModel
from tests.api.running import LONG_FILM, PICTURE, Member, RunningServer

from mediawright.api.application import create_application
from mediawright.api.replies import HTTP_PROBLEMS
from mediawright.api.reply_bodies import (
    AssetBody,
    ErrorBody,
    GenerationBody,
    GenerationPage,
    HealthBody,
    ModelPage,
    ShownModelBody,
)

METHODS = {"get", "post", "put", "delete", "patch", "head", "options"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return create_application(cast("Any", SimpleNamespace())).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield method, path, operation


def test_the_head_of_the_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "mediawright"
    assert document["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "header": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "An API key.",
        },
    }


def test_every_route_is_described(document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for method, path, _ in operations(document)}
    assert described >= {
        ("POST", "/v1/generate/media"),
        ("GET", "/v1/generations"),
        ("GET", "/v1/generations/{generation_id}"),
        ("POST", "/v1/generations/{generation_id}/cancel"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/{model_id}"),
        ("GET", "/v1/assets/{asset_id}"),
        ("GET", "/v1/assets/{asset_id}/content"),
        ("GET", "/v1/events"),
        ("GET", "/healthz"),
        ("GET", "/metrics"),
        ("GET", "/v1/account"),
        ("GET", "/v1/account/ledger"),
        ("POST", "/v1/account/top-ups"),
        ("POST", "/v1/account/adjustments"),
        ("POST", "/v1/generations/{generation_id}/refund"),
        ("GET", "/v1/budgets"),
        ("PUT", "/v1/budgets"),
        ("DELETE", "/v1/budgets/{budget_id}"),
        ("GET", "/v1/usage"),
    }


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    assert {"generate_media", "get_generation_status", "get_models"} <= set(names)
    for _, _, operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert len(operation["tags"]) == 1


def test_parameters_in_paths_are_the_ones_described(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        named = set(re.findall(r"{(\w+)}", path))
        given = {item["name"] for item in operation.get("parameters", []) if item["in"] == "path"}
        assert named == given


def test_all_references_lead_somewhere(document: dict[str, Any]) -> None:
    used: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                used.add(node["$ref"])
            for item in node.values():
                walk(item)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk(document)
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert used == known


def test_every_operation_says_how_its_errors_look(document: dict[str, Any]) -> None:
    shape = {"$ref": "#/components/schemas/ErrorBody"}
    for method, path, operation in operations(document):
        responses = operation["responses"]
        assert "422" not in responses or path == "/v1/generate/media"
        assert "default" in responses
        for status, response in responses.items():
            assert response["description"]
            if status == "default" or int(status) >= 400:
                assert response["content"]["application/json"]["schema"] == shape
        secured = operation.get("security")
        if path == "/healthz" or path.startswith("/v1/hooks/"):
            assert secured is None
        else:
            assert secured == [{"bearer": []}, {"header": []}], (method, path)
            assert "401" in responses


def test_the_request_takes_the_fields_of_the_media_tool(document: dict[str, Any]) -> None:
    body = document["components"]["schemas"]["GenerateBody"]
    assert body["required"] == ["model"]
    assert body["additionalProperties"] is False
    assert set(body["properties"]) >= {
        "prompt",
        "model",
        "generation_type",
        "negative_prompt",
        "source_media_urls",
        "aspect_ratio",
        "duration",
        "quality",
        "resolution",
        "sound",
        "seed",
    }
    sources = [item.get("type") for item in body["properties"]["source_media_urls"]["anyOf"]]
    assert sources == ["string", "array", "null"]
    durations = [item.get("type") for item in body["properties"]["duration"]["anyOf"]]
    assert durations == ["number", "string", "null"]


def test_the_served_document_is_this_one(server: RunningServer, document: dict[str, Any]) -> None:
    assert server.client().get("/v1/openapi.json").json() == document


def require_shape(model: type[BaseModel], reply: httpx.Response) -> None:
    """Check a reply against its declared shape, and that it says nothing undeclared."""
    assert reply.headers["Content-Type"] == "application/json"
    read = model.model_validate_json(reply.content, strict=True)
    undeclared: list[str] = []

    def walk(place: str, item: Any) -> None:
        if isinstance(item, BaseModel):
            undeclared.extend(f"{place}.{name}" for name in item.model_extra or {})
            for name in type(item).model_fields:
                walk(f"{place}.{name}", getattr(item, name))
        elif isinstance(item, list):
            for index, inner in enumerate(item):
                walk(f"{place}[{index}]", inner)

    walk(model.__name__, read)
    assert undeclared == []


def test_replies_are_as_declared(member: Member) -> None:
    http = member.http
    made = member.start(prefer="wait=30", n=2, metadata={"persona": "x"}, quality="hd")
    require_shape(GenerationBody, made)
    body = made.json()
    film = http.post("/v1/generate/media", json=LONG_FILM)
    assert film.status_code == 202
    require_shape(GenerationBody, film)
    path = f"/v1/generations/{film.json()['generation_id']}"
    require_shape(GenerationBody, http.get(path))
    require_shape(GenerationBody, http.post(f"{path}/cancel"))
    require_shape(GenerationBody, http.get(f"/v1/generations/{body['generation_id']}"))
    require_shape(GenerationPage, http.get("/v1/generations?limit=1"))
    require_shape(GenerationPage, http.get("/v1/generations?model=none"))
    for output in body["outputs"]:
        require_shape(AssetBody, http.get(f"/v1/assets/{output['asset_id']}"))
    spoken = member.make(model="local-voice", prompt="hello there", size=None)["outputs"][0]
    require_shape(AssetBody, http.get(f"/v1/assets/{spoken['asset_id']}"))
    require_shape(HealthBody, http.get("/healthz"))
    require_shape(ModelPage, http.get("/v1/models"))
    for model in http.get("/v1/models").json()["data"]:
        require_shape(ShownModelBody, http.get(f"/v1/models/{model['id']}"))


def test_errors_are_as_declared(server: RunningServer, member: Member) -> None:
    replies = [
        server.client().get("/v1/models"),
        member.http.get("/nowhere"),
        member.http.get("/v1/generations/gen_1"),
        member.http.post("/v1/generate/media", json={"model": 1}),
        member.http.post("/v1/generate/media", json={**PICTURE, "n": 99, "seed": -1}),
        member.http.post("/v1/generate/media", content=b"x"),
    ]
    for reply in replies:
        assert reply.status_code >= 400
        ErrorBody.model_validate_json(reply.content, strict=True)


def test_problems_of_http_itself_are_named() -> None:
    for status, problem in HTTP_PROBLEMS.items():
        assert 400 <= status <= 500
        assert re.fullmatch(r"[a-z_]+", problem.code)
        assert problem.message.endswith(".")
