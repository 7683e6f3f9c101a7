"""The same verbs without `await`: a loop of its own runs in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mediawright.app.embedded import AsyncHandle, AsyncMediawright, Result, Source
from mediawright.app.intake import InputSource
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.operations import Operation
from mediawright.core.request import FallbackPolicy

if TYPE_CHECKING:
    from mediawright.app.estimates import Estimate
    from mediawright.app.follow import OnProgress
    from mediawright.app.settings import Settings
    from mediawright.core.generation import Asset, Generation, Span
    from mediawright.core.quote import Quote
    from mediawright.ledger.ledger import Balance

_T = TypeVar("_T")


class _LoopThread:
    """An event loop that runs in a thread and takes work from others."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="mediawright", daemon=True
        )
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Handle:
    """A generation under way."""

    def __init__(self, handle: AsyncHandle, loop: _LoopThread) -> None:
        """Follow what `handle` follows."""
        self._handle = handle
        self._loop = loop

    @property
    def id(self) -> str:
        """The generation's id."""
        return self._handle.id

    @property
    def generation(self) -> Generation:
        """The generation as it was when last looked at."""
        return self._handle.generation

    def refresh(self) -> Generation:
        """Look at the generation now."""
        return self._loop.run(self._handle.refresh())

    def wait(self, timeout: float | None = None, on_progress: OnProgress | None = None) -> Result:
        """Return the finished files; see `AsyncHandle.wait`."""
        return self._loop.run(self._handle.wait(timeout, on_progress))

    def cancel(self) -> Generation:
        """Cancel the generation; its state flips at once."""
        return self._loop.run(self._handle.cancel())

    def describe(self) -> dict[str, Any]:
        """Return the public form of the generation, as the REST API shows it."""
        return self._loop.run(self._handle.describe())


class Mediawright:
    """An installation of its own, in this process.

    Use it as a context manager::

        with Mediawright() as mediawright:
            print(mediawright.image("a red kite over dunes").wait().path)
    """

    def __init__(
        self,
        *,
        data_dir: str | Path | None = None,
        sandbox: bool | str = False,
        settings: Settings | None = None,
        workspace: str = DEFAULT_WORKSPACE,
    ) -> None:
        """Prepare an installation; it opens when it is entered, or at the first verb.

        Args:
            data_dir: The folder of everything that is kept; the platform's by default.
            sandbox: Imitate every provider: `True` within this process, or the address of
                a sandbox that runs elsewhere.
            settings: Instead of those in `mediawright.yaml` and the environment.
            workspace: To whom what is made belongs.
        """
        self._asynchronous = AsyncMediawright(
            data_dir=data_dir, sandbox=sandbox, settings=settings, workspace=workspace
        )
        self._loop: _LoopThread | None = None

    def open(self) -> Mediawright:
        """Open the installation and go on with what an earlier process left unfinished.

        Raises:
            ConflictError: Another process works in the same data folder.
        """
        loop = _LoopThread()
        try:
            loop.run(self._asynchronous.open())
        except BaseException:
            loop.stop()
            raise
        self._loop = loop
        return self

    def close(self) -> None:
        """Close it; generations that wait for a provider go on at the next start."""
        if self._loop is not None:
            self._loop.run(self._asynchronous.close())
            self._loop.stop()
            self._loop = None

    def __enter__(self) -> Mediawright:
        return self if self._loop is not None else self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def generate(
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
    ) -> Handle:
        """Generate with any model; see `AsyncMediawright.generate`."""
        return self._begin(
            self._asynchronous.generate(
                model=model,
                prompt=prompt,
                operation=operation,
                inputs=inputs,
                provider=provider,
                fallback=fallback,
                output_path=output_path,
                metadata=metadata,
                quote=quote,
                idempotency_key=idempotency_key,
                **parameters,
            )
        )

    def quote(self, *, model: str, **request: Any) -> Quote:
        """Check and price a request; see `AsyncMediawright.quote`."""
        return self._running().run(self._asynchronous.quote(model=model, **request))

    def estimate(
        self,
        *,
        model: str,
        prompt: str | None = None,
        operation: Operation | str | None = None,
        provider: str | None = None,
        **parameters: Any,
    ) -> Estimate:
        """Tell how long a request would take; see `AsyncMediawright.estimate`."""
        return self._running().run(
            self._asynchronous.estimate(
                model=model, prompt=prompt, operation=operation, provider=provider, **parameters
            )
        )

    def image(
        self,
        prompt: str,
        *,
        model: str | None = None,
        image: Source | None = None,
        mask: Source | None = None,
        **options: Any,
    ) -> Handle:
        """Make a picture, or change the one given as `image` (only where `mask` says)."""
        return self._begin(
            self._asynchronous.image(prompt, model=model, image=image, mask=mask, **options)
        )

    def video(
        self,
        prompt: str,
        *,
        model: str | None = None,
        first_frame: Source | None = None,
        last_frame: Source | None = None,
        **options: Any,
    ) -> Handle:
        """Make a clip, perhaps from a first frame, perhaps to a last one."""
        return self._begin(
            self._asynchronous.video(
                prompt, model=model, first_frame=first_frame, last_frame=last_frame, **options
            )
        )

    def music(self, prompt: str, *, model: str | None = None, **options: Any) -> Handle:
        """Compose a piece of music."""
        return self._begin(self._asynchronous.music(prompt, model=model, **options))

    def speak(self, text: str, *, model: str | None = None, **options: Any) -> Handle:
        """Speak a text."""
        return self._begin(self._asynchronous.speak(text, model=model, **options))

    def transcribe(self, audio: Source, *, model: str | None = None, **options: Any) -> Handle:
        """Write down what is said in a recording."""
        return self._begin(self._asynchronous.transcribe(audio, model=model, **options))

    def upload(self, *files: str | Path | bytes) -> tuple[Asset, ...]:
        """Keep files as assets, to be used as inputs as often as is wanted (rule 48)."""
        return self._running().run(self._asynchronous.upload(*files))

    def handle(self, generation_id: str) -> Handle:
        """Return a handle on an earlier generation."""
        return self._begin(self._asynchronous.handle(generation_id))

    def trace(self, generation_id: str) -> list[Span]:
        """Return the spans of a generation's trace."""
        return self._running().run(self._asynchronous.trace(generation_id))

    def balance(self) -> Balance:
        """Return the credits of the workspace."""
        return self._running().run(self._asynchronous.balance())

    def _begin(self, work: Coroutine[Any, Any, AsyncHandle]) -> Handle:
        loop = self._running()
        return Handle(loop.run(work), loop)

    def _running(self) -> _LoopThread:
        if self._loop is None:
            self.open()
        if self._loop is None:
            raise RuntimeError("The installation did not open.")
        return self._loop
