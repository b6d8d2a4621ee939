"""Ask about each change on a terminal.

A declined change may hold back others, because a cache changes for all its users together or for
none. So everything is planned again after each "no", and the next question is about what remains.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from migrate_cache.report.diff import unified
from migrate_cache.report.style import count, paint
from migrate_cache.text.edit import apply_edits
from migrate_cache.text.escape import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrate_cache.plan.model import Change, FileResult, ProjectResult
    from migrate_cache.rules.context import Declined


_HELP = """\
y  yes, make this change
n  no, leave this place as it is
a  all: make this change and all that follow in this file
q  quit: make the changes accepted so far, and no others
e  explain the rule
?  this help
(Control-C leaves without writing anything.)
"""


def choose(
    plan: Callable[[Declined], ProjectResult], result: ProjectResult, *, color: bool = False
) -> ProjectResult:
    """Ask about each change of `result`, and return the plan of the accepted ones.

    `plan` plans again without the declined changes. Questions go to standard error, answers come
    from standard input; its end means "quit".
    """
    declined: Declined = frozenset()
    accepted: set[tuple[str, Change]] = set()
    whole_files: set[str] = set()
    asked = 0
    while True:
        waiting = [
            (file, change)
            for file, change in _changes(result)
            if file.path not in whole_files
            and (file.path, change) not in accepted
            and _key(file, change) not in declined
        ]
        if not waiting:
            return result
        file, change = waiting[0]
        asked += 1
        answer = _ask(file, change, asked, asked + len(waiting) - 1, color)
        if answer == "y":
            accepted.add((file.path, change))
        elif answer == "a":
            whole_files.add(file.path)
        else:
            no = waiting[:1] if answer == "n" else waiting
            before = _keys(result)
            declined |= {_key(file, change) for file, change in no}
            result = plan(declined)
            if answer == "n":
                _tell_consequences(sorted(before - _keys(result) - declined))


def _changes(result: ProjectResult) -> Iterator[tuple[FileResult, Change]]:
    for file in result.files:
        if file.error is None:
            for change in file.changes:
                yield file, change


def _key(file: FileResult, change: Change) -> tuple[str, int, str]:
    return file.path, change.line, change.rule


def _keys(result: ProjectResult) -> set[tuple[str, int, str]]:
    return {_key(file, change) for file, change in _changes(result)}


def _tell_consequences(gone: list[tuple[str, int, str]]) -> None:
    """Say which other changes are gone after a "no"."""
    if gone:
        places = ", ".join(f"{printable(path)}:{line} ({rule})" for path, line, rule in gone[:5])
        more = f" and {len(gone) - 5} more" if len(gone) > 5 else ""
        _say(f"This holds back {count(len(gone), 'other change')}: {places}{more}\n")


def _ask(file: FileResult, change: Change, number: int, total: int, color: bool) -> str:
    """Show one change and return the answer: y, n, a or q."""
    alone = replace(file, after=apply_edits(file.before, change.edits), changes=(change,))
    hunk = "\n".join(unified(alone, color, terminal=True).split("\n")[3:])  # without the names
    place = paint(f"{printable(file.path)}:{change.line}", "bold", color)
    _say(f"\n{place}  {paint(change.rule, 'green', color)}  {printable(change.reason)}\n")
    for fact in change.evidence:
        _say(f"  - {printable(fact)}\n")
    _say(hunk)
    while True:
        _say(paint(f"({number}/{total}) Make this change [y,n,a,q,e,?]? ", "bold", color))
        line = sys.stdin.buffer.readline()
        if not line:
            _say("\n")
            return "q"
        answer = line.decode("utf-8", "replace").strip().lower()
        if answer in ("y", "n", "a", "q", "yes", "no", "all", "quit"):
            return answer[0]
        if answer in ("e", "explain"):
            from migrate_cache.report.rule_pages import explain

            _say(explain(change.rule))
        else:
            _say(_HELP)


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
