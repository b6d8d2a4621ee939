"""The text of a file, and places in it.

Text is bytes decoded as UTF-8 with ``surrogateescape``: every byte string has
exactly one such text and comes back unchanged, whatever its encoding was.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class Span(NamedTuple):
    """A half-open range of character offsets in the text of one file."""

    start: int
    end: int


class Place(NamedTuple):
    """A line and a column, both counted from 1; columns count characters."""

    line: int
    column: int


def decode(data: bytes) -> str:
    """Decode any bytes without loss; `encode` reverses it."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return the bytes that `decode` turned into `text`."""
    return text.encode("utf-8", "surrogateescape")


def split_lines(text: str) -> list[str]:
    r"""Split after each ``\n``, as BuildKit does, keeping the line endings.

    ``str.splitlines`` would also split at form feeds, U+2028 and others.
    """
    return re.findall(r"[^\n]*\n|[^\n]+", text)


@dataclass(frozen=True)
class Source:
    """The text of one file, and the name that messages give it."""

    text: str = field(repr=False)
    path: str = "Dockerfile"

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line starts, in order."""
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

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
        r"""The line ending for inserted lines: that of the first line, else ``\n``."""
        first = self.text.find("\n")
        return "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"
