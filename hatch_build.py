"""Puts the checked catalogue into the wheel, so that no start has to check it first."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PLACE = "mediawright/catalog/data/catalogue.msgpack"


class CatalogueHook(BuildHookInterface[Any]):
    """Compiles the catalogue while a wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the compiled catalogue; what is installed for development changes too often."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "src"))
        from mediawright.catalog.compiled import compiled_form, key_of  # noqa: PLC0415
        from mediawright.catalog.loader import (  # noqa: PLC0415 - in the tree that is built
            build_catalogue,
            built_in_sources,
        )

        sources = built_in_sources()
        target = Path(tempfile.mkdtemp()) / "catalogue.msgpack"
        target.write_bytes(compiled_form(key_of(sources), build_catalogue(sources)))
        build_data["force_include"][str(target)] = _PLACE
