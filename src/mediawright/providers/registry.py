"""Which adapter speaks for which provider; nothing is imported before it is asked for."""

from __future__ import annotations

from importlib import import_module

from mediawright.core.errors import NotFoundError
from mediawright.providerkit.adapter import Adapter

_ADAPTERS = {
    "elevenlabs": "mediawright.providers.elevenlabs:ElevenlabsAdapter",
    "fal": "mediawright.providers.fal:FalAdapter",
    "openai": "mediawright.providers.openai:OpenaiAdapter",
    "runway": "mediawright.providers.runway:RunwayAdapter",
}


def provider_names() -> tuple[str, ...]:
    """Return the names of all vendors, in alphabetical order."""
    return tuple(_ADAPTERS)


def adapter_class(name: str) -> type[Adapter]:
    """Return the adapter class of a vendor.

    Raises:
        NotFoundError: No vendor has that name.
    """
    if name not in _ADAPTERS:
        raise NotFoundError(
            "unknown_provider",
            f"There is no provider called {name}.",
            details={"known": list(_ADAPTERS)},
        )
    module, _, class_name = _ADAPTERS[name].partition(":")
    return getattr(import_module(module), class_name)
