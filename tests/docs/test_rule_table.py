"""The table of rules: marks and mentions are found, and a rule that nobody shows is an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts.rule_table import RuleTableError, rule_table

RULES = """
[requests]
1 = ["First.", "refuses"]
2 = ["Second.", "adjusts", "prices"]
3 = ["A promise."]
"""
CODE = '''
"""Words (rules 1 and
2), and rules 7-9 besides."""


class Checker:
    def check(self):
        """Check (rule 1)."""
'''
TESTS = """
import pytest

pytestmark = [pytest.mark.rule(2, shows=("accepts", "prices"))]


class TestFirst:
    @pytest.mark.rule(1, shows="accepts")
    async def test_fine(self): ...

    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.rule(1, shows="refuses")), 2])
    def test_wrong(self, x): ...


@pytest.mark.rule(2, 3, shows="adjusts")
def test_moved(): ...
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "scripts/rules.toml": RULES,
        "src/mediawright/checker.py": CODE,
        "src/mediawright/rows.toml": "# Rows of rule 2.\n",
        "tests/test_all.py": TESTS,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def change(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_marks_and_mentions_are_found_wherever_they_stand(root: Path) -> None:
    *_, first, second, third = rule_table(root).splitlines()
    assert first == (
        "| 1 | First. | refuses | `mediawright/checker.py`<br>"
        "`mediawright/checker.py:Checker.check` | accepts:<br>"
        "`tests/test_all.py::TestFirst::test_fine`<br>refuses:<br>"
        "`tests/test_all.py::TestFirst::test_wrong` |"
    )
    assert second == (
        "| 2 | Second. | adjusts, prices | `mediawright/checker.py`<br>`mediawright/rows.toml` | "
        "accepts:<br>`tests/test_all.py`<br>adjusts:<br>`tests/test_all.py::test_moved`<br>"
        "prices:<br>`tests/test_all.py` |"
    )
    assert third == ("| 3 | A promise. | - | - | adjusts:<br>`tests/test_all.py::test_moved` |")


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("tests/test_all.py", 'rule(1, shows="refuses")', "skip", "rule 1: no test refuses"),
        ("tests/test_all.py", 'rule(1, shows="accepts")', "skip", "rule 1: no test accepts"),
        ("tests/test_all.py", '("accepts", "prices")', '"accepts"', "rule 2: no test prices"),
        ("tests/test_all.py", "rule(2, 3,", "rule(2, 4,", "there is no rule 4"),
        ("tests/test_all.py", '"refuses"', '"shows"', "say what it shows"),
        ("tests/test_all.py", ', shows="adjusts"', "", "test_moved: say what it shows"),
        ("tests/test_all.py", "rule(2, 3,", "rule(*RULES,", "as plain values"),
        ("src/mediawright/checker.py", "rule", "words", "rule 1: no code names it"),
        ("scripts/rules.toml", '"refuses"', '"denies"', "there is no kind denies"),
    ],
)
def test_what_is_missing_is_named(root: Path, name: str, old: str, new: str, fault: str) -> None:
    change(root, name, old, new)
    with pytest.raises(RuleTableError, match=fault):
        rule_table(root)
