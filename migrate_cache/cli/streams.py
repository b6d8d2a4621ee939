"""Where texts go: results on standard output, talk on standard error.

Standard output gets exact bytes where it is no terminal. A reader that closes the pipe early
is no error.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

from migrate_cache.cli.terminal import Color, color_enabled, is_terminal, printable_block
from migrate_cache.text.errors import MigrateError, WriteError
from migrate_cache.text.source import encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_cache.plan.model import FileResult, ProjectResult
    from migrate_cache.report.summary import Mode

__all__ = ["Output"]


class Output:
    """The two streams of a run, with what each of them can show."""

    def __init__(self, color: Color = Color.AUTO) -> None:
        self.color_result = color_enabled(color, sys.stdout)
        self.color_talk = color_enabled(color, sys.stderr)
        self._terminal = is_terminal(sys.stdout)

    def write(self, data: bytes) -> None:
        """Write bytes on standard output; raise WriteError where it cannot take them."""
        if sys.stdout is None or not data:  # closed from the start
            return
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            _give_up_standard_output()
            if error.errno not in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL
                message = f"standard output cannot be written: {error.strerror}"
                raise WriteError(message) from None

    def text(self, text: str) -> None:
        """Write a report, whose own escape sequences are its colours, on standard output."""
        self.write(encode(text))

    def data(self, text: str) -> None:
        """Write text that has no colours; exact for programs, escaped for a terminal."""
        self.text(printable_block(text) if self._terminal else text)

    def diffs(self, files: Iterable[FileResult]) -> None:
        """Write the diffs of all files that change, as a patch where nobody looks at them."""
        from migrate_cache.report.diff import unified

        terminal = self._terminal or self.color_result
        for file in files:
            self.write(encode(unified(file, self.color_result, terminal=terminal)))

    def report(
        self, result: ProjectResult, *, mode: Mode, verbose: bool = False, quiet: bool = False
    ) -> None:
        """Say what was done, or would be, on standard error."""
        if quiet and all(file.error is None for file in result.files):
            return
        from migrate_cache.report.text import report

        text = report(result, mode=mode, color=self.color_talk, verbose=verbose, quiet=quiet)
        self.talk(text)

    def error(self, error: MigrateError) -> None:
        """Show an error on standard error."""
        text = str(error) if error.path else f"migrate-cache: {error}"
        self.talk(f"{printable_block(text)}\n")

    def talk(self, text: str) -> None:
        """Write on standard error, which may be closed."""
        try:
            print(text, end="", file=sys.stderr, flush=True)  # noqa: T201 - this is the place
        except (OSError, ValueError, AttributeError):
            return


def _give_up_standard_output() -> None:
    """Let what is still buffered go nowhere, so that leaving says nothing about it."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return
