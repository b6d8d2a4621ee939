"""MC205: warn of a variable that is not in scope."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Blocked, Example, Note, note_at, rule
from migrate_cache.services.arguments import undeclared_arguments

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = """\
# syntax=docker/dockerfile:1
ARG SERVICE
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,id=target-${SERVICE},target=/build/target,sharing=locked \\
    cargo build --release --bin api && cp target/release/api /usr/local/bin/
"""


@rule(
    code="MC205",
    name="variable-out-of-scope",
    severity="warning",
    phase="review",
    summary="a variable in an id or target is not in scope at this RUN: it expands to nothing",
    explanation="""
An ARG above the first FROM is not in scope in a stage until the stage repeats it (`ARG SERVICE`),
and one that is declared below the RUN is not in scope yet. BuildKit then puts nothing in its
place, without an error: `id=target-${SERVICE}` becomes `target-`, and all services meet in one
cache. TARGETARCH and its like have to be repeated too.

The id and its lock stay as they are until the variable is declared.
""",
    sources=(
        "https://docs.docker.com/build/building/variables/#scoping",
        "https://docs.docker.com/reference/build-checks/undefined-var/",
        "https://github.com/moby/buildkit/issues/2016",
    ),
    examples=(Example(BEFORE),),
)
def variable_out_of_scope(cache: Cache, context: Context) -> Iterator[Note]:
    """Name the variables of the mounts, and of RUNs that build, that are not in scope."""
    for coupled in context.project.coupled.get(cache, ()):
        for mount in coupled.mounts:
            for name in undeclared_arguments(mount.run):
                yield note_at(
                    mount,
                    f"the RUN uses the build argument {name}, which its stage does not declare: "
                    f"it is empty here; add ARG {name} to the stage",
                )
    for mount in cache.mounts:
        if context.decisions.mounts[mount].rule in ("MC205", "MC210"):
            continue
        for option in ("id", "target"):
            for name in sorted(mount.run.scope.expand(mount.node.get(option)).undeclared):
                yield note_at(mount, _undeclared(mount, option, name))


def undeclared_in_id(mount: CacheMount) -> Blocked | None:
    """Return what blocks a mount whose id uses variables that are not in scope."""
    names = sorted(mount.run.scope.expand(mount.id).undeclared) if mount.id else ()
    if not names:
        return None
    return Blocked("MC205", f"{', '.join(names)} in the id is not in scope at {mount.place}")


def _undeclared(mount: CacheMount, option: str, name: str) -> str:
    global_names = {w.partition("=")[0] for arg in mount.run.tree.global_args for w in arg.words}
    if name in global_names:
        way_out = f"the ARG above the first FROM is not in scope; repeat ARG {name} in the stage"
    elif name in ("HOME", "USER", "PWD"):
        way_out = "BuildKit does not know it unless ENV or ARG sets it; write the path out"
    else:
        way_out = f"declare ARG {name} in the stage, above this RUN"
    return f"{name} in the {option} is not in scope at this RUN and expands to nothing: {way_out}"
