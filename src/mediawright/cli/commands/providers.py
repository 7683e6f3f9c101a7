"""providers list, show, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mediawright.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from datetime import datetime

    from mediawright.app.providers import ProviderView


@click.group()
@common_options
def providers(common: CommonOptions) -> None:
    """See which providers can be used, and how they fare."""
    del common


@providers.command("list")
@common_options
def list_(common: CommonOptions) -> int:
    """List the providers."""
    from mediawright.cli.session import run

    return run(_list(common))


@providers.command()
@click.argument("provider")
@common_options
def show(common: CommonOptions, provider: str) -> int:
    """Show all there is to know about PROVIDER."""
    from mediawright.cli.session import run

    return run(_show(common, provider))


@providers.command()
@click.argument("provider")
@common_options
def reset(common: CommonOptions, provider: str) -> int:
    """Have PROVIDER used again at once, for instance after topping up its account."""
    from mediawright.cli.session import run

    return run(_reset(common, provider))


async def _list(common: CommonOptions) -> int:
    from mediawright.app.providers import circuit_words, list_providers, provider_view
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table

    async with looking(common, at_providers=True) as runtime:
        found = await list_providers(runtime)
        now = runtime.clock.now()
    if common.json:
        print_json([provider_view(item, in_full=True, now=now) for item in found])
        return 0
    rows = [
        [
            item.facts.name,
            _readiness(item),
            circuit_words(item, now),
            str(item.models),
            str(item.queued),
            str(item.running),
        ]
        for item in found
    ]
    columns = (
        Column(name="provider"),
        Column(name="ready", wraps=True),
        Column(name="health", wraps=True),
        Column(name="models", right=True, rank=1),
        Column(name="queued", right=True, rank=2),
        Column(name="running", right=True, rank=2),
    )
    print_table(common, columns, rows)
    return 0


async def _show(common: CommonOptions, name: str) -> int:
    from mediawright.app.providers import get_provider
    from mediawright.cli.session import looking

    async with looking(common, at_providers=True) as runtime:
        _print(common, await get_provider(runtime, name), runtime.clock.now())
    return 0


async def _reset(common: CommonOptions, name: str) -> int:
    from mediawright.app.providers import reset_provider
    from mediawright.cli.output import say
    from mediawright.cli.session import looking

    async with looking(common, at_providers=True) as runtime:
        found = await reset_provider(runtime, name)
        if common.json:
            _print(common, found, runtime.clock.now())
        else:
            say(f"{found.facts.name} is used again.")
    return 0


def _print(common: CommonOptions, provider: ProviderView, now: datetime) -> None:
    from mediawright.app.providers import circuit_words, provider_view
    from mediawright.cli.output import print_json, printable

    if common.json:
        print_json(provider_view(provider, in_full=True, now=now))
        return
    health = provider.health
    facts = [
        ("provider", provider.facts.name),
        ("title", provider.facts.title),
        ("ready", _readiness(provider)),
        ("can", ", ".join(sorted(feature.value for feature in provider.facts.features))),
        ("models", str(provider.models)),
        ("queued", str(provider.queued)),
        ("running", str(provider.running)),
        ("health", circuit_words(provider, now)),
        ("failing since", _moment(health.opened_at)),
        ("tried again", _moment(health.retry_at)),
        ("last success", _moment(health.last_success_at)),
        ("last failure", _moment(health.last_failure_at)),
    ]
    if health.last_error is not None:
        facts += [("last error", f"{health.last_error.message} ({health.last_error.code})")]
        facts += [("what to do", health.last_error.hint or "")]
    for name, value in facts:
        if value:
            click.echo(f"{name + ':':<18}{printable(value)}")


def _readiness(provider: ProviderView) -> str:
    facts = provider.facts
    if not facts.enabled:
        return "switched off"
    if not facts.ready:
        return f"no key: set {facts.variable}"
    return "imitated" if facts.sandboxed else "yes"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
