"""The rules as they are found, and what users read about them."""

from __future__ import annotations

import re
import sys
from subprocess import run

import pytest

from migrate_cache.report.rule_pages import (
    explain,
    explanation,
    list_rules,
)
from migrate_cache.rules.registry import (
    all_rules,
    check_codes,
    find_rule,
    load_rule,
    matches,
    rule_names,
    severity,
)
from migrate_cache.text.errors import ConfigError

RULES = {rule.code: rule for rule in all_rules()}


def test_every_code_is_there_in_order():
    codes = [f"MC{number}" for number in (*range(101, 105), *range(201, 215), 901, 902)]
    assert list(RULES) == codes


def test_kinds():
    kinds = {
        "rewrite": "101 102 103 104",
        "note": "201 202 207 208 209 214",
        "warning": "203 204 205 206 210 211 212 213",
        "error": "901 902",
    }
    expected = {f"MC{n}": kind for kind, numbers in kinds.items() for n in numbers.split()}
    assert {code: severity(code) for code in RULES} == expected


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_is_complete(rule):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    assert rule.summary
    assert not rule.summary.endswith(".")
    assert "\n" not in rule.summary
    assert len(rule.explanation.split()) > 30
    assert all(re.fullmatch(r"https://\S+", source) for source in rule.sources)
    assert all(word in RULES for word in re.findall(r"\bMC\d+\b", rule.explanation))
    assert all(example.before.endswith("\n") for example in rule.examples)
    assert any(example.after for example in rule.examples) == (rule.severity == "rewrite")
    assert ("--ignore " + rule.code in explanation(rule)) == rule.ignorable


def test_names_are_unique():
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


def test_a_name_is_that_of_the_module() -> None:
    assert rule_names() == {code: rule.name for code, rule in RULES.items()}
    assert all(rule.function.__module__.endswith(rule.function.__name__) for rule in all_rules())


def test_names_need_no_rule() -> None:
    code = (
        "import sys; from migrate_cache.rules.registry import rule_names; rule_names();"
        "print([name for name in sys.modules if '.rules.mc' in name])"
    )
    assert run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


def test_an_unknown_code_is_no_rule() -> None:
    assert find_rule("MC999") is None
    with pytest.raises(KeyError):
        load_rule("MC999")


def test_prefixes():
    assert matches("MC101", ["MC101"])
    assert matches("MC101", ["mc1"])
    assert matches("MC101", ["MC2", "MC"])
    assert matches("MC101", ["all"])
    assert not matches("MC101", ["MC102", "MC1011", ""])
    assert not matches("MC101", [])


def test_codes_that_select_nothing():
    check_codes("select", ["MC1", "all", "mc104"])
    for code in ("MC999", "101", ""):
        with pytest.raises(ConfigError, match=f"ignore: there is no rule '{code}'"):
            check_codes("ignore", ["MC1", code])


def test_list(snapshot):
    shown = list_rules(100)
    assert shown == snapshot
    assert all(len(line) <= 100 for line in shown.split("\n"))


@pytest.mark.parametrize("code", ["MC101", "MC102", "MC104", "MC203"])
def test_explain(code, snapshot):
    assert explain(code) == snapshot


@pytest.mark.parametrize("code", RULES)
def test_prose_fits_and_code_is_never_broken(code):
    prose = explain(code).split("\n\nExample")[0].split("\n\nSources")[0]
    assert all(len(line) <= 88 for line in prose.split("\n"))
    assert all(line.count("`") % 2 == 0 for line in prose.split("\n"))
    assert "\u00a0" not in prose


@pytest.mark.parametrize("code", ["MC104", "MC203"])
def test_shared_builders_have_three_ways_out(code):
    shown = " ".join(explain(code).split())
    assert "the builder's, not the repository's" in shown
    assert "migrate those repositories together" in shown
    assert "BUILDKIT_CACHE_MOUNT_NS" in shown
    assert "--fresh-ids" in shown


def test_a_rule_is_found_by_its_name_and_in_any_case():
    assert explain("link-cargo-lock") == explain("mc104") == explain("MC104")


def test_an_unknown_rule_names_the_nearest():
    with pytest.raises(ConfigError, match="no such rule: 'MC105'") as caught:
        explain("MC105")
    assert "did you mean MC10" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        explain("\x1b[31m")
    assert "\x1b" not in str(caught.value)
    assert "--list-rules" in caught.value.hint
