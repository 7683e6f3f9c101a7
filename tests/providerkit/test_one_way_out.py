"""Only the driver opens HTTP sessions where URLs from users and replies pass through."""

from __future__ import annotations

import ast
from pathlib import Path

import mediawright

PACKAGE = Path(mediawright.__file__).parent
LAYERS = ("providerkit", "providers", "assets", "jobs", "ledger", "tracing", "store", "api")
CLIENTS = {"ClientSession", "AsyncClient", "urlopen", "HTTPConnection", "HTTPSConnection"}
LIBRARIES = {"httpx", "requests", "urllib3", "urllib.request", "http.client"}


def ways_out(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name in LIBRARIES]
        elif isinstance(node, ast.ImportFrom) and node.module in LIBRARIES:
            found.append(node.module)
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", None))
            found += [name] if name in CLIENTS else []
    return found


def test_no_other_module_opens_its_own_way_to_the_network():
    found = {
        str(path.relative_to(PACKAGE)): ways
        for layer in LAYERS
        for path in sorted((PACKAGE / layer).rglob("*.py"))
        if (ways := ways_out(path))
    }
    assert found == {"providerkit/sessions.py": ["ClientSession"]}
