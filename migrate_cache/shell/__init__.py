"""What the shell text of a RUN runs: programs, their words, their environment.

Not a shell: nothing is expanded, and the order is that of the text, whatever branch or
loop a command stands in. One pass over the text with a stack of its own, so that no
input makes it recurse; a script in a script (``sh -c``, ``sh <<EOF``) is read to a fixed
depth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.shell.launchers import Resolver
from migrate_cache.shell.model import Command, Frame, options
from migrate_cache.shell.syntax import read_script
from migrate_cache.shell.tools import (
    TOOLS,
    all_commands,
    canonical,
    is_opaque,
    launched,
    tools,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "TOOLS",
    "Command",
    "all_commands",
    "canonical",
    "exec_command",
    "is_opaque",
    "launched",
    "options",
    "parse_commands",
    "tools",
]


def parse_commands(script: str) -> tuple[Command, ...]:
    """Return the commands of a shell script in the order of the text."""
    return tuple(read_script(script))


def exec_command(words: Sequence[str]) -> tuple[Command, ...]:
    """Return the commands that a JSON array runs: no shell, but for ``["sh", "-c", ...]``."""
    if not words:
        return ()
    return tuple(Resolver(Frame(""), 0, read_script).resolve(list(words)))
