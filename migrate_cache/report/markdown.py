"""The body of a pull request: what changes and why, old and new ids, what to do afterwards."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from typing import TYPE_CHECKING

from migrate_cache.report.style import count
from migrate_cache.report.summary import (
    Mode,
    abandoned_ids,
    kept_rule,
    pending,
    shared_with_others,
    summarize,
)
from migrate_cache.rules.registry import find_rule
from migrate_cache.text.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate_cache.plan.model import Outcome, ProjectResult

__all__ = ["as_markdown", "code", "escape", "prune_command"]

_SPECIAL = re.compile(r"[\\`*_\[\]|~#&<>]|^[-+](?= )|(?<=^\d)[.)]|(?<=:)//")
_TICKS = re.compile("`+")
_PLAIN_ID = re.compile(r"[A-Za-z0-9/._@+:-]+")
_FEW = 30


def escape(text: str) -> str:
    """Return `text` so that markdown shows it as it is: no markup, HTML, mention or link."""
    shown = _SPECIAL.sub(r"\\\g<0>", printable(text))
    # A comment in between keeps a name from being notified.
    return shown.replace(r"\<", "&lt;").replace(r"\&", "&amp;").replace("@", "@<!-- -->")


def code(text: str, *, cell: bool = False) -> str:
    """Return `text` as a code span, with any backticks in it; `cell` is for a table's cell."""
    shown = printable(text)
    if cell:
        shown = shown.replace("|", r"\|")
    fence = "`" * (max((len(run) for run in _TICKS.findall(shown)), default=0) + 1)
    blank = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def prune_command(cache_id: str) -> str:
    """Return the command that removes a builder's caches with this id, ``""`` if there is none.

    The builder knows them only by a description, which ends in ``with id "NAMESPACE/ID"``.
    Characters that its filter would read otherwise are matched by a dot.
    """
    if not _PLAIN_ID.fullmatch(cache_id):
        return ""
    pattern = re.sub(r"([.+])", r"[\1]", cache_id)
    return "docker buildx prune --filter type=exec.cachemount --filter " + shlex.quote(
        f'description~=with.id."[^/]*/{pattern}"$'
    )


def as_markdown(result: ProjectResult, *, mode: Mode = "write") -> str:
    """Return the text for a pull request, or for a comment on what is pending."""
    total = summarize(result)
    if not total.files_changed:
        found = count(total.files, "Dockerfile")
        lines = [f"`migrate-cache` finds nothing to change in {found}.", ""]
        lines += _kept(result)
        lines += _failed(result)
        return "\n".join(lines).rstrip("\n") + "\n"
    verb = "would change" if pending(mode) else "changes"
    lines = [
        "## Let parallel image builds use their caches side by side",
        "",
        f"This {verb} {total.mounts_changed} of {count(total.mounts, 'BuildKit cache mount')} in "
        f"{count(total.files_changed, 'Dockerfile')}, made by `migrate-cache`. A cache mount with "
        "`sharing=locked` is held for a whole `RUN`, so builds that use the same cache wait for "
        "each other. Nothing but what is named here changes.",
        "",
    ]
    lines += _rules(total.changes)
    lines += _ids(result)
    lines += _modes(result)
    lines += _after(result)
    lines += _kept(result)
    lines += _failed(result)
    lines += _details(result)
    return "\n".join(lines).rstrip("\n") + "\n"


def _rules(changes: Iterable[tuple[str, int]]) -> Iterator[str]:
    yield "| rule | changes | what |"
    yield "|---|---|---|"
    for rule, number in changes:
        known = find_rule(rule)
        summary = known.summary if known else ""
        yield f"| {_cell(rule)} | {number} | {summary} |"
    yield ""


def _ids(result: ProjectResult) -> Iterator[str]:
    renamed: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in result.outcomes:
        if outcome.id_before != outcome.id_after:
            renamed.setdefault((outcome.id_before, outcome.id_after), []).append(outcome)
    if not renamed:
        return
    yield "### New ids"
    yield ""
    yield (
        "Each of these starts empty: the first build after the merge compiles from scratch, "
        "once per id."
    )
    yield ""
    yield "| old id | new id | cache | mode | used in |"
    yield "|---|---|---|---|---|"
    for (old, new), outcomes in sorted(renamed.items()):
        before = "/".join(sorted({outcome.sharing_before or "shared" for outcome in outcomes}))
        after = "/".join(sorted({outcome.sharing_after or "shared" for outcome in outcomes}))
        ids = f"{code(old, cell=True)} | {code(new, cell=True)}"
        paths = _files(outcome.path for outcome in outcomes)
        yield f"| {ids} | {_tools(outcomes)} | {_mode(before, after)} | {paths} |"
    yield ""


def _modes(result: ProjectResult) -> Iterator[str]:
    rows: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in result.outcomes:
        if outcome.id_before == outcome.id_after and outcome.changed:
            key = (outcome.id_after, outcome.sharing_before, outcome.sharing_after)
            rows.setdefault(key, []).append(outcome)
    if not rows:
        return
    yield "### New sharing modes"
    yield ""
    yield "| id | mode | cache | mounts | why |"
    yield "|---|---|---|---|---|"
    for (name, before, after), outcomes in sorted(rows.items()):
        reasons = list(dict.fromkeys(outcome.reason for outcome in outcomes))
        yield (
            f"| {code(name, cell=True)} | {_mode(before, after)} "
            f"| {_tools(outcomes)} | {len(outcomes)} | {_cell(' '.join(reasons[:2]))} |"
        )
    yield ""


def _after(result: ProjectResult) -> Iterator[str]:
    old = abandoned_ids(result)
    shared = shared_with_others(result)
    if shared:
        yield "### Before merging: who else uses this builder?"
        yield ""
        yield (
            "A cache id belongs to the builder, not to the repository. If another repository on "
            "the same builder still uses one of these ids with `sharing=locked`, BuildKit forks "
            "the cache, and a Cargo registry that another repository shares without the lock link "
            "is not protected by ours. Migrate such repositories together, or set the build "
            "argument `BUILDKIT_CACHE_MOUNT_NS` per repository, or run "
            "`migrate-cache --fresh-ids`, which costs one cold start."
        )
        yield ""
        yield from _listed([code(name) for name in shared], "ids that keep their name")
    if old:
        yield "### After merging: remove old caches"
        yield ""
        yield (
            "No Dockerfile here uses these ids any more. The builder's garbage collection removes "
            "them in time; the commands do it at once. Another repository on the same builder may "
            "still use an id, and so may branches without this change."
        )
        yield ""
        yield "```sh"
        yield "docker buildx du --verbose --filter type=exec.cachemount"
        commands = [prune_command(name) for name in old]
        yield from (command for command in commands if command)
        yield "```"
        yield ""
        unnamed = [code(name) for name, command in zip(old, commands, strict=True) if not command]
        if unnamed:
            yield (
                f"For {', '.join(unnamed)}, take the record's id from the first command's output, "
                "where the description ends with what the id became, and give it to "
                "`docker buildx prune --filter id=RECORD`."
            )
            yield ""


def _kept(result: ProjectResult) -> Iterator[str]:
    kept = [outcome for outcome in result.outcomes if not outcome.changed and kept_rule(outcome)]
    if not kept:
        return
    numbers = Counter(outcome.rule for outcome in kept)
    yield "### Left as it is"
    yield ""
    for rule, number in sorted(numbers.items()):
        found = find_rule(rule)
        kept_by_rewrite = found is not None and found.severity == "rewrite"
        summary = "kept for the reason below" if kept_by_rewrite or not found else found.summary
        yield f"- **{rule}**, {count(number, 'mount')}: {summary}"
    yield ""
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for outcome in kept:
        key = (
            outcome.rule,
            outcome.id_before,
            outcome.sharing_before or "shared",
            outcome.reason,
        )
        rows.setdefault(key, []).append(f"{outcome.path}:{outcome.line}")
    yield "<details><summary>Every mount that stays, and why</summary>"
    yield ""
    yield "| rule | id | mode | why | where |"
    yield "|---|---|---|---|---|"
    for (rule, name, sharing, reason), places in sorted(rows.items()):
        cells = (_cell(rule), code(name, cell=True), _cell(sharing), _cell(reason), _files(places))
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "</details>"
    yield ""


def _failed(result: ProjectResult) -> Iterator[str]:
    errors = [(file.path, file.error) for file in result.files if file.error is not None]
    if not errors:
        return
    yield "### Not done"
    yield ""
    for path, error in errors:
        place = f"{path}:{error.line}" if error.line else path
        yield f"- {code(place)}: {escape(error.message)}"
    yield ""


def _details(result: ProjectResult) -> Iterator[str]:
    changed = [file for file in result.files if file.changes]
    yield "<details><summary>Every change, with its reason</summary>"
    yield ""
    for file in changed:
        yield f"- {code(file.path)}"
        for change in file.changes:
            yield f"  - line {change.line}, {change.rule}: {escape(change.reason)}"
            for fact in change.evidence:
                yield f"    - {escape(fact)}"
    yield ""
    yield "</details>"


def _cell(text: str) -> str:
    return escape(text) or " "


def _tools(outcomes: Iterable[Outcome]) -> str:
    return _cell(", ".join(sorted({outcome.tool or outcome.kind for outcome in outcomes})))


def _mode(before: str, after: str) -> str:
    before, after = escape(before or "shared"), escape(after or "shared")
    return before if before == after else f"{before} → {after}"


def _files(paths: Iterable[str]) -> str:
    distinct = sorted(set(paths))
    shown = [code(path, cell=True) for path in distinct[:3]]
    if len(distinct) > 3:
        shown.append(f"and {len(distinct) - 3} more")
    return ", ".join(shown)


def _listed(items: list[str], what: str) -> Iterator[str]:
    if len(items) <= 3:
        yield f"The {what}: {', '.join(items)}."
        yield ""
        return
    yield f"<details><summary>The {len(items)} {what}</summary>"
    yield ""
    yield from (f"- {item}" for item in items[:_FEW])
    if len(items) > _FEW:
        yield f"- and {len(items) - _FEW} more"
    yield ""
    yield "</details>"
    yield ""
