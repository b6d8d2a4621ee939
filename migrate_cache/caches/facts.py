"""All facts about a project: its Dockerfiles, RUNs, cache mounts, caches and services."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from migrate_cache.builds.runs import FileContext
from migrate_cache.caches.cache_mount import CacheMount, cache_mounts
from migrate_cache.caches.cargo_lock import CargoCaches, cargo_caches
from migrate_cache.caches.coupling import CoupledMounts, coupled_mounts
from migrate_cache.caches.graph import Cache, CacheGraph, build_graph
from migrate_cache.caches.match import load_catalog
from migrate_cache.dockerfile.parser import parse
from migrate_cache.services.infer import infer_service
from migrate_cache.text.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from migrate_cache.builds.model import Build, Builds
    from migrate_cache.builds.runs import RunContext
    from migrate_cache.caches.match import Catalog
    from migrate_cache.dockerfile.tree import Dockerfile
    from migrate_cache.services.model import NoService, Service
    from migrate_cache.settings import Settings


@dataclass(frozen=True, eq=False)
class Project:
    """The facts of one project; everything that is derived is derived once, when asked for.

    `catalog` holds the caches that are known, those that the settings teach among them; `name`
    is the project's name, `errors` and `unread` the errors and texts of the files that
    cannot be parsed, by path. A project with other texts shares the facts of each file that
    did not change.
    """

    files: tuple[FileContext, ...]
    builds: Builds
    settings: Settings
    catalog: Catalog
    name: str
    errors: Mapping[str, ParseError] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    _mounts: dict[FileContext, tuple[CacheMount, ...]] = field(default_factory=dict, repr=False)
    _services: dict[RunContext, Service | NoService] = field(default_factory=dict, repr=False)

    @cached_property
    def graph(self) -> CacheGraph:
        """Which mount uses which cache."""
        mounts = [mount for file in self.files for mount in self._mounts_in(file)]
        return build_graph(mounts, self.unread)

    def _mounts_in(self, file: FileContext) -> tuple[CacheMount, ...]:
        if file not in self._mounts:
            self._mounts[file] = tuple(
                mount for run in file.runs for mount in cache_mounts(run, self.catalog)
            )
        return self._mounts[file]

    @property
    def mounts(self) -> tuple[CacheMount, ...]:
        """Every cache mount, in the order of paths and places."""
        return self.graph.mounts

    @property
    def caches(self) -> tuple[Cache, ...]:
        """Every cache, in the order of its first mount."""
        return self.graph.caches

    def service(self, run: RunContext) -> Service | NoService:
        """Return the service that a RUN builds for."""
        if run not in self._services:
            self._services[run] = infer_service(run)
        return self._services[run]

    @cached_property
    def cargo(self) -> Mapping[Cache, CargoCaches]:
        """For each of Cargo's caches, those that must have the same lock."""
        return {cache: linked for linked in cargo_caches(self.graph) for cache in linked.caches}

    @cached_property
    def coupled(self) -> Mapping[Cache, tuple[CoupledMounts, ...]]:
        """For each build output, the mounts that must go on seeing one directory."""
        return {
            cache: coupled_mounts(cache, self.service)
            for cache in self.caches
            if cache.kind == "output"
        }

    def with_texts(self, texts: Mapping[str, str], parallel: Callable[..., Any] = map) -> Project:
        """Return the project after some of its files have got other texts."""
        known = {file.path: file for file in self.files}
        changed = {p: t for p, t in texts.items() if known[p].tree.source.text != t}
        errors, files, unread = dict(self.errors), dict(known), dict(self.unread)
        for path, tree in parse_all(changed, parallel).items():
            if isinstance(tree, ParseError):
                errors[path], unread[path] = tree, changed[path]
                del files[path]
            else:
                files[path] = replace(known[path], tree=tree)
        return replace(self, files=tuple(files.values()), errors=errors, unread=unread)

    def read_only(self, reasons: Mapping[str, str]) -> Project:
        """Return the project with files that are not to be written, for `reasons` by path."""
        files = tuple(
            replace(file, read_only=reasons[file.path]) if file.path in reasons else file
            for file in self.files
        )
        return replace(self, files=files)


def build_project(
    texts: Mapping[str, str],
    settings: Settings,
    builds: Builds,
    *,
    root_name: str,
    read_only: Mapping[str, str],
    parallel: Callable[..., Any] = map,
) -> Project:
    """Parse the Dockerfiles of a project, `texts` by path.

    `read_only` says for some of the paths why they are not to be written. `root_name` is the
    name of the root folder, the last evidence for the project's name. `parallel` is used as
    the built-in `map`.
    """
    name = settings.project or _declared_name(builds.builds) or root_name
    catalog = load_catalog(settings.caches)
    errors, files = {}, []
    by_dockerfile: dict[str, list[Build]] = {}
    for build in builds.builds:
        by_dockerfile.setdefault(build.dockerfile, []).append(build)
    for path, tree in parse_all(texts, parallel).items():
        if isinstance(tree, ParseError):
            errors[path] = tree
            continue
        file = FileContext(
            path=path,
            tree=tree,
            builds=tuple(by_dockerfile.get(path, ())),
            settings=settings.for_file(path, name),
            tools=catalog.tool_names,
            read_only=read_only.get(path, ""),
        )
        files.append(file)
    return Project(
        files=tuple(files),
        builds=builds,
        settings=settings,
        catalog=catalog,
        name=name,
        errors=errors,
        unread={path: texts[path] for path in errors},
    )


def parse_all(
    texts: Mapping[str, str], parallel: Callable[..., Any] = map
) -> dict[str, Dockerfile | ParseError]:
    """Parse texts by path; an error stands in the place of its file."""
    return dict(zip(texts, parallel(_parse, list(texts.items())), strict=True))


def _parse(file: tuple[str, str]) -> Dockerfile | ParseError:
    path, text = file
    try:
        return parse(text, path)
    except ParseError as error:
        return error


def _declared_name(builds: Iterable[Build]) -> str:
    """Return the project's name in the compose files nearest the root, if they agree."""
    named = {(build.origin.count("/"), build.project) for build in builds if build.project}
    nearest = {name for depth, name in named if depth == min(named)[0]}
    return nearest.pop() if len(nearest) == 1 else ""
