"""The inventory of caches as a table: what each is, who uses it, and who waits for whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from migrate_cache.report.escape import printable
from migrate_cache.report.queues import Queue, queue_after, queue_before
from migrate_cache.report.style import (
    cells,
    count,
    enumerate_words,
    fit,
    pad,
    paint,
    terminal_width,
)

if TYPE_CHECKING:
    from migrate_cache.edits import CacheInfo, CacheUser, ProjectResult

__all__ = ["table"]

_FEW_USERS = 8
_HEADINGS = ("cache", "kind", "mode", "now", "after")
_GAP = "  "


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
    blocks = [paint(_line(_HEADINGS, widths).upper(), "dim", color)]
    for cache, row in zip(caches, rows, strict=True):
        blocks.append("\n".join(_block(cache, row, widths, columns, color=color, verbose=verbose)))
    return "\n".join(blocks) + "\n\n" + _total(caches) + "\n"


def _hurt(cache: CacheInfo) -> tuple[int, int, int, str]:
    before = queue_before(cache)
    return (-before.size, -int(before.mixed), -len(cache.users), cache.id)


def _row(cache: CacheInfo) -> tuple[str, ...]:
    before = _modes(user.mode_before for user in cache.users)
    after = _modes(user.mode_after for user in cache.users)
    return (
        printable(cache.id),
        printable(cache.tool or cache.kind),
        printable(before if before == after else f"{before} → {after}"),
        _queue(queue_before(cache)),
        _queue(queue_after(cache)),
    )


def _modes(modes: Iterable[str]) -> str:
    return "/".join(sorted(set(modes)))


def _queue(queue: Queue) -> str:
    return printable(str(queue))


def _widths(rows: list[tuple[str, ...]], columns: int) -> list[int]:
    """Return the columns' widths; the ids give way first where the terminal is narrow."""
    widths = [max(cells(row[i]) for row in [_HEADINGS, *rows]) for i in range(len(_HEADINGS))]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - columns
    for column, least in ((0, 20), (1, 8), (4, 12), (3, 12), (2, 8)):
        if over <= 0:
            break
        give = min(over, max(0, widths[column] - least))
        widths[column] -= give
        over -= give
    return widths


def _line(cells_: Iterable[str], widths: list[int]) -> str:
    fitted = (
        pad(fit(cell, width, keep_end=index == 0), width)
        for index, (cell, width) in enumerate(zip(cells_, widths, strict=True))
    )
    return _GAP.join(fitted).rstrip()


def _block(
    cache: CacheInfo,
    row: tuple[str, ...],
    widths: list[int],
    columns: int,
    *,
    color: bool,
    verbose: bool,
) -> Iterator[str]:
    head = _line(row, widths)
    name = pad(fit(row[0], widths[0], keep_end=True), widths[0])
    yield head.replace(name, paint(name, "bold", color), 1) if queue_before(cache).size else head
    places = [printable(directory) for directory in cache.directories if directory != cache.id]
    if places:
        yield fit(f"    in {enumerate_words(places)}", columns)
    users = (
        cache.users if verbose or len(cache.users) <= _FEW_USERS else cache.users[: _FEW_USERS - 1]
    )
    mixed = len({user.mode_before for user in cache.users}) > 1
    for user in users:
        yield paint(_user(user, cache, columns, mixed=mixed), "dim", color)
    if len(users) < len(cache.users):
        more = len(cache.users) - len(users)
        yield paint(f"    and {more} more (--verbose lists them)", "dim", color)


def _user(user: CacheUser, cache: CacheInfo, columns: int, *, mixed: bool) -> str:
    facts = []
    if user.stage:
        facts.append(printable(user.stage))
    if user.service:
        facts.append(f"({printable(user.service)})")
    if mixed:
        facts.append(user.mode_before)
    if user.id_after != cache.id:
        facts.append(f"→ {printable(user.id_after)}")
    tail = " " + " ".join(facts) if facts else ""
    place = f"{printable(user.path)}:{user.line}"
    return "    " + fit(
        fit(place, max(24, columns - 4 - cells(tail)), keep_end=True) + tail, columns - 4
    )


def _total(caches: list[CacheInfo]) -> str:
    users = sum(len(cache.users) for cache in caches)
    before = sum(bool(queue_before(cache).size) for cache in caches)
    after = sum(bool(queue_after(cache).size) for cache in caches)
    text = f"{count(len(caches), 'cache')}, {count(users, 'mount')}"
    if before or after:
        text += f"; builds queue on {before} now, on {after} after the migration"
    return text + "."
