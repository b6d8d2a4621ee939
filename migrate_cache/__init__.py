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

__version__ = "0.1.0"

__all__ = [
    "CacheInfo",
    "Change",
    "ConfigError",
    "Dockerfile",
    "Edit",
    "FileResult",
    "Instruction",
    "MigrateError",
    "Mount",
    "MountOption",
    "Note",
    "Outcome",
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
    from migrate_cache.config import Override, Settings
    from migrate_cache.cst import (
        Dockerfile,
        Instruction,
        Mount,
        MountOption,
        Run,
        Stage,
        Token,
    )
    from migrate_cache.edits import (
        CacheInfo,
        Change,
        Edit,
        FileResult,
        Note,
        Outcome,
        ProjectResult,
    )
    from migrate_cache.errors import ConfigError, MigrateError, ParseError, SafetyError
    from migrate_cache.parser import parse
    from migrate_cache.project import migrate
    from migrate_cache.source import Span

# Where each name lives: they are imported at first use, so that the command starts fast.
_HOMES = {
    "Override": "config", "Settings": "config", "Dockerfile": "cst", "Instruction": "cst",
    "Mount": "cst", "MountOption": "cst", "Run": "cst", "Stage": "cst", "Token": "cst",
    "CacheInfo": "edits", "Change": "edits", "Edit": "edits", "FileResult": "edits",
    "Note": "edits", "Outcome": "edits", "ProjectResult": "edits", "ConfigError": "errors",
    "MigrateError": "errors", "ParseError": "errors", "SafetyError": "errors",
    "parse": "parser", "migrate": "project", "Span": "source",
}  # fmt: skip


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return __all__
