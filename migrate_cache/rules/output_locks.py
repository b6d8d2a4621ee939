"""Whether a build output keeps its lock beside an id of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.caches.dataflow import compiles
from migrate_cache.rules.new_ids import arch_suffix

if TYPE_CHECKING:
    from migrate_cache.caches.coupling import Unit
    from migrate_cache.caches.graph import Use
    from migrate_cache.rules.context import Context


def carries_arch(use: Use) -> bool:
    """Whether the id that is written names the platform."""
    return bool(re.search(r"\$\{?TARGET(ARCH|PLATFORM)\b", use.mount.id))


def keeps_lock(context: Context, unit: Unit, *, names_platform: bool) -> str:
    """Return why the lock stays beside the unit's id, ``""`` where it goes."""
    if context.settings.keep_lock:
        return "the configuration keeps locks (keep-lock)"
    for use in unit.uses:
        cache = use.match.cache
        if cache is None or not use.match.locks_inside:
            name = cache.name if cache else "the tool"
            return f"{name} has no lock of its own inside the directory"
        if use.opaque and not compiles(use):
            return "it cannot be told what the command runs"
    if not any(use.match.certain for use in unit.uses):
        return "little says that this is Cargo's directory"
    return "" if names_platform else _several_platforms(unit)


def _several_platforms(unit: Unit) -> str:
    fillers = [use for use in unit.uses if use.fills]
    if fillers and all(arch_suffix(use) == "separate" for use in fillers):
        return ""
    builds = [build for site in unit.sites for build in site.builds]
    if any(len(build.platforms) > 1 or "" in build.platforms for build in builds):
        origins = sorted({build.origin for build in builds if build.platforms})
        return f"{', '.join(origins)} builds it for several platforms at once"
    if len({platform for build in builds for platform in build.platforms}) > 1:
        return "it is built for different platforms"
    if re.search(r"\bTARGET(ARCH|PLATFORM)\b", unit.first.tree.source.text):
        return "the file is built for several platforms (TARGETARCH), and the id does not name one"
    return ""
