"""The mounts of a build output that must go on seeing one directory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_cache.caches.dataflow import only_cooks, readers
from migrate_cache.services.model import NoService, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrate_cache.builds.runs import RunContext
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.graph import Cache
    from migrate_cache.settings import FileSettings

    Services = Callable[[RunContext], Service | NoService]


@dataclass(frozen=True, eq=False)
class CoupledMounts:
    """Mounts of one cache in one file that must go on seeing the same directory.

    `stage` is the name of the stage that the directory belongs to, `readers` are the mounts
    whose RUN only reads what another RUN compiled.
    """

    cache: Cache
    path: str
    stage: str
    mounts: tuple[CacheMount, ...]
    service: Service | NoService
    readers: tuple[CacheMount, ...] = ()

    @cached_property
    def first(self) -> CacheMount:
        """The mount that stands for all: the first that fills the directory."""
        return next((mount for mount in self.mounts if mount.fills), self.mounts[0])

    @cached_property
    def explicit_id(self) -> str:
        """The id that is written on the mounts, ``""`` where the target is the id."""
        return next((mount.id for mount in self.mounts if mount.id), "")

    @property
    def settings(self) -> FileSettings:
        """The settings in effect for the file."""
        return self.mounts[0].run.settings

    @property
    def is_locked(self) -> bool:
        """Whether any of the mounts is locked."""
        return any(mount.sharing == "locked" for mount in self.mounts)


def coupled_mounts(cache: Cache, services: Services) -> tuple[CoupledMounts, ...]:
    """Divide the mounts of a build output: by stage, or by file where a RUN reads it."""
    found: list[CoupledMounts] = []
    for path in cache.files:
        mounts = [
            mount for mount in cache.mounts if mount.path == path and mount.sharing != "private"
        ]
        reading = readers(mounts)
        if reading:
            found.append(_couple(cache, mounts, reading, services))
            continue
        by_stage: dict[int, list[CacheMount]] = {}
        for mount in mounts:
            by_stage.setdefault(_owning_stage(mount, mounts), []).append(mount)
        found += (_couple(cache, members, (), services) for members in by_stage.values())
    return tuple(found)


def _couple(
    cache: Cache, mounts: Sequence[CacheMount], reading: Sequence[CacheMount], services: Services
) -> CoupledMounts:
    first = next((index for index, mount in enumerate(mounts) if mount.fills), 0)
    owner = mounts[first]
    return CoupledMounts(
        cache=cache,
        path=owner.path,
        stage=owner.run.tree.stages[_owning_stage(owner, mounts)].name,
        mounts=tuple(mounts),
        service=_agreed([services(mount.run) for mount in mounts], first, mounts),
        readers=tuple(reading),
    )


def _agreed(
    answers: Sequence[Service | NoService], first: int, mounts: Sequence[CacheMount]
) -> Service | NoService:
    """Return the service of mounts that must all take the same id."""
    service = answers[first]
    if not (isinstance(service, Service) and service.is_variable):
        # A build argument tells more than a name.
        told = (answer for answer in answers if isinstance(answer, Service))
        service = next((answer for answer in told if answer.is_variable), service)
    if not (isinstance(service, Service) and service.is_variable):
        return service
    names = re.findall(r"\$\{(\w+)\}", service.text)
    if all(name in mount.run.scope.variables for mount in mounts for name in names):
        return service
    fixed = (a for a in answers if isinstance(a, Service) and not a.is_variable)
    text = service.text
    return next(fixed, NoService(f"{text} is not in scope at every RUN that uses the directory"))


def _owning_stage(mount: CacheMount, mounts: Sequence[CacheMount]) -> int:
    """Return the stage whose id a mount takes: ``cargo chef cook`` belongs to what builds on it."""
    if not only_cooks(mount):
        return mount.stage.index
    builders = {
        other.stage.index
        for other in mounts
        if other.fills
        and not only_cooks(other)
        and mount.stage.index in other.run.resolved.needed(other.stage.index)
    }
    if mount.stage.index in builders or len(builders) != 1:
        return mount.stage.index
    return builders.pop()
