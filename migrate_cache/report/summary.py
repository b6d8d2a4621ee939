"""Counts over a whole result, and the small facts that several reports state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from migrate_cache.plan.model import Note
from migrate_cache.rules.registry import find_rule
from migrate_cache.text.errors import MigrateError, SafetyError, WriteError

if TYPE_CHECKING:
    from migrate_cache.plan.model import Change, FileResult, Outcome, ProjectResult

Mode = Literal["write", "dry-run", "check"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a result amounts to. The pairs are (rule, number), in the order of the codes.

    `kept` counts the mounts whose text does not change, by the rule that says why; a mount
    that is in order already stands there under ``""``.
    """

    files: int
    files_changed: int
    mounts: int
    mounts_changed: int
    changes: tuple[tuple[str, int], ...]
    kept: tuple[tuple[str, int], ...]
    warnings: int
    notes: int
    errors: int


def summarize(result: ProjectResult) -> Summary:
    """Count files, mounts, changes, warnings, notes and errors."""
    changes = Counter(change.rule for file in result.files for change in file.changes)
    kept = Counter(kept_rule(outcome) for outcome in result.outcomes if not outcome.changed)
    kinds = Counter(rule_kind(note.rule) for file in result.files for note in file.notes)
    failed = sum(file.error is not None for file in result.files)
    told = sum(
        rule_kind(note.rule) == "error"
        for file in result.files
        if file.error is not None
        for note in file.notes
    )
    return Summary(
        files=len(result.files),
        files_changed=sum(file.changed for file in result.files),
        mounts=len(result.outcomes),
        mounts_changed=sum(outcome.changed for outcome in result.outcomes),
        changes=tuple(sorted(changes.items())),
        kept=tuple(sorted(kept.items())),
        warnings=kinds["warning"] + len(result.warnings),
        notes=kinds["note"],
        errors=failed + kinds["error"] - told,
    )


def rule_kind(code: str) -> str:
    """Return the severity of a rule; what no rule stands for is a note."""
    rule = find_rule(code)
    return rule.severity if rule else "note"


def kept_rule(outcome: Outcome) -> str:
    """Return the rule that keeps a mount as it is, ``""`` where it is in order already.

    A rule that rewrites also says why it does not: what is not locked is in order then.
    """
    if rule_kind(outcome.rule) == "rewrite" and outcome.sharing_before != "locked":
        return ""
    return outcome.rule


def error_code(error: MigrateError) -> str:
    """Return the rule that stands for an error of a file; ``""`` for a failed write."""
    if isinstance(error, SafetyError):
        return "MC902"
    return "" if isinstance(error, WriteError) else "MC901"


def pending(mode: Mode) -> bool:
    """Whether changes are only planned: `mode` writes nothing."""
    return mode != "write"


def shared_with_others(result: ProjectResult) -> tuple[str, ...]:
    """Return the ids that keep their name and change their mode.

    Another repository on the same builder may use them too, in the old mode.
    """
    found = {
        outcome.id_after
        for outcome in result.outcomes
        if outcome.id_before == outcome.id_after
        and (outcome.sharing_before or "shared") != (outcome.sharing_after or "shared")
    }
    return tuple(sorted(found))


def abandoned_ids(result: ProjectResult) -> tuple[str, ...]:
    """Return the ids that some mount had and no mount of the project has any more."""
    after = {outcome.id_after for outcome in result.outcomes}
    before = {outcome.id_before for outcome in result.outcomes if outcome.changed}
    return tuple(sorted(before - after))


class Places:
    """Moves lines of the old text to where they are in the file now.

    Places in a plan are those of the old text. Once the plan is written, inserted lines
    have moved what follows them.
    """

    def __init__(self, file: FileResult, mode: Mode) -> None:
        self._before = file.before
        # Where lines were added or taken away, and how many.
        self._grown: list[tuple[int, int]] = []
        changes = file.changes if file.changed and not pending(mode) else ()
        for edit in (edit for change in changes for edit in change.edits):
            grown = edit.text.count("\n") - file.before.count("\n", *edit.span)
            if grown:
                self._grown.append((edit.span.start, grown))

    def line(self, line: int) -> int:
        """Return the present number of the line that was number `line`."""
        if not self._grown or not line:
            return line
        count = self._before.count
        return line + sum(grown for at, grown in self._grown if count("\n", 0, at) < line)

    def of(self, item: Change | Note) -> int:
        """Return the present line of a change or note; an inserted line is its own place."""
        if not self._grown or isinstance(item, Note) or not item.edits:
            return self.line(item.line)
        start = min(edit.span.start for edit in item.edits)
        line = self._before.count("\n", 0, start) + 1
        return line + sum(grown for at, grown in self._grown if at < start)
