"""What a run says on standard error: files, changes and reasons, a summary, the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_cache.plan.model import Change, FileResult, Note, Outcome, ProjectResult
from migrate_cache.report.style import (
    KIND_COLOURS,
    count,
    enumerate_words,
    pad,
    paint,
    terminal_width,
    wrap,
)
from migrate_cache.report.summary import (
    Mode,
    Places,
    Summary,
    error_code,
    pending,
    rule_kind,
    shared_with_others,
    summarize,
)
from migrate_cache.rules.registry import find_rule
from migrate_cache.text.escape import cells, point_at, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from migrate_cache.text.errors import MigrateError, Warn

_MANY_LINES = 4
_MANY_FILES = 5


def report(
    result: ProjectResult,
    *,
    mode: Mode = "write",
    color: bool = False,
    verbose: bool = False,
    quiet: bool = False,
    width: int | None = None,
) -> str:
    """Return all that is said about a run; ``""`` where there is nothing to say.

    `verbose` adds what becomes of every cache mount and on what evidence; `quiet` leaves
    errors only.
    """
    blocks = [error_text(file.error, color) for file in result.files if file.error is not None]
    if not quiet:
        said = _Report(result, mode, color, verbose, terminal_width(width))
        warnings = "\n".join(map(said.warning, result.warnings))
        blocks = [*said.files(), *filter(None, [warnings]), *blocks, "\n".join(said.summary())]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def error_text(error: MigrateError, color: bool = False) -> str:
    """Return ``path:line:column: message``, the line with a caret, and the hint."""
    place = _place(error)
    head = paint(place, "bold", color) if place else paint("error", "red", color)
    text = f"{head}: {printable(error.message)}"
    if error.source_line and error.column:
        text += "\n" + point_at(error.source_line, error.column)
    if error.hint:
        text += f"\n  hint: {printable(error.hint)}"
    return text


def _place(at: MigrateError | Warn) -> str:
    parts = (printable(at.path), str(at.line or ""), str(at.column or ""))
    return ":".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class _Report:
    """What is said about a result, and how."""

    result: ProjectResult
    mode: Mode
    color: bool
    verbose: bool
    columns: int

    def files(self) -> Iterator[str]:
        """Yield a block for each file that there is something to say about."""
        outcomes: dict[str, list[Outcome]] = {}
        for outcome in self.result.outcomes if self.verbose else ():
            outcomes.setdefault(outcome.path, []).append(outcome)
        files = {file.path: file for file in self.result.files}
        for path in sorted({*files, *outcomes}):
            file = files.get(path) or FileResult(path, "", "")
            lines = list(self.file(file, outcomes.get(path, ())))
            if lines:
                yield "\n".join([self.heading(file), *lines])

    def heading(self, file: FileResult) -> str:
        name = paint(printable(file.path), "bold", self.color)
        if not file.changes:
            return name
        verb = "would change" if pending(self.mode) else "changed"
        said = f"{verb}, {count(len(file.changes), 'change')}"
        return f"{name}  {paint(said, 'dim', self.color)}"

    def file(self, file: FileResult, outcomes: Sequence[Outcome]) -> Iterator[str]:
        """Yield what is said below the file's name; `outcomes` are those of its mounts.

        Without `verbose`, notes are left out; the summary counts them.
        """
        places = Places(file, self.mode)
        for outcome in outcomes:
            yield from self.mount(outcome, places)
        told = {(outcome.rule, outcome.reason) for outcome in outcomes}
        kinds = KIND_COLOURS if self.verbose else ("warning", "error")
        notes = [note for note in file.notes if rule_kind(note.rule) in kinds]
        items: list[Change | Note] = [*file.changes, *notes]
        rest = [item for item in items if (item.rule, item.reason) not in told]
        yield from self.entries(rest, places)

    def entries(self, items: list[Change | Note], places: Places) -> Iterator[str]:
        """Yield one entry for all the places that have the same rule and reason."""
        grouped: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
        for item in items:
            key = (item.rule, item.reason, item.evidence if self.verbose else ())
            grouped.setdefault(key, []).append(places.of(item))
        rows = [(_lines(at), *key) for key, at in grouped.items()]
        margin = max((cells(at) for at, *_ in rows), default=0)
        for at, rule, reason, evidence in rows:
            start = f"  {pad(at, margin)}  "
            indent = " " * (len(start) + len(rule) + 2)
            yield self.wrap(reason, f"{start}{self.rule(rule)}  ", indent)
            yield from self.facts(evidence, indent)

    def mount(self, outcome: Outcome, places: Places) -> Iterator[str]:
        at = f"  line {places.line(outcome.line)}  "
        indent = " " * len(at)
        rule = outcome.rule or "     "
        yield self.wrap(_what(outcome), at, indent)
        yield self.wrap(
            outcome.reason, f"{indent}{self.rule(rule)}  ", indent + " " * (len(rule) + 2)
        )
        yield from self.facts(outcome.evidence, indent)

    def facts(self, evidence: Iterable[str], indent: str) -> Iterator[str]:
        for fact in evidence:
            yield self.wrap(fact, f"{indent}- ", f"{indent}  ")

    def wrap(self, text: str, first: str, rest: str) -> str:
        return wrap(printable(text), self.columns, first, rest)

    def rule(self, code: str) -> str:
        return paint(code, KIND_COLOURS[rule_kind(code)], self.color)

    def warning(self, warn: Warn) -> str:
        place = _place(warn)
        head = f"{place}: warning: "
        shown = f"{paint(place, 'bold', self.color)}: {paint('warning: ', 'yellow', self.color)}"
        return self.wrap(head + warn.message, "", "  ").replace(head, shown, 1)

    def summary(self) -> Iterator[str]:
        """Yield the counts and the next step to take."""
        total = summarize(self.result)
        yield paint(_headline(total, self.mode), "bold", self.color)
        yield from self.counted(total.changes, "change")
        kept = total.mounts - total.mounts_changed
        if kept:
            verb = "Would leave" if pending(self.mode) else "Left"
            yield f"{verb} {count(kept, 'mount')} as written:"
            yield from self.counted(total.kept, "mount")
        findings = [
            count(number, noun)
            for number, noun in ((total.warnings, "warning"), (total.errors, "error"))
            if number
        ]
        if findings:
            yield enumerate_words(findings) + "."
        for step in _next_steps(self.result, total, self.mode):
            yield wrap(step, self.columns)

    def counted(self, pairs: Iterable[tuple[str, int]], noun: str) -> Iterator[str]:
        rows = [(code, count(number, noun), _meaning(code, noun)) for code, number in pairs]
        margin = max((len(number) for _, number, _ in rows), default=0)
        indent = " " * (len("MC101") + margin + 6)
        for code, number, meaning in rows:
            name = self.rule(code) if code else " " * 5
            yield wrap(meaning, self.columns, f"  {name}  {number.ljust(margin)}  ", indent)


def _what(outcome: Outcome) -> str:
    """Describe a mount and what becomes of it in one line."""
    name = outcome.target
    if outcome.tool:
        name += f" ({outcome.tool})"
    if outcome.stage:
        name += f" in stage {outcome.stage}"
    facts = []
    if outcome.id_before != outcome.id_after:
        facts.append(f"id {outcome.id_before} → {outcome.id_after}")
    before, after = outcome.sharing_before or "shared", outcome.sharing_after or "shared"
    facts.append(before if before == after else f"{before} → {after}")
    return f"{name}: {', '.join(facts)}"


def _lines(lines: Iterable[int]) -> str:
    distinct = [str(line) for line in sorted(set(lines)) if line]
    if not distinct:
        return "file"
    if len(distinct) > _MANY_LINES:
        return f"lines {', '.join(distinct[:_MANY_LINES])}…"
    return f"{'line' if len(distinct) == 1 else 'lines'} {', '.join(distinct)}"


def _headline(total: Summary, mode: Mode) -> str:
    mounts = count(total.mounts, "cache mount")
    if total.files_changed:
        verb = "Would change" if pending(mode) else "Changed"
        files = count(total.files_changed, "file")
        return f"{verb} {files}: {total.mounts_changed} of the project's {mounts}."
    if not total.files and total.errors == 0:
        return "No Dockerfiles found."
    return f"Nothing to change in {count(total.files, 'file')}; the project has {mounts}."


def _meaning(code: str, noun: str) -> str:
    rule = find_rule(code)
    if rule is None:
        return "in order already"
    if noun == "mount" and rule.severity == "rewrite":
        return "kept for a reason that `--verbose` gives"
    return rule.summary


def _next_steps(result: ProjectResult, total: Summary, mode: Mode) -> Iterator[str]:
    failed = {printable(file.path): file.error for file in result.files if file.error is not None}
    if failed:
        unread = all(error_code(error) == "MC901" for error in failed.values())
        verb = "could not be read" if unread else "failed"
        rest = " All others are done." if total.files_changed and mode == "write" else ""
        yield f"{count(len(failed), 'file')} {verb}: {_some(list(failed))}.{rest}"
    if total.files_changed and shared_with_others(result):
        yield (
            "A cache id belongs to the builder, not to this repository: where another repository "
            "on the same builder still locks these caches, migrate both together, or see "
            "`migrate-cache --explain MC203`."
        )
    if total.files_changed and mode == "write":
        yield "Next: review with `git diff`, and keep `migrate-cache --check` in CI."
    elif total.files_changed and mode == "dry-run":
        yield "Next: run `migrate-cache` without `--dry-run` to write this."
    elif total.files_changed:
        yield (
            "Next: run `migrate-cache` to make these changes, or `migrate-cache --dry-run` to see "
            "them."
        )


def _some(names: list[str]) -> str:
    if len(names) <= _MANY_FILES:
        return enumerate_words(names)
    return f"{', '.join(names[:_MANY_FILES])} and {len(names) - _MANY_FILES} more"
