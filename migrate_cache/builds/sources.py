"""Read build files within bounds, and collect the warnings about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from migrate_cache.text.errors import Warn

MAX_BYTES = 4 * 1024 * 1024
"""The largest file that is read, in bytes."""
MAX_TEXT = 64 * 1024
"""The longest text that a value may have; a longer one is unknown."""
MAX_STEPS = 200_000
"""The steps that one file may cost."""
BUILD_STEPS = 40
"""The steps that a build costs at least."""
_MAX_WARNINGS = 20
_MAX_MESSAGE = 300


class LimitError(Exception):
    """A file exceeds a limit; the message continues a sentence that begins with its name."""


@dataclass(slots=True)
class Budget:
    """The steps of work and memory that one file may still cost."""

    left: int = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Take `steps` away; raise LimitError when none are left."""
        self.left -= steps
        if self.left < 0:
            raise LimitError("expands to too much")


@dataclass(slots=True)
class WarningLog:
    """The warnings about one file, each once; of many, only the first."""

    path: str
    warnings: dict[Warn, None] = field(default_factory=dict)

    def warn(self, line: int, column: int, message: str) -> None:
        """Add a warning; `line` and `column` count from 1, 0 where there is no such place."""
        if len(message) > _MAX_MESSAGE:
            message = message[:_MAX_MESSAGE] + "..."
        if len(self.warnings) < _MAX_WARNINGS:
            self.warnings[Warn(self.path, line, column, message)] = None
        elif len(self.warnings) == _MAX_WARNINGS:
            self.warnings[Warn(self.path, 0, 0, "has more problems, which are not shown")] = None

    def stopped(self, error: LimitError) -> None:
        """Add the warning that the file was read only up to a limit."""
        self.warn(0, 0, f"{error}; the rest of it was not read")


class Sources:
    """The files of a repository, through the one function that may read them."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._logs: dict[str, WarningLog] = {}

    def log(self, path: str) -> WarningLog:
        """Return the log for warnings about `path`."""
        return self._logs.setdefault(path, WarningLog(path))

    def warnings(self) -> tuple[Warn, ...]:
        """Return all warnings in the order of paths and places."""
        found = [warn for log in self._logs.values() for warn in log.warnings]
        return tuple(sorted(found, key=lambda w: (w.path, w.line, w.column, w.message)))

    def read(self, path: str, limit: int = MAX_BYTES, *, optional: bool = False) -> bytes | None:
        """Return the bytes of `path`; None, with a warning, where that is impossible."""
        data = self._read(path)
        if data is None and not optional:
            self.log(path).warn(0, 0, "cannot be read")
        if data is not None and len(data) > limit:
            self.log(path).warn(0, 0, f"is larger than {limit // 1024} KiB and was not read")
            return None
        return data

    def exists(self, path: str) -> bool:
        """Tell whether `path` is a file that can be read."""
        return self._read(path) is not None
