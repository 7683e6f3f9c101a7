"""webhooks list, add, remove, rotate, ping, deliveries, resend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.store.webhook_deliveries import Delivery

_STATES = ("pending", "delivered", "failed")


@click.group()
@common_options
def webhooks(common: CommonOptions) -> None:
    """Have events posted to your own addresses.

    They are sent while a server or worker runs.
    """
    del common


@webhooks.command("list")
@common_options
def list_(common: CommonOptions) -> int:
    """List the endpoints."""
    from mediawright.cli.session import run

    return run(_list(common))


@webhooks.command()
@click.argument("url")
@click.option("--event", "event_types", multiple=True, metavar="EVENT", help="[default: all]")
@click.option("--description", metavar="TEXT")
@common_options
def add(
    common: CommonOptions, url: str, event_types: tuple[str, ...], description: str | None
) -> int:
    """Post events to URL from now on; its signing secret is shown this once."""
    from mediawright.cli.session import run

    return run(_add(common, url, event_types, description))


@webhooks.command()
@click.argument("endpoint")
@common_options
def remove(common: CommonOptions, endpoint: str) -> int:
    """Post nothing more to ENDPOINT, and forget its deliveries."""
    from mediawright.cli.session import run

    return run(_remove(common, endpoint))


@webhooks.command()
@click.argument("endpoint")
@common_options
def rotate(common: CommonOptions, endpoint: str) -> int:
    """Give ENDPOINT a new secret; the one before works for another 24 hours."""
    from mediawright.cli.session import run

    return run(_rotate(common, endpoint))


@webhooks.command()
@click.argument("endpoint")
@common_options
def enable(common: CommonOptions, endpoint: str) -> int:
    """Switch ENDPOINT on again."""
    from mediawright.cli.session import run

    return run(_switch(common, endpoint, enabled=True))


@webhooks.command()
@click.argument("endpoint")
@common_options
def disable(common: CommonOptions, endpoint: str) -> int:
    """Switch ENDPOINT off."""
    from mediawright.cli.session import run

    return run(_switch(common, endpoint, enabled=False))


@webhooks.command()
@click.argument("endpoint")
@common_options
def ping(common: CommonOptions, endpoint: str) -> int:
    """Send ENDPOINT an event that says nothing, to see whether it is reached."""
    from mediawright.cli.session import run

    return run(_ping(common, endpoint))


@webhooks.command()
@click.option("--endpoint", metavar="ENDPOINT", help="Only those to this endpoint.")
@click.option("--state", type=click.Choice(_STATES))
@click.option("--before", metavar="DELIVERY", help="Only older ones than this.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@common_options
def deliveries(
    common: CommonOptions, endpoint: str | None, state: str | None, before: str | None, limit: int
) -> int:
    """List what was sent and what is to be sent, newest first."""
    from mediawright.cli.session import run

    return run(_deliveries(common, endpoint, state, before, limit))


@webhooks.command()
@click.argument("delivery")
@common_options
def resend(common: CommonOptions, delivery: str) -> int:
    """Send DELIVERY again."""
    from mediawright.cli.session import run

    return run(_resend(common, delivery))


async def _list(common: CommonOptions) -> int:
    from mediawright.app.webhook_views import endpoint_view
    from mediawright.app.webhooks import list_endpoints
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table

    async with looking(common) as runtime:
        found = await list_endpoints(runtime, DEFAULT_WORKSPACE)
    if common.json:
        print_json([endpoint_view(endpoint) for endpoint in found])
        return 0
    if not found:
        say("There are no endpoints. Add one: mediawright webhooks add URL")
    columns = (
        Column(name="endpoint"),
        Column(name="state"),
        Column(name="url", wraps=True),
        Column(name="events", rank=1, wraps=True),
    )
    rows = [
        [
            endpoint.id,
            "on" if endpoint.enabled else f"off: {endpoint.disabled_reason or 'by hand'}",
            endpoint.url,
            " ".join(endpoint.event_types),
        ]
        for endpoint in found
    ]
    print_table(common, columns, rows)
    return 0


async def _add(
    common: CommonOptions, url: str, event_types: tuple[str, ...], description: str | None
) -> int:
    from mediawright.app.webhook_views import endpoint_view
    from mediawright.app.webhooks import create_endpoint
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        endpoint, secret = await create_endpoint(
            runtime, DEFAULT_WORKSPACE, url, event_types or ("*",), description
        )
    if common.json:
        print_json({**endpoint_view(endpoint), "secret": secret})
        return 0
    click.echo(secret)
    say(f"{endpoint.id} gets events from now on. Its signing secret is above, shown this once.")
    return 0


async def _remove(common: CommonOptions, endpoint_id: str) -> int:
    from mediawright.app.webhooks import remove_endpoint
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        await remove_endpoint(runtime, DEFAULT_WORKSPACE, endpoint_id)
    if common.json:
        print_json({"endpoint_id": endpoint_id, "removed": True})
    else:
        say(f"{endpoint_id} is removed.")
    return 0


async def _rotate(common: CommonOptions, endpoint_id: str) -> int:
    from mediawright.app.webhooks import rotate_secret
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        secret = await rotate_secret(runtime, DEFAULT_WORKSPACE, endpoint_id)
    if common.json:
        print_json({"endpoint_id": endpoint_id, "secret": secret})
        return 0
    click.echo(secret)
    say("The new secret is above, shown this once. The one before works for another 24 hours.")
    return 0


async def _switch(common: CommonOptions, endpoint_id: str, *, enabled: bool) -> int:
    from mediawright.app.webhook_views import endpoint_view
    from mediawright.app.webhooks import EndpointChange, change_endpoint
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        change = EndpointChange(enabled=enabled)
        endpoint = await change_endpoint(runtime, DEFAULT_WORKSPACE, endpoint_id, change)
    if common.json:
        print_json(endpoint_view(endpoint))
    else:
        say(f"{endpoint_id} is {'on' if enabled else 'off'}.")
    return 0


async def _ping(common: CommonOptions, endpoint_id: str) -> int:
    from mediawright.app import webhooks as use_cases
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        delivery = await use_cases.ping(runtime, DEFAULT_WORKSPACE, endpoint_id)
    _tell(common, delivery)
    return 0


async def _resend(common: CommonOptions, delivery_id: str) -> int:
    from mediawright.app import webhooks as use_cases
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        delivery = await use_cases.resend(runtime, DEFAULT_WORKSPACE, delivery_id)
    _tell(common, delivery)
    return 0


def _tell(common: CommonOptions, delivery: Delivery) -> None:
    """Say that a delivery is due; whoever serves sends it."""
    from mediawright.app.webhook_views import delivery_view
    from mediawright.cli.output import print_json, say

    if common.json:
        print_json(delivery_view(delivery))
        return
    say(f"{delivery.id} is sent by the server within a second, once one runs.")
    say("See what came of it: mediawright webhooks deliveries")


async def _deliveries(
    common: CommonOptions,
    endpoint_id: str | None,
    state: str | None,
    before: str | None,
    limit: int,
) -> int:
    from mediawright.app.webhook_views import delivery_view
    from mediawright.app.webhooks import list_deliveries
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table
    from mediawright.store.kinds import DeliveryState

    async with looking(common) as runtime:
        found = await list_deliveries(
            runtime,
            DEFAULT_WORKSPACE,
            limit=limit,
            before=before,
            endpoint_id=endpoint_id,
            state=None if state is None else DeliveryState(state),
        )
    if common.json:
        print_json([delivery_view(delivery) for delivery in found])
        return 0
    if not found:
        say("There are no deliveries to show.")
    columns = (
        Column(name="delivery"),
        Column(name="state"),
        Column(name="tries", right=True),
        Column(name="event"),
        Column(name="generation", rank=2),
        Column(name="last", rank=1, wraps=True),
    )
    rows = [
        [
            delivery.id,
            delivery.state.value,
            str(delivery.tries),
            delivery.event_type,
            delivery.generation_id or "-",
            _last_words(delivery),
        ]
        for delivery in found
    ]
    print_table(common, columns, rows)
    return 0


def _last_words(delivery: Delivery) -> str:
    if not delivery.log:
        return "-"
    last = delivery.log[-1]
    return last.error or f"{last.status} in {last.milliseconds} ms"
