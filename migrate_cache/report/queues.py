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


@dataclass(frozen=True, slots=True)
class Queue:
    """The builds that wait for each other at one cache.

    `size` is how many they are: 0, or 2 and more. `repeated` is the variable that one of their
    names is made of: every value of it is a build of its own. `mixed` says that the cache is
    used in different modes, which makes BuildKit fork it.
    """

    size: int
    repeated: str
    mixed: bool

    def __str__(self) -> str:
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
    queues = [
        _queue((user, user.mode_after, name) for user in cache.users if user.id_after == name)
        for name in sorted({user.id_after for user in cache.users})
    ]
    return max(queues, key=lambda queue: (queue.size, queue.mixed), default=Queue(0, "", False))


def _queue(users: Iterable[tuple[CacheUser, str, str]]) -> Queue:
    locked, modes, repeated = set(), set(), ""
    for user, mode, cache_id in users:
        name = user.service or user.path  # what tells this build from others
        modes.add(mode)
        if mode == "locked":
            locked.add(name)
            # An id that has the variable too is another cache for every value.
            if "$" in name and name not in cache_id:
                repeated = name
    number = len(locked) + bool(repeated)
    return Queue(number if number > 1 else 0, repeated, len(modes) > 1)
