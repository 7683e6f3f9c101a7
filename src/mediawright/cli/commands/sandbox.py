"""sandbox: every provider, imitated, as a server of its own."""

from __future__ import annotations

from pathlib import Path

import click

from mediawright.cli.options import CommonOptions, common_options


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8766, show_default=True, help="0 takes a free one.")
@click.option("--tls", is_flag=True, help="Serve https with a certificate of its own authority.")
@click.option(
    "--tiny", is_flag=True, help="Make real but tiny files, fast; otherwise the size asked for."
)
@click.option(
    "--journal", type=click.Path(path_type=Path), help="Append every request to this file."
)
@common_options
def sandbox(
    common: CommonOptions,
    host: str,
    port: int,
    journal: Path | None,
    *,
    tls: bool,
    tiny: bool,
) -> int:
    """Run the sandbox until it is told to stop.

    Point a vendor's own SDK at it, or mediawright: MEDIAWRIGHT_SANDBOX=1
    MEDIAWRIGHT_SANDBOX_URL=http://127.0.0.1:8766
    """
    from mediawright.cli.session import run

    return run(_sandbox(common, host, port, journal, tls=tls, tiny=tiny))


async def _sandbox(
    common: CommonOptions,
    host: str,
    port: int,
    journal: Path | None,
    *,
    tls: bool,
    tiny: bool,
) -> int:
    import asyncio
    import signal

    from mediawright.cli.output import print_json, say
    from mediawright.sandbox.kit.settings import SandboxSettings
    from mediawright.sandbox.server import Sandbox

    settings = SandboxSettings(media="tiny" if tiny else "full", tls=tls, journal_path=journal)
    server = Sandbox(settings)
    await server.start(host, port)
    if common.json:
        print_json(
            {
                "root": server.root,
                "base_urls": server.base_urls,
                "credentials": server.credentials,
            }
        )
    else:
        click.echo(server.root)
        for vendor, urls in server.base_urls.items():
            for name, url in urls.items():
                click.echo(f"  {vendor:<12} {name:<6} {url}  key: {server.credentials[vendor]}")
    say("Faults, clock and journal: see docs/how-to/sandbox.md (Ctrl-C stops it)")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    await server.stop()
    return 0
