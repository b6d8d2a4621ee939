"""The caches of the whole project, and the mounts that use each.

BuildKit knows a cache by its id (else its cleaned target) together with ``uid``, ``gid``,
``mode`` and ``from``; neither file, stage nor project take part. So every mount of every
Dockerfile uses one cache, and what changes, changes for all mounts of a cache.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from migrate_cache.caches.entry import strictness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrate_cache.builds.runs import RunContext
    from migrate_cache.caches.cache_mount import CacheKey, CacheMount


@dataclass(frozen=True, eq=False)
class Cache:
    """One cache: all mounts that use the same directory on a builder.

    `unread` holds the texts of the project's files that could not be read, by path.
    """

    key: CacheKey
    mounts: tuple[CacheMount, ...]
    unread: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def deciding(self) -> CacheMount:
        """The strictest mount: it decides for all. RUNs that only copy follow."""
        voters = [mount for mount in self.mounts if not mount.only_copies] or self.mounts
        return max(voters, key=lambda mount: strictness(mount.match.kind))

    @cached_property
    def kind(self) -> str:
        """The kind of the cache; ``unknown`` where its mounts do not agree what it is."""
        kinds = {mount.kind for mount in self.mounts if mount.kind != "unknown"}
        if len(kinds) > 1 and kinds & {"output", "cargo-subdir"}:
            return "unknown"
        return self.deciding.kind

    @property
    def is_locked(self) -> bool:
        """Whether a mount locks the cache."""
        return any(mount.sharing == "locked" for mount in self.mounts)

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the files that use the cache."""
        return tuple(dict.fromkeys(mount.path for mount in self.mounts))

    @cached_property
    def unread_user(self) -> str:
        """Which file that could not be read may use the cache, ``""`` where none does."""
        for path, text in self.unread.items():
            if any(mount.key.id in text or mount.node.target in text for mount in self.mounts):
                return f"{path} cannot be read and may use the same cache"
        return ""


@dataclass(frozen=True, eq=False)
class CacheGraph:
    """Which mount uses which cache; both in the order of paths and lines."""

    mounts: tuple[CacheMount, ...]
    caches: tuple[Cache, ...]

    def cache_of(self, mount: CacheMount) -> Cache:
        """Return the cache that a mount uses."""
        return self._cache_of[mount]

    def mounts_of(self, run: RunContext) -> Sequence[CacheMount]:
        """Return the cache mounts of one RUN."""
        return self._by_run.get(run, ())

    def mounts_in(self, path: str) -> Sequence[CacheMount]:
        """Return the cache mounts of one file."""
        return self._by_path.get(path, ())

    @cached_property
    def _cache_of(self) -> dict[CacheMount, Cache]:
        return {mount: cache for cache in self.caches for mount in cache.mounts}

    # The mounts of a RUN, and of a file, stand together.
    @cached_property
    def _by_run(self) -> dict[RunContext, tuple[CacheMount, ...]]:
        return {run: tuple(own) for run, own in groupby(self.mounts, lambda mount: mount.run)}

    @cached_property
    def _by_path(self) -> dict[str, tuple[CacheMount, ...]]:
        return {path: tuple(own) for path, own in groupby(self.mounts, lambda mount: mount.path)}


def build_graph(mounts: Iterable[CacheMount], unread: Mapping[str, str]) -> CacheGraph:
    """Put the mounts of the same cache together; `unread` is that of `Cache`."""
    ordered = tuple(mounts)
    by_key: dict[CacheKey, list[CacheMount]] = {}
    for mount in ordered:
        by_key.setdefault(mount.key, []).append(mount)
    caches = tuple(Cache(key, tuple(users), unread) for key, users in _joined(by_key))
    return CacheGraph(ordered, caches)


_VARIABLE = re.compile(r"\$\{\w+\}")


def _joined(
    by_key: Mapping[CacheKey, Sequence[CacheMount]],
) -> Iterator[tuple[CacheKey, list[CacheMount]]]:
    """Join caches whose ids meet for some value of their variables (``go-${ARCH}``, ``go-x``).

    Such caches must change their mode together. The ids of build outputs are told apart by
    what their variables are known to become, see `rules.new_ids`.
    """
    joined: dict[CacheKey, list[CacheMount]] = {key: list(users) for key, users in by_key.items()}
    taken: set[CacheKey] = set()
    joinable = [
        key for key, users in by_key.items() if all(mount.kind != "output" for mount in users)
    ]
    for pattern in joinable:
        matcher = _matcher(pattern.id)
        if pattern in taken or matcher is None:
            continue
        for other in joinable:
            if other is pattern or other in taken or other[1:] != pattern[1:]:
                continue
            is_pattern = "${" in other.id
            same_text = _VARIABLE.sub("$", other.id) == _VARIABLE.sub("$", pattern.id)
            if same_text if is_pattern else matcher.fullmatch(other.id):
                joined[pattern].extend(joined[other])
                taken.add(other)
    for key, users in joined.items():
        if key not in taken:
            yield key, users


def _matcher(cache_id: str) -> re.Pattern[str] | None:
    """Return what an id with variables may become, None for one without."""
    parts = _VARIABLE.split(cache_id)
    # A text before or after the variable is needed: `${X}` alone would meet everything.
    if len(parts) < 2 or len("".join(parts).strip("-_./")) < 2:
        return None
    return re.compile(".+".join(map(re.escape, parts)))
