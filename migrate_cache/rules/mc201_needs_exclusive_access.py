"""MC201: keep the lock of a tool that needs exclusive access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Example, Keep, rule

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.entry import CacheEntry
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\
    --mount=type=cache,target=/var/lib/apt,sharing=locked \\
    apt-get update && apt-get install -y --no-install-recommends ca-certificates
"""


@rule(
    code="MC201",
    name="needs-exclusive-access",
    severity="note",
    summary="stays locked: this tool needs exclusive access",
    explanation="""
Some tools do not expect anybody else in their cache, or keep their lock somewhere else than in
the directory that is mounted, where other containers do not see it. They fail, or damage the
cache, when two builds use it at once. `sharing=locked` is right for them, and the note says
why.

One such mount keeps its whole RUN serial, whatever the other mounts of the RUN do: it can be
worth a RUN of its own. If you know better about a directory, teach it with `[[caches]]` in the
configuration.
""",
    sources=(
        "https://docs.docker.com/reference/dockerfile/#run---mounttypecache",
        "https://github.com/moby/buildkit/issues/1662",
    ),
    examples=(Example(BEFORE),),
)
def needs_exclusive_access(cache: Cache, context: Context) -> Iterator[Keep]:
    """Say why the locked mounts of an exclusive cache stay locked."""
    if cache.kind != "exclusive":
        return
    for mount in context.undecided(cache):
        if mount.sharing != "locked":
            continue
        entry, reason = exclusive_user(mount, cache)
        if mount.kind != "exclusive":
            reason = f"{cache.deciding.place} uses the id for {entry.name if entry else 'the tool'}"
        elif _is_last_lock(mount, context):
            reason += "; this lock alone still makes parallel builds of the RUN wait"
        sources = (entry.source,) if entry and entry.source else ()
        yield Keep(mount, f"stays locked: {reason}", evidence=sources)


def exclusive_user(mount: CacheMount, cache: Cache) -> tuple[CacheEntry | None, str]:
    """Return which tool needs the exclusive access, the mount's own or another's, and why."""
    match = (mount if mount.kind == "exclusive" else cache.deciding).match
    return match.entry, match.reason


def _is_last_lock(mount: CacheMount, context: Context) -> bool:
    """Whether every other mount of the RUN is free of locks after the plan."""
    beside = [other for other in context.project.graph.mounts_of(mount.run) if other is not mount]
    modes = {context.decisions.sharing_after(other) for other in beside}
    return bool(beside) and "locked" not in modes
