"""What shell text runs and uses: programs with their words, tools, and variables."""

from migrate_cache.shell.model import SHELLS, Command, Script, options
from migrate_cache.shell.syntax import read_exec_form, read_script
from migrate_cache.shell.tools import (
    CARGO_BUILDS,
    all_commands,
    canonical,
    is_opaque,
    tools,
)

__all__ = [
    "CARGO_BUILDS",
    "SHELLS",
    "Command",
    "Script",
    "all_commands",
    "canonical",
    "is_opaque",
    "options",
    "read_exec_form",
    "read_script",
    "tools",
]
