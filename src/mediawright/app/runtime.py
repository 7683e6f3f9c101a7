"""The composition root: builds an installation out of its parts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from mediawright.app.data_folder import DataFolder
from mediawright.app.directory import Directory, SandboxAddress
from mediawright.app.hooks import HookAddresses
from mediawright.app.lazy_engine import LazyEngine
from mediawright.app.markups import Markups
from mediawright.app.webhook_sender import WebhookSender
from mediawright.app.workspaces import DEFAULT_WORKSPACE, ensure_workspace
from mediawright.assets.drive import Drive
from mediawright.assets.library import AssetLibrary
from mediawright.assets.staging import Staging
from mediawright.catalog.applied import applied_of
from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.preflight import PreflightSettings
from mediawright.catalog.pricing import PriceSettings, cost_of_usage
from mediawright.core.clock import Clock, SystemClock
from mediawright.core.errors import InvalidRequestError, UnavailableError
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.provider import Usage
from mediawright.engines.local.provider import LocalProvider
from mediawright.jobs.admission import Admission
from mediawright.jobs.advance import Steps
from mediawright.jobs.context import JobContext
from mediawright.jobs.gate import AccountGate
from mediawright.jobs.health import Circuits
from mediawright.jobs.jobs import Jobs
from mediawright.jobs.membership import Member, Membership, SoleWorker
from mediawright.jobs.orphans import sweeping
from mediawright.jobs.rendering import Renderer
from mediawright.jobs.replies import ReplyJournal
from mediawright.jobs.reports import Reports
from mediawright.jobs.retention import Retention
from mediawright.ledger.ledger import Ledger
from mediawright.providerkit.driver import Driver
from mediawright.providerkit.urls import origin_of
from mediawright.store.database import Database
from mediawright.store.kinds import WorkerRole
from mediawright.tracing.meter import Fanout, Meter
from mediawright.tracing.tracer import Tracer

if TYPE_CHECKING:
    from decimal import Decimal

    from mediawright.app.settings import Settings
    from mediawright.app.telemetry import Telemetry
    from mediawright.core.generation import Generation, RoutePlan
    from mediawright.core.money import PriceBasis
    from mediawright.jobs.signals import Signals
    from mediawright.store.secret_box import SecretBox

_COLLECTOR_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
_LAST_RENDITIONS = 10.0
"""Seconds in which a process that stops still makes the smaller versions of what it delivered."""
EXECUTOR = "local"
"""The name of the one process that works in a data folder; constant, so that the next one
recovers what this one leaves. On PostgreSQL each process has a new name."""


class Runtime:
    """A running installation: everything a use-case needs.

    Attributes:
        settings: The operator's.
        clock: Time.
        folder: Where everything is kept.
        database: Our own tables.
        library: Finished files.
        catalogue: The models.
        providers: Who can be called.
        driver: Carries provider traffic and fetches files.
        tracer: Writes traces.
        meter: What this process has measured.
        measures: Where measurements go.
        webhook_sender: Posts events to endpoints of callers.
        circuits: Which providers are left alone for a while, because they failed.
        ledger: Credits.
        jobs: Generations under way.
        job_context: The parts that the steps of generations work with.
        engine: Runs the durable ones.
        membership: This process among those that work.
        signals: Wake-ups in this process.
        hook_addresses: Where providers report to.
        retention: Removes what served its purpose.
        renderer: Makes the smaller versions of files, in a server after they are delivered.
        reports: Does what follows from their reports.
        preflight_settings: How requests are checked and priced, where nothing else is said.
        markups: The same for each workspace, with its own markup.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        environment: Mapping[str, str] | None = None,
        sandbox: SandboxAddress | None = None,
    ) -> None:
        """Build the parts; nothing is opened, started or locked.

        Args:
            settings: The operator's.
            clock: Time; the machine's unless a test moves it.
            environment: Where provider keys are read from; the process's by default.
            sandbox: Where imitated providers answer, in place of all real ones.
        """
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.folder = DataFolder(settings.data_folder())
        self.database = Database(self._database_url())
        self.meter = Meter()
        self.measures = Fanout(self.meter)
        self.tracer = Tracer(self.database, self.clock)
        self._environment = os.environ if environment is None else environment
        self._telemetry: Telemetry | None = None
        self.catalogue = load_catalogue(settings.media.catalogue)
        self.staging = Staging(self.folder.staging)
        self.library = AssetLibrary(self._drive(), self.staging, self.clock)
        self.driver = Driver(
            staging=self.folder.staging,
            allowed_origins=_own_origins(settings, sandbox),
            clock=self.clock,
        )
        self.local = LocalProvider(self.folder.staging)
        self.providers = Directory(
            settings=settings,
            driver=self.driver,
            local=self.local,
            environment=self._environment,
            clock=self.clock,
            sandbox=sandbox,
            measures=self.measures,
        )
        self.webhook_sender = WebhookSender(self)
        self.ledger = Ledger(self.database)
        self.preflight_settings = PreflightSettings(
            prices=PriceSettings(
                credits_per_usd=settings.account.credits_per_usd, markup=settings.account.markup
            ),
            use_successors=settings.media.use_successors,
            end_warning_days=settings.media.end_warning_days,
            providers=frozenset(self.providers.names()),
            adapters=frozenset(self.providers.names()),
        )
        self.markups = Markups(self.database, self.clock, self.preflight_settings)
        # A pool of its own, so that a sign of life never waits for other work.
        self._signs_of_life = Database(self._database_url())
        self.membership = self._membership()
        self.hook_addresses = HookAddresses(
            settings.server,
            self.providers,
            lambda: self.secret_box,
            sandboxed=sandbox is not None,
        )
        self.circuits = Circuits(
            self.database,
            self.clock,
            settings.jobs.circuit,
            account_mark=self.providers.account_mark,
            measures=self.measures,
        )
        self.renderer = Renderer(self.database, self.library, self.clock)
        self._rendering: asyncio.Task[None] | None = None
        self.admission = Admission(settings.limit_settings())
        context = self.job_context = self._job_context()
        self.signals: Signals = context.signals
        steps = Steps(context)
        self.engine = LazyEngine(self._engine_url(), self.membership.id, steps)
        self.jobs = Jobs(
            context,
            steps,
            self.engine,
            admission=self.admission,
            membership=self.membership,
            settings=settings.workers,
        )
        self.retention = Retention(context, self.engine, self.membership, self.library.clean_up)
        self.reports = Reports(context, steps.is_active, self.jobs.resume)

    async def start(
        self,
        *,
        eager: bool = False,
        role: WorkerRole = WorkerRole.EMBEDDED,
        fenced: Callable[[], None] | None = None,
    ) -> int:
        """Open the database, take the data folder and go on with what was left.

        On PostgreSQL the folder is shared with other processes, and so is the work.

        Args:
            eager: Start the durable engine at once, as a server does.
            role: What this process is for.
            fenced: What to do when this process may not act any more, because it lost touch
                with the database and others took over; by default it stops working.

        Returns:
            How many generations an earlier process had left unfinished.

        Raises:
            ConflictError: Another process works in the data folder.
        """
        if self.database.is_sqlite:
            self.folder.lock()
            # Whoever wrote what is half written held the lock, and is gone.
            await asyncio.to_thread(self.staging.clean_up_now, 0.0)
            await asyncio.to_thread(self.job_context.replies.drop_partial_now)
        await self.open()
        self._start_telemetry()
        self.webhook_sender.start()
        if eager:
            await self.library.clean_up()
            if self.hook_addresses.obstacle is None:
                await self.hook_addresses.open()
        chores = (
            *self.reports.chores(),
            sweeping(self.job_context, self.jobs.resume),
            *self.retention.chores(),
            self.renderer.sweeping(),
        )
        if role is not WorkerRole.EMBEDDED:
            self.renderer.defer()
            self._rendering = asyncio.create_task(self.renderer.run())
        return await self.jobs.start(eager=eager, role=role, fenced=fenced, chores=chores)

    async def open_to_create(self) -> None:
        """Open the database to take requests, and leave it to other processes to run them.

        Raises:
            InvalidRequestError: `needs_postgres`.
        """
        require_shared_database(self.settings)
        self.jobs.only_create()
        await self.open()
        self._start_telemetry()

    @cached_property
    def secret_box(self) -> SecretBox:
        """What seals the secrets that are stored; opened when it is first needed."""
        from mediawright.app.master_key import open_secret_box  # noqa: PLC0415 - slow to load

        return open_secret_box(self.folder.root, self._environment)

    def _start_telemetry(self) -> None:
        """Send traces and measurements, if a collector is named.

        Raises:
            UnavailableError: `missing_dependency`.
        """
        settings = self.settings.telemetry
        if not (settings.otlp_endpoint or self._environment.get(_COLLECTOR_VARIABLE)):
            return
        try:
            from mediawright.app.telemetry import Telemetry  # noqa: PLC0415 - an extra, and slow
        except ModuleNotFoundError as error:
            raise UnavailableError(
                "missing_dependency",
                f"Sending telemetry needs a package that is not installed: {error.name}.",
                hint="Install it: pip install 'mediawright[otel]'",
            ) from error
        self._telemetry = Telemetry(self, settings)
        self.measures.add(self._telemetry)
        self._telemetry.start()

    async def open(self) -> None:
        """Open the database only, for looking and not for generating."""
        await asyncio.to_thread(self.database.migrate)
        await ensure_workspace(self, DEFAULT_WORKSPACE)

    async def close(self) -> None:
        """Stop everything; unfinished waits go on at the next start."""
        await self.webhook_sender.close()
        await self.jobs.close()
        if self._rendering is not None:
            await self.renderer.finish(_LAST_RENDITIONS)
            self._rendering.cancel()
            with suppress(asyncio.CancelledError):
                await self._rendering
        await self.circuits.close()
        if self._telemetry is not None:
            await self._telemetry.close()
        self.local.close()
        await self.driver.close()
        await asyncio.to_thread(self.database.close)
        await asyncio.to_thread(self._signs_of_life.close)
        self.folder.unlock()

    def _drive(self) -> Drive:
        output = self.settings.media.output
        if output.drive_url is not None:
            return Drive.from_url(output.drive_url)
        return Drive.local(self.folder.files)

    def _job_context(self) -> JobContext:
        return JobContext(
            database=self.database,
            ledger=self.ledger,
            tracer=self.tracer,
            measures=self.measures,
            library=self.library,
            providers=self.providers,
            downloader=self.driver,
            replies=ReplyJournal(self.folder.replies),
            cost_of=self._cost_of,
            clock=self.clock,
            executor=self.membership.id,
            lease=self.membership,
            executors=self.membership,
            settings=self.settings.jobs,
            hook_urls=self.hook_addresses,
            health=self.circuits,
            renditions=self.renderer,
            gate=AccountGate(self.database, self.admission, self.clock),
        )

    def _database_url(self) -> str:
        return self.settings.database_url or self.folder.database_url

    def _membership(self) -> Membership:
        if self.database.is_sqlite:
            return SoleWorker(EXECUTOR, self.clock)
        return Member(
            self._signs_of_life, new_id(IdPrefix.WORKER), self.clock, self.settings.workers
        )

    def _engine_url(self) -> str:
        if self.database.is_sqlite:
            return self.folder.engine_url
        return self.settings.database_url or ""

    def _cost_of(
        self, generation: Generation, route: RoutePlan, usage: Usage
    ) -> tuple[Decimal, PriceBasis] | None:
        """Return what a finished generation costs: by its usage, else as it was quoted."""
        found = None
        # Without a word from the provider the quote is as good, and knew the files' lengths.
        said = usage != Usage()
        if generation.model in self.catalogue and (said or route.price.usd is None):
            model = self.catalogue.get(generation.model)
            applied = applied_of(model, generation.request)
            data = model.find_route(route.provider, route.upstream_id, generation.operation)
            found = None if data is None else cost_of_usage(model, data, usage, applied)
        if found is None and route.price.usd is not None:
            return route.price.usd, route.price.basis
        return found


def require_shared_database(settings: Settings) -> None:
    """Return if several processes may work on the database.

    Raises:
        InvalidRequestError: `needs_postgres`.
    """
    if settings.database_url is None or settings.database_url.startswith("sqlite"):
        raise InvalidRequestError(
            "needs_postgres",
            "Several processes share their work through PostgreSQL; this is SQLite.",
            hint="Set MEDIAWRIGHT_DATABASE_URL to postgresql+psycopg://user@host/name; without "
            "it `mediawright serve` does everything in one process.",
        )


def _own_origins(settings: Settings, sandbox: SandboxAddress | None) -> frozenset[str]:
    """Return the origins that are the operator's own choice and may be private."""
    chosen = frozenset(origin_of(url) for url in settings.media.allowed_origins)
    if sandbox is not None:
        return chosen | {sandbox.root}
    return chosen | {
        origin_of(url)
        for provider in settings.media.providers.values()
        for url in provider.base_urls.values()
    }
