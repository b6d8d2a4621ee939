"""MC203: warn of a cache that is used in different sharing modes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Blocked, Example, Note, note_at, rule
from migrate_cache.rules.texts import SHARED_BUILDERS

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.graph import Cache
    from migrate_cache.dockerfile.tree import Dockerfile
    from migrate_cache.rules.context import Context


BEFORE = """\
FROM debian:13-slim AS base
COPY fetch-models /usr/local/bin/

FROM base AS small
RUN --mount=type=cache,id=models,target=/opt/models,sharing=locked \\
    fetch-models --into /opt/models small

FROM base AS large
RUN --mount=type=cache,id=models,target=/opt/models,sharing=shared \\
    fetch-models --into /opt/models large
"""


@rule(
    code="MC203",
    name="mixed-sharing",
    severity="warning",
    phase="review",
    summary="one id is used with different sharing modes: BuildKit forks such a cache",
    explanation="""
When one RUN holds a cache locked and another asks for the same id in shared mode, BuildKit does
not make the second one wait. It silently gives it a new, empty directory, and afterwards two
caches go by that id: builds are cold for no visible reason, and two locked users can even run
at the same time. Every use of one id needs the same mode.

Uses are looked for in all Dockerfiles under the project's root. Where one of them cannot
change, the others stay as they are, and the warning names the one that holds them back.
"""
    + SHARED_BUILDERS,
    sources=(
        "https://docs.docker.com/reference/dockerfile/#run---mounttypecache",
        "https://github.com/moby/buildkit/issues/2459",
    ),
    examples=(Example(BEFORE),),
)
def mixed_sharing(tree: Dockerfile, context: Context) -> Iterator[Note]:
    """Warn at each mount whose cache is still used in several modes after the plan."""
    decisions = context.decisions
    for mount in context.mounts(tree):
        modes = context.once(_modes_after)[_cache_after(mount, context)]
        item = decisions.mounts[mount]
        if len(modes) > 1 and item.rule != "MC203":
            where = ", ".join(f"{mode} at {user.place}" for mode, user in sorted(modes.items()))
            yield note_at(
                mount,
                f"cache {decisions.cache_id_after(mount)} is used in different modes ({where}): "
                "BuildKit forks it, so that a user of one mode gets an empty directory while one "
                "of the other holds the cache",
            )


def held_back(cache: Cache, context: Context, code: str) -> Blocked | None:
    """Return which mount holds a cache back from the rule `code`: one cache has one mode."""
    holder = context.holder(cache, code)
    reason = f"{holder}, and one cache must have one sharing mode"
    return Blocked("MC203", reason) if holder else None


def _modes_after(context: Context) -> dict[object, dict[str, CacheMount]]:
    """Return the modes of each cache after the plan, with the first mount in each."""
    found: dict[object, dict[str, CacheMount]] = {}
    for mount in context.project.mounts:
        modes = found.setdefault(_cache_after(mount, context), {})
        modes.setdefault(context.decisions.sharing_after(mount) or "shared", mount)
    return found


def _cache_after(mount: CacheMount, context: Context) -> object:
    """Return what identifies the cache after the plan: its new id and owner, or the old cache."""
    new_id = context.decisions.options_after(mount).get("id")
    return (new_id, *mount.key[1:]) if new_id else context.project.graph.cache_of(mount)
