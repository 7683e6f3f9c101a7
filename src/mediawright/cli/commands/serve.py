"""serve: the REST server."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.api.server import ApiServer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@click.command()
@click.option("--host", help="Address to listen on [default: 127.0.0.1].")
@click.option("--port", type=int, help="Port to listen on [default: 8765].")
@click.option(
    "--loopback-without-key",
    is_flag=True,
    help="Let programs on this machine in without an API key.",
)
@common_options
def serve(
    common: CommonOptions,
    host: str | None,
    port: int | None,
    *,
    loopback_without_key: bool,
) -> int:
    """Run the REST server until it is told to stop. The first start prints an API key."""
    from mediawright.cli.session import configure_logging, run

    configure_logging()
    return run(_serve(common, host, port, loopback_without_key=loopback_without_key))


async def _serve(
    common: CommonOptions, host: str | None, port: int | None, *, loopback_without_key: bool
) -> int:
    import msgspec

    from mediawright.app.api_keys import first_key
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import say
    from mediawright.cli.session import serving_settings, working
    from mediawright.core.errors import UnavailableError

    try:
        from mediawright.api.server import ApiServer
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "missing_dependency",
            f"The server needs a package that is not installed: {error.name}.",
            hint="Install it: pip install 'mediawright[server]'",
        ) from error
    async with working(common, eager=True) as runtime:
        settings = serving_settings(
            runtime.settings.server,
            host=host,
            port=port,
            loopback_without_key=loopback_without_key,
        )
        runtime.settings = msgspec.structs.replace(runtime.settings, server=settings)
        server = ApiServer(runtime)
        address = await server.start()
        secret = await first_key(runtime, DEFAULT_WORKSPACE)
        if secret is not None:
            say(f"API key (shown once): {secret}")
        if settings.loopback_without_key:
            say("Programs on this machine need no API key.")
        say(f"mediawright serves {address}/v1 (Ctrl-C stops it)")
        await _until_told(server)
    return 0


async def _until_told(server: ApiServer) -> None:
    """Serve until SIGINT or SIGTERM; a second one ends the process at once."""
    from mediawright.cli.output import say

    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        told.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, tell)
    ends = [asyncio.ensure_future(told.wait()), asyncio.ensure_future(server.wait())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    say("Stopping; what is unfinished goes on at the next start.")
    await server.stop()
