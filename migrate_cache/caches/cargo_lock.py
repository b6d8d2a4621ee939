"""Cargo's package-cache lock: whether every user of a registry can lock one and the same file.

Cargo locks two files in ``CARGO_HOME``; a cache mount of ``CARGO_HOME/registry`` does not
contain them, so builds that share the mount do not lock each other out. Links that lead into
the mount make all of them lock the same files.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_cache.caches.cargo_home import cannot_link, cargo_home, is_linked, mounted_home

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_cache.builds.runs import RunContext
    from migrate_cache.caches.cache_mount import CacheKey, CacheMount
    from migrate_cache.caches.graph import Cache, CacheGraph


@dataclass(frozen=True, eq=False)
class CargoCaches:
    """Caches of Cargo's that must have one lock, because one RUN mounts several of them."""

    caches: tuple[Cache, ...]
    graph: CacheGraph

    @cached_property
    def mounts(self) -> tuple[CacheMount, ...]:
        """The mounts of all caches."""
        return tuple(mount for cache in self.caches for mount in cache.mounts)

    def foreign_user(self) -> str:
        """Return which mount uses one of the ids for something else, ``""`` where none does."""
        foreign = (mount.place for mount in self.mounts if mount.kind != "cargo-subdir")
        return next((f"{place} uses the same id for another directory" for place in foreign), "")

    def link_problem(self, unchangeable: Callable[[CacheMount], str]) -> str:
        """Return why the lock cannot be linked, ``""`` where it can.

        `unchangeable` says why a link may not be inserted at a mount's RUN, ``""`` where it may.
        """
        problem = self._divided()
        for mount in () if problem else self.mounts:
            if self.needs_link(mount):
                top = self.topmost(mount)
                reason = unchangeable(mount) or unchangeable(top) or cannot_link(mount, top)
                if reason:
                    return f"{mount.place}: {reason}"
        return problem or next(filter(None, (cache.unread_user for cache in self.caches)), "")

    def needs_link(self, mount: CacheMount) -> bool:
        """Whether the lock would not lie in a mount of the RUN without a link."""
        home = cargo_home(mount)
        return mounted_home(self.graph.mounts_of(mount.run), home) is None and not is_linked(
            mount, home
        )

    def topmost(self, mount: CacheMount) -> CacheMount:
        """Return the first mount in the stage nearest the root of the mount's chain."""
        best, home = mount, cargo_home(mount)
        for index in mount.run.chain:
            in_stage = (
                other
                for run in mount.run.file.runs
                if run.stage.index == index and run.instruction.trigger is None
                for other in self.graph.mounts_of(run)
            )
            cargos = (other for other in in_stage if other.kind == "cargo-subdir")
            best = next((other for other in cargos if cargo_home(other) == home), best)
        return best

    def _divided(self) -> str:
        """Return why the locks of some users would not be one and the same file."""
        places: set[CacheKey] = set()
        by_run: dict[RunContext, list[CacheMount]] = {}
        for mount in self.mounts:
            by_run.setdefault(mount.run, []).append(mount)
        for run, own in by_run.items():
            mount, home = own[0], cargo_home(own[0])
            lock = mounted_home(self.graph.mounts_of(run), home) or next(
                (other for other in own if other.directory == home + "/registry"), None
            )
            if lock is None:
                return (
                    f"{mount.place} mounts {mount.directory} without {home}/registry, "
                    "so its lock would lie elsewhere"
                )
            if lock.mount_is_readonly:
                return (
                    f"{mount.place} mounts {lock.directory} read-only, so Cargo cannot lock there"
                )
            places.add(self.graph.cache_of(lock).key)
        if len(places) > 1:
            ids = ", ".join(sorted(key.id for key in places))
            return f"the lock would lie in different caches ({ids})"
        users = {mount.run.scope.user.partition(":")[0] or "root" for mount in self.mounts}
        if len(users - {"0"} | ({"root"} if "0" in users else set())) > 1:
            names = ", ".join(sorted(users))
            return f"different users ({names}) would have to write the same lock file"
        return ""


def cargo_caches(graph: CacheGraph) -> tuple[CargoCaches, ...]:
    """Return Cargo's caches, those together that one RUN mounts."""
    cargo = [cache for cache in graph.caches if cache.kind == "cargo-subdir"]
    parent = list(range(len(cargo)))

    def find(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first_of_run: dict[RunContext, int] = {}
    for index, cache in enumerate(cargo):
        for mount in cache.mounts:
            first = first_of_run.setdefault(mount.run, index)
            parent[find(index)] = find(first)
    together: dict[int, list[Cache]] = {}
    for index, cache in enumerate(cargo):
        together.setdefault(find(index), []).append(cache)
    return tuple(CargoCaches(tuple(members), graph) for members in together.values())
