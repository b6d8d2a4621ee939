"""Whose build output is it: which service does a RUN build for.

The answer tells apart the builds whose output differs, and nothing else. The evidence is
asked for in a fixed order: configuration, build arguments, compose and bake, the command,
the file's name, the folder, the project's name.
"""

from __future__ import annotations

from migrate_cache.dockerfile.words import variables
from migrate_cache.services.arguments import from_arguments, shell_text, undeclared_arguments
from migrate_cache.services.declared import (
    builds_of,
    from_builds,
    variants_of,
)
from migrate_cache.services.model import Service, Site, Unknown
from migrate_cache.services.names import (
    clean_name,
    from_file_name,
    from_folder,
    listed,
    service_name,
)
from migrate_cache.services.selection import selected

__all__ = [
    "Service",
    "Site",
    "Unknown",
    "builds_of",
    "clean_name",
    "shell_text",
    "tell",
    "undeclared_arguments",
]


def tell(site: Site) -> Service | Unknown:
    """Return the service of a RUN's output."""
    missing = tuple(sorted(site.scope.expand(site.configured + site.shape).undeclared))
    if missing:
        return Unknown(f"the configuration uses {listed(missing)}, which is not in scope here")
    if site.configured:
        return Service(site.configured, "the configuration says so")
    answer = _inferred(site)
    if isinstance(answer, Unknown) and site.has_id:
        # The configuration names the whole id: whose it is does not matter.
        return Service(service_name(site.project) or "service", "the configuration names the id")
    return answer


def _inferred(site: Site) -> Service | Unknown:
    answer = from_arguments(site, variants_of(site))
    if answer is not None:
        return answer
    answer = from_builds(site) or _from_command(site)
    if isinstance(answer, Service):
        return answer
    named = from_file_name(site.path) or from_folder(site.path)
    if named:
        return named
    project = service_name(site.project)
    if project:
        return Service(project, f"the project is called {project}")
    return answer or Unknown("neither build arguments nor names tell it")


def _from_command(site: Site) -> Service | Unknown | None:
    """Return the one thing that the command says it builds."""
    own = shell_text(site.run, site.scope).assigns
    fixed = site.scope.environment().keys() - own
    things: dict[str, None] = {}
    for word in selected(site.commands):
        if variables(word) - fixed:
            continue
        name = service_name(site.scope.expand(word).text or "")
        if name:
            things[name] = None
    if len(things) > 1:
        return Unknown(f"the command builds several things: {listed(tuple(things))}")
    if not things:
        return None
    (thing,) = things
    suffix = from_file_name(site.path)
    if suffix and thing.endswith(("-" + suffix.text, "_" + suffix.text)):
        return Service(suffix.text, f"{suffix.evidence}, and the command builds {thing}")
    return Service(thing, f"the command builds {thing}")
