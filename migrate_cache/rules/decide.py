"""Run the rules over a project: every cache mount gets one change or keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, get_args

from migrate_cache.caches.cache_mount import CacheMount
from migrate_cache.rules.context import Context, Decisions, Declined
from migrate_cache.rules.registry import all_rules, severity
from migrate_cache.rules.rule import Change, Keep, Phase, Rule
from migrate_cache.rules.suppressions import instruction_start, read_suppressions

if TYPE_CHECKING:
    from migrate_cache.caches.facts import Project
    from migrate_cache.rules.rule import Blocked, Yielded


def decide(
    project: Project, declined: Declined = frozenset(), *, suppressing: bool = True
) -> Decisions:
    """Run the rules over a project: every cache mount gets one change or keep.

    With `suppressing`, ignore comments count.
    """
    rules = all_rules()
    suppressed_files = project.files if suppressing else ()
    context = Context(
        project=project,
        unchangeable=_unchangeable(project, rules),
        suppressions={file.path: read_suppressions(file.tree) for file in suppressed_files},
        declined=declined,
        said_unsuppressed=cache(lambda: _said(decide(project, declined, suppressing=False))),
    )
    for mount, blocked in context.unchangeable.items():
        context.decisions.add(Keep(mount, blocked.reason, blocked, rule=blocked.by))
    for phase in get_args(Phase):
        if phase == "review":
            _check_complete(context)
        for own in rules:
            if own.phase == phase:
                for item in _run(own, context):
                    context.decisions.add(item)
    return context.decisions


def _unchangeable(project: Project, rules: Iterable[Rule]) -> dict[CacheMount, Blocked]:
    found: dict[CacheMount, Blocked] = {}
    for rule in sorted((r for r in rules if r.looks_at == "mount"), key=lambda r: -r.rank):
        for mount in project.mounts:
            if blocked := rule.blocked(mount):
                found.setdefault(mount, blocked)
    return found


def _run(rule: Rule, context: Context) -> Iterator[Yielded]:
    subjects: dict[str, Iterable[object]] = {
        "cache": context.project.caches,
        "tree": [file.tree for file in context.project.files],
    }
    for subject in subjects.get(rule.looks_at, ()):
        for item in rule(subject, context):
            if not isinstance(item, Change) or not (blocked := context.blocked(item.at, rule.code)):
                by = item.blocked.by if isinstance(item, Keep) and item.blocked else rule.code
                yield replace(item, rule=by)
            elif isinstance(item.at, CacheMount):
                yield Keep(item.at, f"kept: {blocked.reason}", blocked, rule=blocked.by)


def _check_complete(context: Context) -> None:
    missing = [m.place for m in context.project.mounts if m not in context.decisions.mounts]
    if missing:
        raise AssertionError(f"no rule decided about {', '.join(missing)}")


def _said(decisions: Decisions) -> dict[str, set[tuple[str, int]]]:
    """Return by path which rule speaks of which instruction, by the instruction's offset."""
    said: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for mount, item in decisions.mounts.items():
        if isinstance(item, Change) or severity(item.rule) != "rewrite":
            said[mount.path].add((item.rule, mount.run.instruction.start))
    for change in chain.from_iterable(decisions.insertions.values()):
        said[change.run.path].add((change.rule, change.run.instruction.start))
    trees = {mount.path: mount.run.tree for mount in decisions.mounts}
    for note in chain.from_iterable(decisions.notes.values()):
        said[note.path].add((note.rule, instruction_start(trees[note.path], note.line)))
    return said
