"""Terminals: colours, escaped text, progress bars.

File names and the contents of files come from others. `printable` escapes whatever of them goes
to a terminal, so that no escape sequence and no character that reorders text gets there.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

from migrate_cache.settings import Color
from migrate_cache.text.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Progress",
    "color_enabled",
    "is_terminal",
    "printable",
    "printable_block",
    "progress",
    "prompt_possible",
]


def printable_block(text: str) -> str:
    """Return `text` with its lines and tabs kept and all other control characters escaped."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(printable(line, tabs=True) for line in lines)


def is_terminal(stream: IO[str]) -> bool:
    """Tell whether `stream` is a terminal; a closed or missing one is none."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def prompt_possible() -> bool:
    """Tell whether there is somebody to ask: standard input and standard error are terminals."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def color_enabled(
    color: Color, stream: IO[str], environment: Mapping[str, str] | None = None
) -> bool:
    """Tell whether to use colours on `stream`.

    ``--color`` decides if it is given. Otherwise colours need a terminal that is not dumb, and
    ``NO_COLOR`` (https://no-color.org: any value but the empty one) turns them off.
    """
    environment = os.environ if environment is None else environment
    if color is Color.NEVER:
        return False
    if color is Color.AUTO and (
        not is_terminal(stream) or environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    ):
        return False
    return _escape_sequences_work() if is_terminal(stream) else True


def _escape_sequences_work() -> bool:
    """Turn on escape sequences in a Windows console; other terminals understand them."""
    works = True
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        works = False
        for number in (-11, -12):  # standard output, standard error
            handle = kernel.GetStdHandle(number)
            mode = ctypes.c_ulong()
            if kernel.GetConsoleMode(handle, ctypes.byref(mode)):
                works = bool(kernel.SetConsoleMode(handle, mode.value | 4)) or works
    return works


# Fewer files are done before anybody could read a bar.
_PROGRESS_FROM = 300


class Progress(Protocol):
    """A function that is told how far the work has come."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """Report that `done` of `total` are done; a total of 0 is not known."""


def _silent(done: int, total: int, what: str) -> None:
    """Show nothing."""


@contextmanager
def progress(files: int, *, wanted: bool) -> Iterator[Progress]:
    """Yield a function that draws a progress bar on standard error, if that is a terminal."""
    if not wanted or files <= _PROGRESS_FROM or not is_terminal(sys.stderr):
        yield _silent
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def report(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total or None, description=what)

        yield report
