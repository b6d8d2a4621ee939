"""Build outputs: who uses one, whether its id tells them apart, and for which platforms."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from migrate_cache.caches.dataflow import compile_lines, compiles, may_read, says_it_builds
from migrate_cache.caches.platforms import separates_platforms
from migrate_cache.dockerfile.words import variables
from migrate_cache.services.model import Service
from migrate_cache.shell.build_tools import is_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.coupling import CoupledMounts
    from migrate_cache.caches.graph import Cache


def services_of(coupled: Sequence[CoupledMounts]) -> dict[str, Service]:
    """Return the services of mounts by their text."""
    return {
        each.service.text: each.service for each in coupled if isinstance(each.service, Service)
    }


def reader_of_another_file(coupled: Sequence[CoupledMounts]) -> CacheMount | None:
    """Return a RUN of a file that fills nothing itself, where another file fills the cache."""
    for own in coupled:
        if any(map(compiles, own.mounts)):
            continue
        elsewhere = [mount for other in coupled if other.path != own.path for mount in other.mounts]
        is_filled = any(map(compiles, elsewhere))
        for mount in own.mounts:
            if mount.run.is_opaque and (not is_filled or says_it_builds(mount)):
                continue
            if elsewhere and may_read(mount):
                return mount
    return None


def is_one_workspace_build(cache: Cache, coupled: Sequence[CoupledMounts]) -> bool:
    """Whether all files compile the same, and nothing in the command names a service."""
    commands: dict[str, set[tuple[str, ...]]] = {}
    whole = True
    for each in coupled:
        if isinstance(each.service, Service) and each.service.is_variable:
            return False
        for mount in each.mounts:
            if mount.fills:
                words = compile_lines(mount)
                commands.setdefault(mount.path, set()).update(words)
                whole = whole and any(is_whole("cargo", line) for line in words)
    if len(commands) != len(cache.files) or len({frozenset(c) for c in commands.values()}) != 1:
        return False
    folders = {posixpath.dirname(path) for path in commands}
    return whole or len(folders) == 1


def tells_services_apart(coupled: CoupledMounts, service: Service) -> bool:
    """Whether an id that is written already tells the services apart."""
    if not service.is_variable:
        return True
    names = set(re.findall(r"\$\{(\w+)\}", service.text))
    return all(
        names & mount.run.scope.expand(mount.id).open
        or names & (variables(mount.id) | mount.run.scope.depends(mount.id))
        for mount in coupled.mounts
    )


def id_names_platform(mount: CacheMount) -> bool:
    """Whether the id that is written names the platform."""
    return bool(re.search(r"\$\{?TARGET(ARCH|PLATFORM)\b", mount.id))


def several_platforms(coupled: CoupledMounts) -> str:
    """Return why builds for several platforms may meet in the directory, ``""`` if none may."""
    filling = [mount for mount in coupled.mounts if mount.fills]
    if filling and all(map(separates_platforms, filling)):
        return ""
    builds = [build for mount in coupled.mounts for build in mount.run.builds]
    if any(len(build.platforms) > 1 or "" in build.platforms for build in builds):
        origins = sorted({build.origin for build in builds if build.platforms})
        return f"{', '.join(origins)} builds it for several platforms at once"
    if len({platform for build in builds for platform in build.platforms}) > 1:
        return "it is built for different platforms"
    if re.search(r"\bTARGET(ARCH|PLATFORM)\b", coupled.first.run.tree.source.text):
        return "the file is built for several platforms (TARGETARCH), and the id does not name one"
    return ""


def fillers(coupled: CoupledMounts) -> list[CacheMount]:
    """Return the mounts whose RUN fills the directory from nothing."""
    return [mount for mount in coupled.mounts if compiles(mount) and mount not in coupled.readers]
