"""One run of a command: settings, an installation, and an event loop for it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog

from mediawright.app.embedded import with_choices
from mediawright.app.embedding import embedded_sandbox
from mediawright.app.runtime import Runtime
from mediawright.app.settings import load_settings
from mediawright.cli.options import current_invocation
from mediawright.cli.output import is_coloured
from mediawright.core.errors import ConflictError
from mediawright.providerkit.redaction import Redactor, is_secret_name
from mediawright.store.kinds import WorkerRole

if TYPE_CHECKING:
    from mediawright.app.settings import ServerSettings, Settings
    from mediawright.cli.options import CommonOptions

_T = TypeVar("_T")
_COLLECTED_AT = (10_000, 20, 20)
"""Objects made since the last collection, and collections of the younger before the older."""

FENCED = 70
"""The exit code of a process that lost touch with the database for too long."""


def settings_for(common: CommonOptions) -> Settings:
    """Return the settings with what the command line says."""
    settings = load_settings(common.config)
    wanted = common.sandbox or settings.sandbox.enabled
    return with_choices(settings, data_dir=common.data_dir, sandbox=wanted)


@asynccontextmanager
async def working(
    common: CommonOptions, *, eager: bool = False, role: WorkerRole = WorkerRole.EMBEDDED
) -> AsyncGenerator[Runtime]:
    """Yield an installation that generates; what was left unfinished goes on meanwhile.

    Args:
        common: What the command line says.
        eager: Whether the engine starts at once, as a server's does.
        role: What the process is for.
    """
    async with _built(common) as runtime:
        await runtime.start(eager=eager, role=role, fenced=end_at_once)
        yield runtime


@asynccontextmanager
async def creating(common: CommonOptions) -> AsyncGenerator[Runtime]:
    """Yield an installation that takes requests, which other processes run.

    Raises:
        InvalidRequestError: `needs_postgres`.
    """
    async with _built(common) as runtime:
        await runtime.open_to_create()
        yield runtime


def end_at_once() -> None:
    """End the process on the spot, because others have taken over what it was doing."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(FENCED)


@asynccontextmanager
async def looking(common: CommonOptions, *, at_providers: bool = False) -> AsyncGenerator[Runtime]:
    """Yield an installation that only looks, also while another process works in it.

    Args:
        common: What the command line says.
        at_providers: Whether it matters which providers are imitated.
    """
    async with _built(common, at_providers=at_providers) as runtime:
        await runtime.open()
        yield runtime


@asynccontextmanager
async def joining(common: CommonOptions) -> AsyncGenerator[Runtime]:
    """Yield an installation to follow or cancel something in that is under way.

    When another process works in the data folder, the rows tell it and tell of it;
    otherwise this process goes on with what is unfinished.
    """
    async with _built(common) as runtime:
        try:
            await runtime.start(fenced=end_at_once)
        except ConflictError:
            await runtime.open()
        yield runtime


@asynccontextmanager
async def _built(common: CommonOptions, *, at_providers: bool = True) -> AsyncGenerator[Runtime]:
    """Yield an installation that is not opened yet, and close it afterwards."""
    settings = settings_for(common)
    sandbox = embedded_sandbox(settings)
    runtime = Runtime(settings, sandbox=await sandbox.start() if at_providers else None)
    try:
        yield runtime
    finally:
        await runtime.close()
        await sandbox.stop()


def serving_settings(
    server: ServerSettings,
    *,
    host: str | None,
    port: int | None,
    loopback_without_key: bool,
) -> ServerSettings:
    """Return the server's settings with what the command line says."""
    return msgspec.structs.replace(
        server,
        host=host or server.host,
        port=server.port if port is None else port,
        loopback_without_key=loopback_without_key or server.loopback_without_key,
    )


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a command's coroutine to its end."""
    configure_logging()
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        return runner.run(work)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes event loops with libuv where that is installed, as with a server."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


def settle_in() -> None:
    """Spare the garbage collector what stays for as long as the process lives.

    A server makes many small objects that live for a request or a wait, and few cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AT)


def configure_logging(level: int = logging.WARNING) -> None:
    """Send the log to stderr, in lines, from `level` upwards; secrets are left out of it."""
    secrets = [value for name, value in os.environ.items() if value and is_secret_name(name)]
    redactor = Redactor(secrets)
    coloured = is_coloured(current_invocation().common, err=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            # Tracebacks without the values of variables: those may hold keys and prompts.
            structlog.dev.ConsoleRenderer(
                colors=coloured, exception_formatter=structlog.dev.plain_traceback
            ),
            partial(_redacted, redactor),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter(redactor))
    logging.basicConfig(level=level, handlers=[handler])


def _redacted(redactor: Redactor, logger: Any, method: str, line: Any) -> str:
    del logger, method
    return redactor.text(str(line))


class _RedactingFormatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(levelname)s %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.text(super().format(record))
