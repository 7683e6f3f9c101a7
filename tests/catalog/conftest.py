from datetime import UTC, datetime
from pathlib import Path

import pytest

from mediawright.catalog.loader import build_catalogue, load_catalogue
from mediawright.catalog.preflight import collect_problems, preflight
from mediawright.core.media import MediaFacts
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import GenerationRequest, MediaInput, Parameters

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

SAMPLE = Path(__file__).with_name("sample.toml")


@pytest.fixture(scope="session")
def catalogue():
    return load_catalogue()


@pytest.fixture(scope="session")
def sample():
    return build_catalogue([(SAMPLE.name, SAMPLE.read_text())])


@pytest.fixture
def now():
    return NOW


@pytest.fixture(scope="session")
def media():
    """Make an input of a role, named by URL."""

    def make(role, name="a.png", kind=None):
        role = InputRole(role)
        return MediaInput(role=role, kind=kind or role.media_kind, url=f"https://host.test/{name}")

    return make


@pytest.fixture(scope="session")
def image_facts():
    def make(width=1024, height=1024, byte_count=5000, content_type="image/png"):
        return MediaFacts(
            kind=MediaKind.IMAGE,
            content_type=content_type,
            byte_count=byte_count,
            width=width,
            height=height,
        )

    return make


@pytest.fixture(scope="session")
def clip_facts():
    def make(seconds, kind=MediaKind.VIDEO, content_type="video/mp4", **more):
        return MediaFacts(
            kind=kind, content_type=content_type, byte_count=5000, seconds=seconds, **more
        )

    return make


@pytest.fixture(scope="session")
def ask():
    """Build a request from loose words: parameters are whatever the request has no field for."""
    fields = set(GenerationRequest.__struct_fields__)

    def make(model, prompt="a red kite", **words):
        own = {name: value for name, value in words.items() if name in fields}
        rest = {name: value for name, value in words.items() if name not in fields}
        if isinstance(own.get("operation"), str):
            own["operation"] = Operation(own["operation"])
        return GenerationRequest(model=model, prompt=prompt, parameters=Parameters(**rest), **own)

    return make


@pytest.fixture(scope="session")
def check(ask):
    """Run preflight over a request built by `ask`."""

    def run(catalogue, model, *, facts=None, settings=None, when=NOW, **words):
        more = {} if settings is None else {"settings": settings}
        return preflight(catalogue, ask(model, **words), now=when, input_facts=facts or {}, **more)

    return run


@pytest.fixture(scope="session")
def problems(ask):
    """Collect the problems of a request built by `ask`, as (code, pointer) pairs."""

    def run(catalogue, model, *, facts=None, settings=None, when=NOW, **words):
        more = {} if settings is None else {"settings": settings}
        found = collect_problems(
            catalogue, ask(model, **words), now=when, input_facts=facts or {}, **more
        )
        return [(problem.code, problem.pointer) for problem in found]

    return run


@pytest.fixture(scope="session")
def adjusted():
    """Return the adjustments of a checked request as {pointer: (kind, applied)}."""

    def run(checked):
        return {item.pointer: (item.kind.value, item.applied) for item in checked.adjustments}

    return run
