"""Which image builds a repository declares: compose, bake and workflow files as data.

Everything is read through one function, which decides what may be read; the environment of
this process does not count. What the files do not say is None or ``""``, never a guess. A
malformed file gives warnings and whatever else it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from migrate_cache.builds.model import Build, Builds
from migrate_cache.builds.sources import Sources

__all__ = ["Build", "Builds", "is_build_file", "read_builds"]

_COMPOSE = re.compile(
    r"(?:.*/)?(?:docker-compose[^/]*|compose(?:[._0-9-][^/]*)?)\.ya?ml", re.IGNORECASE
)
_BAKE = re.compile(r"(?:.*/)?docker-bake[^/]*\.(?:hcl|json)", re.IGNORECASE)
_WORKFLOW = re.compile(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml", re.IGNORECASE)


def is_build_file(name: str) -> bool:
    """Tell whether a path, relative to the root with forward slashes, is read here."""
    return any(pattern.fullmatch(name) for pattern in (_COMPOSE, _BAKE, _WORKFLOW))


def read_builds(files: Sequence[str], read: Callable[[str], bytes | None]) -> Builds:
    """Return the builds that `files` declare, and warnings about what is wrong with them.

    `files` are paths relative to the root, with forward slashes; those that are no build
    files are passed over. `read` gives the bytes of such a path, or None where it cannot
    be read or lies outside the root; nothing is read in any other way.
    """
    names = sorted(set(files))
    sources = Sources(read)
    found: list[Build] = []
    workflows = [name for name in names if _WORKFLOW.fullmatch(name)]
    compose = [name for name in names if _COMPOSE.fullmatch(name) and name not in workflows]
    if compose:
        from migrate_cache.builds.compose.reader import read_compose

        found += read_compose(sources, compose)
    bake = [name for name in names if _BAKE.fullmatch(name)]
    if bake:
        from migrate_cache.builds.bake.reader import read_bake

        found += read_bake(sources, bake, list(found))
    # Most workflows build no image, and PyYAML is not imported for them.
    texts = {name: data for name in workflows if (data := sources.read(name)) is not None}
    texts = {name: data for name, data in texts.items() if b"build-push-action" in data.lower()}
    if texts:
        from migrate_cache.builds.workflow import read_workflows

        found += read_workflows(sources, texts)
    found = sorted(dict.fromkeys(found), key=lambda build: (build.origin, build.line, build.name))
    return Builds(tuple(found), sources.warnings())
