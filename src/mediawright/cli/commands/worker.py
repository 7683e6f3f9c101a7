"""worker: a process that runs generations and serves nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime


@click.command()
@common_options
def worker(common: CommonOptions) -> int:
    """Run generations until told to stop, beside other processes on one PostgreSQL database.

    Each worker takes from the same queue. When one dies, the others finish what it was doing;
    when one is told to stop, it hands over at once. Finished files must lie where every
    process reaches them: in an object store, or in a folder they share.
    """
    from mediawright.cli.session import run

    return run(_work(common))


async def _work(common: CommonOptions) -> int:
    from mediawright.app.runtime import require_shared_database
    from mediawright.cli.interruption import told_to_stop
    from mediawright.cli.session import settings_for, settle_in, working
    from mediawright.store.kinds import WorkerRole

    require_shared_database(settings_for(common))
    with told_to_stop() as stopped:
        async with working(common, eager=True, role=WorkerRole.WORKER) as runtime:
            _announce(common, runtime)
            settle_in()
            await stopped.wait()
            runtime.jobs.retire()
    return 0


def _announce(common: CommonOptions, runtime: Runtime) -> None:
    from mediawright.cli.output import print_json, say

    if common.json:
        print_json({"worker": runtime.membership.id})
    else:
        click.echo(runtime.membership.id)
    say(f"mediawright works as {runtime.membership.id} (Ctrl-C stops it)")
