"""MC104: link Cargo's package-cache lock into the shared registry mount."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.caches.cargo_home import cargo_home
from migrate_cache.dockerfile.edits import insert_before
from migrate_cache.rules.mc211_cargo_lock_not_linked import lock_problem
from migrate_cache.rules.rule import Change, Example, rule
from migrate_cache.rules.texts import SHARED_BUILDERS

if TYPE_CHECKING:
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

COMMENT = (
    "# Put Cargo's package lock into the shared registry cache, for builds that run side by side"
)

BEFORE = """\
FROM rust:1.95
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \\
    cargo fetch --locked
"""
AFTER = """\
FROM rust:1.95
WORKDIR /build
COPY . .
# Put Cargo's package lock into the shared registry cache, for builds that run side by side
RUN mkdir -p -m 777 /usr/local/cargo/registry && ln -sf registry/.package-cache \
registry/.package-cache-mutate /usr/local/cargo/
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=shared \\
    cargo fetch --locked
"""


@rule(
    code="MC104",
    name="link-cargo-lock",
    severity="rewrite",
    phase="prepare",
    summary="Cargo's package-cache lock is linked into the shared registry mount",
    explanation="""
Cargo keeps several builds apart with two lock files in CARGO_HOME. A cache mount of
`CARGO_HOME/registry` does not contain them, so containers that share only that mount lock two
different files, which is no lock at all: cold builds side by side fail with `File exists (os
error 17)`. Two links put the lock files into the mount. Measured with six builds at once from a
cold cache: without the links 15 of 18 failed, with them none.

One instruction is inserted above the first RUN that mounts the registry, in the stage nearest
the root. It is left out where the links are there already, and where CARGO_HOME itself lies in
a cache mount. Where the links cannot be made safely, the mounts stay locked (MC211).
`--no-cargo-lock` leaves the links out altogether and reports the hazard.
"""
    + SHARED_BUILDERS
    + """
The link protects only those who have it: another project on the same builder that shares
`/usr/local/cargo/registry` without it still races, also with you.

It is made for BuildKit. buildah 1.28 deletes the folder of a mount from the image after each RUN:
there the links lead nowhere in a later RUN that runs cargo without the mount. Use
`--no-cargo-lock` where such a buildah builds.
""",
    sources=(
        "https://github.com/rust-lang/cargo/blob/master/src/cargo/util/cache_lock.rs",
        "https://github.com/rust-lang/cargo/issues/11376",
        "https://github.com/docker/docs/pull/25616",
        "https://github.com/0xMiden/node/pull/2386",
    ),
    examples=(Example(BEFORE, after=AFTER),),
)
def link_cargo_lock(cache: Cache, context: Context) -> Iterator[Change]:
    """Link the lock once in each chain of stages that mounts one of Cargo's shared caches."""
    linked = context.project.cargo.get(cache)
    if linked is None or cache is not linked.caches[0]:
        return
    if not context.settings.cargo_lock or lock_problem(cache, context):
        return
    if not any(_is_shared_after(cache, context) for cache in linked.caches):
        return
    for mount in linked.mounts:
        top = linked.topmost(mount)
        insertions = context.decisions.insertions.get(top.path, ())
        if not linked.needs_link(mount) or any(change.run is top.run for change in insertions):
            continue
        home = cargo_home(top)
        edit = insert_before(
            top.run.tree, top.run.instruction, f"RUN {link_command(home)}", COMMENT
        )
        yield Change(
            top.run,
            (edit,),
            f"parallel builds share {home}/registry; its lock must lie in the same mount, "
            "or cold builds fail with 'File exists (os error 17)'",
        )


def link_command(home: str) -> str:
    """Return the shell command that links the lock files of a ``CARGO_HOME``.

    The directory must exist in the image too, or a later RUN without the mount would find
    dangling links; mode 777 lets another user than root lock there.
    """
    return (
        f"mkdir -p -m 777 {home}/registry && "
        f"ln -sf registry/.package-cache registry/.package-cache-mutate {home}/"
    )


def _is_shared_after(cache: Cache, context: Context) -> bool:
    is_shared = any(mount.sharing == "shared" for mount in cache.mounts)
    return is_shared or not context.holder(cache, "MC101")
