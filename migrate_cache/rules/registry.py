"""The rules of this package: a module each, found by its name and loaded when it is used."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

import migrate_cache.rules
from migrate_cache.text.errors import ConfigError, nearest

if TYPE_CHECKING:
    from migrate_cache.rules.rule import Rule, Severity

_MODULE = re.compile(r"(mc\d+)_(\w+)")


@cache
def _modules() -> Mapping[str, str]:
    """Return the module of each rule by its code."""
    names = (module.name for module in pkgutil.iter_modules(migrate_cache.rules.__path__))
    found = sorted(name for name in names if _MODULE.fullmatch(name))
    return {name.partition("_")[0].upper(): name for name in found}


def rule_names() -> Mapping[str, str]:
    """Return the names of all rules by code; no rule is loaded."""
    return {code: module.partition("_")[2].replace("_", "-") for code, module in _modules().items()}


@cache
def load_rule(code: str) -> Rule:
    """Return the rule `code`; raise KeyError where there is none."""
    module = _modules()[code]
    found = getattr(import_module(f"migrate_cache.rules.{module}"), module.partition("_")[2])
    return cast("Rule", found)


def find_rule(code: str) -> Rule | None:
    """Return the rule `code`, None where there is none."""
    return load_rule(code) if code in _modules() else None


def all_rules() -> tuple[Rule, ...]:
    """Return all rules in the order of their codes."""
    return tuple(map(load_rule, _modules()))


def severity(code: str) -> Severity:
    """Return the severity of the rule `code`."""
    return load_rule(code).severity


def matches(code: str, prefixes: Iterable[str]) -> bool:
    """Tell whether one of `prefixes` (``MC101``, ``mc1``, ``ALL``) selects the rule `code`."""
    return any(
        prefix.upper() == "ALL" or (prefix and code.startswith(prefix.upper()))
        for prefix in prefixes
    )


def check_codes(name: str, prefixes: Iterable[str]) -> None:
    """Raise ConfigError where one of `prefixes`, of the option `name`, selects no rule."""
    codes = tuple(_modules())
    for prefix in prefixes:
        if not any(matches(code, (prefix,)) for code in codes):
            guess = nearest(prefix.upper(), codes)
            hint = f"did you mean {guess}?" if guess else "see --list-rules"
            raise ConfigError(f"{name}: there is no rule {prefix!r}", hint=hint)
