"""MC102: give a build output an id of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_cache.caches.dataflow import compiles
from migrate_cache.caches.outputs import (
    fillers,
    id_names_platform,
    is_one_workspace_build,
    reader_of_another_file,
    services_of,
    several_platforms,
    tells_services_apart,
)
from migrate_cache.dockerfile.edits import mount_edits
from migrate_cache.rules.context import is_pure_default
from migrate_cache.rules.mc205_variable_out_of_scope import undeclared_in_id
from migrate_cache.rules.mc208_unknown_service import unknown_service
from migrate_cache.rules.new_ids import IdAllocator, is_prescribed
from migrate_cache.rules.rule import Blocked, Change, Example, Keep, rule
from migrate_cache.services.model import NoService, Service

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.coupling import CoupledMounts
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/build/target,sharing=locked \\
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
    examples=(Example(BEFORE, after=BEFORE.replace("sharing=locked", "id=target-builder-api")),),
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


def _separated(output: OutputPlan, coupled: CoupledMounts) -> Iterator[Change | Keep]:
    context = output.context
    mounts = list(context.undecided(coupled))
    if blocked := output.keeping.get(coupled):
        for mount in mounts:
            yield Keep(mount, f"kept: {blocked.reason}", blocked)
        return
    allocator = context.once(_allocator)
    new_id = allocator.id_for(coupled)
    keep = output.keeps_lock(coupled, names_platform=allocator.names_platform(coupled))
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


@dataclass(frozen=True, eq=False)
class OutputPlan:
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
        if reader := reader_of_another_file(self.coupled):
            return Blocked(
                "MC102",
                f"{reader.place} reads the directory that another file fills, "
                "and would find the new one empty",
            )
        if cache.unread_user:
            return Blocked("MC102", cache.unread_user)
        if len(cache.files) > 1 and is_one_workspace_build(cache, self.coupled):
            return Blocked(
                "MC102",
                f"{len(cache.files)} files run the same compile command over the whole "
                "workspace, so they share one cache on purpose",
            )
        return None

    @cached_property
    def needs_ids(self) -> bool:
        """Whether the cache is used by several services, or by nobody in particular."""
        services = services_of(self.coupled).values()
        if not any(coupled.explicit_id for coupled in self.coupled):
            if any(coupled.is_locked for coupled in self.coupled):
                return True
            return len(self.coupled) > 1 or any(service.is_variable for service in services)
        return len(services) > 1 or any(
            not tells_services_apart(coupled, coupled.service)
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
        filling = fillers(coupled)
        if not self._all_rerun(filling):
            reason = (
                f"{reader.place} reads what another RUN put into the directory; with a new id "
                "that RUN could come from the layer cache, and the directory would be empty"
            )
        elif len({mount.stage.index for mount in filling}) > 1:
            reason = f"{reader.place} reads the directory, and several stages fill it"
        elif twin := self._same_step(coupled, filling):
            reason = (
                f"{reader.place} reads the directory, and {twin.place} runs the same command, so "
                "that one of them would find its directory empty"
            )
        else:
            return None
        return Blocked("MC102", reason)

    def _same_step(
        self, coupled: CoupledMounts, filling: Sequence[CacheMount]
    ) -> CacheMount | None:
        """Return a RUN of other mounts that BuildKit takes for the same step, but for the id."""
        assert isinstance(coupled.service, Service)
        if coupled.service.is_variable:
            return None
        arguments = {mount.run.node.arguments for mount in filling}
        others = (mount for other in self.coupled if other is not coupled for mount in other.mounts)
        return next((mount for mount in others if mount.run.node.arguments in arguments), None)

    def _all_rerun(self, filling: Sequence[CacheMount]) -> bool:
        """Whether the plan makes all RUNs run again that fill a directory which others read."""
        # A new id by itself makes a RUN run again where it leaves the pure default.
        return bool(filling) and all(
            is_pure_default(mount) or self.context.reruns(mount.run) for mount in filling
        )

    @staticmethod
    def own_cache(coupled: CoupledMounts) -> tuple[str, tuple[str, ...]]:
        """Return why the mounts get a cache of their own, and the evidence for the service."""
        service = coupled.service
        assert isinstance(service, Service)
        reason = f"service {service.text} ({service.evidence}) gets a cache of its own"
        return reason, (service.evidence,)

    def keeps_lock(self, coupled: CoupledMounts, *, names_platform: bool) -> str:
        """Return why the lock stays beside the mounts' id, ``""`` where it goes."""
        if self.context.settings.keep_lock:
            return "the configuration keeps locks (keep-lock)"
        for mount in coupled.mounts:
            if mount.entry is None or not mount.match.locks_inside:
                name = mount.entry.name if mount.entry else "the tool"
                return f"{name} has no lock of its own inside the directory"
            if mount.run.is_opaque and not compiles(mount):
                return "it cannot be told what the command runs"
        if not any(mount.match.certain for mount in coupled.mounts):
            return "little says that this is Cargo's directory"
        return "" if names_platform else several_platforms(coupled)

    @cached_property
    def keeps_old_lock(self) -> str:
        """Why the lock stays beside an id that stays, ``""`` where it goes."""
        if len(self.cache.files) > 1:
            return f"{len(self.cache.files)} files use the id, for what may be different builds"
        for coupled in self.coupled:
            if coupled.readers and not self._all_rerun(fillers(coupled)):
                return f"{coupled.readers[0].place} reads what another RUN put into the directory"
            if isinstance(coupled.service, NoService):
                return f"{unknown_service(coupled.service)}"
            names_platform = all(map(id_names_platform, coupled.mounts))
            if keep := self.keeps_lock(coupled, names_platform=names_platform):
                return keep
        return ""


def output_of(cache: Cache, context: Context) -> OutputPlan | None:
    """Return what the plan knows of a build output, None for another kind of cache."""
    return context.once(_outputs).get(cache)


def _outputs(context: Context) -> dict[Cache, OutputPlan]:
    coupled = context.project.coupled
    return {cache: OutputPlan(cache, mounts, context) for cache, mounts in coupled.items()}


def _allocator(context: Context) -> IdAllocator:
    return IdAllocator(context, context.project.coupled.values())
