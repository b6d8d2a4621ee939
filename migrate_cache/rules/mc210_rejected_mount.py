"""MC210: leave a mount alone that BuildKit would reject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Example, rule

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount

BEFORE = """\
FROM golang:1.26
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod,sharing=exclusive \\
    go build -o /usr/local/bin/api ./cmd/api
"""


@rule(
    code="MC210",
    name="rejected-mount",
    severity="warning",
    rank=2,
    summary="a mount that BuildKit would reject, in its words: left alone",
    explanation="""
The build fails at this mount: an option or a value that does not exist, a missing target, an
option that this type of mount does not take. It is left as it is, because nobody can know what
it should have been.
""",
    sources=("https://docs.docker.com/reference/dockerfile/#run---mounttypecache",),
    examples=(Example(BEFORE),),
)
def rejected_mount(mount: CacheMount) -> str:
    """Say why BuildKit would reject the instruction of a mount, in its words."""
    error = mount.run.node.error or mount.run.instruction.error
    return f"BuildKit would reject this instruction: {error.message}" if error else ""
