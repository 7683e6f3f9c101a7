"""sandbox: every provider, imitated, as a server of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.sandbox.kit.settings import SandboxSettings
    from mediawright.sandbox.server import Sandbox


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8766,
    show_default=True,
    help="0 takes a free one.",
)
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
    from mediawright.sandbox.kit.settings import SandboxSettings

    settings = SandboxSettings(media="tiny" if tiny else "full", tls=tls, journal_path=journal)
    return run(_sandbox(common, settings, host, port))


async def _sandbox(common: CommonOptions, settings: SandboxSettings, host: str, port: int) -> int:
    from mediawright.cli.interruption import told_to_stop
    from mediawright.cli.output import say

    with told_to_stop() as stopped:
        server = await _started(settings, host, port)
        try:
            _announce(common, server)
            say("Faults, clock and journal: see docs/how-to/sandbox.md (Ctrl-C stops it)")
            await stopped.wait()
        finally:
            await server.stop()
    return 0


async def _started(settings: SandboxSettings, host: str, port: int) -> Sandbox:
    """Return a sandbox that listens.

    Raises:
        UnavailableError: A package is missing, the port is taken, or the journal's place
            does not allow it.
    """
    from mediawright.core.errors import UnavailableError
    from mediawright.sandbox.server import Sandbox

    try:
        server = Sandbox(settings)
        await server.start(host, port)
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "missing_dependency",
            f"The sandbox needs a package that is not installed: {error.name}.",
            hint="Install it: pip install 'mediawright[sandbox-tls]'",
        ) from error
    except OSError as error:
        raise UnavailableError(
            "sandbox_not_started",
            f"The sandbox cannot start: {error.strerror or error}.",
            hint="Choose another port (--port 0 takes a free one), host or journal file.",
        ) from error
    return server


def _announce(common: CommonOptions, server: Sandbox) -> None:
    from mediawright.cli.output import print_json

    if common.json:
        authority = server.ca_certificate_pem
        print_json(
            {
                "root": server.root,
                "base_urls": server.base_urls,
                "credentials": server.credentials,
                "ca_certificate_pem": authority.decode() if authority else None,
            }
        )
        return
    click.echo(server.root)
    for vendor, urls in server.base_urls.items():
        for name, url in urls.items():
            click.echo(f"  {vendor:<12} {name:<6} {url}  key: {server.credentials[vendor]}")
