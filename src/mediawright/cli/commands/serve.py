"""serve: the REST server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from mediawright.api.server import ApiServer
    from mediawright.app.runtime import Runtime


@click.command()
@click.option("--host", help="Address to listen on [default: 127.0.0.1].")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one [default: 8765].",
)
@click.option(
    "--loopback-without-key",
    is_flag=True,
    help="Let programs on this machine in without an API key.",
)
@click.option(
    "--no-work",
    is_flag=True,
    help="Only serve, and leave generations to `mediawright worker` processes (PostgreSQL).",
)
@common_options
def serve(
    common: CommonOptions,
    host: str | None,
    port: int | None,
    *,
    loopback_without_key: bool,
    no_work: bool,
) -> int:
    """Run the REST server until it is told to stop. The first start prints an API key."""
    from mediawright.cli.session import run

    return run(
        _serve(common, host, port, loopback_without_key=loopback_without_key, no_work=no_work)
    )


async def _serve(
    common: CommonOptions,
    host: str | None,
    port: int | None,
    *,
    loopback_without_key: bool,
    no_work: bool,
) -> int:
    import msgspec

    from mediawright.cli.interruption import told_to_stop
    from mediawright.cli.session import serving_settings, settle_in

    with told_to_stop() as stopped:
        async with _installation(common, no_work=no_work) as runtime:
            settings = serving_settings(
                runtime.settings.server,
                host=host,
                port=port,
                loopback_without_key=loopback_without_key,
            )
            runtime.settings = msgspec.structs.replace(runtime.settings, server=settings)
            server = _server(runtime)
            address = await server.start()
            await _announce(common, runtime, address)
            settle_in()
            serving = asyncio.create_task(server.wait())
            told = asyncio.create_task(stopped.wait())
            await asyncio.wait((serving, told), return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            runtime.jobs.retire()
            await server.stop()
            await serving
    return 0


def _installation(common: CommonOptions, *, no_work: bool) -> AbstractAsyncContextManager[Runtime]:
    from mediawright.cli.session import creating, settings_for, working
    from mediawright.store.kinds import WorkerRole

    if no_work or not settings_for(common).server.works:
        return creating(common)
    return working(common, eager=True, role=WorkerRole.SERVER)


def _server(runtime: Runtime) -> ApiServer:
    """Return the server.

    Raises:
        UnavailableError: `missing_dependency`.
    """
    from mediawright.core.errors import UnavailableError

    try:
        from mediawright.api.server import ApiServer
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "missing_dependency",
            f"The server needs a package that is not installed: {error.name}.",
            hint="Install it: pip install 'mediawright[server]'",
        ) from error
    return ApiServer(runtime)


async def _announce(common: CommonOptions, runtime: Runtime, address: str) -> None:
    """Say where the server is and, at the first start, which key opens it."""
    from mediawright.app.api_keys import first_key
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json, say

    secret = await first_key(runtime, DEFAULT_WORKSPACE)
    if common.json:
        print_json({"url": f"{address}/v1", "api_key": secret})
    else:
        click.echo(f"{address}/v1")
        if secret is not None:
            say(f"API key (shown once): {secret}")
    say(f"mediawright serves {address}/v1 (Ctrl-C stops it)")
