"""Text that can be stored and sent on, wherever it stands in a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from mediawright.catalog.values import is_text


def readable(value: Any) -> Any:
    """Refuse text that no database and no provider takes: NUL, and halves of characters."""
    if not all(is_text(text) for text in _texts(value)):
        raise PydanticCustomError("text", "It holds a character that is none.")
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():  # pyright: ignore[reportUnknownVariableType] - any JSON
            yield from _texts(name)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType] - any JSON
            yield from _texts(item)


Text = Annotated[str, AfterValidator(readable)]
