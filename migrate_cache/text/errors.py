"""What can go wrong, as exceptions with a place.

MigrateError            anything this package raises on purpose
├── ParseError          a Dockerfile that cannot be read (MC901)
├── ConfigError         wrong configuration or wrong usage (exit code 2)
├── SafetyError         the safety net refused a result (MC902)
└── WriteError          a file could not be written; nothing is half done
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_cache.text.source import escaped, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence


class MigrateError(Exception):
    """A message for people, with a place where there is one.

    ``line`` and ``column`` count from 1; 0 stands for "no such place". The attributes hold
    the text as it is in the file; ``str`` makes it safe to print.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        line: int = 0,
        column: int = 0,
        source_line: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        self.source_line = source_line
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.__dict__.copy()))

    def __str__(self) -> str:
        """Return ``path:line:column: message``, then the line and a caret."""
        place = ":".join(
            part for part in (self.path, str(self.line or ""), str(self.column or "")) if part
        )
        text = escaped(f"{place}: {self.message}" if place else self.message)
        if self.source_line and self.column:
            text += "\n" + point_at(self.source_line, self.column)
        if self.hint:
            text += f"\n  hint: {escaped(self.hint)}"
        return text


def _rebuild(kind: type[MigrateError], message: str, state: dict[str, object]) -> MigrateError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class ParseError(MigrateError):
    """A Dockerfile that cannot be read, or a part of it that BuildKit would reject."""


class ConfigError(MigrateError):
    """A configuration or a command line that makes no sense."""


class SafetyError(MigrateError):
    """The safety net refused a result: a bug in this tool; the file is untouched."""


class WriteError(MigrateError):
    """A file could not be written; those written before it were put back."""


@dataclass(frozen=True, slots=True)
class Warn:
    """A remark about a file that is no Dockerfile: compose, bake, workflow, configuration.

    `line` and `column` count from 1; 0 where there is no such place.
    """

    path: str
    line: int
    column: int
    message: str


_WINDOW = 100


def frame(source_line: str, column: int) -> str:
    """Return `source_line` with a caret under `column` (from 1), cut to a readable width.

    Tabs become single blanks. The line must be fit to print, one cell a character: see
    `point_at` for one as it stands in a file.
    """
    flat = source_line.replace("\t", " ")
    at = column - 1
    start, before, after = _window(flat, at)
    shown = flat[start : start + _WINDOW]
    return f"    {before}{shown}{after}\n    {' ' * (len(before) + at - start)}^"


def point_at(source_line: str, column: int) -> str:
    """Return a line of a file with a caret under `column`, safe to print on any terminal.

    Each character is shown as one that prints, and the caret minds those that fill two
    cells, or none.
    """
    at = column - 1
    start, before, after = _window(source_line, at)
    shown = one_line(source_line[start : start + _WINDOW])
    indent = " " * sum(map(_cells, before + shown[: at - start]))
    return f"    {before}{shown}{after}\n    {indent}^"


def _window(line: str, at: int) -> tuple[int, str, str]:
    """Return where the shown part of a line begins, and the marks of what is cut off."""
    start = max(0, at - _WINDOW // 2) if len(line) > _WINDOW else 0
    return start, "…" if start else "", "…" if start + _WINDOW < len(line) else ""


def _cells(char: str) -> int:
    """Return how many cells of a terminal `char` fills."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Return the known word that looks most like `word`, if any does."""
    # difflib costs 5 ms to import, and most runs report no error.
    import difflib

    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None
