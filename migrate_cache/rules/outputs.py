"""Build outputs: which mounts get an id of their own, and where a lock stays beside it.

MC102 and MC103 decide by this, MC204 and MC208 speak of it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_cache.caches.dataflow import compile_lines, compiles, may_read, says_it_builds
from migrate_cache.caches.platforms import separates_platforms
from migrate_cache.dockerfile.words import variables
from migrate_cache.rules.context import is_pure_default
from migrate_cache.rules.mc205_variable_out_of_scope import undeclared_in_id
from migrate_cache.rules.mc208_unknown_service import unknown_service
from migrate_cache.rules.new_ids import IdAllocator, is_prescribed
from migrate_cache.rules.rule import Blocked
from migrate_cache.services.model import NoService, Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.coupling import CoupledMounts
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

_WHOLE = frozenset(("--workspace", "--all", "--bins", "--all-targets"))


@dataclass(frozen=True, eq=False)
class Output:
    """A cache of build output: the mounts that must stay together, and what they may become."""

    cache: Cache
    coupled: tuple[CoupledMounts, ...]
    context: Context

    @cached_property
    def blocked(self) -> Blocked | None:
        """Why nothing of the cache may change."""
        cache = self.cache
        if is_prescribed(cache.key.id):
            return Blocked("MC102", "the hosting platform prescribes this id")
        for mount in cache.mounts:
            if mount.sharing != "private" and (undeclared := undeclared_in_id(mount)):
                return undeclared
        reader = _reads_another_file(self.coupled)
        if reader:
            return Blocked(
                "MC102",
                f"{reader.place} reads the directory that another file fills, "
                "and would find the new one empty",
            )
        if cache.unread_user:
            return Blocked("MC102", cache.unread_user)
        if len(cache.files) > 1 and _is_one_workspace_build(cache, self.coupled):
            return Blocked(
                "MC102",
                f"{len(cache.files)} files run the same compile command over the whole "
                "workspace, so they share one cache on purpose",
            )
        return None

    @cached_property
    def services(self) -> dict[str, Service]:
        """The services that use the cache, by their text."""
        return services_of(self.coupled)

    @cached_property
    def needs_ids(self) -> bool:
        """Whether the cache is used by several services, or by nobody in particular."""
        services = self.services.values()
        if not any(coupled.explicit_id for coupled in self.coupled):
            if any(coupled.is_locked for coupled in self.coupled):
                return True
            return len(self.coupled) > 1 or any(service.is_variable for service in services)
        return len(services) > 1 or any(
            not _tells(coupled, coupled.service)
            for coupled in self.coupled
            if isinstance(coupled.service, Service)
        )

    @cached_property
    def keeping(self) -> dict[CoupledMounts, Blocked]:
        """The mounts that keep their id although the cache needs other ones, and why."""
        found = ((coupled, self._keeps_id(coupled)) for coupled in self.coupled)
        return {coupled: blocked for coupled, blocked in found if blocked}

    def _keeps_id(self, coupled: CoupledMounts) -> Blocked | None:
        for mount in coupled.mounts:
            if blocked := self.context.blocked(mount, "MC102"):
                return Blocked("MC102", f"{mount.place} cannot change ({blocked.reason})")
        if isinstance(coupled.service, NoService):
            return unknown_service.blocked(coupled.service)
        if not coupled.readers:
            return None
        reader = coupled.readers[0]
        fillers = _fillers(coupled)
        if not self._all_rerun(fillers):
            reason = (
                f"{reader.place} reads what another RUN put into the directory; with a new id "
                "that RUN could come from the layer cache, and the directory would be empty"
            )
        elif len({mount.stage.index for mount in fillers}) > 1:
            reason = f"{reader.place} reads the directory, and several stages fill it"
        elif twin := self._same_step(coupled, coupled.service, fillers):
            reason = (
                f"{reader.place} reads the directory, and {twin.place} runs the same command, so "
                "that one of them would find its directory empty"
            )
        else:
            return None
        return Blocked("MC102", reason)

    def _same_step(
        self, coupled: CoupledMounts, service: Service, fillers: Sequence[CacheMount]
    ) -> CacheMount | None:
        """Return a RUN of other mounts that BuildKit takes for the same step, but for the id."""
        if service.is_variable:
            return None
        arguments = {mount.run.node.arguments for mount in fillers}
        others = (other for other in self.coupled if other is not coupled)
        return next(
            (
                mount
                for other in others
                for mount in other.mounts
                if mount.run.node.arguments in arguments
            ),
            None,
        )

    def _all_rerun(self, fillers: Sequence[CacheMount]) -> bool:
        """Whether the plan makes all RUNs run again that fill a directory which others read."""
        # A new id by itself makes a RUN run again where it leaves the pure default.
        return bool(fillers) and all(
            is_pure_default(mount) or self.context.reruns(mount.run) for mount in fillers
        )

    def new_id(self, coupled: CoupledMounts) -> str:
        """Return the id that the mounts get."""
        return self.context.once(_allocator).id_for(coupled)

    @staticmethod
    def own_cache(coupled: CoupledMounts) -> tuple[str, tuple[str, ...]]:
        """Return why the mounts get a cache of their own, and the evidence for the service."""
        service = coupled.service
        assert isinstance(service, Service)
        reason = f"service {service.text} ({service.evidence}) gets a cache of its own"
        return reason, (service.evidence,)

    def keeps_lock(self, coupled: CoupledMounts) -> str:
        """Return why the lock stays beside the new id, ``""`` where it goes."""
        names_platform = self.context.once(_allocator).carries_arch(coupled)
        return _keeps_lock(self.context, coupled, names_platform=names_platform)

    @cached_property
    def keeps_old_lock(self) -> str:
        """Why the lock stays beside an id that stays, ``""`` where it goes."""
        if len(self.cache.files) > 1:
            return f"{len(self.cache.files)} files use the id, for what may be different builds"
        for coupled in self.coupled:
            if coupled.readers and not self._all_rerun(_fillers(coupled)):
                return f"{coupled.readers[0].place} reads what another RUN put into the directory"
            if isinstance(coupled.service, NoService):
                return f"{unknown_service(coupled.service)}"
            carries = all(map(_id_names_platform, coupled.mounts))
            if keep := _keeps_lock(self.context, coupled, names_platform=carries):
                return keep
        return ""


def output_of(cache: Cache, context: Context) -> Output | None:
    """Return what the plan knows of a build output, None for another kind of cache."""
    return context.once(_outputs).get(cache)


def services_of(coupled: Sequence[CoupledMounts]) -> dict[str, Service]:
    """Return the services of mounts by their text."""
    return {
        each.service.text: each.service for each in coupled if isinstance(each.service, Service)
    }


def _outputs(context: Context) -> dict[Cache, Output]:
    return {
        cache: Output(cache, coupled, context) for cache, coupled in context.project.coupled.items()
    }


def _allocator(context: Context) -> IdAllocator:
    return IdAllocator(context, context.project.coupled.values())


def _fillers(coupled: CoupledMounts) -> list[CacheMount]:
    return [mount for mount in coupled.mounts if compiles(mount) and mount not in coupled.readers]


def _reads_another_file(coupled: Sequence[CoupledMounts]) -> CacheMount | None:
    """Return a RUN of a file that fills nothing itself, where another file fills the cache."""
    for own in coupled:
        if any(map(compiles, own.mounts)):
            continue
        elsewhere = [mount for other in coupled if other.path != own.path for mount in other.mounts]
        is_filled = any(map(compiles, elsewhere))
        for mount in own.mounts:
            if mount.opaque and (not is_filled or says_it_builds(mount)):
                continue
            if elsewhere and may_read(mount):
                return mount
    return None


def _is_one_workspace_build(cache: Cache, coupled: Sequence[CoupledMounts]) -> bool:
    """Whether all files compile the same, and nothing in the command names a service."""
    commands: dict[str, set[tuple[str, ...]]] = {}
    whole = True
    for each in coupled:
        if isinstance(each.service, Service) and each.service.is_variable:
            return False
        for mount in each.mounts:
            if mount.fills:
                words = compile_lines(mount)
                commands.setdefault(mount.path, set()).update(words)
                whole = whole and any(_WHOLE.intersection(line) for line in words)
    if len(commands) != len(cache.files) or len({frozenset(c) for c in commands.values()}) != 1:
        return False
    folders = {posixpath.dirname(path) for path in commands}
    return whole or len(folders) == 1


def _tells(coupled: CoupledMounts, service: Service) -> bool:
    """Whether an id that is written already tells the services apart."""
    if not service.is_variable:
        return True
    names = set(re.findall(r"\$\{(\w+)\}", service.text))
    return all(
        names & mount.scope.expand(mount.id).open or names & _depends(mount)
        for mount in coupled.mounts
    )


def _depends(mount: CacheMount) -> set[str]:
    found: set[str] = set()
    for name in variables(mount.id):
        found.add(name)
        if name in mount.scope.variables:
            found |= mount.scope.variables[name].depends
    return found


# -- locks --------------------------------------------------------------------------------


def _id_names_platform(mount: CacheMount) -> bool:
    return bool(re.search(r"\$\{?TARGET(ARCH|PLATFORM)\b", mount.id))


def _keeps_lock(context: Context, coupled: CoupledMounts, *, names_platform: bool) -> str:
    """Return why the lock stays beside the mounts' id, ``""`` where it goes."""
    if context.settings.keep_lock:
        return "the configuration keeps locks (keep-lock)"
    for mount in coupled.mounts:
        if mount.entry is None or not mount.match.locks_inside:
            name = mount.entry.name if mount.entry else "the tool"
            return f"{name} has no lock of its own inside the directory"
        if mount.opaque and not compiles(mount):
            return "it cannot be told what the command runs"
    if not any(mount.match.certain for mount in coupled.mounts):
        return "little says that this is Cargo's directory"
    return "" if names_platform else _several_platforms(coupled)


def _several_platforms(coupled: CoupledMounts) -> str:
    fillers = [mount for mount in coupled.mounts if mount.fills]
    if fillers and all(map(separates_platforms, fillers)):
        return ""
    builds = [build for mount in coupled.mounts for build in mount.run.builds]
    if any(len(build.platforms) > 1 or "" in build.platforms for build in builds):
        origins = sorted({build.origin for build in builds if build.platforms})
        return f"{', '.join(origins)} builds it for several platforms at once"
    if len({platform for build in builds for platform in build.platforms}) > 1:
        return "it is built for different platforms"
    if re.search(r"\bTARGET(ARCH|PLATFORM)\b", coupled.first.tree.source.text):
        return "the file is built for several platforms (TARGETARCH), and the id does not name one"
    return ""
