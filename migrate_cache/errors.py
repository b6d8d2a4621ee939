"""What can go wrong, as exceptions with a place.

    MigrateError            anything this package raises on purpose
    ├── ParseError          a Dockerfile that cannot be read (MC901)
    ├── ConfigError         wrong configuration or wrong usage (exit code 2)
    ├── SafetyError         the safety net refused a result (MC902)
    └── WriteError          a file could not be written; nothing is half done
"""

from __future__ import annotations

import os


class MigrateError(Exception):
    """A message for people, with a place where there is one.

    ``line`` and ``column`` count from 1; 0 stands for "no such place".
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
            part
            for part in (self.path, str(self.line or ""), str(self.column or ""))
            if part
        )
        text = f"{place}: {self.message}" if place else self.message
        if self.source_line and self.column:
            text += "\n" + frame(self.source_line, self.column)
        if self.hint:
            text += f"\n  hint: {self.hint}"
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


_WINDOW = 100


def frame(source_line: str, column: int) -> str:
    """Return `source_line` with a caret under `column` (from 1), cut to a readable width.

    Tabs become single blanks, so that the caret stands where it should on any terminal.
    """
    flat = source_line.replace("\t", " ")
    at = column - 1
    start = max(0, at - _WINDOW // 2) if len(flat) > _WINDOW else 0
    shown = flat[start : start + _WINDOW]
    before = "…" if start else ""
    after = "…" if start + _WINDOW < len(flat) else ""
    return f"    {before}{shown}{after}\n    {' ' * (len(before) + at - start)}^"


def nearest(word: str, known: "list[str] | tuple[str, ...]") -> str | None:
    """Return the known word that looks most like `word`, if any does."""
    import difflib

    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None


def display_path(path: "str | os.PathLike[str]") -> str:
    """Return `path` with forward slashes, as messages and reports show it."""
    return os.fspath(path).replace(os.sep, "/")
