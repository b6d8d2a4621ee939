"""The inventory of caches as a table: what each is, who uses it, and who waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.report.queues import queue_after, queue_before
from migrate_cache.report.style import (
    count,
    enumerate_words,
    fit,
    pad,
    paint,
    terminal_width,
    wrap,
)
from migrate_cache.text.escape import cells, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.plan.model import CacheInfo, CacheUser, ProjectResult

_FEW_USERS = 8
_HEADINGS = ("cache", "kind", "mode", "now", "after")
_GAP = "  "
_MARGIN = "    "
_LEAST_ID = 24


def table(
    result: ProjectResult, color: bool = False, *, verbose: bool = False, width: int | None = None
) -> str:
    """Return the caches, those that hurt most first; `verbose` lists every user."""
    columns = terminal_width(width)
    if not result.caches:
        return "No cache mounts.\n"
    caches = sorted(result.caches, key=_hurt)
    rows = [_row(cache) for cache in caches]
    widths = _widths(rows, columns)
    lines = [paint(_line(_HEADINGS, widths, bold=False).upper(), "dim", color)]
    for cache, row in zip(caches, rows, strict=True):
        lines.append(_line(row, widths, bold=color and queue_before(cache).size > 0))
        if len(widths) < len(_HEADINGS):
            lines.append(fit(f"{_MARGIN}now: {row[3]}; after: {row[4]}", columns))
        lines += _details(cache, columns, color=color, verbose=verbose)
    return "\n".join(lines) + "\n\n" + wrap(_total(caches), columns) + "\n"


def _hurt(cache: CacheInfo) -> tuple[int, int, int, str]:
    before = queue_before(cache)
    return (-before.size, -int(before.mixed), -len(cache.users), cache.id)


def _row(cache: CacheInfo) -> tuple[str, ...]:
    before = "/".join(sorted({user.mode_before for user in cache.users}))
    after = "/".join(sorted({user.mode_after for user in cache.users}))
    mode = before if before == after else f"{before} → {after}"
    queues = (str(queue_before(cache)), str(queue_after(cache)))
    return tuple(map(printable, (cache.id, cache.kind, mode, *queues)))


def _widths(rows: list[tuple[str, ...]], columns: int) -> list[int]:
    """Return the columns' widths; long ids give way, then the last two columns go."""
    widths = [max(cells(row[i]) for row in [_HEADINGS, *rows]) for i in range(len(_HEADINGS))]
    if sum(widths) - widths[0] + _LEAST_ID + len(_GAP) * (len(widths) - 1) > columns:
        widths = widths[:3]
    room = columns - sum(widths[1:]) - len(_GAP) * (len(widths) - 1)
    return [min(widths[0], max(_LEAST_ID, room)), *widths[1:]]


def _line(row: tuple[str, ...], widths: list[int], *, bold: bool) -> str:
    """Return a row as one line, its first cell `bold`; columns without a width are left out."""
    first, *rest = (
        pad(fit(cell, width, keep_end=index == 0), width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=False))
    )
    return _GAP.join([paint(first, "bold", bold), *rest]).rstrip()


def _details(cache: CacheInfo, columns: int, *, color: bool, verbose: bool) -> Iterator[str]:
    places = [printable(directory) for directory in cache.directories if directory != cache.id]
    facts = [printable(cache.tool), f"in {enumerate_words(places)}" if places else ""]
    if any(facts):
        yield fit(_MARGIN + ", ".join(filter(None, facts)), columns)
    few = verbose or len(cache.users) <= _FEW_USERS
    users = cache.users if few else cache.users[: _FEW_USERS - 1]
    mixed = len({user.mode_before for user in cache.users}) > 1
    tails = [_tail(user, cache, mixed=mixed) for user in users]
    room = columns - len(_MARGIN) - len(_GAP) - max(map(cells, tails), default=0)
    named = [f"{printable(user.path)}:{user.line}" for user in users]
    width = min(max(map(cells, named), default=0), max(_LEAST_ID, room))
    for name, tail in zip(named, tails, strict=True):
        place = pad(fit(name, width, keep_end=True), width)
        yield paint(fit(f"{_MARGIN}{place}{_GAP}{tail}".rstrip(), columns), "dim", color)
    if not few:
        more = f"{_MARGIN}and {len(cache.users) - len(users)} more (--verbose lists them)"
        yield paint(more, "dim", color)


def _tail(user: CacheUser, cache: CacheInfo, *, mixed: bool) -> str:
    facts = [
        user.stage,
        f"({user.service})" if user.service else "",
        user.mode_before if mixed else "",
        f"→ {user.id_after}" if user.id_after != cache.id else "",
    ]
    return " ".join(printable(fact) for fact in facts if fact)


def _total(caches: list[CacheInfo]) -> str:
    users = sum(len(cache.users) for cache in caches)
    before = sum(queue_before(cache).size > 0 for cache in caches)
    after = sum(queue_after(cache).size > 0 for cache in caches)
    text = f"{count(len(caches), 'cache')}, {count(users, 'mount')}"
    if before or after:
        text += f"; builds queue on {before} now, on {after} after the migration"
    return text + "."
