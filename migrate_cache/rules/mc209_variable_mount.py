"""MC209: leave a mount alone that depends on a variable of unknown value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Example, rule

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount

BEFORE = """\
FROM golang:1.26
ARG CACHE_MODE
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod,sharing=${CACHE_MODE} \\
    go build -o /usr/local/bin/api ./cmd/api
"""


@rule(
    code="MC209",
    name="variable-mount",
    severity="note",
    rank=1,
    summary="type, sharing or target comes from a variable of unknown value: left alone",
    explanation="""
What the mount is depends on a build argument, so that different builds of the same file can get
different caches or modes. A variable that only ENV sets, or a target whose variables are known,
is no obstacle.
""",
    sources=("https://docs.docker.com/build/building/variables/#scoping",),
    examples=(Example(BEFORE),),
)
def variable_mount(mount: CacheMount) -> str:
    """Say which part of a mount is only known when it is built."""
    if mount.run.instruction.trigger is not None:
        return "an ONBUILD trigger runs in another image: scope and service are that image's"
    if "$" in mount.node.type or "$" in mount.node.sharing:
        which = "type" if "$" in mount.node.type else "sharing mode"
        return f"its {which} comes from a variable"
    if mount.target.open:
        names = ", ".join(sorted(mount.target.open))
        return f"its target depends on {names}, which a build decides"
    if mount.node.repeated("type", "target", "id", "sharing"):
        return "an option is given more than once; only the last one counts"
    return ""
