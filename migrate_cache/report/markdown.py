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
    from collections.abc import Iterable, Iterator, Sequence

    from migrate_cache.plan.model import Outcome, ProjectResult

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
    if total.files_changed:
        verb = "would change" if pending(mode) else "changes"
        blocks = [
            "## Let parallel image builds use their caches side by side",
            f"This {verb} {total.mounts_changed} of {count(total.mounts, 'BuildKit cache mount')} "
            f"in {count(total.files_changed, 'Dockerfile')}, made by `migrate-cache`. A cache "
            "mount with `sharing=locked` is held for a whole `RUN`, so builds that use the same "
            "cache wait for each other. Nothing but what is named here changes.",
            _rules(total.changes),
            *_ids(result),
            *_modes(result),
            *_after(result),
            *_kept(result),
            *_failed(result),
            _details(result),
        ]
    else:
        found = count(total.files, "Dockerfile")
        nothing = f"`migrate-cache` finds nothing to change in {found}."
        blocks = [nothing, *_kept(result), *_failed(result)]
    return "\n\n".join(blocks) + "\n"


def _rules(changes: Iterable[tuple[str, int]]) -> str:
    rows = []
    for rule, number in changes:
        known = find_rule(rule)
        rows.append((_cell(rule), str(number), known.summary if known else ""))
    return _table(("rule", "changes", "what"), rows)


def _ids(result: ProjectResult) -> Iterator[str]:
    renamed: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in result.outcomes:
        if outcome.id_before != outcome.id_after:
            renamed.setdefault((outcome.id_before, outcome.id_after), []).append(outcome)
    if not renamed:
        return
    yield "### New ids"
    yield (
        "Each of these starts empty: the first build after the merge compiles from scratch, "
        "once per id."
    )
    rows = []
    for (old, new), outcomes in sorted(renamed.items()):
        before = "/".join(sorted({outcome.sharing_before or "shared" for outcome in outcomes}))
        after = "/".join(sorted({outcome.sharing_after or "shared" for outcome in outcomes}))
        paths = _files(outcome.path for outcome in outcomes)
        ids = (code(old, cell=True), code(new, cell=True))
        rows.append((*ids, _tools(outcomes), _mode(before, after), paths))
    yield _table(("old id", "new id", "cache", "mode", "used in"), rows)


def _modes(result: ProjectResult) -> Iterator[str]:
    changed: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in result.outcomes:
        if outcome.id_before == outcome.id_after and outcome.changed:
            key = (outcome.id_after, outcome.sharing_before, outcome.sharing_after)
            changed.setdefault(key, []).append(outcome)
    if not changed:
        return
    yield "### New sharing modes"
    rows = []
    for (name, before, after), outcomes in sorted(changed.items()):
        reasons = list(dict.fromkeys(outcome.reason for outcome in outcomes))
        mode, why = _mode(before, after), _cell(" ".join(reasons[:2]))
        rows.append((code(name, cell=True), mode, _tools(outcomes), str(len(outcomes)), why))
    yield _table(("id", "mode", "cache", "mounts", "why"), rows)


def _after(result: ProjectResult) -> Iterator[str]:
    old = abandoned_ids(result)
    shared = shared_with_others(result)
    if shared:
        yield "### Before merging: who else uses this builder?"
        yield (
            "A cache id belongs to the builder, not to the repository. If another repository on "
            "the same builder still uses one of these ids with `sharing=locked`, BuildKit forks "
            "the cache, and a Cargo registry that another repository shares without the lock link "
            "is not protected by ours. Migrate such repositories together, or set the build "
            "argument `BUILDKIT_CACHE_MOUNT_NS` per repository, or run "
            "`migrate-cache --fresh-ids`, which costs one cold start."
        )
        yield _listed([code(name) for name in shared], "ids that keep their name")
    if old:
        yield "### After merging: remove old caches"
        yield (
            "No Dockerfile here uses these ids any more. The builder's garbage collection removes "
            "them in time; the commands do it at once. Another repository on the same builder may "
            "still use an id, and so may branches without this change."
        )
        commands = {name: prune_command(name) for name in old}
        shown = "docker buildx du --verbose --filter type=exec.cachemount"
        yield "\n".join(["```sh", shown, *filter(None, commands.values()), "```"])
        unnamed = [code(name) for name, command in commands.items() if not command]
        if unnamed:
            yield (
                f"For {', '.join(unnamed)}, take the record's id from the first command's output, "
                "where the description ends with what the id became, and give it to "
                "`docker buildx prune --filter id=RECORD`."
            )


def _kept(result: ProjectResult) -> Iterator[str]:
    kept = [outcome for outcome in result.outcomes if not outcome.changed and kept_rule(outcome)]
    if not kept:
        return
    yield "### Left as it is"
    lines = []
    for rule, number in sorted(Counter(outcome.rule for outcome in kept).items()):
        found = find_rule(rule)
        kept_by_rewrite = found is not None and found.severity == "rewrite"
        summary = "kept for the reason below" if kept_by_rewrite or not found else found.summary
        lines.append(f"- **{rule}**, {count(number, 'mount')}: {summary}")
    yield "\n".join(lines)
    places: dict[tuple[str, str, str, str], list[str]] = {}
    for one in kept:
        key = (one.rule, one.id_before, one.sharing_before or "shared", one.reason)
        places.setdefault(key, []).append(f"{one.path}:{one.line}")
    rows = [
        (_cell(rule), code(name, cell=True), _cell(sharing), _cell(reason), _files(at))
        for (rule, name, sharing, reason), at in sorted(places.items())
    ]
    table = _table(("rule", "id", "mode", "why", "where"), rows)
    yield _folded("Every mount that stays, and why", table)


def _failed(result: ProjectResult) -> Iterator[str]:
    lines = []
    for file in result.files:
        if file.error is not None:
            place = f"{file.path}:{file.error.line}" if file.error.line else file.path
            lines.append(f"- {code(place)}: {escape(file.error.message)}")
    if lines:
        yield "### Not done"
        yield "\n".join(lines)


def _details(result: ProjectResult) -> str:
    lines = []
    for file in result.files:
        if file.changes:
            lines.append(f"- {code(file.path)}")
        for change in file.changes:
            lines.append(f"  - line {change.line}, {change.rule}: {escape(change.reason)}")
            lines += (f"    - {escape(fact)}" for fact in change.evidence)
    return _folded("Every change, with its reason", "\n".join(lines))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (headings, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(headings), *lines[1:]])


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"


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


def _listed(items: list[str], what: str) -> str:
    if len(items) <= 3:
        return f"The {what}: {', '.join(items)}."
    lines = [f"- {item}" for item in items[:_FEW]]
    if len(items) > _FEW:
        lines.append(f"- and {len(items) - _FEW} more")
    return _folded(f"The {len(items)} {what}", "\n".join(lines))
