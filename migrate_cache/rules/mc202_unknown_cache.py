"""MC202: leave an unknown cache directory alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Example, Keep, rule

if TYPE_CHECKING:
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM debian:13-slim
COPY fetch-models /usr/local/bin/
RUN --mount=type=cache,target=/opt/models,sharing=locked \\
    fetch-models --into /opt/models
"""


@rule(
    code="MC202",
    name="unknown-cache",
    severity="note",
    summary="an unknown cache directory is left alone",
    explanation="""
Nothing is known about what writes this directory, so nothing can be said about several builds
writing it at once. To teach it, add a table to the configuration: `[[caches]]` with `target`
(the directory, `*` allowed), `kind` (`shared`, `output` or `exclusive`), `slug` (its name in
new ids) and `reason`.
""",
    examples=(Example(BEFORE),),
)
def unknown_cache(cache: Cache, context: Context) -> Iterator[Keep]:
    """Leave the mounts of a directory alone that no known tool writes."""
    if cache.kind != "unknown":
        return
    kinds = {mount.kind for mount in cache.mounts if mount.kind != "unknown"}
    for mount in context.undecided(cache):
        if len(kinds) > 1:
            reason = "the same id is used for directories of different kinds: left alone"
        elif mount.kind != "unknown":
            reason = f"{cache.deciding.place} uses the id for a directory that is not known"
        else:
            reason = cache.deciding.match.reason or "no tool is known to keep a cache here"
        yield Keep(mount, reason)
