"""Terminals: colours, escaped text, progress bars.

File names and the contents of files come from others. `printable` escapes whatever of them goes
to a terminal, so that no escape sequence and no character that reorders text gets there.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from migrate_cache.settings import Color
from migrate_cache.text.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.files.project import Progress


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


def color_enabled(color: Color, stream: IO[str]) -> bool:
    """Tell whether to use colours on `stream`.

    ``--color`` decides if it is given. Otherwise colours need a terminal that is not dumb, and
    ``NO_COLOR`` (https://no-color.org: any value but the empty one) turns them off.
    """
    if not is_terminal(stream):
        return color is Color.ALWAYS
    if color is Color.AUTO:
        wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    else:
        wanted = color is Color.ALWAYS
    return wanted and _escape_sequences_work()


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


@contextmanager
def progress(files: int, *, wanted: bool) -> Iterator[Progress]:
    """Yield a function that draws a progress bar on standard error, if that is a terminal."""
    if not wanted or files <= _PROGRESS_FROM or not is_terminal(sys.stderr):
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def report(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total or None, description=what)

        yield report
