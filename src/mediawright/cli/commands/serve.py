"""serve: the REST server."""

from __future__ import annotations

import click

from mediawright.cli.options import CommonOptions, common_options


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
        import uvicorn

        from mediawright.api.application import create_application
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "missing_dependency",
            f"The server needs a package that is not installed: {error.name}.",
            hint="Install it: pip install 'mediawright[server]'",
        ) from error
    async with working(common, eager=True) as runtime:
        server = serving_settings(
            runtime.settings.server,
            host=host,
            port=port,
            loopback_without_key=loopback_without_key,
        )
        runtime.settings = msgspec.structs.replace(runtime.settings, server=server)
        secret = await first_key(runtime, DEFAULT_WORKSPACE)
        if secret is not None:
            say(f"API key (shown once): {secret}")
        config = uvicorn.Config(
            create_application(runtime),
            host=server.host,
            port=server.port,
            log_level="warning",
            access_log=False,
            server_header=False,
        )
        say(f"mediawright serves http://{server.host}:{server.port}/v1 (Ctrl-C stops it)")
        await uvicorn.Server(config).serve()
    return 0
