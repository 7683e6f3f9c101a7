"""The use-case everything else serves: check, price, hold, and set a generation going."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from mediawright.app.intake import (
    Draft,
    Inspected,
    discard,
    forget_inputs,
    inspect_inputs,
    keep_inputs,
    to_request,
)
from mediawright.app.route_choice import choose_routes
from mediawright.assets.naming import check_output_path
from mediawright.catalog.findings import error_from
from mediawright.catalog.preflight import Checked, preflight
from mediawright.core.errors import InvalidRequestError
from mediawright.core.generation import Generation, RoutePlan, SkippedRoute
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Price
from mediawright.core.states import GenerationState
from mediawright.jobs.creating import same_request
from mediawright.store import generations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mediawright.app.runtime import Runtime
    from mediawright.core.media import MediaFacts
    from mediawright.core.request import GenerationRequest


_LONGEST_KEY = 255
"""Characters of an idempotency key."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A request that passed every check and was priced; nothing is held, kept or sent yet."""

    draft: Draft
    checked: Checked
    routes: tuple[RoutePlan, ...]
    """The routes that could be taken now, the first one first."""
    skipped_routes: tuple[SkippedRoute, ...]
    inspected: list[Inspected]

    @property
    def price(self) -> Price:
        """What it will be charged."""
        return self.routes[0].price


async def generate(
    runtime: Runtime,
    workspace_id: str,
    draft: Draft,
    *,
    idempotency_key: str | None = None,
    api_key_id: str | None = None,
) -> Generation:
    """Check a request, set its price aside and set it going.

    Args:
        runtime: The installation.
        workspace_id: Whose request it is.
        draft: What is wanted.
        idempotency_key: The caller's name for this request; using it again returns the
            first generation instead of making a second, though its inputs may be gone by then.
        api_key_id: The key the request came with.

    Returns:
        The generation, under way.

    Raises:
        InvalidRequestError: It breaks a rule; nothing was held, sent or kept.
        MissingApiKeyError: No provider for it has a key.
        InsufficientCreditError: The balance does not cover it.
        ConflictError: The idempotency key was used for another request.
        UnavailableError: Every provider for it is left alone for a while, because it failed.
    """
    draft = _with_known_provider(runtime, draft)
    if idempotency_key is not None:
        if not 0 < len(idempotency_key) <= _LONGEST_KEY:
            raise InvalidRequestError(
                "invalid_idempotency_key",
                f"An idempotency key has 1 to {_LONGEST_KEY} characters.",
            )
        earlier = await runtime.database.read(
            lambda connection: generations.by_idempotency_key(
                connection, workspace_id, idempotency_key
            )
        )
        if earlier is not None:
            return same_request(earlier, _hash(draft))
    prepared = await prepare(runtime, workspace_id, draft)
    return await start(
        runtime, workspace_id, prepared, idempotency_key=idempotency_key, api_key_id=api_key_id
    )


async def prepare(runtime: Runtime, workspace_id: str, draft: Draft) -> Prepared:
    """Check and price a request; follow with `start` or `abandon`.

    Raises:
        InvalidRequestError: It breaks a rule.
        MissingApiKeyError: No provider for it has a key.
        UnavailableError: Every provider for it is left alone for a while, because it failed.
    """
    draft = _with_known_provider(runtime, draft)
    _require_model(runtime, draft.model)
    inspected = await inspect_inputs(runtime, workspace_id, draft.inputs)
    try:
        facts = {index: item.facts for index, item in enumerate(inspected)}
        checked = check(runtime, to_request(draft, inspected), facts)
        choice = await choose_routes(runtime, checked)
    except BaseException:
        await discard(inspected)
        raise
    return Prepared(
        draft=draft,
        checked=checked,
        routes=choice.routes,
        skipped_routes=choice.skipped,
        inspected=inspected,
    )


async def abandon(prepared: Prepared) -> None:
    """Leave nothing behind of a request that will not be started."""
    await discard(prepared.inspected)


async def start(
    runtime: Runtime,
    workspace_id: str,
    prepared: Prepared,
    *,
    idempotency_key: str | None = None,
    api_key_id: str | None = None,
) -> Generation:
    """Set the price of a prepared request aside and set it going.

    Raises:
        InsufficientCreditError: The balance does not cover it.
        ConflictError: The idempotency key was used for another request.
    """
    checked = prepared.checked
    try:
        request, kept = await keep_inputs(
            runtime, workspace_id, checked.request, prepared.inspected
        )
    finally:
        await discard(prepared.inspected)
    now = runtime.clock.now()
    generation = Generation(
        id=new_id(IdPrefix.GENERATION),
        workspace_id=workspace_id,
        trace_id=new_id(IdPrefix.TRACE),
        state=GenerationState.QUEUED,
        operation=checked.operation,
        model=checked.model.id,
        provider=prepared.routes[0].provider,
        request=request,
        routes=prepared.routes,
        skipped_routes=prepared.skipped_routes,
        price=prepared.price,
        adjustments=checked.adjustments,
        estimated_seconds=checked.estimated_seconds,
        idempotency_key=idempotency_key,
        request_hash=_hash(prepared.draft),
        api_key_id=api_key_id,
        created_at=now,
        updated_at=now,
    )
    try:
        created = await runtime.jobs.create(generation)
    except BaseException:
        await forget_inputs(runtime, kept)
        raise
    if created.id != generation.id:
        await forget_inputs(runtime, kept)
    return created


def check(runtime: Runtime, request: GenerationRequest, facts: Mapping[int, MediaFacts]) -> Checked:
    """Run the rules and prices over a request; nothing is held or sent."""
    checked = preflight(
        runtime.catalogue,
        request,
        input_facts=facts,
        now=runtime.clock.now(),
        settings=runtime.preflight_settings,
    )
    if request.output_path is not None:
        check_output_path(request.output_path, checked.operation.output_kind)
    return checked


def _require_model(runtime: Runtime, model_id: str) -> None:
    """Refuse an unknown model or a family label before any input is fetched (rule 30)."""
    found, problem = runtime.catalogue.find(model_id)
    if found is None and problem is not None:
        raise error_from([problem])


def _with_known_provider(runtime: Runtime, draft: Draft) -> Draft:
    if draft.provider is None:
        return draft
    name = runtime.providers.canonical(draft.provider)
    if name not in runtime.catalogue.providers:
        name = runtime.providers.resolve(name)
    return msgspec.structs.replace(draft, provider=name)


def _hash(draft: Draft) -> str:
    """Return a digest of what was asked, the same for the same request."""
    shown = msgspec.to_builtins(draft, enc_hook=str)
    return hashlib.sha256(msgspec.json.encode(shown, order="deterministic")).hexdigest()
