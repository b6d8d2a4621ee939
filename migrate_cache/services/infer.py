"""Infer which service a RUN builds for.

The answer tells apart the builds whose output differs, and nothing else. Evidence is taken in
a fixed order: the configuration, build arguments, compose and bake files, the command, the
file's name, the folder, the project's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.dockerfile.words import variables
from migrate_cache.services.arguments import from_arguments
from migrate_cache.services.declared import from_builds, variants_of
from migrate_cache.services.model import NoService, Service
from migrate_cache.services.names import from_file_name, from_folder, listed, service_name
from migrate_cache.services.selection import selected

if TYPE_CHECKING:
    from migrate_cache.builds.runs import RunContext


def infer_service(run: RunContext) -> Service | NoService:
    """Return the service that a RUN builds for, or why it cannot be told."""
    configured = run.settings.service
    shape = run.settings.id or run.settings.id_template
    missing = sorted(run.scope.expand(configured + shape).undeclared)
    if missing:
        return NoService(f"the configuration uses {listed(missing)}, which is not in scope here")
    if configured:
        return Service(configured, "the configuration says so")
    answer = _inferred(run)
    if isinstance(answer, NoService) and run.settings.id:
        # The configuration names the whole id: whose it is does not matter.
        project = service_name(run.settings.project)
        return Service(project or "service", "the configuration names the id")
    return answer


def _inferred(run: RunContext) -> Service | NoService:
    answer = from_arguments(run, variants_of(run))
    if answer is not None:
        return answer
    answer = from_builds(run) or _from_command(run)
    if isinstance(answer, Service):
        return answer
    if named := from_file_name(run.path) or from_folder(run.path):
        return named
    if project := service_name(run.settings.project):
        return Service(project, f"the project is called {project}")
    return answer or NoService("neither build arguments nor names tell it")


def _from_command(run: RunContext) -> Service | NoService | None:
    """Return the one thing that the command says it builds."""
    fixed = run.scope.environment().keys() - run.assigns
    words = [word for word in selected(run.commands) if not variables(word) - fixed]
    names = [service_name(run.scope.expand(word).text or "") for word in words]
    things = list(dict.fromkeys(filter(None, names)))
    if len(things) > 1:
        return NoService(f"the command builds several things: {listed(things)}")
    if not things:
        return None
    thing = things[0]
    suffix = from_file_name(run.path)
    if suffix and thing.endswith(("-" + suffix.text, "_" + suffix.text)):
        return Service(suffix.text, f"{suffix.evidence}, and the command builds {thing}")
    return Service(thing, f"the command builds {thing}")
