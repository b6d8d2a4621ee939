"""MC102 and MC103: a build output gets an id of its own; a lock that protects nothing goes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from migrate_cache import commands as shell
from migrate_cache.codemods.context import Context, Decision, Remark
from migrate_cache.codemods.ids import IdAllocator, arch_suffix, is_prescribed
from migrate_cache.graph import Group, Use
from migrate_cache.services import (
    Service,
    Site,
    Unknown,
    builds_of,
    tell,
    undeclared_arguments,
)
from migrate_cache.words import variables

RULE = "MC102"
UNLOCK = "MC103"
_WHOLE = frozenset(("--workspace", "--all", "--bins", "--all-targets"))


@dataclass(eq=False)
class Unit:
    """The mounts of one cache in one file that must go on seeing the same directory."""

    group: Group
    path: str
    stage: str
    uses: list[Use]
    service: Service | Unknown
    # Whether one of them only reads what another one compiled.
    has_reader: bool = False
    sites: list[Site] = field(default_factory=list)

    @property
    def first(self) -> Use:
        """The mount that stands for the unit: the first that fills the directory."""
        return next((use for use in self.uses if use.fills), self.uses[0])

    @cached_property
    def explicit_id(self) -> str:
        """The id that is written on its mounts, ``""`` where the target is the id."""
        return next((use.mount.id for use in self.uses if use.mount.id), "")

    @property
    def is_locked(self) -> bool:
        """Whether any of its mounts is locked."""
        return any(use.mode == "locked" for use in self.uses)


def separate(context: Context) -> Iterator[Decision | Remark]:
    """Yield a decision for every mount of a build output."""
    groups = [group for group in context.graph.groups if group.kind == "output"]
    units = {id(group): _units(context, group) for group in groups}
    ids = IdAllocator(context, units.values())
    for group in groups:
        for item in _separate_group(context, group, units[id(group)], ids):
            if not (isinstance(item, Decision) and context.decision(item.use)):
                yield item


# -- which mounts belong together -----------------------------------------------------------


def _units(context: Context, group: Group) -> list[Unit]:
    units: list[Unit] = []
    for path in group.files:
        uses = [use for use in group.uses if use.path == path and use.mode != "private"]
        readers = _readers(uses)
        if readers:
            unit = _unit(context, group, uses)
            unit.has_reader = True
            units.append(unit)
            continue
        by_stage: dict[int, list[Use]] = {}
        for use in uses:
            by_stage.setdefault(_owning_stage(use, uses), []).append(use)
        units.extend(_unit(context, group, members) for members in by_stage.values())
    return units


def _unit(context: Context, group: Group, uses: list[Use]) -> Unit:
    sites = [_site(context, use) for use in uses]
    first = next((index for index, use in enumerate(uses) if use.fills), 0)
    owner = uses[first]
    stage = owner.tree.stages[_owning_stage(owner, uses)]
    answers = [tell(site) for site in sites]
    service = answers[first]
    # A build argument tells more than a name: all mounts of the unit must take the same id.
    for answer in answers:
        if isinstance(answer, Service) and answer.is_variable:
            if not isinstance(service, Service) or not service.is_variable:
                service = answer
    if isinstance(service, Service) and service.is_variable:
        service = _in_scope_everywhere(service, uses) or _fixed(answers) or Unknown(
            f"{service.text} is not in scope at every RUN that uses the directory"
        )
    return Unit(group, owner.path, stage.name, uses, service, sites=sites)


def service_of(context: Context, use: Use) -> str:
    """Return the text of the service that a mount's RUN builds, ``""`` where it is not told."""
    answer = tell(_site(context, use))
    return answer.text if isinstance(answer, Service) else ""


def _in_scope_everywhere(service: Service, uses: list[Use]) -> Service | None:
    names = re.findall(r"\$\{(\w+)\}", service.text)
    if all(name in use.scope.variables for use in uses for name in names):
        return service
    return None


def _fixed(answers: list[Service | Unknown]) -> Service | None:
    for answer in answers:
        if isinstance(answer, Service) and not answer.is_variable:
            return answer
    return None


def _site(context: Context, use: Use) -> Site:
    override = context.override(use.path)
    configured = (override.service if override else "") or context.settings.service
    return Site(
        use.path, use.tree, use.stage, use.run, use.scope, use.resolved, use.commands,
        builds_of(use.path, use.stage, use.tree, use.resolved, context.builds),
        context.project, configured,
    )  # fmt: skip


def _owning_stage(use: Use, uses: list[Use]) -> int:
    """Return the stage whose id a mount takes: ``cargo chef cook`` belongs to what builds on it."""
    if not _only_cooks(use):
        return use.stage.index
    builders = {
        other.stage.index
        for other in uses
        if other.fills
        and not _only_cooks(other)
        and use.stage.index in other.resolved.needed(other.stage.index)
    }
    if use.stage.index in builders or len(builders) != 1:
        return use.stage.index
    return builders.pop()


def _only_cooks(use: Use) -> bool:
    subcommands = [
        arguments[:2]
        for command in shell.all_commands(use.commands)
        for program, arguments in [shell.canonical(command)]
        if program == "cargo"
    ]
    return bool(subcommands) and all(words == ("chef", "cook") for words in subcommands)


def _readers(uses: list[Use]) -> list[Use]:
    """Return the mounts whose RUN may read what another RUN of the file compiled."""
    fillers = [use for use in uses if use.fills]
    others = [use for use in uses if not use.fills]
    plain = [use for use in others if _may_read(use)]
    opaque = [use for use in plain if use.opaque]
    if not fillers:
        # A single script may well do all on its own; two may hand over to each other.
        return plain if len(plain) > len(opaque) or len(opaque) > 1 else []
    return plain + [use for use in fillers if _reads_foreign_binary(use, fillers)]


def _may_read(use: Use) -> bool:
    """Whether a RUN that does not fill the directory can depend on what lies in it."""
    if use.opaque or not use.runs_tool:
        return True
    folder = posixpath.basename(use.directory.rstrip("/"))
    cache = use.match.cache
    own = set(cache.tools) if cache else set()
    for command in use.commands:
        program, _ = shell.canonical(command)
        if program not in own and any(f"{folder}/" in word for word in command.arguments):
            return True
    return False


def _reads_foreign_binary(use: Use, fillers: list[Use]) -> bool:
    """Whether a RUN that compiles one binary also copies one that an earlier RUN compiled."""
    own = set(_binaries(use))
    if not own:
        return False
    earlier = {
        name
        for other in fillers
        if other is not use and other.instruction.start < use.instruction.start
        for name in _binaries(other)
    } - own
    if not earlier:
        return False
    return any(
        posixpath.basename(word) in earlier
        for command in use.commands
        if shell.canonical(command)[0] != "cargo"
        for word in command.arguments
        if "/" in word
    )


def _binaries(use: Use) -> list[str]:
    return [
        name
        for command in use.commands
        if shell.canonical(command)[0] == "cargo"
        for name in shell.options(command, "--bin")
    ]


# -- what becomes of a cache ------------------------------------------------------------------


def _separate_group(
    context: Context, group: Group, units: list[Unit], ids: IdAllocator
) -> Iterator[Decision | Remark]:
    if is_prescribed(group.key.id):
        yield from _kept(group.uses, RULE, "the hosting platform prescribes this id")
        return
    blocked = _blocked(context, group, units)
    if blocked:
        yield from _kept(group.uses, *blocked)
        return
    services = _services(units)
    needs_ids = _needs_ids(context, group, units, services)
    shared_by = sorted({service.text for service in services})
    remaining: list[Unit] = []
    for unit in units:
        for use, site in zip(unit.uses, unit.sites, strict=True):
            for name in undeclared_arguments(site):
                yield Remark(
                    use.path, use.line, use.column, "MC205",
                    f"the RUN uses the build argument {name}, which its stage does not declare: "
                    f"it is empty here; add ARG {name} to the stage",
                )  # fmt: skip
        if not needs_ids:
            remaining.append(unit)
            continue
        reason = _cannot_rename(context, unit, units)
        if reason:
            yield from _kept(unit.uses, *reason)
            if len(shared_by) > 1 and unit.explicit_id:
                yield _shared_by_services(unit, shared_by)
            continue
        yield from _renamed(context, unit, ids)
    if remaining:
        yield from _unlocked(context, group, remaining)


def _kept(uses: list[Use], rule: str, reason: str) -> Iterator[Decision]:
    for use in uses:
        yield Decision(use, rule, reason)


def _shared_by_services(unit: Unit, services: list[str]) -> Remark:
    use = unit.first
    return Remark(
        use.path, use.line, use.column, "MC204",
        f"the id {use.mount.id} is used by different services: {', '.join(services)}",
    )  # fmt: skip


def _blocked(context: Context, group: Group, units: list[Unit]) -> tuple[str, str] | None:
    """Return why nothing of a cache may change, with the rule that says so."""
    for unit in units:
        only_reads = all(not use.fills and not use.opaque for use in unit.uses)
        if only_reads and all(_may_read(use) for use in unit.uses) and len(group.files) > 1:
            return RULE, (
                f"kept: {unit.first.place} only reads the directory that another file fills, "
                "and would find the new one empty"
            )
    for use in group.uses:
        if use.mode != "private" and (undeclared := _undeclared_in_id(use)):
            return "MC205", f"kept: {undeclared} in the id is not in scope at {use.place}"
    if len(group.files) > 1 and _same_workspace_build(group, units):
        return RULE, (
            f"kept: {len(group.files)} files run the same compile command over the whole "
            "workspace, so they share one cache on purpose"
        )
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
            words = _compile_words(use)
            commands.setdefault(use.path, set()).update(words)
            whole = whole and any(_WHOLE.intersection(line) for line in words)
    if len(commands) != len(group.files) or len({frozenset(c) for c in commands.values()}) != 1:
        return False
    folders = {posixpath.dirname(path) for path in commands}
    return whole or len(folders) == 1


def _compile_words(use: Use) -> set[tuple[str, ...]]:
    tools = use.match.cache.tools if use.match.cache else ()
    return {
        (program, *arguments)
        for command in use.commands
        for program, arguments in [shell.canonical(command)]
        if program in tools and arguments[:1] != ("fetch",)
    }


def _services(units: list[Unit]) -> set[Service]:
    """Return the different answers, one for each text."""
    by_text = {
        unit.service.text: unit.service for unit in units if isinstance(unit.service, Service)
    }
    return set(by_text.values())


def _needs_ids(
    context: Context, group: Group, units: list[Unit], services: set[Service]
) -> bool:
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
        names & use.scope.expand(use.mount.id).open
        or names & _depends(use)
        for use in unit.uses
    )


def _depends(use: Use) -> set[str]:
    found: set[str] = set()
    for name in variables(use.mount.id):
        found.add(name)
        if name in use.scope.variables:
            found |= use.scope.variables[name].depends
    return found


def _cannot_rename(
    context: Context, unit: Unit, units: list[Unit]
) -> tuple[str, str] | None:
    """Return the rule and the reason why a unit keeps its id, None where it may have a new one."""
    for use in unit.uses:
        if refusal := use.refusal(RULE):
            return RULE, f"kept: {refusal}" if use is unit.first else f"kept: {use.place}, {refusal}"
    if isinstance(unit.service, Unknown):
        return "MC208", f"the service cannot be told: {unit.service.considered}"
    if not unit.has_reader:
        return None
    fillers = [use for use in unit.uses if use.fills]
    reader = next((use for use in unit.uses if not use.fills), unit.uses[-1])
    danger = (
        f"kept: {reader.place} reads what another RUN put into the directory; with a new id "
        "that RUN would come from the layer cache and the directory would be empty"
    )
    if not fillers or not all(context.reruns(use.run, use) or _own_rerun(use) for use in fillers):
        return RULE, danger
    stages = {use.stage.index for use in fillers}
    if len(stages) > 1:
        return RULE, f"kept: {reader.place} reads the directory, and several stages fill it"
    # BuildKit takes two RUNs that differ in nothing but an id for the same step.
    if not unit.service.is_variable:
        for other in units:
            if other is not unit and any(
                mine.run.arguments == theirs.run.arguments
                for mine in fillers
                for theirs in other.uses
            ):
                return RULE, (
                    f"kept: {reader.place} reads the directory, and {other.first.place} runs the "
                    "same command, so that one of them would find its directory empty"
                )
    return None


def _own_rerun(use: Use) -> bool:
    """Whether a new id by itself makes the RUN run again: it leaves the pure default."""
    return not use.mount.id and use.mode == "shared"


def _renamed(context: Context, unit: Unit, ids: IdAllocator) -> Iterator[Decision]:
    assert isinstance(unit.service, Service)
    keep = _keeps_lock(context, unit, ids.carries_arch(unit))
    new_id = ids.id_for(unit)
    for use in unit.uses:
        old = use.mount.id
        if use.mode == "locked":
            sharing = None if keep else ""
        else:
            sharing = None
        if new_id == old and sharing is None:
            yield Decision(use, RULE, f"kept: the id is that of the service already; {keep}")
            continue
        what = f"service {unit.service.text} ({unit.service.evidence}) gets a cache of its own"
        tail = f"; the lock stays: {keep}" if keep and use.mode == "locked" else ""
        yield Decision(
            use,
            RULE if new_id != old else UNLOCK,
            what + tail,
            id=new_id if new_id != old else None,
            sharing=sharing,
            evidence=(unit.service.evidence,),
        )


def _unlocked(context: Context, group: Group, units: list[Unit]) -> Iterator[Decision | Remark]:
    """Decide about mounts whose id stays: do they lose a lock?"""
    locked = any(unit.is_locked for unit in units)
    explicit = any(unit.explicit_id for unit in units)
    if not locked:
        for unit in units:
            yield from _kept(
                unit.uses,
                UNLOCK if explicit else RULE,
                "the id is used by one service, and nothing is locked"
                if explicit
                else "a single build uses the directory and does not lock it: nothing waits",
            )
        return
    keep = ""
    if len(group.files) > 1:
        keep = f"{len(group.files)} files use the id, for what may be different builds"
    for unit in units:
        if unit.has_reader:
            keep = keep or "a RUN reads what another one put into the directory"
        if isinstance(unit.service, Unknown):
            keep = keep or f"the service cannot be told: {unit.service.considered}"
        carries = all(_carries_arch(use) for use in unit.uses)
        keep = keep or _keeps_lock(context, unit, carries)
    holder = context.graph.holder(group, UNLOCK)
    for unit in units:
        for use in unit.uses:
            if use.mode != "locked":
                yield Decision(use, UNLOCK, "the id is used by one service")
            elif keep:
                yield Decision(use, UNLOCK, f"keeps its id and its lock: {keep}")
            elif holder:
                refusal = use.refusal(UNLOCK)
                yield Decision(
                    use,
                    "MC203" if not refusal else UNLOCK,
                    f"stays locked: {refusal or holder}",
                )
            else:
                service = unit.service.text if isinstance(unit.service, Service) else ""
                yield Decision(
                    use,
                    UNLOCK,
                    f"only service {service} uses the id, and the tool locks inside the "
                    "directory: the lock protects nothing",
                    sharing="",
                )


# -- the lock ---------------------------------------------------------------------------------


def _carries_arch(use: Use) -> bool:
    return bool(re.search(r"\$\{?TARGET(ARCH|PLATFORM)\b", use.mount.id))


def _keeps_lock(context: Context, unit: Unit, carries_arch: bool) -> str:
    """Return why the lock stays beside the new id, ``""`` where it goes."""
    if context.settings.keep_lock:
        return "the configuration keeps locks (keep-lock)"
    for use in unit.uses:
        cache = use.match.cache
        if cache is None or not use.match.locks_inside:
            name = cache.name if cache else "the tool"
            return f"{name} has no lock of its own inside the directory"
        if not use.match.certain:
            return f"little says that this is the directory of {cache.name}"
        if use.opaque and not use.fills:
            return "it cannot be told what the command runs"
    platforms = _several_platforms(context, unit)
    if platforms and not carries_arch:
        return platforms
    return ""


def _several_platforms(context: Context, unit: Unit) -> str:
    use = unit.first
    if all(arch_suffix(member) == "separate" for member in unit.uses if member.fills):
        return ""
    builds = [build for site in unit.sites for build in site.builds]
    platforms = {platform for build in builds for platform in build.platforms}
    if len(platforms) > 1 or "" in platforms:
        origins = sorted({build.origin for build in builds if build.platforms})
        return f"{', '.join(origins)} builds it for several platforms at once"
    text = use.tree.source.text
    if re.search(r"\bTARGET(ARCH|PLATFORM)\b", text):
        return "the file is built for several platforms (TARGETARCH), and the id does not name one"
    return ""
