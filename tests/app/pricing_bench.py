"""An installation that takes requests and sends none, whose prices can be changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from mediawright.app.intake import Draft
from mediawright.app.runtime import Runtime
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.catalog.catalogue import Catalogue
from mediawright.catalog.model import Model
from mediawright.catalog.price_rows import PriceRow
from mediawright.core.request import Parameters
from mediawright.store import generations

VIDEO = "gen4.5"
KEYS = {"RUNWAYML_API_SECRET": "key-one", "OPENAI_API_KEY": "sk-one"}


def draft(model: str = VIDEO, **fields: Any) -> Draft:
    """Return a request for a clip of five seconds."""
    parameters = fields.pop("parameters", Parameters(duration=5))
    return Draft(model=model, prompt=fields.pop("prompt", "waves"), parameters=parameters, **fields)


def reprice(runtime: Runtime, model_id: str, factor: Decimal | None) -> None:
    """Multiply every price of a model, or let nobody know them."""
    known = runtime.catalogue
    changed = [_repriced(model, factor) if model.id == model_id else model for model in known]
    runtime.catalogue = Catalogue(changed, known.families)


def _repriced(model: Model, factor: Decimal | None) -> Model:
    def rows(prices: tuple[PriceRow, ...]) -> tuple[PriceRow, ...]:
        if factor is None:
            return ()
        return tuple(
            msgspec.structs.replace(row, amount=f"{Decimal(row.amount) * factor:f}")
            for row in prices
        )

    routes = tuple(
        msgspec.structs.replace(route, prices=rows(tuple(route.prices))) for route in model.routes
    )
    return msgspec.structs.replace(model, prices=rows(tuple(model.prices)), routes=routes)


async def made(runtime: Runtime, workspace_id: str = DEFAULT_WORKSPACE) -> list[Any]:
    """Return the generations of a workspace."""
    return await runtime.database.read(lambda c: generations.page(c, workspace_id, limit=100))


def files(runtime: Runtime) -> list[str]:
    """Return every file of the drive and of the staging folder."""
    folders = (runtime.folder.files, runtime.folder.staging)
    return [str(path) for folder in folders for path in folder.rglob("*") if path.is_file()]
