"""The table of vendors."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from mediawright.core.errors import NotFoundError
from mediawright.providerkit.adapter import Adapter
from mediawright.providers.registry import adapter_class, provider_names


@pytest.mark.parametrize("name", provider_names())
def test_every_entry_is_a_complete_adapter_under_its_own_name(name):
    found = adapter_class(name)

    assert issubclass(found, Adapter)
    assert found.name == name
    assert found.credential.variables
    assert found.credential.headers("secret")[found.credential.header].endswith("secret")
    assert found.documentation.startswith("https://")
    for url in found.default_base_urls.values():
        assert urlsplit(url).scheme == "https"
        assert not url.endswith("/")


def test_an_unknown_name_is_an_error_that_names_the_known_ones():
    with pytest.raises(NotFoundError) as raised:
        adapter_class("nobody")

    assert raised.value.details["known"] == list(provider_names())


def test_no_adapter_is_imported_before_it_is_asked_for():
    code = (
        "import sys; import mediawright.providers.registry;"
        "print([name for name in sys.modules if name.startswith('mediawright.providers.')])"
    )

    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert listed.stdout.strip() == "['mediawright.providers.registry']"
