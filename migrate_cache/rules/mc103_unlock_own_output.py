"""MC103: unlock a build output that only one service uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.edits import mount_edits
from migrate_cache.rules.mc102_own_output_cache import output_of
from migrate_cache.rules.mc203_mixed_sharing import held_back
from migrate_cache.rules.rule import Change, Example, Keep, rule
from migrate_cache.services.model import Service

if TYPE_CHECKING:
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,id=api-target,target=/build/target,sharing=locked \\
    cargo build --release --bin api && \\
    cp target/release/api /usr/local/bin/api
"""


@rule(
    code="MC103",
    name="unlock-own-output",
    severity="rewrite",
    summary="a build output that already has an id that only one service uses loses a "
    "`sharing=locked` that protects nothing",
    explanation="""
The id is good: only one service uses it. The lock then only orders builds of that one service,
and the tool locks inside the directory itself, so nothing is lost without it. The id stays as
it is, and so does what the cache holds.

The lock stays for the reasons that `--explain MC102` gives: the tool has no lock of its own
inside the directory, the service is built for several platforms at once, a variable in the id
is not in scope, or `--keep-lock` is on.
""",
    sources=("https://docs.docker.com/reference/dockerfile/#run---mounttypecache",),
    examples=(Example(BEFORE, after=BEFORE.replace(",sharing=locked", "")),),
)
def unlock_own_output(cache: Cache, context: Context) -> Iterator[Change | Keep]:
    """Take the lock from a build output whose id stays, or say why it stays too."""
    output = output_of(cache, context)
    if output is None or output.blocked:
        return
    held = held_back(cache, context, "MC103")
    for coupled in output.coupled:
        for mount in context.undecided(coupled):
            blocked = context.blocked(mount, "MC103")
            keep = output.keeps_old_lock or (blocked.reason if blocked else "")
            if output.needs_ids:
                yield Change(mount, mount_edits(mount.node, sharing=""), *output.own_cache(coupled))
            elif not cache.is_locked:
                yield Keep(mount, "kept: the id is used by one service, and nothing is locked")
            elif mount.sharing != "locked":
                yield Keep(mount, "kept: the id is used by one service")
            elif keep:
                yield Keep(mount, f"keeps its id and its lock: {keep}")
            elif held:
                yield Keep(mount, f"stays locked: {held.reason}", held)
            else:
                name = coupled.service.text if isinstance(coupled.service, Service) else ""
                yield Change(
                    mount,
                    mount_edits(mount.node, sharing=""),
                    f"only service {name} uses the id, and the tool locks inside the "
                    "directory: the lock protects nothing",
                )
