"""Bytes, text and places in it.

Text is bytes decoded as UTF-8 with ``surrogateescape``: every byte string has
exactly one such text and comes back unchanged, whatever its encoding was.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

# What must never reach a terminal as it is: control characters, the marks of other bytes
# than UTF-8, line separators, and marks that turn the direction of the text around it.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


class Span(NamedTuple):
    """A half-open range of character offsets into the text of one file."""

    start: int
    end: int


class Place(NamedTuple):
    """A line and a column, both counted from 1; columns count characters."""

    line: int
    column: int


def decode(data: bytes) -> str:
    """Decode any bytes without loss; see `encode`."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return the bytes that `decode` made `text` from."""
    return text.encode("utf-8", "surrogateescape")


def escaped(text: str) -> str:
    r"""Return `text` with what a terminal would act on written as ``\n``, ``\x1b``, ``\u202e``.

    A byte that is not UTF-8 is written as the byte: ``\xff``.
    """
    return _UNPRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def one_line(text: str) -> str:
    """Return `text` with every such character as one that prints, so that columns stay.

    A tab becomes a blank; a control character its picture (U+2400 to U+2421).
    """
    return _UNPRINTABLE.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == 0x09:
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def split_lines(text: str) -> list[str]:
    r"""Split after each ``\n``, as BuildKit does; endings are kept.

    ``str.splitlines`` would also split at form feeds, U+2028 and others.
    """
    lines = text.split("\n")
    last = lines.pop()
    kept = [line + "\n" for line in lines]
    if last:
        kept.append(last)
    return kept


@dataclass(frozen=True)
class Source:
    """The text of one file and the name it is known by in messages."""

    text: str = field(repr=False)
    path: str = "Dockerfile"

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line starts, in order."""
        starts = [0]
        find = self.text.find
        position = find("\n")
        while position >= 0:
            starts.append(position + 1)
            position = find("\n", position + 1)
        return starts

    def place(self, offset: int) -> Place:
        """Return the line and column of the character at `offset`."""
        line = bisect_right(self.line_starts, offset)
        return Place(line, offset - self.line_starts[line - 1] + 1)

    def line_text(self, line: int) -> str:
        """Return line number `line` (from 1) without its line ending."""
        starts = self.line_starts
        end = starts[line] if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].rstrip("\r\n")

    @cached_property
    def newline(self) -> str:
        r"""The line ending that inserted lines take: that of the first line, else ``\n``."""
        first = self.text.find("\n")
        return "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"
