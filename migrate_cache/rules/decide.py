"""Run the rules over a project: every cache mount gets one change or keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from migrate_cache.caches.cache_mount import CacheMount
from migrate_cache.rules.context import Context, Decisions, Declined
from migrate_cache.rules.registry import all_rules, severity
from migrate_cache.rules.rule import Change, Keep, Phase, Rule
from migrate_cache.rules.suppressions import instruction_start, read_suppressions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_cache.caches.facts import Project
    from migrate_cache.rules.rule import Yielded
    from migrate_cache.rules.suppressions import Suppression


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
            allowed = _allowed(item, rule, context)
            if isinstance(allowed, Keep) and allowed.blocked:
                yield replace(allowed, rule=allowed.blocked.by)
            elif allowed:
                yield replace(allowed, rule=rule.code)


def _allowed(item: Yielded, rule: Rule, context: Context) -> Yielded | None:
    """Return what a rule yields, or what stands in its place where nothing may be changed."""
    if not isinstance(item, Change) or not (blocked := context.blocked(item.at, rule.code)):
        return item
    at = item.at
    return Keep(at, f"kept: {blocked.reason}", blocked) if isinstance(at, CacheMount) else None


def _check_complete(context: Context) -> None:
    missing = [m.place for m in context.project.mounts if m not in context.decisions.mounts]
    if missing:
        raise AssertionError(f"no rule decided about {', '.join(missing)}")


def _said(decisions: Decisions) -> Mapping[str, frozenset[tuple[str, int]]]:
    """Return by path which rule speaks of which instruction, by the instruction's offset."""
    said: dict[str, set[tuple[str, int]]] = {}
    for mount, item in decisions.mounts.items():
        if isinstance(item, Change) or severity(item.rule) != "rewrite":
            said.setdefault(mount.path, set()).add((item.rule, mount.run.instruction.start))
    for path, insertions in decisions.insertions.items():
        for change in insertions:
            said.setdefault(path, set()).add((change.rule, change.run.instruction.start))
    trees = {mount.path: mount.run.tree for mount in decisions.mounts}
    for path, notes in decisions.notes.items():
        for note in notes:
            start = instruction_start(trees[path], note.line)
            said.setdefault(path, set()).add((note.rule, start))
    return {path: frozenset(found) for path, found in said.items()}
