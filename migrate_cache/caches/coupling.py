"""The mounts of a build output that must go on seeing one directory."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_cache.caches.dataflow import only_cooks, readers
from migrate_cache.services import Service, Site, Unknown, builds_of, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_cache.caches.graph import Group, Use
    from migrate_cache.rules.context import Context


@dataclass(eq=False)
class Unit:
    """The mounts of one cache in one file that must go on seeing the same directory."""

    group: Group
    path: str
    stage: str
    uses: list[Use]
    service: Service | Unknown
    # The mounts whose RUN only reads what another RUN compiled.
    readers: list[Use] = field(default_factory=list)
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


def units_of(context: Context, group: Group) -> list[Unit]:
    """Return the units of a cache: one for each stage, or for a file with a RUN that reads."""
    units: list[Unit] = []
    for path in group.files:
        uses = [use for use in group.uses if use.path == path and use.mode != "private"]
        found = readers(uses)
        if found:
            units.append(_unit(context, group, uses, found))
            continue
        by_stage: dict[int, list[Use]] = {}
        for use in uses:
            by_stage.setdefault(_owning_stage(use, uses), []).append(use)
        units.extend(_unit(context, group, members, []) for members in by_stage.values())
    return units


def _unit(context: Context, group: Group, uses: list[Use], found: list[Use]) -> Unit:
    sites = [site_of(context, use) for use in uses]
    first = next((index for index, use in enumerate(uses) if use.fills), 0)
    owner = uses[first]
    stage = owner.tree.stages[_owning_stage(owner, uses)]
    answers = [tell(site) for site in sites]
    service = _agreed(answers, first, uses)
    return Unit(group, owner.path, stage.name, uses, service, found, sites)


def _agreed(
    answers: Sequence[Service | Unknown], first: int, uses: Sequence[Use]
) -> Service | Unknown:
    """Return the service of mounts that must all take the same id."""
    service = answers[first]
    if not (isinstance(service, Service) and service.is_variable):
        # A build argument tells more than a name.
        told = (answer for answer in answers if isinstance(answer, Service))
        service = next((answer for answer in told if answer.is_variable), service)
    if not (isinstance(service, Service) and service.is_variable):
        return service
    names = re.findall(r"\$\{(\w+)\}", service.text)
    if all(name in use.scope.variables for use in uses for name in names):
        return service
    fixed = (a for a in answers if isinstance(a, Service) and not a.is_variable)
    text = service.text
    return next(fixed, Unknown(f"{text} is not in scope at every RUN that uses the directory"))


def service_of(context: Context, use: Use) -> str:
    """Return the text of the service that a mount's RUN builds, ``""`` where it is not told."""
    answer = tell(site_of(context, use))
    return answer.text if isinstance(answer, Service) else ""


def site_of(context: Context, use: Use) -> Site:
    """Return all that tells for whom a mount's RUN runs."""
    override = context.override(use.path)
    configured = (override.service if override else "") or context.settings.service
    own = (override.id or override.id_template) if override else ""
    shape = own or context.settings.id_template
    return Site(
        use.path, use.tree, use.stage, use.run, use.scope, use.resolved, use.commands,
        builds_of(use.path, use.stage, use.tree, use.resolved, context.builds),
        context.project, configured, shape, bool(override and override.id),
    )  # fmt: skip


def _owning_stage(use: Use, uses: Sequence[Use]) -> int:
    """Return the stage whose id a mount takes: ``cargo chef cook`` belongs to what builds on it."""
    if not only_cooks(use):
        return use.stage.index
    builders = {
        other.stage.index
        for other in uses
        if other.fills
        and not only_cooks(other)
        and use.stage.index in other.resolved.needed(other.stage.index)
    }
    if use.stage.index in builders or len(builders) != 1:
        return use.stage.index
    return builders.pop()
