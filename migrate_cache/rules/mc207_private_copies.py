"""MC207: leave a private mount alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Example, rule

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount

BEFORE = """\
FROM golang:1.26
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod,sharing=private \\
    go build -o /usr/local/bin/api ./cmd/api
"""


@rule(
    code="MC207",
    name="private-copies",
    severity="note",
    summary="`sharing=private` makes a copy per build",
    explanation="""
Builds at the same time each get a directory of their own, so nobody waits and nothing breaks,
but later builds pick up any one of the copies, and the builder keeps them all. Podman and
buildah refuse the mode. Nothing is changed: somebody chose it on purpose.
""",
    sources=(
        "https://docs.docker.com/reference/dockerfile/#run---mounttypecache",
        "https://github.com/containers/podman/issues/27188",
    ),
    examples=(Example(BEFORE),),
)
def private_copies(mount: CacheMount) -> str:
    """Say what a private mount does; somebody chose it on purpose."""
    if mount.node.sharing != "private":
        return ""
    return "each build that finds the cache in use gets a copy of its own"
