"""The examples of every rule are true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_cache import migrate
from migrate_cache.dockerfile.parser import parse
from migrate_cache.rules.registry import all_rules
from migrate_cache.testing import migrated
from migrate_cache.text.errors import ParseError

if TYPE_CHECKING:
    from migrate_cache.rules.rule import Example, Rule

EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.code}-{number}")
    for rule in all_rules()
    for number, example in enumerate(rule.examples)
]


def test_every_rule_has_an_example() -> None:
    # Nothing is known that the safety net refuses.
    assert [rule.code for rule in all_rules() if not rule.examples] == ["MC902"]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_example(rule: Rule, example: Example) -> None:
    if rule.code == "MC901":
        with pytest.raises(ParseError):
            parse(example.before, example.path)
        (file,) = migrate({example.path: example.before}).files
        assert isinstance(file.error, ParseError)
        return
    result = migrated(example.before, path=example.path)
    assert result == example.result
    assert rule.code in {*result.codes, *result.notes, *result.changes}
