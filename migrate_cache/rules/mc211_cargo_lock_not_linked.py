"""MC211: keep a cache of Cargo's locked whose lock cannot be linked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Example, Keep, Note, note_at, rule

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM rust:1.95
WORKDIR /build
COPY . .
USER 1000
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked,uid=1000 \\
    cargo fetch --locked
"""


@rule(
    code="MC211",
    name="cargo-lock-not-linked",
    severity="warning",
    summary="Cargo's lock cannot be linked into this cache: it stays locked, or is shared "
    "at a risk",
    explanation="""
Cargo's registry and git directories may only be shared with the lock in the same mount (MC104).
That can be arranged only where the file shows that it works:

* the mounts are those of the CARGO_HOME in force in the stage
* the user at the RUN may write CARGO_HOME
* the stage has a POSIX shell, and the RUN is no ONBUILD trigger
* the lock comes to lie in one and the same cache for every user of the ids concerned
* every user of these ids in the project can have it

If one of these fails, all of them stay locked, which is slow and safe, and the warning says which
one it was. Where a registry is shared already without the lock, or `--no-cargo-lock` is on,
cold builds side by side can fail with `File exists (os error 17)`. Another way is a cache mount
of a whole CARGO_HOME of its own (`/var/cache/cargo` with `CARGO_HOME=/var/cache/cargo`), which
contains the lock.
""",
    sources=(
        "https://github.com/rust-lang/cargo/issues/11376",
        "https://github.com/docker/docs/pull/25616",
    ),
    examples=(Example(BEFORE),),
)
def cargo_lock_not_linked(cache: Cache, context: Context) -> Iterator[Keep | Note]:
    """Keep caches whose lock cannot be linked; warn where the link is left out by choice."""
    problem = lock_problem(cache, context)
    for mount in context.undecided(cache) if problem else ():
        if mount.sharing == "locked":
            reason = f"stays locked, Cargo's lock cannot be linked into it: {problem}"
        else:
            reason = (
                "shared without Cargo's lock, so cold parallel builds can fail; "
                f"it cannot be linked: {problem}"
            )
        yield Keep(mount, reason)
    if cache.kind == "cargo-subdir" and not problem and not context.settings.cargo_lock:
        for mount in cache.mounts:
            is_cargo = mount.kind == "cargo-subdir" and mount in context.decisions.mounts
            if is_cargo and context.decisions.sharing_after(mount) in ("", "shared"):
                yield note_at(
                    mount,
                    "shared without Cargo's lock (--no-cargo-lock): cold parallel builds can fail "
                    "with 'File exists (os error 17)'",
                )


def lock_problem(cache: Cache, context: Context) -> str:
    """Return why the lock cannot be linked for one of Cargo's caches, ``""`` where it can."""
    return context.once(_problems).get(cache, "")


def _problems(context: Context) -> dict[Cache, str]:
    def unchangeable(mount: CacheMount) -> str:
        blocked = context.blocked(mount, "MC104")
        return blocked.reason if blocked else ""

    problems = {}
    for cache, linked in context.project.cargo.items():
        problems[cache] = linked.foreign_user()
        if context.settings.cargo_lock and not problems[cache]:
            problems[cache] = linked.link_problem(unchangeable)
    return problems
