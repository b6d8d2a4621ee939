"""Write results on standard output, and messages on standard error.

Unless it is a terminal, standard output gets the exact bytes. A reader that closes the pipe early
is no error.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from migrate_cache.cli.terminal import color_enabled, is_terminal, printable_block
from migrate_cache.settings import Color
from migrate_cache.text.errors import MigrateError, WriteError
from migrate_cache.text.source import encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_cache.plan.model import FileResult, ProjectResult
    from migrate_cache.report.summary import Mode


class Output:
    """The two output streams of a run."""

    def __init__(self, color: Color = Color.AUTO) -> None:
        self.color_result = color_enabled(color, sys.stdout)
        self.color_talk = color_enabled(color, sys.stderr)
        self._terminal = is_terminal(sys.stdout)

    def write(self, data: bytes) -> None:
        """Write bytes on standard output; raise WriteError if that fails."""
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
        """Write a report, which may have colours, on standard output."""
        self.write(encode(text))

    def data(self, text: str) -> None:
        """Write text without colours on standard output; a terminal gets it escaped."""
        self.text(printable_block(text) if self._terminal else text)

    def diffs(self, files: Iterable[FileResult]) -> None:
        """Write the diffs of all files that change: a patch, or coloured text for a terminal."""
        from migrate_cache.report.diff import unified

        terminal = self._terminal or self.color_result
        for file in files:
            self.write(encode(unified(file, self.color_result, terminal=terminal)))

    def report(
        self, result: ProjectResult, *, mode: Mode, verbose: bool = False, quiet: bool = False
    ) -> None:
        """Report on standard error what was done, or would be."""
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
        with suppress(OSError, ValueError, AttributeError):
            print(text, end="", file=sys.stderr, flush=True)  # noqa: T201 - this is the place


def _give_up_standard_output() -> None:
    """Redirect standard output to nowhere, so that Python does not fail to flush it at exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
