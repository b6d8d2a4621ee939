"""The question (`Site`) and its answers (`Service`, `Unknown`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate_cache.builds.model import Build
    from migrate_cache.dockerfile.scope import Resolved, Scope
    from migrate_cache.dockerfile.tree import Dockerfile, Run, Stage
    from migrate_cache.shell import Command


@dataclass(frozen=True, slots=True)
class Service:
    """Whose output it is.

    `text` goes into an id: a name, or build arguments such as ``${SERVICE}``. `values` are
    what it is known to become, empty where only a build knows. `evidence` says why; `names`
    are the declared services that it stands for.
    """

    text: str
    evidence: str
    values: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()

    @property
    def is_variable(self) -> bool:
        """Whether the text stands for several services."""
        return "$" in self.text


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: what was considered, and why it does not do."""

    considered: str


@dataclass(frozen=True)
class Site:
    """A RUN and all that tells for whom it runs.

    `configured` is the service that the configuration names, `shape` the id or template; with
    `has_id` that is the whole id, and the service matters no more.
    """

    path: str
    tree: Dockerfile
    stage: Stage
    run: Run
    scope: Scope
    resolved: Resolved
    commands: tuple[Command, ...]
    builds: tuple[Build, ...]
    project: str
    configured: str = ""
    shape: str = ""
    has_id: bool = False
