"""Every row of the catalogue, tried with what it says it takes."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediawright.catalog.known_providers import KNOWN_PROVIDERS
from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.model import Model, ModelStatus
from mediawright.catalog.parameter_values import LISTS
from mediawright.catalog.preflight import Checked, collect_problems, preflight
from mediawright.catalog.trials import Trial, parameter_choices, trials
from mediawright.core.errors import MediawrightError
from mediawright.core.money import PriceBasis
from mediawright.core.operations import Operation
from mediawright.core.request import Parameters
from mediawright.providers.registry import provider_names

NOW = datetime(2026, 11, 20, tzinfo=UTC)
CATALOGUE = load_catalogue()
LIVE = [model for model in CATALOGUE if model.live_routes(NOW.date())]
REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
ADAPTERS = frozenset({"local", *provider_names()})

NOT_SERVED: dict[tuple[str, str], list[Any]] = {
    ("seedance-lite-i2v", "aspect_ratio"): ["21:9", "16:9", "4:3", "1:1", "3:4", "9:16"],
    ("seedance-lite-i2v", "duration"): [2, 12],
    ("seedance-lite-i2v", "return_last_frame"): [True],
    ("seedance-lite-i2v", "watermark"): [True],
    ("seedance-lite-t2v", "duration"): [2, 12],
    ("seedance-lite-t2v", "return_last_frame"): [True],
    ("seedance-lite-t2v", "watermark"): [True],
}
"""Values of a model that the provider which is left for it does not pass on."""

PARTNERS = {
    ("aura-asteria-en", "bit_rate"): "output_format",
    ("aura-asteria-en", "sample_rate"): "output_format",
    ("gpt-image-2", "resolution"): "aspect_ratio",
}
"""Parameters whose values a rule about two fields binds to those of another one."""


def ids(items: list[Any]) -> list[str]:
    return [item.id for item in items]


def run(trial: Trial) -> Checked:
    return preflight(CATALOGUE, trial.request, now=NOW, input_facts=trial.facts)


@functools.cache
def plain_trials(model_id: str) -> tuple[Trial, ...]:
    """Return the requests of a model that choose no parameter and can be run."""
    found = [trial for trial in trials(CATALOGUE.get(model_id)) if not trial.values]
    return tuple(trial for trial in found if not problems_of(trial))


def problems_of(trial: Trial) -> list[str]:
    found = collect_problems(CATALOGUE, trial.request, now=NOW, input_facts=trial.facts)
    return [problem.code for problem in found]


def with_values(trial: Trial, **values: Any) -> Trial:
    request = trial.request
    return Trial(
        request=type(request)(
            model=request.model,
            prompt=request.prompt,
            operation=request.operation,
            inputs=request.inputs,
            parameters=Parameters(**values),
        ),
        facts=trial.facts,
        values=values,
    )


# Where rows lead


def pages() -> tuple[set[str], dict[str, str]]:
    """Return the providers that the reference lists, and what it says of each model's routes."""
    listed = re.findall(r"^\| `([a-z]+)` \|", (REFERENCE / "providers.md").read_text(), re.M)
    rows = re.findall(
        r"^\| `([^`]+)` \| [^|]* \| ([^|]*) \|", (REFERENCE / "models.md").read_text(), re.M
    )
    return set(listed), dict(rows)


def test_the_reference_lists_the_providers_that_can_be_spoken_to() -> None:
    assert pages()[0] == ADAPTERS


@pytest.mark.parametrize("model", list(CATALOGUE), ids=ids(list(CATALOGUE)))
def test_every_route_leads_to_a_known_provider_and_id(model: Model) -> None:
    """Without an adapter it is shown as not there yet, and not hidden."""
    listed, shown = pages()
    ended = model.lifecycle.status is ModelStatus.ENDED
    assert bool(model.routes) is not ended
    for route in model.routes:
        assert route.provider in KNOWN_PROVIDERS
        assert route.upstream_id == route.upstream_id.strip() != ""
        words = f"{route.provider} `{route.upstream_id}`"
        assert words in shown[model.id]
        assert (f"{words} (not yet)" in shown[model.id]) is (route.provider not in listed)


# What rows take


def edges() -> list[tuple[str, str, Operation, Any]]:
    """Return (model, parameter, operation, value) of all listed values and ends of ranges."""
    return [
        (model.id, name, operation, value)
        for model in LIVE
        for operation in model.operations
        for name, values in parameter_choices(model, operation).items()
        for value in values
    ]


def test_there_are_edges_to_try() -> None:
    assert len(edges()) > 10 * len(LIVE)
    assert {model for model, *_ in edges()} <= {model.id for model in LIVE}


@pytest.mark.parametrize("model", LIVE, ids=ids(LIVE))
def test_every_row_can_be_asked_for_each_of_its_operations(model: Model) -> None:
    done = {trial.request.operation for trial in plain_trials(model.id)}
    assert done == set(model.operations)


@pytest.mark.parametrize("model", LIVE, ids=ids(LIVE))
def test_least_and_most_and_all_listed_values_pass(model: Model) -> None:
    """Save for those that no provider serves any more, which are refused."""
    for operation in model.operations:
        for name, values in parameter_choices(model, operation).items():
            not_served = NOT_SERVED.get((model.id, name), [])
            for value in values:
                fine = can_be_asked_for(model, operation, name, value)
                assert fine is (value not in not_served), (name, value)


def can_be_asked_for(model: Model, operation: Operation, name: str, value: Any) -> bool:
    partner = PARTNERS.get((model.id, name))
    beside: list[dict[str, Any]] = [{}]
    if partner is not None:
        beside = [{partner: other} for other in parameter_choices(model, operation)[partner]]
    return any(
        not problems_of(with_values(trial, **{name: value}, **more))
        for trial in plain_trials(model.id)
        if trial.request.operation is operation
        for more in beside
    )


@pytest.mark.parametrize("model", LIVE, ids=ids(LIVE))
def test_one_below_the_least_and_one_above_the_most_are_refused(model: Model) -> None:
    for operation in model.operations:
        plain = [trial for trial in plain_trials(model.id) if trial.request.operation is operation]
        for name in set(parameter_choices(model, operation)) - LISTS:
            rule = model.parameter(name, operation)
            assert rule is not None
            if rule.values or rule.clamp or rule.any_ratio or rule.size or rule.pattern:
                continue
            ends = (rule.minimum, -1), (rule.maximum, 1)
            for value in [int(end) + step for end, step in ends if end is not None]:
                for trial in plain:
                    if rule.without_inputs and trial.request.inputs:
                        continue
                    codes = problems_of(with_values(trial, **{name: value}))
                    assert codes, (name, value)


# What rows cost


def assert_priced(checked: Checked) -> None:
    for plan in checked.routes:
        if plan.price.credits is None:
            assert plan.price.basis is PriceBasis.UNKNOWN
            assert plan.price.explanation.startswith("the price is not known: ")
        else:
            assert plan.price.basis is not PriceBasis.UNKNOWN
            assert plan.price.credits >= 0
            assert checked.model.routes
    assert checked.price == checked.routes[0].price


@pytest.mark.rule(43, shows=("accepts", "prices"))
@pytest.mark.parametrize("model", LIVE, ids=ids(LIVE))
def test_a_covering_sample_is_priced_or_says_why_not(model: Model) -> None:
    fine = 0
    refusals: list[MediawrightError] = []
    for trial in trials(model):
        try:
            checked = run(trial)
        except MediawrightError as error:
            refusals.append(error)
            continue
        fine += 1
        assert_priced(checked)
    assert fine
    assert {error.kind.http_status for error in refusals} <= {400}


@st.composite
def requests(draw: st.DrawFn) -> Trial:
    """Choose a model and any values that it says it takes, together."""
    trial = draw(st.sampled_from(plain_trials(draw(st.sampled_from(LIVE)).id)))
    model = CATALOGUE.get(trial.request.model)
    operation = trial.request.operation or next(iter(model.operations))
    values = {
        name: draw(st.sampled_from(choices))
        for name, choices in parameter_choices(model, operation).items()
        if draw(st.booleans())
    }
    return with_values(trial, **values)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests())
def test_any_values_together_are_priced_or_refused_by_name(trial: Trial) -> None:
    problems = collect_problems(CATALOGUE, trial.request, now=NOW, input_facts=trial.facts)
    if problems:
        assert all(problem.code and problem.pointer and problem.hint for problem in problems)
        return
    checked = run(trial)
    assert_priced(checked)
    again = preflight(CATALOGUE, checked.request, now=NOW, input_facts=trial.facts)
    assert (again.request, again.price) == (checked.request, checked.price)
