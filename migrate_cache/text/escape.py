r"""File contents and file names made safe to show.

Paths, ids, service names and file contents may hold terminal escape sequences, line breaks,
characters that reorder their neighbours, and bytes that are not UTF-8 (surrogates, as
`migrate_cache.text.source.decode` leaves them). None of these reaches a terminal or a log raw.
"""

from __future__ import annotations

import re
import unicodedata

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")
# The most characters of a line that `point_at` shows.
_WINDOW = 100


def printable(text: str, *, tabs: bool = False) -> str:
    r"""Return `text` on one line, with every character that is not printable escaped.

    An escape character becomes ``\x1b``, a byte that is not UTF-8 ``\xff``, a line break
    ``\n``. Backslashes stay single: the result is for reading, not for reading back. With
    `tabs`, tab stops stay.
    """
    if text.isprintable():
        return text
    return "".join(
        character if tabs and character == "\t" else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def json_safe(text: str) -> str:
    r"""Return `text` with undecodable bytes as ``\xff``; no lone surrogate is left.

    JSON can spell lone surrogates, but many readers refuse them.
    """
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda match: _escape(match[0]), text)


def cells(text: str) -> int:
    """Return how many columns of a terminal `text` fills."""
    if text.isascii():
        return len(text)
    total = 0
    for character in text:
        if unicodedata.combining(character):
            continue
        total += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return total


def point_at(line: str, column: int) -> str:
    """Return a line of a file with a caret under `column` (from 1), safe to print.

    Tabs become single blanks, other characters are escaped as in `printable`, and a long line
    is cut to a readable width around the caret.
    """
    flat = line.replace("\t", " ")
    before = printable(flat[: column - 1])
    shown = before + printable(flat[column - 1 :])
    start = max(0, len(before) - _WINDOW // 2) if len(shown) > _WINDOW else 0
    end = start + _WINDOW
    cut_before, cut_after = "…" if start else "", "…" if end < len(shown) else ""
    indent = " " * (len(cut_before) + cells(before[start:]))
    return f"    {cut_before}{shown[start:end]}{cut_after}\n    {indent}^"
