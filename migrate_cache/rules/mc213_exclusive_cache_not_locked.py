"""MC213: warn of an exclusive cache that is not locked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.rules.mc201_needs_exclusive_access import exclusive_user
from migrate_cache.rules.rule import Example, Keep, rule

if TYPE_CHECKING:
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt \\
    apt-get update && apt-get install -y --no-install-recommends ca-certificates
"""


@rule(
    code="MC213",
    name="exclusive-cache-not-locked",
    severity="warning",
    summary="a cache that needs exclusive access is not locked: parallel builds can fail",
    explanation="""
The tool does not expect anybody else in this directory (MC201), but the mount names no mode, or
`shared`. Builds at the same time can fail or damage the cache. The usual repair is
`sharing=locked` for every user of the id. It is not made for you: it would make builds wait that
do not wait today.
""",
    sources=(
        "https://docs.docker.com/reference/dockerfile/#run---mounttypecache",
        "https://github.com/moby/buildkit/issues/1662",
    ),
    examples=(Example(BEFORE),),
)
def exclusive_cache_not_locked(cache: Cache, context: Context) -> Iterator[Keep]:
    """Say which mounts of an exclusive cache are not locked."""
    if cache.kind != "exclusive":
        return
    for mount in context.undecided(cache):
        entry, reason = exclusive_user(mount, cache)
        name = entry.name if entry else "the tool"
        sources = (entry.source,) if entry and entry.source else ()
        yield Keep(
            mount, f"not locked, but {name} needs exclusive access: {reason}", evidence=sources
        )
