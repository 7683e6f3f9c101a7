"""The use-case everything else serves: check, price, hold, and set a generation going."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from mediawright.app.element_files import inspect_elements
from mediawright.app.fitting import fit_pictures
from mediawright.app.intake import (
    Draft,
    Inspected,
    discard,
    facts_of,
    fetch_missing,
    forget_inputs,
    inspect_inputs,
    keep_inputs,
    to_request,
    with_boxes,
)
from mediawright.app.quote_use import claim_of, promised, require_same, require_usable
from mediawright.app.route_choice import choose_routes
from mediawright.assets.naming import check_output_path
from mediawright.catalog.findings import error_from
from mediawright.catalog.preflight import (
    NO_ELEMENT_FACTS,
    Checked,
    PreflightSettings,
    preflight,
)
from mediawright.catalog.pricing import PriceSettings
from mediawright.catalog.surfaces import VIDEO_TOOL_LIMITS
from mediawright.core.errors import InvalidRequestError, MediawrightError
from mediawright.core.generation import Generation, RoutePlan, SkippedRoute
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Price
from mediawright.core.states import GenerationState
from mediawright.jobs.creating import same_request
from mediawright.store import generations, quotes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime
    from mediawright.core.errors import Problem
    from mediawright.core.media import MediaFacts
    from mediawright.core.quote import Quote
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
    prices: PriceSettings
    """How its price was worked out."""
    quote: Quote | None = None
    """The quote it names, which was made for it."""

    @property
    def price(self) -> Price:
        """What it will be charged: today's price, and no more than its quote says."""
        return promised(self.quote, self.routes[0].price)


async def generate(
    runtime: Runtime,
    workspace_id: str,
    draft: Draft,
    *,
    quote_id: str | None = None,
    idempotency_key: str | None = None,
    api_key_id: str | None = None,
) -> Generation:
    """Check a request, set its price aside and set it going.

    Args:
        runtime: The installation.
        workspace_id: Whose request it is.
        draft: What is wanted.
        quote_id: A quote of this request, whose price is not exceeded.
        idempotency_key: The caller's name for this request; using it again returns the
            first generation instead of making a second, though its inputs may be gone by then.
        api_key_id: The key the request came with.

    Returns:
        The generation, under way.

    Raises:
        InvalidRequestError: It breaks a rule; nothing was held, sent or kept.
        MissingApiKeyError: No provider for it has a key.
        InsufficientCreditError: The balance does not cover it.
        NotFoundError: `quote_not_found`.
        ConflictError: The idempotency key was used for another request; or `quote_expired` or
            `quote_used`.
        UnavailableError: Every provider for it is left alone for a while, because it failed.
    """
    draft = _with_our_names(runtime, draft)
    _check_key(idempotency_key)
    quote: Quote | None = None
    if idempotency_key is not None or quote_id is not None:
        # As of one moment: a quote that its own request has used is no obstacle to repeating it.
        earlier, found = await runtime.database.read(
            lambda connection: _known(connection, workspace_id, idempotency_key, quote_id)
        )
        if earlier is not None:
            return same_request(earlier, _hash(draft, quote_id))
        if quote_id is not None:
            quote = require_usable(quote_id, found, runtime.clock.now())
    prepared = await prepare(runtime, workspace_id, draft, quote=quote)
    return await start(
        runtime, workspace_id, prepared, idempotency_key=idempotency_key, api_key_id=api_key_id
    )


async def prepare(
    runtime: Runtime, workspace_id: str, draft: Draft, *, quote: Quote | None = None
) -> Prepared:
    """Check and price a request; follow with `start` or `abandon`.

    Args:
        runtime: The installation.
        workspace_id: Whose request it is.
        draft: What is wanted.
        quote: A quote that may be used for it.

    Raises:
        InvalidRequestError: It breaks a rule; or `quote_mismatch`.
        MissingApiKeyError: No provider for it has a key.
        UnavailableError: Every provider for it is left alone for a while, because it failed.
    """
    draft = _with_our_names(runtime, draft)
    _require_model(runtime, draft.model)
    settings = _on_surface(await runtime.markups.settings_for(workspace_id), draft)
    inspected = await inspect_inputs(runtime, workspace_id, draft.inputs)
    try:
        facts = facts_of(inspected)
        shown = await inspect_elements(runtime, workspace_id, draft)
        checked = check(runtime, to_request(draft, inspected), facts, settings, shown)
        if quote is not None:
            require_same(quote, checked.request, inspected)
        choice = await choose_routes(runtime, checked)
        fitted = fit_pictures(checked, choice.routes, facts, draft.parameters.aspect_ratio)
    except BaseException:
        await discard(inspected)
        raise
    return Prepared(
        draft=draft,
        checked=fitted.checked,
        routes=choice.routes,
        skipped_routes=choice.skipped,
        inspected=with_boxes(inspected, fitted.boxes),
        prices=settings.prices,
        quote=quote,
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
        ConflictError: The idempotency key was used for another request; or `quote_used`.
    """
    prepared = await _completed(runtime, prepared)
    checked, quote = prepared.checked, prepared.quote
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
        request_hash=_hash(prepared.draft, None if quote is None else quote.id),
        api_key_id=api_key_id,
        created_at=now,
        updated_at=now,
    )
    try:
        created = await runtime.jobs.create(generation, claim=claim_of(quote))
    except BaseException:
        await forget_inputs(runtime, kept)
        raise
    if created.id != generation.id:
        await forget_inputs(runtime, kept)
    return created


def _on_surface(settings: PreflightSettings, draft: Draft) -> PreflightSettings:
    """Return the settings with what the surface demands of files (C32)."""
    if not draft.video_tool:
        return settings
    return msgspec.structs.replace(settings, surface=VIDEO_TOOL_LIMITS)


async def _completed(runtime: Runtime, prepared: Prepared) -> Prepared:
    """Return a request with the files that were priced unseen (rule 42), fetched and checked.

    The price stays what it was, whatever the length of a file turns out to be.
    """
    if not any(item.is_missing for item in prepared.inspected):
        return prepared
    try:
        inspected = await fetch_missing(runtime, prepared.inspected)
    except BaseException:
        await discard(prepared.inspected)
        raise
    try:
        facts = facts_of(inspected)
        settings = _on_surface(runtime.preflight_settings, prepared.draft)
        check(runtime, prepared.checked.request, facts, settings)
        fitted = fit_pictures(
            prepared.checked, prepared.routes, facts, prepared.draft.parameters.aspect_ratio
        )
    except BaseException:
        await discard(inspected)
        raise
    return msgspec.structs.replace(
        prepared, checked=fitted.checked, inspected=with_boxes(inspected, fitted.boxes)
    )


def check(
    runtime: Runtime,
    request: GenerationRequest,
    facts: Mapping[int, MediaFacts],
    settings: PreflightSettings | None = None,
    element_facts: Mapping[str, MediaFacts] = NO_ELEMENT_FACTS,
) -> Checked:
    """Run the rules and prices over a request; nothing is held or sent.

    Args:
        runtime: The installation.
        request: The request.
        facts: What is known about its inputs, by their index.
        settings: How the workspace's requests are priced; as the installation's by default.
        element_facts: What is known about the files of its elements, by URL or asset id.

    Raises:
        MediawrightError: Of everything that is wrong, the first; all of it in its `problems`.
    """
    try:
        checked = preflight(
            runtime.catalogue,
            request,
            input_facts=facts,
            element_facts=element_facts,
            now=runtime.clock.now(),
            settings=settings or runtime.preflight_settings,
        )
    except MediawrightError as error:
        wrong_path = _path_problem(runtime, request)
        if wrong_path is None:
            raise
        raise error_from([*error.problems, wrong_path]) from error
    if request.output_path is not None:
        check_output_path(request.output_path, checked.operation.output_kind)
    return checked


def _path_problem(runtime: Runtime, request: GenerationRequest) -> Problem | None:
    """Return what is wrong with the output path of a request that breaks other rules."""
    found, _ = runtime.catalogue.find(request.model)
    if found is None or request.output_path is None:
        return None
    operation = request.operation or next(iter(found[0].operations))
    try:
        check_output_path(request.output_path, operation.output_kind)
    except InvalidRequestError as error:
        return error.to_problem()
    return None


def _require_model(runtime: Runtime, model_id: str) -> None:
    """Refuse an unknown model or a family label before any input is fetched (rule 30)."""
    found, problem = runtime.catalogue.find(model_id)
    if found is None and problem is not None:
        raise error_from([problem])


def _with_our_names(runtime: Runtime, draft: Draft) -> Draft:
    """Return the draft with our name for its provider; whether there is one is checked later."""
    if draft.provider is None:
        return draft
    name = runtime.providers.canonical(draft.provider)
    return msgspec.structs.replace(draft, provider=name)


def _check_key(idempotency_key: str | None) -> None:
    if idempotency_key is not None and not 0 < len(idempotency_key) <= _LONGEST_KEY:
        raise InvalidRequestError(
            "invalid_idempotency_key",
            f"An idempotency key has 1 to {_LONGEST_KEY} characters.",
        )


def _known(
    connection: Connection, workspace_id: str, idempotency_key: str | None, quote_id: str | None
) -> tuple[Generation | None, Quote | None]:
    earlier = found = None
    if idempotency_key is not None:
        earlier = generations.by_idempotency_key(connection, workspace_id, idempotency_key)
    if quote_id is not None:
        found = quotes.get(connection, workspace_id, quote_id)
    return earlier, found


def _hash(draft: Draft, quote_id: str | None) -> str:
    """Return a digest of what was asked, the same for the same request."""
    shown = msgspec.to_builtins(draft, enc_hook=str)
    if quote_id is not None:
        shown["quote"] = quote_id
    return hashlib.sha256(msgspec.json.encode(shown, order="deterministic")).hexdigest()
