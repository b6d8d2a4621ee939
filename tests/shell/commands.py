"""What the tests of the room share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.shell import read_script

if TYPE_CHECKING:
    from migrate_cache.shell import Command


def commands_of(script: str) -> tuple[Command, ...]:
    return read_script(script).commands


def lines_of(script: str) -> list[str]:
    """Return each command of a script as one line."""
    return [" ".join((c.program, *c.arguments)) for c in commands_of(script)]
