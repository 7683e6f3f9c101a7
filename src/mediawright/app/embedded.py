"""mediawright inside a Python program: the verbs, without a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.app.drafts import Source, draft_from, source_of
from mediawright.app.embedding import embedded_sandbox
from mediawright.app.estimates import Estimate, estimate
from mediawright.app.follow import OnProgress, failure_of, get_generation, trace_of, wait_for
from mediawright.app.generate import generate
from mediawright.app.intake import InputSource
from mediawright.app.logs import use_the_host_s_logging
from mediawright.app.quotes import quote as make_quote
from mediawright.app.runtime import Runtime
from mediawright.app.settings import Settings, load_settings
from mediawright.app.uploads import read_files, upload
from mediawright.app.views import full_view, local_urls, outputs_of
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.errors import WaitTimeoutError
from mediawright.core.operations import InputRole, Operation
from mediawright.core.quote import Quote
from mediawright.core.request import FallbackPolicy, GenerationRequest
from mediawright.core.states import GenerationState

if TYPE_CHECKING:
    from mediawright.core.generation import Asset, Generation, Span
    from mediawright.ledger.ledger import Balance


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A finished generation and its files."""

    generation: Any
    assets: tuple[Any, ...]
    paths: tuple[Path, ...]
    """Where the files lie on this machine, in the order of the assets."""

    @property
    def path(self) -> Path:
        """The file, for a generation that makes one."""
        return self.paths[0]

    @property
    def text(self) -> str | None:
        """The words, for a transcript."""
        return self.assets[0].text


class AsyncHandle:
    """A generation under way."""

    def __init__(self, runtime: Runtime, generation: Generation) -> None:
        """Follow `generation` in `runtime`."""
        self._runtime = runtime
        self._generation = generation

    @property
    def id(self) -> str:
        """The generation's id."""
        return self._generation.id

    @property
    def generation(self) -> Generation:
        """The generation as it was when last looked at."""
        return self._generation

    async def refresh(self) -> Generation:
        """Look at the generation now."""
        self._generation = await get_generation(
            self._runtime, self._generation.workspace_id, self.id
        )
        return self._generation

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - ends the wait, not the work
        on_progress: OnProgress | None = None,
    ) -> Result:
        """Return the finished files.

        Args:
            timeout: Seconds to wait at the most; the generation goes on when they end.
            on_progress: Called with the part done (0 to 1, or `None`) and the stage, perhaps
                from another thread.

        Raises:
            WaitTimeoutError: It was not finished in time.
            GenerationFailedError: It failed, or was cancelled.
            GenerationRefusedError: A safety policy refused it.
        """
        current = await wait_for(
            self._runtime, self._generation, seconds=timeout, on_progress=on_progress
        )
        self._generation = current
        failure = failure_of(current)
        if failure is not None:
            raise failure
        if current.state is not GenerationState.SUCCEEDED:
            raise WaitTimeoutError(
                "timeout",
                f"{self.id} is not finished after {timeout} seconds; it goes on.",
                hint=f"Look again: mediawright generations watch {self.id}",
                details={"generation_id": self.id},
            )
        assets = await outputs_of(self._runtime, current)
        paths = [await self._runtime.library.local_copy(asset) for asset in assets]
        return Result(generation=current, assets=tuple(assets), paths=tuple(paths))

    async def cancel(self) -> Generation:
        """Cancel the generation; its state flips at once.

        Raises:
            ConflictError: It has already ended.
        """
        self._generation = await self._runtime.jobs.cancel(self._generation.workspace_id, self.id)
        return self._generation

    async def describe(self) -> dict[str, Any]:
        """Return the public form of the generation, as the REST API shows it."""
        current = await self.refresh()
        return await full_view(self._runtime, current, local_urls(self._runtime))


class AsyncMediawright:
    """An installation of its own, in this process.

    Use it as an asynchronous context manager::

        async with AsyncMediawright() as mediawright:
            handle = await mediawright.image("a red kite over dunes")
            print((await handle.wait()).path)
    """

    def __init__(
        self,
        *,
        data_dir: str | Path | None = None,
        sandbox: bool | str = False,
        settings: Settings | None = None,
        workspace: str = DEFAULT_WORKSPACE,
    ) -> None:
        """Prepare an installation; it opens when it is entered.

        Args:
            data_dir: The folder of everything that is kept; the platform's by default.
            sandbox: Imitate every provider: `True` within this process, or the address of
                a sandbox that runs elsewhere.
            settings: Instead of those in `mediawright.yaml` and the environment.
            workspace: To whom what is made belongs.
        """
        self._settings = with_choices(
            settings or load_settings(), data_dir=data_dir, sandbox=sandbox
        )
        self._workspace = workspace
        self._runtime: Runtime | None = None
        self._sandbox = embedded_sandbox(self._settings)

    @property
    def runtime(self) -> Runtime:
        """The installation behind this object, for advanced use.

        Raises:
            RuntimeError: It is not open.
        """
        if self._runtime is None:
            raise RuntimeError("Use it as a context manager, or await open() first.")
        return self._runtime

    async def open(self) -> AsyncMediawright:
        """Open the installation and go on with what an earlier process left unfinished.

        Raises:
            ConflictError: Another process works in the same data folder.
        """
        use_the_host_s_logging()
        address = await self._sandbox.start()
        runtime = Runtime(self._settings, sandbox=address)
        try:
            await runtime.start()
        except BaseException:
            await runtime.close()
            await self._sandbox.stop()
            raise
        self._runtime = runtime
        return self

    async def close(self) -> None:
        """Close it; generations that wait for a provider go on at the next start."""
        if self._runtime is not None:
            await self._runtime.close()
            self._runtime = None
        await self._sandbox.stop()

    async def __aenter__(self) -> AsyncMediawright:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def generate(
        self,
        *,
        model: str,
        prompt: str | None = None,
        operation: Operation | str | None = None,
        inputs: Sequence[Source | InputSource] = (),
        provider: str | None = None,
        fallback: FallbackPolicy | str = FallbackPolicy.ON_OUTAGE,
        output_path: str | None = None,
        metadata: Mapping[str, str] | None = None,
        quote: Quote | str | None = None,
        idempotency_key: str | None = None,
        **parameters: Any,
    ) -> AsyncHandle:
        """Generate with any model.

        Args:
            model: A model of the catalogue.
            prompt: What is wanted.
            operation: Such as `text-to-image`; usually clear from model and inputs.
            inputs: Pictures, clips and sounds to work from.
            provider: This provider and no other.
            fallback: When another provider is tried after one that surely did not take it:
                `none`, `on_outage`, or `on_refusal`, which includes outages.
            output_path: Where in the drive the file goes.
            metadata: Labels of your own, such as `conversation_id`.
            quote: A quote of this request, or its id: no more is charged than it says.
            idempotency_key: Your name for this request: using it again makes nothing new.
            **parameters: Any parameter of the model, such as `aspect_ratio` or `seed`.

        Returns:
            A handle on the generation, which is under way.

        Raises:
            InvalidRequestError: It breaks a rule of the model; nothing was spent. All that is
                wrong is among its `problems`.
            ConflictError: `quote_expired` or `quote_used`.
            NotFoundError: `quote_not_found`.
        """
        draft = draft_from(
            model=model,
            prompt=prompt,
            operation=operation,
            inputs=inputs,
            provider=provider,
            fallback=fallback,
            output_path=output_path,
            metadata=metadata,
            **parameters,
        )
        generation = await generate(
            self.runtime,
            self._workspace,
            draft,
            quote_id=quote.id if isinstance(quote, Quote) else quote,
            idempotency_key=idempotency_key,
        )
        return AsyncHandle(self.runtime, generation)

    async def quote(self, *, model: str, **request: Any) -> Quote:
        """Check and price a request; nothing is held, kept or sent.

        Args:
            model: A model of the catalogue.
            **request: Whatever `generate` takes beside it to say what is wanted.

        Returns:
            The quote; hand it to `generate` with the same request.

        Raises:
            InvalidRequestError: It breaks a rule of the model.
        """
        draft = draft_from(model=model, **request)
        return await make_quote(self.runtime, self._workspace, draft)

    async def estimate(
        self,
        *,
        model: str,
        prompt: str | None = None,
        operation: Operation | str | None = None,
        provider: str | None = None,
        **parameters: Any,
    ) -> Estimate:
        """Tell how long a request would take; nothing is started (rule 46).

        Args:
            model: A model of the catalogue.
            prompt: What would be wanted, where its length counts.
            operation: Such as `text-to-image`; usually clear from the model.
            provider: Look only at how long this provider took.
            **parameters: Any parameter of the model, such as `duration`.

        Raises:
            InvalidRequestError: The model has no such operation or parameter value.
        """
        draft = draft_from(
            model=model, prompt=prompt, operation=operation, provider=provider, **parameters
        )
        request = GenerationRequest(
            model=draft.model,
            operation=draft.operation,
            prompt=draft.prompt,
            parameters=draft.parameters,
            provider=draft.provider,
        )
        return await estimate(self.runtime, request)

    async def image(
        self,
        prompt: str,
        *,
        model: str | None = None,
        image: Source | None = None,
        mask: Source | None = None,
        **options: Any,
    ) -> AsyncHandle:
        """Make a picture, or change the one given as `image` (only where `mask` says)."""
        inputs = [
            source_of(item, role)
            for item, role in ((image, InputRole.REFERENCE_IMAGE), (mask, InputRole.MASK))
            if item is not None
        ]
        chosen = model or self._settings.media.models.image
        return await self.generate(model=chosen, prompt=prompt, inputs=inputs, **options)

    async def video(
        self,
        prompt: str,
        *,
        model: str | None = None,
        first_frame: Source | None = None,
        last_frame: Source | None = None,
        **options: Any,
    ) -> AsyncHandle:
        """Make a clip, perhaps from a first frame, perhaps to a last one."""
        roles = ((first_frame, InputRole.FIRST_FRAME), (last_frame, InputRole.LAST_FRAME))
        inputs = [source_of(item, role) for item, role in roles if item is not None]
        chosen = model or self._settings.media.models.video
        return await self.generate(model=chosen, prompt=prompt, inputs=inputs, **options)

    async def music(self, prompt: str, *, model: str | None = None, **options: Any) -> AsyncHandle:
        """Compose a piece of music."""
        chosen = model or self._settings.media.models.music
        return await self.generate(model=chosen, prompt=prompt, **options)

    async def speak(self, text: str, *, model: str | None = None, **options: Any) -> AsyncHandle:
        """Speak a text."""
        chosen = model or self._settings.media.models.speech
        return await self.generate(model=chosen, prompt=text, **options)

    async def transcribe(
        self, audio: Source, *, model: str | None = None, **options: Any
    ) -> AsyncHandle:
        """Write down what is said in a recording."""
        chosen = model or self._settings.media.models.transcript
        source = source_of(audio, InputRole.REFERENCE_AUDIO)
        return await self.generate(model=chosen, inputs=[source], **options)

    async def upload(self, *files: str | Path | bytes) -> tuple[Asset, ...]:
        """Keep files as assets, to be used as inputs as often as is wanted (rule 48).

        Args:
            *files: Paths, or bytes.

        Returns:
            The assets, in the order of the files; their ids go into `inputs`.

        Raises:
            InvalidRequestError: One is missing, no media file or too large; none is kept.
        """
        uploaded = await upload(self.runtime, self._workspace, read_files(files))
        return tuple(one.asset for one in uploaded)

    async def handle(self, generation_id: str) -> AsyncHandle:
        """Return a handle on an earlier generation.

        Raises:
            NotFoundError: There is none of that id.
        """
        found = await get_generation(self.runtime, self._workspace, generation_id)
        return AsyncHandle(self.runtime, found)

    async def trace(self, generation_id: str) -> list[Span]:
        """Return the spans of a generation's trace."""
        return await trace_of(self.runtime, self._workspace, generation_id)

    async def balance(self) -> Balance:
        """Return the credits of the workspace."""
        return await self.runtime.ledger.balance(self._workspace)


def with_choices(
    settings: Settings, *, data_dir: str | Path | None, sandbox: bool | str
) -> Settings:
    """Return settings with what a caller chose beside them."""
    if data_dir is not None:
        settings = msgspec.structs.replace(settings, data_dir=Path(data_dir))
    if sandbox is not False:
        url = sandbox if isinstance(sandbox, str) else settings.sandbox.url
        chosen = msgspec.structs.replace(settings.sandbox, enabled=True, url=url)
        settings = msgspec.structs.replace(settings, sandbox=chosen)
    return settings
