"""Decisions and insertions as edits of a file's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.dockerfile.edits import insert_before, set_cache
from migrate_cache.plan.model import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrate_cache.caches.graph import File
    from migrate_cache.rules.context import Decision, Insertion


def changes_of(
    file: File, decisions: Iterable[Decision], insertions: Sequence[Insertion]
) -> tuple[Change, ...]:
    """Return the changes of one file in the order of the text."""
    changes = []
    for decision in decisions:
        if decision.changes:
            use = decision.use
            changes.append(
                Change(
                    decision.rule, use.line, use.column, decision.reason,
                    set_cache(use.mount, decision.id, decision.sharing), decision.evidence,
                )
            )  # fmt: skip
    for insertion in insertions:
        place = file.tree.source.place(insertion.before.start)
        changes.append(
            Change(
                insertion.rule, place.line, place.column, insertion.reason,
                (insert_before(file.tree, insertion.before, insertion.comment, insertion.text),),
            )
        )  # fmt: skip
    changes.sort(key=lambda change: (change.line, change.column, change.rule))
    return tuple(changes)
