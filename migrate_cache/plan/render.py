"""Render the decisions about one file: its new text, with changes and notes in its order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrate_cache.plan.model import Change, FileResult, Note
from migrate_cache.rules import rule
from migrate_cache.rules.context import is_selected
from migrate_cache.rules.registry import load_rule, severity
from migrate_cache.rules.suppressions import instruction_start, read_suppressions
from migrate_cache.text.edit import apply_edits

if TYPE_CHECKING:
    from migrate_cache.builds.runs import FileContext
    from migrate_cache.caches.facts import Project
    from migrate_cache.rules.context import Decisions
    from migrate_cache.rules.suppressions import Suppression


def render(file: FileContext, project: Project, decisions: Decisions) -> FileResult:
    """Return the result planned for a file; the safety net has not checked it yet."""
    before = file.tree.source.text
    changes = [_change(file, change) for change in changes_in(file, project, decisions)]
    changes.sort(key=lambda change: (change.line, change.column, change.rule))
    suppressions = read_suppressions(file.tree)
    notes = [
        note
        for note in _notes_in(file, project, decisions)
        if is_selected(note.rule, project.settings) and not _is_suppressed(file, note, suppressions)
    ]
    notes.sort(key=lambda note: (note.line, note.column, note.rule))
    after = apply_edits(before, (edit for change in changes for edit in change.edits))
    return FileResult(file.path, before, after, tuple(changes), tuple(notes))


def changes_in(file: FileContext, project: Project, decisions: Decisions) -> Iterator[rule.Change]:
    """Yield what the rules change in a file."""
    for mount in project.graph.mounts_in(file.path):
        item = decisions.mounts[mount]
        if isinstance(item, rule.Change):
            yield item
    yield from decisions.insertions.get(file.path, ())


def _change(file: FileContext, change: rule.Change) -> Change:
    place = file.tree.source.place(change.start)
    at = (change.rule, place.line, place.column)
    return Change(*at, change.reason, change.edits, change.evidence)


def _notes_in(file: FileContext, project: Project, decisions: Decisions) -> Iterator[Note]:
    for mount in project.graph.mounts_in(file.path):
        item = decisions.mounts[mount]
        # What a rewriting rule leaves alone needs no note.
        if isinstance(item, rule.Keep) and severity(item.rule) != "rewrite":
            yield Note(item.rule, mount.line, mount.column, item.reason, item.evidence)
    for note in decisions.notes.get(file.path, ()):
        yield Note(note.rule, note.line, note.column, note.reason)


def _is_suppressed(file: FileContext, note: Note, suppressions: Sequence[Suppression]) -> bool:
    if not suppressions or not load_rule(note.rule).ignorable:
        return False
    start = instruction_start(file.tree, note.line)
    return any(suppression.covers(note.rule, start) for suppression in suppressions)
