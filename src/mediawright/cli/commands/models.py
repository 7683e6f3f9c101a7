"""models list, models show."""

from __future__ import annotations

from typing import Any

import click

from mediawright.cli.options import CommonOptions, common_options


@click.group()
def models() -> None:
    """See what can be asked for, and at which price."""


@models.command("list")
@click.option("--kind", type=click.Choice(["image", "video", "audio", "text"]))
@click.option("--operation", help="Such as text-to-video.")
@click.option("--provider", help="Only those it serves.")
@click.option("--ready", is_flag=True, help="Only those that could be used now.")
@common_options
def list_(
    common: CommonOptions,
    kind: str | None,
    operation: str | None,
    provider: str | None,
    *,
    ready: bool,
) -> int:
    """List the models."""
    from mediawright.cli.session import run

    return run(_list(common, kind, operation, provider, ready=ready))


@models.command()
@click.argument("model")
@common_options
def show(common: CommonOptions, model: str) -> int:
    """Show what MODEL takes, what it costs and who serves it."""
    from mediawright.cli.session import run

    return run(_show(common, model))


async def _list(
    common: CommonOptions,
    kind: str | None,
    operation: str | None,
    provider: str | None,
    *,
    ready: bool,
) -> int:
    from mediawright.app.models import list_models
    from mediawright.cli.output import print_json, print_table
    from mediawright.cli.session import looking
    from mediawright.core.operations import MediaKind, Operation

    async with looking(common) as runtime:
        found = list_models(
            runtime,
            kind=None if kind is None else MediaKind(kind),
            operation=None if operation is None else Operation(operation),
            provider=provider,
        )
    shown = [model for model in found if model["ready"] or not ready]
    if common.json:
        print_json(shown)
        return 0
    rows = [
        [
            model["id"],
            ", ".join(model["generation_types"]),
            ", ".join(route["provider"] for route in model["routes"]),
            _price(model),
            "yes" if model["ready"] else "no key",
        ]
        for model in shown
    ]
    print_table(common, ("model", "makes", "served by", "from", "ready"), rows)
    return 0


async def _show(common: CommonOptions, model_id: str) -> int:
    from mediawright.app.models import describe_model
    from mediawright.cli.output import print_json, print_table
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        model = describe_model(runtime, model_id)
    if common.json:
        print_json(model)
        return 0
    click.echo(f"{model['id']}: {model['title']}")
    if model.get("summary"):
        click.echo(model["summary"])
    click.echo(f"makes: {', '.join(model['generation_types'])}")
    for name, value in model.get("engine", {}).items():
        click.echo(f"{name}: {value}")
    click.echo("")
    properties: dict[str, Any] = model["parameters"]["properties"]
    rows = [[name, _values(rule), _default(rule)] for name, rule in properties.items()]
    print_table(common, ("parameter", "values", "default"), rows)
    for line in _prices(model):
        click.echo(line)
    return 0


def _price(model: dict[str, Any]) -> str:
    """Return the lowest price of a model, in words."""
    costs = model["cost"]
    if not costs:
        return "unknown"
    if all(float(cost["amount"]) == 0 for cost in costs):
        return "free"
    named = [cost for cost in costs if cost["currency"] == "credits"]
    paid = [cost for cost in named or costs if float(cost["amount"]) > 0]
    cheapest = min(paid, key=lambda cost: float(cost["amount"]) / float(cost["per"]))
    return _cost_words(cheapest)


def _prices(model: dict[str, Any]) -> list[str]:
    costs = model["cost"]
    if not costs:
        return ["price: unknown"]
    return [f"price: {_cost_words(cost)}{_condition(cost)}" for cost in costs]


def _cost_words(cost: dict[str, Any]) -> str:
    per = "" if str(cost["per"]) == "1" else f"{cost['per']} "
    amount = f"${cost['amount']}" if cost["currency"] == "USD" else f"{cost['amount']} credits"
    token = f"{cost['token']} " if "token" in cost else ""
    return f"{amount} / {per}{token}{cost['unit']}"


def _condition(cost: dict[str, Any]) -> str:
    when = cost.get("when")
    if not when:
        return ""
    return " when " + ", ".join(f"{name} is {_listed(value)}" for name, value in when.items())


def _values(rule: dict[str, Any]) -> str:
    """Return what a parameter may be, in words."""
    if "anyOf" in rule:
        return " or ".join(_values(item) for item in rule["anyOf"])
    if "enum" in rule:
        return _listed(rule["enum"])
    if "const" in rule:
        return str(rule["const"])
    low, high = rule.get("minimum"), rule.get("maximum")
    words = str(rule.get("type", "any"))
    if low is not None or high is not None:
        words += f" {'' if low is None else low}..{'' if high is None else high}"
    return words


def _default(rule: dict[str, Any]) -> str:
    default = rule.get("default")
    return "" if default is None else str(default)


def _listed(value: Any) -> str:
    if isinstance(value, list):
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - JSON
        return ", ".join(str(item) for item in items)
    return str(value)
