"""The rules of this package: a module each, found by its name and loaded when it is used."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast, get_args

import migrate_cache.rules
from migrate_cache.rules.context import Context, Decisions, Declined
from migrate_cache.rules.rule import Change, Keep, Phase, Rule
from migrate_cache.rules.suppressions import instruction_start, read_suppressions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrate_cache.caches.facts import Project
    from migrate_cache.rules.rule import Severity, Yielded
    from migrate_cache.rules.suppressions import Suppression

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


def unknown_prefixes(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Return those of `prefixes` that select no rule at all."""
    return tuple(
        prefix for prefix in prefixes if not any(matches(code, (prefix,)) for code in _modules())
    )


# -- deciding ------------------------------------------------------------------------------


def decide(
    project: Project, declined: Declined = frozenset(), *, suppressing: bool = True
) -> Decisions:
    """Run the rules over a project: every cache mount gets one change or keep.

    With `suppressing`, ignore comments count.
    """
    rules = all_rules()
    blockers = sorted((r for r in rules if r.looks_at == "mount"), key=lambda r: -r.rank)
    suppressions: dict[str, Sequence[Suppression]] = {}
    if suppressing:
        suppressions = {file.path: read_suppressions(file.tree) for file in project.files}
    context = Context(
        project=project,
        blockers=blockers,
        suppressions=suppressions,
        declined=declined,
        said_unsuppressed=lambda: _said(decide(project, declined, suppressing=False)),
    )
    for mount in project.mounts:
        if blocked := context.unchangeable(mount):
            context.decisions.add(Keep(mount, blocked.reason, blocked, rule=blocked.by))
    for phase in get_args(Phase):
        if phase == "review":
            _check_complete(context)
        for own in rules:
            if own.phase == phase:
                for item in _run(own, context):
                    context.decisions.add(item)
    return context.decisions


def _run(rule: Rule, context: Context) -> Iterator[Yielded]:
    subjects: Iterable[object] = ()
    if rule.looks_at == "cache":
        subjects = context.project.caches
    elif rule.looks_at == "tree":
        subjects = (file.tree for file in context.project.files)
    for subject in subjects:
        for item in rule(subject, context):
            code = item.blocked.by if isinstance(item, Keep) and item.blocked else rule.code
            yield replace(item, rule=code)


def _check_complete(context: Context) -> None:
    missing = [m.place for m in context.project.mounts if m not in context.decisions.mounts]
    if missing:
        raise AssertionError(f"no rule decided about {', '.join(missing)}")


def _said(decisions: Decisions) -> Mapping[str, frozenset[tuple[str, int]]]:
    """Return by path which rule speaks of which instruction, by the instruction's offset."""
    said: dict[str, set[tuple[str, int]]] = {}
    for mount, item in decisions.mounts.items():
        if isinstance(item, Change) or severity(item.rule) != "rewrite":
            said.setdefault(mount.path, set()).add((item.rule, mount.instruction.start))
    for path, insertions in decisions.insertions.items():
        for change in insertions:
            said.setdefault(path, set()).add((change.rule, change.run.instruction.start))
    trees = {mount.path: mount.tree for mount in decisions.mounts}
    for path, notes in decisions.notes.items():
        for note in notes:
            start = instruction_start(trees[path], note.line)
            said.setdefault(path, set()).add((note.rule, start))
    return {path: frozenset(found) for path, found in said.items()}
