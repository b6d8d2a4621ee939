"""MC101: share a cache that tolerates concurrent builds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.edits import mount_edits
from migrate_cache.rules.fresh_ids import FreshIds
from migrate_cache.rules.mc203_mixed_sharing import held_back
from migrate_cache.rules.mc211_cargo_lock_not_linked import lock_problem
from migrate_cache.rules.rule import Change, Example, Keep, rule

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM golang:1.26
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked \\
    --mount=type=cache,target=/root/.cache/go-build,sharing=locked \\
    go build -o /usr/local/bin/api ./cmd/api
"""


@rule(
    code="MC101",
    name="share-cache",
    severity="rewrite",
    summary="`sharing=locked` on a cache that tolerates concurrent users becomes `sharing=shared`",
    explanation="""
A locked cache is held for a whole RUN, compilation included, and every other build that uses
it waits. Many package managers lock or rename inside their cache directory themselves, so that
several containers can use it at once: for them the lock only costs time.

All users of an id change together or not at all, because BuildKit forks a cache that is used in
different modes (MC203). So the mode stays where one of the users cannot change: it is ignored,
lies outside the given paths, is generated or cannot be read. It also stays where a tool that
needs exclusive access uses the same id.
""",
    sources=(
        "https://docs.docker.com/reference/dockerfile/#run---mounttypecache",
        "https://github.com/golang/go/issues/26677",
    ),
    examples=(Example(BEFORE, after=BEFORE.replace("locked", "shared")),),
)
def share_cache(cache: Cache, context: Context) -> Iterator[Change | Keep]:
    """Share every locked mount of a cache, or say what keeps the cache as it is."""
    if cache.kind not in ("shared", "cargo-subdir") or lock_problem(cache, context):
        return
    mounts = list(context.undecided(cache))
    held = held_back(cache, context, "MC101")
    fresh = context.once(FreshIds)
    changes = not held and any(mount.sharing == "locked" for mount in mounts)
    kept_id = fresh.problem(mounts) if changes else ""
    for mount in mounts:
        reason = _why_safe(mount, context) + (f"; {kept_id}" if kept_id else "")
        sources = (mount.entry.source,) if mount.entry else ()
        if held and mount.sharing == "locked":
            blocked = context.blocked(mount, "MC101") or held
            yield Keep(mount, f"stays locked: {blocked.reason}", blocked)
        elif held:
            yield Keep(mount, f"already shared: {reason}")
        else:
            is_locked = mount.sharing == "locked"
            new_id = fresh.id_for(mount) if changes and not kept_id else None
            edits = mount_edits(mount.node, new_id, "shared" if is_locked else None)
            shown = reason if is_locked else f"already shared: {reason}"
            if edits:
                yield Change(mount, edits, shown, sources)
            else:
                yield Keep(mount, shown, evidence=sources)


def _why_safe(mount: CacheMount, context: Context) -> str:
    if mount.kind == "unknown":
        return "its RUN only copies, so the directory follows the other users of its id"
    if mount.kind == "cargo-subdir":
        if not context.settings.cargo_lock:
            return "parallel builds no longer wait for each other"
        return "several builds at once are safe with Cargo's lock in the same mount"
    return mount.match.reason
