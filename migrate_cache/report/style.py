"""Colour, width and number of words: what the reports for people share."""

from __future__ import annotations

import shutil
import textwrap

from migrate_cache.text.escape import cells

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
KIND_COLOURS = {"rewrite": "green", "note": "cyan", "warning": "yellow", "error": "red"}


def paint(text: str, style: str, color: bool) -> str:
    """Return `text` in `style` (a colour, ``bold`` or ``dim``) where `color` is on."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if color and text else text


def terminal_width(width: int | None = None) -> int:
    """Return `width`, or the terminal's (100 where there is none), between 40 and 160."""
    return max(40, min(160, width or shutil.get_terminal_size((100, 24)).columns))


def fit(text: str, width: int, *, keep_end: bool = False) -> str:
    """Cut `text` to `width` columns, with an ellipsis where something is missing.

    With `keep_end` the beginning goes: the end of a path says more than its start.
    """
    if cells(text) <= width:
        return text
    kept: list[str] = []
    left = width - 1
    for character in reversed(text) if keep_end else text:
        left -= cells(character)
        if left < 0:
            break
        kept.append(character)
    return "…" + "".join(reversed(kept)) if keep_end else "".join(kept) + "…"


def pad(text: str, width: int) -> str:
    """Fill `text` with blanks up to `width` columns."""
    return text + " " * (width - cells(text))


def count(number: int, noun: str) -> str:
    """Return the number with its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun if number == 1 else noun + 's'}"


def enumerate_words(words: list[str]) -> str:
    """Join words as a sentence does: ``a``, ``a and b``, ``a, b and c``."""
    *most, last = words or [""]
    return f"{', '.join(most)} and {last}" if most else last


def wrap(text: str, width: int, first: str = "", rest: str | None = None) -> str:
    """Wrap `text` to `width` columns; `first` stands before the first line, `rest` before others.

    `first` may hold colours: it counts as wide as `rest`.
    """
    indent = first if rest is None else rest
    room = max(20, width - cells(indent))
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return (first + ("\n" + indent).join(lines)).rstrip(" ")
