r"""Move Dockerfiles from locked BuildKit cache mounts to shared caches and service-specific ids.

    >>> import migrate_cache
    >>> tree = migrate_cache.parse(b"FROM rust\nRUN --mount=type=cache,target=/x cargo build\n")
    >>> tree.stages[0].instructions[0].mounts[0].target
    '/x'
    >>> result = migrate_cache.migrate({"Dockerfile": tree.text})
    >>> result.files[0].changed
    False

`parse` reads one file into its lossless tree, `migrate` plans a project and returns the new
texts with every change and its reason. Both are pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache._version import __version__

__all__ = [
    "CacheResult",
    "ChangeResult",
    "ConfigError",
    "Dockerfile",
    "Edit",
    "FileResult",
    "Instruction",
    "MigrateError",
    "Mount",
    "MountOption",
    "MountResult",
    "NoteResult",
    "Override",
    "ParseError",
    "ProjectResult",
    "Run",
    "SafetyError",
    "Settings",
    "Span",
    "Stage",
    "Token",
    "__version__",
    "migrate",
    "parse",
]

if TYPE_CHECKING:
    from migrate_cache.dockerfile.mount import Mount, MountOption
    from migrate_cache.dockerfile.nodes import Token
    from migrate_cache.dockerfile.parser import parse
    from migrate_cache.dockerfile.tree import Dockerfile, Instruction, Run, Stage
    from migrate_cache.plan.api import migrate
    from migrate_cache.plan.model import (
        CacheResult,
        ChangeResult,
        FileResult,
        MountResult,
        NoteResult,
        ProjectResult,
    )
    from migrate_cache.settings import Override, Settings
    from migrate_cache.text.edit import Edit
    from migrate_cache.text.errors import ConfigError, MigrateError, ParseError, SafetyError
    from migrate_cache.text.source import Span

# Where each name lives: they are imported at first use, so that the command starts fast.
_HOMES = {
    "Override": "settings", "Settings": "settings", "Dockerfile": "dockerfile.tree",
    "Instruction": "dockerfile.tree", "Run": "dockerfile.tree", "Stage": "dockerfile.tree",
    "Mount": "dockerfile.mount", "MountOption": "dockerfile.mount", "Token": "dockerfile.nodes",
    "CacheResult": "plan.model", "ChangeResult": "plan.model", "Edit": "text.edit",
    "FileResult": "plan.model", "NoteResult": "plan.model", "MountResult": "plan.model",
    "ProjectResult": "plan.model", "ConfigError": "text.errors", "MigrateError": "text.errors",
    "ParseError": "text.errors", "SafetyError": "text.errors", "parse": "dockerfile.parser",
    "migrate": "plan.api", "Span": "text.source",
}  # fmt: skip


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return __all__
