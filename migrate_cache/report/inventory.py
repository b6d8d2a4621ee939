"""The inventory of caches as a table: what each is, who uses it, and who waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.report.queues import queue_after, queue_before
from migrate_cache.report.style import (
    cells,
    count,
    enumerate_words,
    fit,
    pad,
    paint,
    terminal_width,
    wrap,
)
from migrate_cache.text.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate_cache.plan.model import CacheInfo, CacheUser, ProjectResult

__all__ = ["table"]

_FEW_USERS = 8
_HEADINGS = ("cache", "kind", "mode", "now", "after")
_GAP = "  "
_MARGIN = "    "
_LEAST_ID = 24


def table(
    result: ProjectResult,
    color: bool = False,
    *,
    verbose: bool = False,
    width: int | None = None,
) -> str:
    """Return the caches, those that hurt most first; `verbose` lists every user."""
    columns = terminal_width(width)
    if not result.caches:
        return "No cache mounts.\n"
    caches = sorted(result.caches, key=_hurt)
    rows = [_row(cache) for cache in caches]
    widths = _widths(rows, columns)
    lines = [paint(_line(_HEADINGS, widths).upper(), "dim", color)]
    for cache, row in zip(caches, rows, strict=True):
        lines.append(_head(row, widths, color and queue_before(cache).size > 0))
        if len(widths) < len(_HEADINGS):
            lines.append(fit(f"{_MARGIN}now: {row[3]}; after: {row[4]}", columns))
        lines += _details(cache, columns, color=color, verbose=verbose)
    return "\n".join(lines) + "\n\n" + wrap(_total(caches), columns) + "\n"


def _hurt(cache: CacheInfo) -> tuple[int, int, int, str]:
    before = queue_before(cache)
    return (-before.size, -int(before.mixed), -len(cache.users), cache.id)


def _row(cache: CacheInfo) -> tuple[str, ...]:
    before = _modes(user.mode_before for user in cache.users)
    after = _modes(user.mode_after for user in cache.users)
    return (
        printable(cache.id),
        printable(cache.kind),
        printable(before if before == after else f"{before} → {after}"),
        printable(str(queue_before(cache))),
        printable(str(queue_after(cache))),
    )


def _modes(modes: Iterable[str]) -> str:
    return "/".join(sorted(set(modes)))


def _widths(rows: list[tuple[str, ...]], columns: int) -> list[int]:
    """Return the columns' widths; long ids give way, then the last two columns go."""
    widths = [max(cells(row[i]) for row in [_HEADINGS, *rows]) for i in range(len(_HEADINGS))]
    if sum(widths) - widths[0] + _LEAST_ID + len(_GAP) * (len(widths) - 1) > columns:
        widths = widths[:3]
    room = columns - sum(widths[1:]) - len(_GAP) * (len(widths) - 1)
    return [min(widths[0], max(_LEAST_ID, room)), *widths[1:]]


def _fields(row: Iterable[str], widths: list[int]) -> list[str]:
    return [
        pad(fit(cell, width, keep_end=index == 0), width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=False))
    ]


def _line(row: Iterable[str], widths: list[int]) -> str:
    return _GAP.join(_fields(row, widths)).rstrip()


def _head(row: tuple[str, ...], widths: list[int], bold: bool) -> str:
    first, *rest = _fields(row, widths)
    return _GAP.join([paint(first, "bold", bold), *rest]).rstrip()


def _details(cache: CacheInfo, columns: int, *, color: bool, verbose: bool) -> Iterator[str]:
    facts = [printable(cache.tool)] if cache.tool else []
    places = [printable(directory) for directory in cache.directories if directory != cache.id]
    if places:
        facts.append(f"in {enumerate_words(places)}")
    if facts:
        yield fit(_MARGIN + ", ".join(facts), columns)
    shown = len(cache.users)
    if not verbose and shown > _FEW_USERS:
        shown = _FEW_USERS - 1
    users = cache.users[:shown]
    mixed = len({user.mode_before for user in cache.users}) > 1
    tails = [_tail(user, cache, mixed=mixed) for user in users]
    room = columns - len(_MARGIN) - len(_GAP) - max(map(cells, tails), default=0)
    named = [f"{printable(user.path)}:{user.line}" for user in users]
    width = min(max(map(cells, named), default=0), max(_LEAST_ID, room))
    for name, tail in zip(named, tails, strict=True):
        place = pad(fit(name, width, keep_end=True), width)
        yield paint(fit(f"{_MARGIN}{place}{_GAP}{tail}".rstrip(), columns), "dim", color)
    if shown < len(cache.users):
        more = f"{_MARGIN}and {len(cache.users) - shown} more (--verbose lists them)"
        yield paint(more, "dim", color)


def _tail(user: CacheUser, cache: CacheInfo, *, mixed: bool) -> str:
    facts = []
    if user.stage:
        facts.append(printable(user.stage))
    if user.service:
        facts.append(f"({printable(user.service)})")
    if mixed:
        facts.append(printable(user.mode_before))
    if user.id_after != cache.id:
        facts.append(f"→ {printable(user.id_after)}")
    return " ".join(facts)


def _total(caches: list[CacheInfo]) -> str:
    users = sum(len(cache.users) for cache in caches)
    before = sum(queue_before(cache).size > 0 for cache in caches)
    after = sum(queue_after(cache).size > 0 for cache in caches)
    text = f"{count(len(caches), 'cache')}, {count(users, 'mount')}"
    if before or after:
        text += f"; builds queue on {before} now, on {after} after the migration"
    return text + "."
