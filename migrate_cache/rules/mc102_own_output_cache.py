"""MC102 and MC103: a build output gets an id of its own; a lock that protects nothing goes."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from migrate_cache.caches.coupling import Unit, service_of, units_of
from migrate_cache.caches.dataflow import compile_lines, compiles, may_read, says_it_builds
from migrate_cache.dockerfile.words import variables
from migrate_cache.rules.context import Context, Decision, Remark
from migrate_cache.rules.new_ids import IdAllocator, is_prescribed
from migrate_cache.rules.output_locks import carries_arch, keeps_lock
from migrate_cache.services import Service, Unknown, undeclared_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_cache.caches.graph import Group, Use

__all__ = ["Unit", "separate", "service_of"]

RULE = "MC102"
UNLOCK = "MC103"
_WHOLE = frozenset(("--workspace", "--all", "--bins", "--all-targets"))


def separate(context: Context) -> Iterator[Decision | Remark]:
    """Yield a decision for every mount of a build output."""
    groups = [group for group in context.graph.groups if group.kind == "output"]
    units = {id(group): units_of(context, group) for group in groups}
    ids = IdAllocator(context, units.values())
    for group in groups:
        for item in _separate_group(context, group, units[id(group)], ids):
            if not (isinstance(item, Decision) and context.decision(item.use)):
                yield item


# -- what becomes of a cache ------------------------------------------------------------------


def _separate_group(
    context: Context, group: Group, units: list[Unit], ids: IdAllocator
) -> Iterator[Decision | Remark]:
    services = _services(units)
    for unit in units:
        yield from _undeclared_arguments(unit)
    blocked = _blocked(context, group, units)
    if blocked:
        yield from _kept(group.uses, *blocked)
        yield from _shared_by_services(units, services)
        return
    if not _needs_ids(units, services):
        yield from _unlocked(context, group, units)
        return
    kept: list[Unit] = []
    for unit in units:
        reason = _cannot_rename(context, unit, units)
        if reason:
            kept.append(unit)
            yield from _kept(unit.uses, *reason)
        else:
            yield from _renamed(context, unit, ids)
    yield from _shared_by_services(kept, services if len(kept) == len(units) else _services(kept))


def _kept(uses: Sequence[Use], rule: str, reason: str) -> Iterator[Decision]:
    for use in uses:
        yield Decision(use, rule, f"kept: {reason}")


def _undeclared_arguments(unit: Unit) -> Iterator[Remark]:
    for use, site in zip(unit.uses, unit.sites, strict=True):
        for name in undeclared_arguments(site):
            yield Remark(
                use.path, use.line, use.column, "MC205",
                f"the RUN uses the build argument {name}, which its stage does not declare: "
                f"it is empty here; add ARG {name} to the stage",
            )  # fmt: skip


def _shared_by_services(units: Sequence[Unit], services: set[Service]) -> Iterator[Remark]:
    names = ", ".join(sorted(service.text for service in services))
    if len(services) < 2:
        return
    for unit in units:
        if unit.explicit_id:
            use = unit.first
            yield Remark(
                use.path, use.line, use.column, "MC204",
                f"the id {unit.explicit_id} is used by different services: {names}",
            )  # fmt: skip


def _blocked(context: Context, group: Group, units: list[Unit]) -> tuple[str, str] | None:
    """Return why nothing of a cache may change, with the rule that says so."""
    if is_prescribed(group.key.id):
        return RULE, "the hosting platform prescribes this id"
    for use in group.uses:
        if use.mode != "private" and (undeclared := _undeclared_in_id(use)):
            return "MC205", f"{undeclared} in the id is not in scope at {use.place}"
    reader = _reads_another_file(units)
    if reader:
        return RULE, (
            f"{reader.place} reads the directory that another file fills, "
            "and would find the new one empty"
        )
    unread = context.graph.unread_user(group)
    if unread:
        return RULE, unread
    if len(group.files) > 1 and _same_workspace_build(group, units):
        return RULE, (
            f"{len(group.files)} files run the same compile command over the whole "
            "workspace, so they share one cache on purpose"
        )
    return None


def _reads_another_file(units: Sequence[Unit]) -> Use | None:
    """Return a RUN of a file that fills nothing itself, where another file fills the cache."""
    for unit in units:
        if any(compiles(use) for use in unit.uses):
            continue
        elsewhere = [use for other in units if other.path != unit.path for use in other.uses]
        is_filled = any(map(compiles, elsewhere))
        for use in unit.uses:
            if use.opaque and (not is_filled or says_it_builds(use)):
                continue
            if elsewhere and may_read(use):
                return use
    return None


def _undeclared_in_id(use: Use) -> str:
    if not use.mount.id:
        return ""
    return ", ".join(sorted(use.scope.expand(use.mount.id).undeclared))


def _same_workspace_build(group: Group, units: list[Unit]) -> bool:
    """Whether all files compile the same, and nothing in the command names a service."""
    commands: dict[str, set[tuple[str, ...]]] = {}
    whole = True
    for unit in units:
        if isinstance(unit.service, Service) and unit.service.is_variable:
            return False
        for use in unit.uses:
            if not use.fills:
                continue
            words = compile_lines(use)
            commands.setdefault(use.path, set()).update(words)
            whole = whole and any(_WHOLE.intersection(line) for line in words)
    if len(commands) != len(group.files) or len({frozenset(c) for c in commands.values()}) != 1:
        return False
    folders = {posixpath.dirname(path) for path in commands}
    return whole or len(folders) == 1


def _services(units: list[Unit]) -> set[Service]:
    """Return the different answers, one for each text."""
    by_text = {
        unit.service.text: unit.service for unit in units if isinstance(unit.service, Service)
    }
    return set(by_text.values())


def _needs_ids(units: Sequence[Unit], services: set[Service]) -> bool:
    """Whether the cache is used by several services, or by nobody in particular."""
    explicit = any(unit.explicit_id for unit in units)
    if not explicit:
        if any(unit.is_locked for unit in units):
            return True
        return len(units) > 1 or any(service.is_variable for service in services)
    if len(services) > 1:
        return True
    return any(not _tells(unit) for unit in units if isinstance(unit.service, Service))


def _tells(unit: Unit) -> bool:
    """Whether an id that is written already tells the services apart."""
    assert isinstance(unit.service, Service)
    if not unit.service.is_variable:
        return True
    names = set(re.findall(r"\$\{(\w+)\}", unit.service.text))
    return all(
        names & use.scope.expand(use.mount.id).open or names & _depends(use) for use in unit.uses
    )


def _depends(use: Use) -> set[str]:
    found: set[str] = set()
    for name in variables(use.mount.id):
        found.add(name)
        if name in use.scope.variables:
            found |= use.scope.variables[name].depends
    return found


def _cannot_rename(context: Context, unit: Unit, units: Sequence[Unit]) -> tuple[str, str] | None:
    """Return the rule and the reason why a unit keeps its id, None where it may have a new one."""
    for use in unit.uses:
        if refusal := use.refusal(RULE):
            return RULE, f"{use.place} cannot change ({refusal})"
    if isinstance(unit.service, Unknown):
        return "MC208", f"the service cannot be told: {unit.service.considered}"
    if not unit.readers:
        return None
    reader = unit.readers[0]
    fillers = [use for use in unit.uses if compiles(use) and use not in unit.readers]
    if not _all_rerun(context, fillers):
        return RULE, (
            f"{reader.place} reads what another RUN put into the directory; with a new id "
            "that RUN could come from the layer cache, and the directory would be empty"
        )
    if len({use.stage.index for use in fillers}) > 1:
        return RULE, f"{reader.place} reads the directory, and several stages fill it"
    twin = _same_step(unit, fillers, units)
    if twin:
        return RULE, (
            f"{reader.place} reads the directory, and {twin.place} runs the same command, so "
            "that one of them would find its directory empty"
        )
    return None


def _same_step(unit: Unit, fillers: Sequence[Use], units: Sequence[Unit]) -> Use | None:
    """Return a RUN of another unit that BuildKit takes for the same step, but for the id."""
    assert isinstance(unit.service, Service)
    if unit.service.is_variable:
        return None
    arguments = {use.run.arguments for use in fillers}
    return next(
        (
            use
            for other in units
            if other is not unit
            for use in other.uses
            if use.run.arguments in arguments
        ),
        None,
    )


def _all_rerun(context: Context, fillers: Sequence[Use]) -> bool:
    """Whether the plan makes all RUNs run again that fill a directory which others read."""
    return bool(fillers) and all(context.reruns(use.run, use) or _own_rerun(use) for use in fillers)


def _own_rerun(use: Use) -> bool:
    """Whether a new id by itself makes the RUN run again: it leaves the pure default."""
    return not use.mount.id and use.mode == "shared"


def _renamed(context: Context, unit: Unit, ids: IdAllocator) -> Iterator[Decision]:
    assert isinstance(unit.service, Service)
    keep = keeps_lock(context, unit, names_platform=ids.carries_arch(unit))
    new_id = ids.id_for(unit)
    for use in unit.uses:
        is_new = new_id != use.mount.id
        is_locked = use.mode == "locked"
        if not is_new and (keep or not is_locked):
            reason = f"; the lock stays: {keep}" if is_locked else ""
            yield Decision(use, RULE, f"kept: the id is that of the service already{reason}")
            continue
        what = f"service {unit.service.text} ({unit.service.evidence}) gets a cache of its own"
        yield Decision(
            use,
            RULE if is_new else UNLOCK,
            what + (f"; the lock stays: {keep}" if keep and is_locked else ""),
            id=new_id if is_new else None,
            sharing="" if is_locked and not keep else None,
            evidence=(unit.service.evidence,),
        )


def _unlocked(context: Context, group: Group, units: Sequence[Unit]) -> Iterator[Decision | Remark]:
    """Decide about mounts whose id stays: they may lose a lock."""
    if not any(unit.is_locked for unit in units):
        explicit = any(unit.explicit_id for unit in units)
        reason = "a single build uses the directory and does not lock it: nothing waits"
        if explicit:
            reason = "the id is used by one service, and nothing is locked"
        for unit in units:
            yield from _kept(unit.uses, UNLOCK if explicit else RULE, reason)
        return
    keep = _keeps_old_lock(context, group, units)
    holder = context.graph.holder(group, UNLOCK)
    for unit in units:
        for use in unit.uses:
            refusal = use.refusal(UNLOCK)
            if use.mode != "locked":
                yield Decision(use, UNLOCK, "kept: the id is used by one service")
            elif keep or refusal:
                yield Decision(use, UNLOCK, f"keeps its id and its lock: {keep or refusal}")
            elif holder:
                yield Decision(use, "MC203", f"stays locked: {holder}")
            else:
                service = unit.service.text if isinstance(unit.service, Service) else ""
                yield Decision(
                    use,
                    UNLOCK,
                    f"only service {service} uses the id, and the tool locks inside the "
                    "directory: the lock protects nothing",
                    sharing="",
                )


def _keeps_old_lock(context: Context, group: Group, units: Sequence[Unit]) -> str:
    """Return why the lock stays beside an id that stays, ``""`` where it goes."""
    if len(group.files) > 1:
        return f"{len(group.files)} files use the id, for what may be different builds"
    for unit in units:
        if unit.readers:
            fillers = [use for use in unit.uses if compiles(use) and use not in unit.readers]
            if not _all_rerun(context, fillers):
                return f"{unit.readers[0].place} reads what another RUN put into the directory"
        if isinstance(unit.service, Unknown):
            return f"the service cannot be told: {unit.service.considered}"
        carries = all(carries_arch(use) for use in unit.uses)
        if keep := keeps_lock(context, unit, names_platform=carries):
            return keep
    return ""
