"""Saying what became of a submit that nobody knew about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.states import GenerationState
from mediawright.jobs import resolving

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import Generation
    from mediawright.jobs.resolving import Resolution


async def resolve_generation(
    runtime: Runtime,
    generation_id: str,
    resolution: Resolution,
    *,
    vendor_id: str | None = None,
) -> Generation:
    """Say what became of an unknown submit, of whatever workspace, and return its generation.

    Args:
        runtime: The installation.
        generation_id: One that is `unknown`, or was cancelled while its submit was in doubt.
        resolution: What became of it.
        vendor_id: The provider's name for the job, to attach it.

    Raises:
        NotFoundError: There is no such generation.
        ConflictError: `not_unknown`: it is known what became of it.
        InvalidRequestError: `vendor_id_required`, `attach_unsupported`.
        MissingApiKeyError: The provider cannot be asked about the job without its key.
    """
    resolved = await resolving.resolve(
        runtime.job_context, generation_id, resolution, vendor_id=vendor_id
    )
    if resolved.state is GenerationState.RUNNING:
        await runtime.jobs.resume(generation_id)
    return resolved
