"""The exceptions of this package, each with a place where there is one.

MigrateError            anything this package raises on purpose
├── ParseError          a Dockerfile that cannot be read (MC901)
├── ConfigError         wrong configuration or wrong usage (exit code 2)
├── SafetyError         the safety net refused a result (MC902)
└── WriteError          a file could not be written; nothing is half done
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_cache.text.escape import point_at, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_cache.text.source import Source


class MigrateError(Exception):
    """A message for people, with a place where there is one.

    `line` and `column` count from 1, 0 where there is none. The attributes hold text as it
    stands in the file; ``str`` makes it safe to print.
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

    def __str__(self) -> str:
        """Return ``path:line:column: message``, then the line and a caret."""
        place = ":".join(
            part for part in (self.path, str(self.line or ""), str(self.column or "")) if part
        )
        text = printable(f"{place}: {self.message}" if place else self.message)
        if self.source_line and self.column:
            text += "\n" + point_at(self.source_line, self.column)
        if self.hint:
            text += f"\n  hint: {printable(self.hint)}"
        return text


class ParseError(MigrateError):
    """A Dockerfile that cannot be read, or a part of it that BuildKit would reject."""

    @classmethod
    def at(cls, source: Source, offset: int, message: str, hint: str = "") -> ParseError:
        """Return an error that points at the character at `offset`."""
        place = source.place(offset)
        return cls(
            message,
            path=source.path,
            line=place.line,
            column=place.column,
            source_line=source.line_text(place.line),
            hint=hint,
        )


class ConfigError(MigrateError):
    """A wrong configuration or a wrong command line."""


class SafetyError(MigrateError):
    """The safety net refused a result: a bug in this tool; the file is untouched."""


class WriteError(MigrateError):
    """A file could not be written; those written before it were put back."""


@dataclass(frozen=True, slots=True)
class Warn:
    """A remark about a file other than a Dockerfile: compose, bake, workflow, configuration.

    `line` and `column` count from 1, 0 where there is none.
    """

    path: str
    line: int
    column: int
    message: str


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Return the known word most similar to `word`, None where none is similar."""
    # difflib costs 5 ms to import, and most runs report no error.
    import difflib

    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None
