"""The results for every cache mount and every cache, as data for reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.plan.model import CacheInfo, CacheUser, Outcome
from migrate_cache.services.model import Service

if TYPE_CHECKING:
    from migrate_cache.builds.runs import RunContext
    from migrate_cache.caches.facts import Project
    from migrate_cache.rules.context import Decisions


def mount_results(project: Project, decisions: Decisions) -> Iterator[Outcome]:
    """Yield the one result of each cache mount, in the order of paths and lines."""
    for mount in project.mounts:
        item = decisions.mounts[mount]
        yield Outcome(
            path=mount.path,
            line=mount.line,
            column=mount.column,
            stage=mount.stage.label,
            target=mount.node.target,
            directory=mount.directory,
            tool=mount.entry.name if mount.entry else "",
            kind=mount.kind,
            id_before=mount.node.cache_id,
            id_after=decisions.cache_id_after(mount),
            sharing_before=mount.node.sharing,
            sharing_after=decisions.sharing_after(mount),
            rule=item.rule,
            reason=item.reason,
            evidence=item.evidence,
        )


def cache_results(project: Project, decisions: Decisions) -> Iterator[CacheInfo]:
    """Yield the caches of the project with their users."""
    for cache in project.caches:
        entry = cache.deciding.entry
        users = tuple(
            CacheUser(
                path=mount.path,
                line=mount.line,
                stage=mount.stage.label,
                service=_service_name(project, mount.run),
                mode_before=mount.sharing,
                mode_after=decisions.sharing_after(mount) or "shared",
                id_after=decisions.cache_id_after(mount),
            )
            for mount in cache.mounts
        )
        yield CacheInfo(
            id=cache.key.id,
            kind=cache.kind,
            tool=entry.name if entry else "",
            directories=tuple(dict.fromkeys(mount.directory for mount in cache.mounts)),
            users=users,
        )


def _service_name(project: Project, run: RunContext) -> str:
    service = project.service(run)
    return service.text if isinstance(service, Service) else ""
