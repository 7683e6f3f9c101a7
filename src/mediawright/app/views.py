"""Generations, assets and models as every surface shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.app.route_views import outputs_and_attempts, route_views
from mediawright.core.states import GenerationState
from mediawright.store import assets

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import Asset, Attempt, Generation
    from mediawright.core.money import Price

AssetUrl = Callable[["Asset", str], str | None]
"""Returns where one of an asset's files is found: `content`, `thumbnail` or `optimized`."""


def local_urls(runtime: Runtime) -> AssetUrl:
    """Return paths on this machine, for surfaces without a server."""

    def locate(asset: Asset, variant: str) -> str | None:
        key = asset_key(asset, variant)
        path = None if key is None else runtime.library.path_of(key)
        return None if path is None else str(path)

    return locate


def served_urls(base: str) -> AssetUrl:
    """Return addresses on a server.

    Args:
        base: The server's address, without a slash at its end; empty for paths alone.
    """

    def locate(asset: Asset, variant: str) -> str | None:
        if asset_key(asset, variant) is None:
            return None
        suffix = "" if variant == "content" else f"?variant={variant}"
        return f"{base}/v1/assets/{asset.id}/content{suffix}"

    return locate


def asset_key(asset: Asset, variant: str) -> str | None:
    """Return the key of one of an asset's files."""
    return {
        "content": asset.key,
        "thumbnail": asset.thumbnail_key,
        "optimized": asset.optimized_key,
    }[variant]


async def outputs_of(runtime: Runtime, generation: Generation) -> list[Asset]:
    """Return the assets a generation has made."""
    return await runtime.database.read(
        lambda connection: assets.for_generation(connection, generation.workspace_id, generation.id)
    )


async def full_view(runtime: Runtime, generation: Generation, urls: AssetUrl) -> dict[str, Any]:
    """Return the public form of a generation with all that belongs to it."""
    outputs, attempts = await outputs_and_attempts(runtime, generation)
    return generation_view(generation, outputs, urls, attempts)


def generation_view(
    generation: Generation,
    outputs: Sequence[Asset],
    urls: AssetUrl,
    attempts: Sequence[Attempt],
) -> dict[str, Any]:
    """Return the public form of a generation (rules 44 and 45).

    Args:
        generation: Which.
        outputs: Its assets.
        urls: Where they are found.
        attempts: Its attempts, first to last.
    """
    view: dict[str, Any] = {
        "generation_id": generation.id,
        "status": generation.status.value,
        "state": generation.state.value,
        "model": generation.model,
        "generation_type": generation.operation.value,
        "provider": generation.provider,
        "fallback": generation.request.fallback.value,
        "routes": route_views(generation, attempts),
        "prompt": generation.request.prompt,
        "progress": generation.progress,
        "stage": generation.stage,
        "estimated_time_seconds": generation.estimated_seconds,
        "estimated_cost_credits": _number(generation.price.credits),
        "price": price_view(generation.price),
        "charge_credits": _from_micros(generation.charge_micros),
        "cost_usd": _from_micros(generation.cost_micros),
        "cost_basis": generation.cost_basis.value,
        "adjustments": [msgspec.to_builtins(item) for item in generation.adjustments],
        "outputs": [asset_view(asset, urls) for asset in outputs],
        "metadata": generation.request.metadata,
        "trace_id": generation.trace_id,
        "overdue": generation.overdue,
        "created_at": generation.created_at.isoformat(),
        "finished_at": generation.finished_at.isoformat() if generation.finished_at else None,
        "error": None,
        "attention": attention_of(generation),
    }
    if generation.problem is not None:
        view["error"] = msgspec.to_builtins(generation.problem)
    return view


def attention_of(generation: Generation) -> str | None:
    """Return what is out of the ordinary about a generation: `submit_unknown` or `overdue`."""
    in_doubt = generation.problem is not None and generation.problem.code == "submit_unknown"
    # It may have been cancelled while nobody knew whether its provider had taken it.
    if generation.state is GenerationState.UNKNOWN or (
        in_doubt and generation.charge_micros is None
    ):
        return "submit_unknown"
    if generation.overdue and not generation.state.is_terminal:
        return "overdue"
    return None


def asset_view(asset: Asset, urls: AssetUrl) -> dict[str, Any]:
    """Return the public form of an asset."""
    facts = asset.facts
    dimensions = None
    if facts.width is not None and facts.height is not None:
        dimensions = {"width": facts.width, "height": facts.height}
    return {
        "asset_id": asset.id,
        "generation_id": asset.generation_id,
        "url": urls(asset, "content"),
        "thumbnail_url": urls(asset, "thumbnail"),
        "optimized_url": urls(asset, "optimized"),
        "media_type": facts.content_type,
        "kind": facts.kind.value,
        "dimensions": dimensions,
        "bytes": facts.byte_count,
        "seconds": facts.seconds,
        "frames_per_second": facts.frames_per_second,
        "video_codec": facts.video_codec,
        "audio_codec": facts.audio_codec,
        "channels": facts.channels,
        "sample_rate": facts.sample_rate,
        "sha256": asset.sha256,
        "text": asset.text,
        "seed": asset.seed,
        "revised_prompt": asset.revised_prompt,
        "created_at": asset.created_at.isoformat(),
    }


def price_view(price: Price) -> dict[str, Any]:
    """Return the public form of a price; unknown parts are `None`, never zero."""
    return {
        "credits": _number(price.credits),
        "usd": _number(price.usd),
        "basis": price.basis.value,
        "price_book_date": price.price_book_date,
        "explanation": price.explanation,
    }


def _number(amount: Decimal | None) -> int | float | None:
    """Return a JSON number; amounts have six places, which a float holds exactly enough."""
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _from_micros(micros: int | None) -> int | float | None:
    return None if micros is None else _number(Decimal(micros) / 1_000_000)
