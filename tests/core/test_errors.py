from __future__ import annotations

from mediawright.core import errors
from mediawright.core.errors import (
    ErrorKind,
    InvalidRequestError,
    MediawrightError,
    MissingApiKeyError,
    Problem,
)


def test_every_error_has_a_kind_with_status_and_exit_code() -> None:
    kinds = [
        value.kind
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, MediawrightError)
    ]
    assert set(kinds) <= set(ErrorKind)
    assert all(400 <= kind.http_status < 600 and 1 <= kind.exit_code <= 6 for kind in ErrorKind)


def test_no_two_kinds_are_one() -> None:
    assert len({kind.http_status for kind in ErrorKind}) == len(list(ErrorKind))


def test_a_missing_key_says_what_to_set_and_that_the_sandbox_needs_none() -> None:
    problem = MissingApiKeyError("fal", "FAL_KEY").to_problem()
    assert problem.code == "missing_api_key"
    assert "FAL_KEY" in str(problem.hint)
    assert "--sandbox" in str(problem.hint)


def test_an_error_knows_everything_that_is_wrong() -> None:
    alone = InvalidRequestError("invalid_size", "No.", pointer="/size", details={"allowed": [1]})
    (only,) = alone.problems
    assert only == alone.to_problem()

    others = [
        {"code": "invalid_size", "message": "No.", "pointer": "/size"},
        {"code": "invalid_seed", "message": "Nor this.", "pointer": "/seed", "hint": "Less."},
    ]
    several = InvalidRequestError(
        "invalid_size", "No.", pointer="/size", details={"allowed": [1], "problems": others}
    )
    first, second = several.problems
    assert first == only
    assert second == Problem(
        code="invalid_seed", message="Nor this.", pointer="/seed", hint="Less."
    )
