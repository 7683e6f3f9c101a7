"""keys create, keys list, keys limit, keys revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mediawright.cli.account_options import workspace_option
from mediawright.cli.limit_options import limit_options
from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from mediawright.store.api_keys import ApiKey


@click.group()
@common_options
def keys(common: CommonOptions) -> None:
    """Make, list, limit and revoke keys of the REST server."""
    del common


@keys.command()
@click.option("--name", required=True, metavar="TEXT", help="What its owner calls it.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["operator", "metrics", "*"]),
    help="What it allows beside generating: credits, limits and keys; figures; * for everything.",
)
@limit_options
@workspace_option
@common_options
def create(
    common: CommonOptions,
    name: str,
    scopes: tuple[str, ...],
    requests_per_minute: int | str | None,
    concurrent: int | str | None,
    workspace: str | None,
) -> int:
    """Make a key; it goes to stdout this once and is kept nowhere."""
    from mediawright.cli.session import run

    return run(_create(common, workspace, name, scopes, requests_per_minute, concurrent))


@keys.command("list")
@workspace_option
@common_options
def list_(common: CommonOptions, workspace: str | None) -> int:
    """List the keys, revoked ones too."""
    from mediawright.cli.session import run

    return run(_list(common, workspace))


@keys.command()
@click.argument("key")
@limit_options
@workspace_option
@common_options
def limit(
    common: CommonOptions,
    key: str,
    requests_per_minute: int | str | None,
    concurrent: int | str | None,
    workspace: str | None,
) -> int:
    """Give KEY, by its id, limits of its own; `none` leaves it to the settings."""
    from mediawright.cli.session import run

    return run(_limit(common, workspace, key, requests_per_minute, concurrent))


@keys.command()
@click.argument("key")
@workspace_option
@common_options
def revoke(common: CommonOptions, key: str, workspace: str | None) -> int:
    """Revoke KEY, by its id, for good; what it began goes on."""
    from mediawright.cli.session import run

    return run(_revoke(common, workspace, key))


async def _create(
    common: CommonOptions,
    workspace: str | None,
    name: str,
    scopes: tuple[str, ...],
    requests_per_minute: int | str | None,
    concurrent: int | str | None,
) -> int:
    from mediawright.app.api_keys import create_key, key_view, own_limits
    from mediawright.cli.account_options import chosen
    from mediawright.cli.limit_options import changed
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    limits = own_limits(changed(requests_per_minute, None), changed(concurrent, None))
    async with looking(common) as runtime:
        key, secret = await create_key(runtime, chosen(workspace), name, scopes, limits=limits)
    if common.json:
        print_json({**key_view(key), "key": secret})
    else:
        click.echo(secret)
        say(f"{key.id} is made. The key is shown this once.")
    return 0


async def _list(common: CommonOptions, workspace: str | None) -> int:
    from mediawright.app.api_keys import key_view, list_keys
    from mediawright.cli.account_options import chosen
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table

    async with looking(common) as runtime:
        found = await list_keys(runtime, chosen(workspace))
    if common.json:
        print_json([key_view(key) for key in found])
        return 0
    if not found:
        say("There are no keys. Make one: mediawright keys create --name NAME")
    columns = (
        Column(name="key"),
        Column(name="name", wraps=True),
        Column(name="begins with", rank=2),
        Column(name="scopes", rank=1),
        Column(name="per minute", right=True, rank=3),
        Column(name="at a time", right=True, rank=3),
        Column(name="last used", rank=4),
        Column(name="state"),
    )
    print_table(common, columns, [_row(key) for key in found])
    return 0


def _row(key: ApiKey) -> list[str]:
    from mediawright.cli.limit_options import in_words

    used = key.last_used_at
    return [
        key.id,
        key.name,
        key.prefix,
        ", ".join(key.scopes) or "-",
        in_words(key.requests_per_minute),
        in_words(key.concurrent_generations),
        "never" if used is None else used.astimezone().strftime("%Y-%m-%d %H:%M"),
        "valid" if key.revoked_at is None else "revoked",
    ]


async def _limit(
    common: CommonOptions,
    workspace: str | None,
    key_id: str,
    requests_per_minute: int | str | None,
    concurrent: int | str | None,
) -> int:
    from mediawright.app.api_keys import get_key, key_view, limit_key, own_limits
    from mediawright.cli.account_options import chosen
    from mediawright.cli.limit_options import changed, in_words
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        before = await get_key(runtime, chosen(workspace), key_id)
        limits = own_limits(
            changed(requests_per_minute, before.requests_per_minute),
            changed(concurrent, before.concurrent_generations),
        )
        key = await limit_key(runtime, chosen(workspace), key_id, limits)
    if common.json:
        print_json(key_view(key))
    else:
        rate, most = in_words(key.requests_per_minute), in_words(key.concurrent_generations)
        say(f"{key.id}: {rate} per minute, {most} at a time.")
    return 0


async def _revoke(common: CommonOptions, workspace: str | None, key_id: str) -> int:
    from mediawright.app.api_keys import key_view, revoke_key
    from mediawright.cli.account_options import chosen
    from mediawright.cli.output import print_json, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        key = await revoke_key(runtime, chosen(workspace), key_id)
    if common.json:
        print_json(key_view(key))
    else:
        say(f"{key.id} is revoked.")
    return 0
