"""One run of a command: settings, an installation, and an event loop for it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog

from mediawright.app.embedded import with_choices
from mediawright.app.embedding import embedded_sandbox
from mediawright.app.runtime import Runtime
from mediawright.app.settings import load_settings
from mediawright.core.errors import ConflictError

if TYPE_CHECKING:
    from mediawright.app.settings import ServerSettings, Settings
    from mediawright.cli.options import CommonOptions

_T = TypeVar("_T")


def settings_for(common: CommonOptions) -> Settings:
    """Return the settings with what the command line says."""
    settings = load_settings(common.config)
    wanted = common.sandbox or settings.sandbox.enabled
    return with_choices(settings, data_dir=common.data_dir, sandbox=wanted)


@asynccontextmanager
async def working(common: CommonOptions, *, eager: bool = False) -> AsyncGenerator[Runtime]:
    """Yield an installation that generates; what was left unfinished goes on meanwhile."""
    settings = settings_for(common)
    sandbox = embedded_sandbox(settings)
    address = await sandbox.start()
    runtime = Runtime(settings, sandbox=address)
    try:
        await runtime.start(eager=eager)
        yield runtime
    finally:
        await runtime.close()
        await sandbox.stop()


@asynccontextmanager
async def looking(common: CommonOptions) -> AsyncGenerator[Runtime]:
    """Yield an installation that only looks, also while another process works in it."""
    runtime = Runtime(settings_for(common))
    try:
        await runtime.open()
        yield runtime
    finally:
        await runtime.close()


@asynccontextmanager
async def cancelling(common: CommonOptions) -> AsyncGenerator[Runtime]:
    """Yield an installation to cancel something in.

    When another process works in the data folder, the rows tell it; otherwise the provider
    is told from here.
    """
    settings = settings_for(common)
    sandbox = embedded_sandbox(settings)
    address = await sandbox.start()
    runtime = Runtime(settings, sandbox=address)
    try:
        try:
            await runtime.start()
        except ConflictError:
            await runtime.open()
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
    return asyncio.run(work)


def configure_logging(level: int = logging.WARNING) -> None:
    """Send the log to stderr, in lines, from `level` upwards."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            # Tracebacks without the values of variables: those may hold keys and prompts.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(message)s")
