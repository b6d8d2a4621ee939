"""MC102: give a build output an id of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.dockerfile.edits import mount_edits
from migrate_cache.rules.outputs import output_of
from migrate_cache.rules.rule import Change, Example, Keep, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.caches.coupling import CoupledMounts
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context
    from migrate_cache.rules.outputs import Output

BEFORE = """\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/build/target,sharing=locked \\
    cargo build --release --bin api && \\
    cp target/release/api /usr/local/bin/api
"""
AFTER = """\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/build/target,id=target-builder-api \\
    cargo build --release --bin api && \\
    cp target/release/api /usr/local/bin/api
"""


@rule(
    code="MC102",
    name="own-output-cache",
    severity="rewrite",
    summary="a build output that several services, or nobody in particular, use gets an "
    "id of its own",
    explanation="""
Without an id, a cache is known by its target: every service that mounts `/build/target` uses
the same directory on the builder. They wait for each other, and they overwrite each other's
files. With an id that names the stage and the service, each has its own. A new id starts empty:
the first build afterwards compiles from scratch, once.

What about the lock? With an id of its own it no longer makes services wait for each other; it
only orders builds of one service. So `sharing=locked` goes where the tool locks inside the
directory itself, as Cargo does, and nothing shows that one service is built twice at the same
time. It stays, beside the new id, where the tool has no lock of its own there; where the
service is built for several platforms at once and the id does not carry the platform, since
both builds would write the same files and one could copy out the other's; where it cannot be
told which tool fills the directory; and where you say so with `--keep-lock`, for builders on
which several checkouts of one service are built at the same time.

The id stays as it is where a RUN only reads the directory, or may: after a rename the compile
RUN can come from the layer cache while the new cache is still empty, and the copy fails. It
also stays where one service alone uses an id already, and where several files run the same
build of the whole workspace and share its cache on purpose. `--service`, `--id-template` and
`[[overrides]]` in the configuration name things differently.
""",
    sources=(
        "https://docs.docker.com/reference/dockerfile/#run---mounttypecache",
        "https://github.com/moby/buildkit/issues/2598",
        "https://github.com/siderolabs/kres/pull/501",
    ),
    examples=(Example(BEFORE, after=AFTER),),
)
def own_output_cache(cache: Cache, context: Context) -> Iterator[Change | Keep]:
    """Give the mounts of a build output ids of their own, or say why they keep theirs."""
    output = output_of(cache, context)
    if output is None:
        return
    if output.blocked:
        for mount in context.undecided(cache):
            yield Keep(mount, f"kept: {output.blocked.reason}", output.blocked)
    elif output.needs_ids:
        for coupled in output.coupled:
            yield from _separated(output, coupled)
    elif not cache.is_locked and not any(coupled.explicit_id for coupled in output.coupled):
        for mount in context.undecided(cache):
            yield Keep(
                mount, "kept: a single build uses the directory and does not lock it: nothing waits"
            )


def _separated(output: Output, coupled: CoupledMounts) -> Iterator[Change | Keep]:
    context = output.context
    mounts = [mount for mount in coupled.mounts if mount not in context.decisions.mounts]
    if blocked := output.keeping.get(coupled):
        for mount in mounts:
            yield Keep(mount, f"kept: {blocked.reason}", blocked)
        return
    keep, new_id = output.keeps_lock(coupled), output.new_id(coupled)
    for mount in mounts:
        is_locked = mount.sharing == "locked"
        stays = f"; the lock stays: {keep}" if keep and is_locked else ""
        if new_id != mount.id:
            edits = mount_edits(mount.node, new_id, "" if is_locked and not keep else None)
            reason, evidence = output.own_cache(coupled)
            yield Change(mount, edits, reason + stays, evidence)
        elif keep or not is_locked:
            yield Keep(mount, f"kept: the id is that of the service already{stays}")
        # The lock of the others goes, which is for MC103 to say.
