"""Properties over all rows: nothing but typed errors, a price or an explicit unknown."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.parameter_values import BOOLEANS, INTEGERS, NUMBERS
from mediawright.catalog.parameters import PARAMETERS
from mediawright.catalog.preflight import collect_problems, preflight
from mediawright.catalog.routes import HINTS_ONLY
from mediawright.catalog.translate import carried_parameters
from mediawright.catalog.values import read_ratio
from mediawright.core.errors import MediawrightError
from mediawright.core.media import MediaFacts
from mediawright.core.money import PriceBasis
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import Element, GenerationRequest, MediaInput, Parameters

CATALOGUE = load_catalogue()
NOW = datetime(2026, 11, 20, tzinfo=UTC)
MODELS = sorted(model.id for model in CATALOGUE)
LIVE = [model for model in CATALOGUE if model.live_routes(NOW.date())]
ROWS = [(model.id, operation) for model in LIVE for operation in model.operations]

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.text(st.characters(), max_size=5),
    st.sampled_from(["1:1", "16:9", "auto", "1024x1024", "1K", "4K", "720p", "5s", "png", "word"]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.just(10**400),
)
loose_inputs = st.one_of(
    anything,
    st.lists(
        st.one_of(
            anything,
            st.builds(
                MediaInput,
                role=st.one_of(st.sampled_from(InputRole), anything),
                kind=st.one_of(st.sampled_from(MediaKind), anything),
                url=st.one_of(st.none(), st.text(max_size=20), anything),
                asset_id=st.one_of(st.none(), anything),
                name=st.one_of(st.none(), anything),
            ),
        ),
        max_size=20,
    ).map(tuple),
)
loose_requests = st.builds(
    GenerationRequest,
    model=st.one_of(st.sampled_from(MODELS), st.text(max_size=30), anything),
    operation=st.one_of(st.none(), st.sampled_from(Operation), anything),
    prompt=st.one_of(st.just("a red kite"), anything),
    inputs=st.one_of(st.just(()), loose_inputs),
    parameters=st.builds(
        Parameters,
        vendor=st.one_of(
            st.none(),
            anything,
            st.dictionaries(
                st.sampled_from(["fal", "openai", "runway"]),
                st.dictionaries(st.text(max_size=5), anything, max_size=2),
            ),
        ),
        **{name: st.one_of(st.none(), anything) for name in PARAMETERS},
    ),
    provider=st.one_of(st.none(), st.sampled_from(["fal", "local", "x"]), anything),
)
loose_facts = st.dictionaries(
    st.integers(0, 3),
    st.builds(
        MediaFacts,
        kind=st.sampled_from(MediaKind),
        content_type=st.text(max_size=15),
        byte_count=st.integers(0, 10**12),
        width=st.one_of(st.none(), st.integers(0, 10**6)),
        height=st.one_of(st.none(), st.integers(0, 10**6)),
        seconds=st.one_of(st.none(), st.floats(0, 10**6)),
        frames_per_second=st.one_of(st.none(), st.floats(0, 1000)),
    ),
    max_size=3,
)


@settings(max_examples=300, deadline=None)
@given(request=loose_requests, facts=loose_facts)
def test_malformed_requests_give_typed_errors(request, facts):
    checked, error = outcome(request, facts)
    if error is None:
        assert checked.routes
        assert collect_problems(CATALOGUE, request, now=NOW, input_facts=facts) == ()
        return
    assert 400 <= error.kind.http_status < 500
    assert error.code
    assert error.pointer.startswith("/")
    assert error.message
    msgspec.json.encode(error.to_problem())


def outcome(request, facts):
    try:
        return preflight(CATALOGUE, request, now=NOW, input_facts=facts), None
    except MediawrightError as error:
        return None, error


ELEMENTS = (
    Element(
        name="kite",
        description="a red one",
        element_input_urls=("https://h.test/a.png", "https://h.test/b.jpg"),
    ),
)


def values_for(model, operation, name):
    """Give legal values of a parameter, in the ways a caller writes them."""
    rule = model.parameter(name, operation)
    if rule.fixed is not None:
        return st.none()
    if rule.values:
        return st.one_of(st.none(), st.sampled_from([*rule.values, *rule.aliases]))
    if name in BOOLEANS:
        return st.one_of(st.none(), st.booleans())
    low, high = rule.minimum or 0, rule.maximum or 100
    if name in INTEGERS or rule.whole:
        return st.one_of(st.none(), st.integers(int(low), int(high)))
    if name in NUMBERS:
        return st.one_of(st.none(), st.floats(low, high).map(lambda value: round(value, 3)))
    if rule.size is not None:
        multiple = rule.size.multiple_of
        sides = st.sampled_from([1024, 1280, 1344]).map(lambda side: side // multiple * multiple)
        return st.one_of(st.none(), st.builds("{}x{}".format, sides, sides))
    if rule.element_files:
        return st.sampled_from([None, ELEMENTS])
    if name == "loras":
        return st.sampled_from([None, ({"path": "owner/weights", "scale": 0.5},)])
    if rule.pattern is not None:
        return st.one_of(st.none(), st.from_regex(rule.pattern, fullmatch=True))
    return st.one_of(st.none(), st.just("text"))


FRAMES = (InputRole.FIRST_FRAME, InputRole.LAST_FRAME)
REFERENCES = (InputRole.REFERENCE_IMAGE, InputRole.REFERENCE_VIDEO, InputRole.REFERENCE_AUDIO)


def live_routes(model, operation):
    return [
        route
        for route in model.live_routes(NOW.date())
        if operation in model.route_operations(route)
    ]


def refusable(model, operation):
    """Give the codes with which legal values may be refused for going badly together."""
    codes = {"aspect_ratio_incompatible_with_high_res", "invalid_background"}
    for use in model.rules:
        if use.name in {"values_by_value", "value_not_with_inputs"}:
            codes.add(f"invalid_{use.options['parameter']}")
    limited = [set(route.limits) for route in live_routes(model, operation)]
    return codes | {f"invalid_{name}" for name in set.intersection(*limited)}


def inputs_for(model, operation, *, most, route=None):
    """Give as few or as many inputs as the named rules and the route let through."""
    options = {
        use.name: use.options
        for use in model.rules
        if not use.operations or operation in use.operations
    }
    arrangements = [
        roles
        for roles in model.operations[operation].arrangements
        if route is None
        or (len(roles) >= route.min_inputs and all(route.inputs_max.get(r, 1) for r in roles))
    ]
    if arrangements:
        return tuple(
            MediaInput(role=role, kind=role.media_kind, url=f"https://h.test/{n}.png")
            for n, role in enumerate(arrangements[-1 if most else 0])
        )
    rule = model.operations[operation]
    least = max(rule.min_inputs, route.min_inputs if route is not None else 0)
    routes = [route] if route is not None else live_routes(model, operation)
    found = []
    for slot in rule.inputs:
        number = slot.maximum if most else slot.minimum
        number = min(number, max(item.inputs_max.get(slot.role, number) for item in routes))
        if slot.role in REFERENCES and "frames_exclude_references" in options:
            number = 0 if any(item.role in FRAMES for item in found) else number
        if slot.role is InputRole.REFERENCE_VIDEO and "variant_mismatch" in options:
            wanted = "without_video" in options["variant_mismatch"]
            number = max(number, 1) if wanted else 0
        if slot.role is InputRole.REFERENCE_AUDIO and "audio_with_frames_unsupported" in options:
            number = 0
        number = min(max(number, least - len(found)), slot.maximum)
        extension = {"image": "png", "video": "mp4", "audio": "wav"}[slot.role.media_kind.value]
        found += [
            MediaInput(
                role=slot.role, kind=slot.role.media_kind, url=f"https://h.test/{n}.{extension}"
            )
            for n in range(number)
        ]
    return tuple(found)


def facts_for(inputs):
    kinds = {"image": "image/png", "video": "video/mp4", "audio": "audio/wav"}
    lone = len(inputs) == 1
    return {
        index: MediaFacts(
            kind=item.kind,
            content_type=kinds[item.kind.value],
            byte_count=1000,
            width=1280 if item.kind is not MediaKind.AUDIO else None,
            height=720 if item.kind is not MediaKind.AUDIO else None,
            seconds=(8.0 if lone else 4.0) if item.kind is not MediaKind.IMAGE else None,
        )
        for index, item in enumerate(inputs)
    }


@pytest.mark.parametrize(("model_id", "operation"), ROWS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_legal_requests_have_routes_and_a_price(model_id, operation, data):
    model = CATALOGUE.get(model_id)
    values = {
        name: data.draw(values_for(model, operation, name), name)
        for name in PARAMETERS
        if model.parameter(name, operation) is not None
    }
    inputs = inputs_for(model, operation, most=data.draw(st.booleans(), "most inputs"))
    request = GenerationRequest(
        model=model_id,
        operation=operation,
        prompt="a red kite over dunes",
        inputs=inputs,
        parameters=Parameters(**values),
    )
    facts = facts_for(inputs)
    found = collect_problems(CATALOGUE, request, now=NOW, input_facts=facts)
    assert {problem.code for problem in found} <= refusable(model, operation)
    if found:
        return
    checked = preflight(CATALOGUE, request, now=NOW, input_facts=facts)
    assert checked == preflight(CATALOGUE, request, now=NOW, input_facts=facts)
    for plan in checked.routes:
        assert plan.price.is_known == (plan.price.basis is not PriceBasis.UNKNOWN)
        route = checked.model.find_route(plan.provider, plan.upstream_id, checked.operation)
        assert plan.price.is_known or route.price_note
        assert plan.price.credits >= 0 if plan.price.is_known else plan.price.usd is None
        assert plan.price.is_known or route.price_note in plan.price.explanation
        assert plan.price.explanation
        msgspec.json.encode(plan)
    assert checked.estimated_seconds > 0
    again = preflight(CATALOGUE, checked.request, now=NOW, input_facts=facts)
    assert again.request == checked.request
    assert again.routes == checked.routes
    assert again.price == checked.price


def extreme(model, operation, *, most):
    values = {}
    tied = {
        use.options["parameter"]
        for use in model.rules
        if use.name in {"values_by_value", "value_not_with_inputs"}
    }
    for name in PARAMETERS:
        rule = model.parameter(name, operation)
        if rule is None or name in tied or rule.fixed is not None or name == "size":
            continue
        if rule.values:
            own = [value for value in rule.values if value not in model.switches.get(name, ())]
            values[name] = own[-1 if most else 0]
        elif rule.minimum is not None and name in NUMBERS | INTEGERS:
            bound = rule.maximum if most else rule.minimum
            values[name] = int(bound) if name in INTEGERS else bound
        elif rule.max_length is not None and most:
            values[name] = "x" * rule.max_length
        elif name in BOOLEANS:
            values[name] = most
    return values


def longest_prompt(model, operation, route):
    limits = (model.prompt_rule(operation).max_length, route.prompt_max)
    return min((limit for limit in limits if limit is not None), default=100)


@pytest.mark.parametrize("most", [False, True], ids=["least", "most"])
@pytest.mark.parametrize(("model_id", "operation"), ROWS)
def test_least_and_most_are_translated_for_every_route(model_id, operation, most):
    model = CATALOGUE.get(model_id)
    for route in model.routes:
        if operation not in model.route_operations(route) or model.has_ended(route, NOW.date()):
            continue
        inputs = inputs_for(model, operation, most=most, route=route)
        carried = carried_parameters(route) | HINTS_ONLY
        values = extreme(model, operation, most=most)
        for name, limit in route.limits.items():
            if model.parameter(name, operation) is None:
                continue
            values[name] = limit.values[-1 if most else 0] if limit.values else limit.maximum
        parameters = Parameters(**{n: value for n, value in values.items() if n in carried})
        request = GenerationRequest(
            model=model_id,
            operation=operation,
            prompt="x" * (longest_prompt(model, operation, route) if most else 1),
            inputs=inputs,
            parameters=parameters,
            provider=route.provider,
        )
        checked = preflight(CATALOGUE, request, now=NOW, input_facts=facts_for(inputs))
        plan = next(item for item in checked.routes if item.upstream_id == route.upstream_id)
        written = {
            name
            for name, field in route.fields.items()
            if (value := checked.applied.values.get(name)) is not None
            and value not in getattr(field, "omit", ())
        }
        if written or route.constants:
            assert plan.fields
        assert plan.synchronous is route.synchronous


def test_every_ratio_on_the_lists_can_be_read():
    for model in CATALOGUE:
        for operation in model.operations:
            rule = model.parameter("aspect_ratio", operation)
            for value in rule.values if rule else ():
                assert value in ("auto", "adaptive") or read_ratio(value)
