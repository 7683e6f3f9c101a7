"""mediawright: one gateway for generated media.

The names below are imported when they are first used, so that `import mediawright` is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mediawright._version import __version__

if TYPE_CHECKING:
    from mediawright.app.embedded import AsyncHandle, AsyncMediawright, Result
    from mediawright.app.estimates import Estimate
    from mediawright.app.follow import GenerationFailedError, GenerationRefusedError
    from mediawright.app.intake import InputSource
    from mediawright.app.settings import Settings, load_settings
    from mediawright.app.synchronous import Handle, Mediawright
    from mediawright.core.errors import MediawrightError
    from mediawright.core.operations import InputRole, Operation
    from mediawright.core.quote import Quote

__all__ = [
    "AsyncHandle",
    "AsyncMediawright",
    "Estimate",
    "GenerationFailedError",
    "GenerationRefusedError",
    "Handle",
    "InputRole",
    "InputSource",
    "Mediawright",
    "MediawrightError",
    "Operation",
    "Quote",
    "Result",
    "Settings",
    "__version__",
    "load_settings",
]

_HOME = {
    "AsyncHandle": "mediawright.app.embedded",
    "AsyncMediawright": "mediawright.app.embedded",
    "Estimate": "mediawright.app.estimates",
    "GenerationFailedError": "mediawright.app.follow",
    "GenerationRefusedError": "mediawright.app.follow",
    "Handle": "mediawright.app.synchronous",
    "InputRole": "mediawright.core.operations",
    "InputSource": "mediawright.app.intake",
    "Mediawright": "mediawright.app.synchronous",
    "MediawrightError": "mediawright.core.errors",
    "Operation": "mediawright.core.operations",
    "Quote": "mediawright.core.quote",
    "Result": "mediawright.app.embedded",
    "Settings": "mediawright.app.settings",
    "load_settings": "mediawright.app.settings",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see the module's docstring

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
