"""What a run says on standard error: files, changes and reasons, a summary, the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.plan.model import Change, FileResult, Note, Outcome, ProjectResult
from migrate_cache.report.style import (
    KIND_COLOURS,
    cells,
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
from migrate_cache.text.escape import point_at, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate_cache.text.errors import MigrateError, Warn

__all__ = ["error_text", "file_text", "report", "summary_text"]

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
    columns = terminal_width(width)
    blocks: list[str] = []
    if not quiet:
        blocks += _file_blocks(result, mode, color, verbose, columns)
        if result.warnings:
            blocks.append("\n".join(_warn(warn, color, columns) for warn in result.warnings))
    errors = [error_text(file.error, color) for file in result.files if file.error is not None]
    blocks += errors
    if not quiet:
        text = summary_text(result, mode=mode, color=color, width=columns)
        blocks.append(text.removesuffix("\n"))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def file_text(
    file: FileResult,
    outcomes: Iterable[Outcome] = (),
    *,
    mode: Mode = "write",
    color: bool = False,
    verbose: bool = False,
    width: int | None = None,
) -> str:
    """Return what is said about one file; `outcomes` are those of its mounts.

    Without `verbose`, notes and outcomes are left out; the summary counts them.
    """
    columns = terminal_width(width)
    places = Places(file, mode)
    lines = [_heading(file.path, len(file.changes), mode, color)]
    listed = list(outcomes) if verbose else []
    lines += (_mount(outcome, places, color, columns) for outcome in listed)
    told = {(outcome.rule, outcome.reason) for outcome in listed}
    rest: list[Change | Note] = [*file.changes, *_worth_saying(file.notes, verbose)]
    rest = [item for item in rest if (item.rule, item.reason) not in told]
    lines += _entries(rest, places, color, verbose, columns)
    return "\n".join(lines) + "\n" if len(lines) > 1 else ""


def error_text(error: MigrateError, color: bool = False) -> str:
    """Return ``path:line:column: message``, the line with a caret, and the hint."""
    place = ":".join(
        part
        for part in (printable(error.path), str(error.line or ""), str(error.column or ""))
        if part
    )
    head = paint(place, "bold", color) if place else paint("error", "red", color)
    text = f"{head}: {printable(error.message)}"
    if error.source_line and error.column:
        text += "\n" + point_at(error.source_line, error.column)
    if error.hint:
        text += f"\n  hint: {printable(error.hint)}"
    return text


def summary_text(
    result: ProjectResult,
    *,
    mode: Mode = "write",
    color: bool = False,
    width: int | None = None,
) -> str:
    """Return the counts and the next step to take."""
    columns = terminal_width(width)
    total = summarize(result)
    lines = [paint(_headline(total, mode), "bold", color)]
    lines += _counted(total.changes, "change", color, columns)
    kept = total.mounts - total.mounts_changed
    if kept:
        verb = "Would leave" if pending(mode) else "Left"
        lines.append(f"{verb} {count(kept, 'mount')} as written:")
        lines += _counted(total.kept, "mount", color, columns)
    findings = [
        count(total.warnings, "warning") if total.warnings else "",
        count(total.errors, "error") if total.errors else "",
    ]
    if any(findings):
        lines.append(enumerate_words(word for word in findings if word) + ".")
    lines += [wrap(line, columns) for line in _next_steps(result, total, mode)]
    return "\n".join(lines) + "\n"


def _file_blocks(
    result: ProjectResult, mode: Mode, color: bool, verbose: bool, columns: int
) -> Iterator[str]:
    outcomes: dict[str, list[Outcome]] = {}
    if verbose:
        for outcome in result.outcomes:
            outcomes.setdefault(outcome.path, []).append(outcome)
    files = {file.path: file for file in result.files}
    paths = sorted({*files, *outcomes}) if verbose else list(files)
    for path in paths:
        file = files.get(path) or FileResult(path, "", "")
        text = file_text(
            file, outcomes.get(path, ()), mode=mode, color=color, verbose=verbose, width=columns
        )
        if text:
            yield text.removesuffix("\n")


def _worth_saying(notes: Iterable[Note], verbose: bool) -> list[Note]:
    return [note for note in notes if verbose or rule_kind(note.rule) in ("warning", "error")]


def _heading(path: str, changes: int, mode: Mode, color: bool) -> str:
    name = paint(printable(path), "bold", color)
    if not changes:
        return name
    verb = "would change" if pending(mode) else "changed"
    said = f"{verb}, {count(changes, 'change')}"
    return f"{name}  {paint(said, 'dim', color)}"


def _entries(
    items: list[Change | Note], places: Places, color: bool, verbose: bool, columns: int
) -> Iterator[str]:
    """Yield one entry for all the places that have the same rule and reason."""
    grouped: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
    for item in items:
        key = (item.rule, item.reason, item.evidence if verbose else ())
        grouped.setdefault(key, []).append(places.of(item))
    rows = [(_lines(at), *key) for key, at in grouped.items()]
    margin = max((cells(at) for at, *_ in rows), default=0)
    for at, rule, reason, evidence in rows:
        start = f"  {pad(at, margin)}  "
        colour = KIND_COLOURS[rule_kind(rule)]
        first = f"{start}{paint(rule, colour, color)}  "
        indent = " " * (len(start) + len(rule) + 2)
        yield wrap(printable(reason), columns, first, indent)
        for fact in evidence:
            yield wrap(printable(fact), columns, f"{indent}- ", f"{indent}  ")


def _lines(lines: Iterable[int]) -> str:
    distinct = [str(line) for line in sorted(set(lines)) if line]
    if not distinct:
        return "file"
    if len(distinct) > _MANY_LINES:
        return f"lines {', '.join(distinct[:_MANY_LINES])}…"
    return f"{'line' if len(distinct) == 1 else 'lines'} {', '.join(distinct)}"


def _mount(outcome: Outcome, places: Places, color: bool, columns: int) -> str:
    at = f"  line {places.line(outcome.line)}  "
    indent = " " * len(at)
    head = wrap(printable(_what(outcome)), columns, at, indent)
    rule = outcome.rule or "     "
    first = f"{indent}{paint(rule, KIND_COLOURS[rule_kind(outcome.rule)], color)}  "
    lines = [head, wrap(printable(outcome.reason), columns, first, indent + " " * (len(rule) + 2))]
    lines += [
        wrap(printable(fact), columns, f"{indent}- ", f"{indent}  ") for fact in outcome.evidence
    ]
    return "\n".join(lines)


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


def _warn(warn: Warn, color: bool, columns: int) -> str:
    place = ":".join(
        part
        for part in (printable(warn.path), str(warn.line or ""), str(warn.column or ""))
        if part
    )
    head = f"{place}: warning: "
    shown = f"{paint(place, 'bold', color)}: {paint('warning: ', 'yellow', color)}"
    return wrap(head + printable(warn.message), columns, "", "  ").replace(head, shown, 1)


def _headline(total: Summary, mode: Mode) -> str:
    mounts = count(total.mounts, "cache mount")
    if total.files_changed:
        verb = "Would change" if pending(mode) else "Changed"
        files = count(total.files_changed, "file")
        return f"{verb} {files}: {total.mounts_changed} of the project's {mounts}."
    if not total.files and total.errors == 0:
        return "No Dockerfiles found."
    return f"Nothing to change in {count(total.files, 'file')}; the project has {mounts}."


def _counted(
    pairs: Iterable[tuple[str, int]], noun: str, color: bool, columns: int
) -> Iterator[str]:
    rows = [(code, count(number, noun), _meaning(code, noun)) for code, number in pairs]
    margin = max((len(number) for _, number, _ in rows), default=0)
    for code, number, meaning in rows:
        name = paint(code, KIND_COLOURS[rule_kind(code)], color) if code else " " * 5
        indent = " " * (len("MC101") + margin + 6)
        yield wrap(meaning, columns, f"  {name}  {number.ljust(margin)}  ", indent)


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
