"""Who waits for whom: what a cache's modes mean for builds that run side by side.

A locked cache is held for the whole RUN, and everyone else who wants it locked waits.
Builds of one service are ordered by the same lock, but that is no queue of services.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_cache.plan.model import CacheInfo, CacheUser

__all__ = ["Queue", "queue_after", "queue_before"]


@dataclass(frozen=True, slots=True)
class Queue:
    """The builds that wait for each other at one cache.

    `builds` are those that lock it, by name; `total` is the number of all builds that use
    it. `repeated` is the variable that one of the names is made of: every value of it is a
    build of its own. `mixed` says that the cache is used in different modes, which makes
    BuildKit fork it.
    """

    builds: tuple[str, ...]
    total: int
    repeated: str = ""
    mixed: bool = False

    @property
    def size(self) -> int:
        """How many builds wait for each other: 0, or 2 and more."""
        number = len(self.builds) + bool(self.repeated)
        return number if number > 1 else 0

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.repeated:
            words = f"every {self.repeated} queues"
        elif self.size:
            words = f"{self.size} services queue"
        elif self.mixed:
            return "forks (modes differ)"
        else:
            return "nobody waits"
        return words + ", forks" if self.mixed else words


def queue_before(cache: CacheInfo) -> Queue:
    """Return who waits at `cache` as the files are."""
    return _queue((user, user.mode_before, cache.id) for user in cache.users)


def queue_after(cache: CacheInfo) -> Queue:
    """Return the longest queue at the caches that `cache` becomes."""
    ids = sorted({user.id_after for user in cache.users})
    queues = [
        _queue((user, user.mode_after, name) for user in cache.users if user.id_after == name)
        for name in ids
    ]
    return max(queues, key=lambda queue: (queue.size, queue.mixed), default=Queue((), 0))


def build_name(user: CacheUser) -> str:
    """Return what tells the build of `user` from others: its service, else its file."""
    return user.service or user.path


def _queue(users: Iterable[tuple[CacheUser, str, str]]) -> Queue:
    locked, everyone, modes, repeated = set(), set(), set(), ""
    for user, mode, cache_id in users:
        name = build_name(user)
        everyone.add(name)
        modes.add(mode)
        if mode == "locked":
            locked.add(name)
            # An id that has the variable too is another cache for every value.
            if "$" in name and name not in cache_id:
                repeated = name
    return Queue(tuple(sorted(locked)), len(everyone), repeated, len(modes) > 1)
