"""Which image builds a repository declares: compose, bake and workflow files as data.

Everything is read through one function, which decides what may be read; nothing is taken
from the environment of this process. What cannot be known from the files is None or
``""``, never a guess. A file that is malformed gives warnings and whatever else it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from migrate_cache.builds.model import Build, Builds, Files

__all__ = ["Build", "Builds", "is_build_file", "read_builds"]

_COMPOSE = re.compile(
    r"(?:.*/)?(?:docker-compose[^/]*|compose(?:[._0-9-][^/]*)?)\.ya?ml", re.IGNORECASE
)
_BAKE = re.compile(r"(?:.*/)?docker-bake[^/]*\.(?:hcl|json)", re.IGNORECASE)
_WORKFLOW = re.compile(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml", re.IGNORECASE)


def is_build_file(name: str) -> bool:
    """Tell whether a path, relative to the root with forward slashes, is read here."""
    return any(pattern.fullmatch(name) for pattern in (_COMPOSE, _BAKE, _WORKFLOW))


def read_builds(root: Path, files: Sequence[str], read: Callable[[str], bytes | None]) -> Builds:
    """Return the builds that `files` declare, and what was wrong with them.

    `files` are paths relative to `root`, with forward slashes; those that are no build
    files are passed over. `read` gives the bytes of such a path, or None where it cannot
    be read or lies outside the root; nothing is read in any other way.
    """
    del root  # the result depends on the files alone, not on where they lie
    names = sorted(set(files))
    reader = Files(read)
    found: list[Build] = []
    workflows = [name for name in names if _WORKFLOW.fullmatch(name)]
    compose = [name for name in names if _COMPOSE.fullmatch(name) and name not in workflows]
    if compose:
        from migrate_cache.builds.compose.reader import read_compose

        found += read_compose(reader, compose)
    bake = [name for name in names if _BAKE.fullmatch(name)]
    if bake:
        from migrate_cache.builds.bake.reader import read_bake

        found += read_bake(reader, bake, list(found))
    if workflows:
        from migrate_cache.builds.workflow import read_workflows

        found += read_workflows(reader, workflows)
    found = list(dict.fromkeys(found))
    found.sort(key=lambda build: (build.origin, build.line, build.name))
    return Builds(tuple(found), reader.warnings())
