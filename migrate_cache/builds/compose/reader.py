"""The builds of compose files.

A file called ``compose`` or ``docker-compose`` is a project, together with its
``override`` file. Any other compose file is a project of its own; where it only adds to
a build of the project beside it (a ``target``, some ``args``, no ``context``), it adds
to that. What another file includes belongs to the project of that file.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate_cache.builds import yaml
from migrate_cache.builds.compose.interpolate import Env, parse_env
from migrate_cache.builds.compose.service import Service, ServiceReader
from migrate_cache.builds.model import (
    MAX_BUILDS,
    Build,
    Files,
    Spec,
    TooMuchError,
    finish,
    folder_of,
    inside,
    place,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAME = re.compile(r"(?P<stem>(?:docker-)?compose)(?P<rest>.*)\.ya?ml", re.IGNORECASE)
_MAX_DEPTH = 30
_MAX_FILES = 200


@dataclass(slots=True)
class _Project:
    """Services by name, and the project's own name."""

    name: str = ""
    services: dict[str, Service] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)
    """The files that were included."""


def read_compose(files: Files, names: Sequence[str]) -> list[Build]:
    """Return the builds of all compose files in `names`."""
    loader = _Loader(files)
    projects: dict[str, _Project] = {}
    included: set[str] = set()
    for base, layers in _projects(names):
        if layers[0] in included:
            continue
        project = loader.project(layers, projects.get(base) if base else None)
        projects[layers[0]] = project
        for path in project.inside - {layers[0]}:
            included.add(path)
            projects.pop(path, None)
    return [build for project in projects.values() for build in _builds(project, files)]


def _projects(names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return, for every project, the file it may add to and its own files in order."""
    folders: dict[str, dict[str, list[str]]] = {}
    for name in sorted(names):
        match = _NAME.fullmatch(posixpath.basename(name))
        rest = (match["rest"] if match else "").lower()
        role = {"": "base", ".override": "override"}.get(rest, "other")
        folders.setdefault(folder_of(name), {}).setdefault(role, []).append(name)
    result: list[tuple[str, list[str]]] = []
    for roles in folders.values():
        bases = {base: [base] for base in roles.get("base", [])}
        others = roles.get("other", [])
        for override in roles.get("override", []):
            stem = posixpath.basename(override).lower().partition(".")[0]
            same = [b for b in bases if posixpath.basename(b).lower().partition(".")[0] == stem]
            owner = next(iter(same or bases), None)
            if owner is None:
                others = [*others, override]
            else:
                bases[owner].append(override)
        result += [("", layers) for layers in bases.values()]
        result += [(next(iter(bases), ""), [other]) for other in others]
    # Files that add to others come last, when what they add to has been read.
    return sorted(result, key=lambda item: (item[0] != "", item[1]))


def _builds(project: _Project, files: Files) -> list[Build]:
    result: list[Build] = []
    for name, service in project.services.items():
        if not service.builds:
            continue
        if len(result) >= MAX_BUILDS:
            files.report(service.origin).warn(0, 0, f"declares more than {MAX_BUILDS} builds")
            break
        spec = service.spec
        if not spec.platforms and service.platform is not None:
            spec.platforms = [service.platform]
        where = place(_seen_from_root(spec, service.folder), files, ["."])
        result.append(
            finish(
                spec,
                name=name,
                origin=service.origin,
                line=service.line,
                where=where,
                kind="compose",
                project=project.name,
            )
        )
    return result


def _seen_from_root(spec: Spec, folder: str) -> Spec:
    return Spec({"context": folder, **spec.fields})


class _Loader:
    """Reads files once, and puts projects together from them."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._documents: dict[str, yaml.Document | None] = {}

    def document(self, path: str) -> yaml.Document | None:
        """Return the nodes of a file; None where it cannot be read, which is said once."""
        if path not in self._documents:
            data = self._files.read(path)
            report = self._files.report(path)
            self._documents[path] = None if data is None else yaml.load(data, report)
        return self._documents[path]

    def is_there(self, path: str) -> bool:
        """Tell whether a file can be read at all."""
        return self._files.exists(path)

    def project(self, layers: Sequence[str], base: _Project | None) -> _Project:
        """Return the project of `layers`; `base` is what its services may add to."""
        folder = folder_of(layers[0])
        project = _Project()
        env = self.env(posixpath.join(folder, ".env"), {})
        _Reading(self, project, env, base).files(layers, folder, ())
        return project

    def env(self, path: str, base: Env) -> Env:
        """Return the variables of an environment file, with those of `base` on top."""
        data = self._files.read_if_there(posixpath.normpath(path))
        return base if data is None else {**parse_env(data, base), **base}


class _Reading:
    """One project while it is read, with the variables that hold in it."""

    def __init__(
        self, loader: _Loader, project: _Project, env: Env, base: _Project | None = None
    ) -> None:
        self._loader = loader
        self._project = project
        self._env = env
        self._reader = ServiceReader(env)
        self._base = base
        self._done: dict[tuple[str, int, str], Service | None] = {}

    def files(self, layers: Sequence[str], folder: str, chain: tuple[str, ...]) -> None:
        """Read `layers`, one on top of the other; paths in them are seen from `folder`."""
        services: dict[str, Service] = {}
        for path in layers:
            document = self._loader.document(path)
            if document is None:
                continue
            try:
                self._file(document, path, folder, (*chain, path), services)
            except TooMuchError as error:
                document.report.warn(0, 0, f"{error}; the rest of it was not read")
        for name, service in services.items():
            old = self._project.services.get(name)
            self._project.services[name] = service if old is None else old.under(service)

    def _file(
        self,
        document: yaml.Document,
        path: str,
        folder: str,
        chain: tuple[str, ...],
        services: dict[str, Service],
    ) -> None:
        for root in document.roots:
            top = document.mapping(root, "the file")
            if "name" in top and not chain[1:]:
                name = self._reader.text(document, top["name"][1], "name")
                self._project.name = name or self._project.name
            if "include" in top:
                self._include(document, top["include"][1], folder, chain)
            declared = document.mapping(_value(top, "services"), "services")
            for name in declared:
                service = self._service(document, declared, name, path, folder)
                if service is None:
                    continue
                if name in services:
                    services[name] = services[name].under(service)
                elif self._adds(service) and self._base is not None and name in self._base.services:
                    services[name] = self._base.services[name].under(service)
                else:
                    services[name] = service

    @staticmethod
    def _adds(service: Service) -> bool:
        return service.builds and not {"context", "inline"} & service.spec.fields.keys()

    def _include(
        self, document: yaml.Document, node: yaml.Node, folder: str, chain: tuple[str, ...]
    ) -> None:
        for item in document.sequence(node, "include"):
            paths: list[yaml.Node] = [item]
            entries: yaml.Entries = {}
            if isinstance(item, yaml.Mapping):
                entries = document.mapping(item, "an entry of include")
                path = _value(entries, "path")
                paths = path.items if isinstance(path, yaml.Sequence) else [path] if path else []
            layers = [
                found
                for each in paths
                if (found := self._path(document, each, folder, "the path of include")) is not None
            ]
            if not layers or layers[0] in self._project.inside:
                continue
            many = len(chain) > _MAX_DEPTH or len(self._project.inside) > _MAX_FILES
            if layers[0] in chain or many:
                document.warn(item, f"{layers[0]} is included in a circle, or too deeply")
                continue
            self._project.inside.update(layers)
            home = folder_of(layers[0])
            if "project_directory" in entries:
                given = self._reader.text(
                    document, entries["project_directory"][1], "project_directory"
                )
                home = inside(folder, given) or home
            env = self._included_env(document, entries, home, folder)
            _Reading(self._loader, self._project, env).files(layers, home, chain)

    def _included_env(
        self, document: yaml.Document, entries: yaml.Entries, home: str, folder: str
    ) -> Env:
        node = _value(entries, "env_file")
        if node is None:
            return self._loader.env(posixpath.join(home, ".env"), self._env)
        env = self._env
        for each in node.items if isinstance(node, yaml.Sequence) else [node]:
            path = inside(folder, self._reader.text(document, each, "env_file"))
            if path is not None:
                env = self._loader.env(path, env)
        return env

    def _path(self, document: yaml.Document, node: yaml.Node, folder: str, what: str) -> str | None:
        text = self._reader.text(document, node, what)
        path = inside(folder, text)
        if path is None:
            return None
        if not self._loader.is_there(path):
            document.warn(node, f"{what} is not there: {path}")
            return None
        return None if self._loader.document(path) is None else path

    def _service(
        self,
        document: yaml.Document,
        declared: yaml.Entries,
        name: str,
        path: str,
        folder: str,
        depth: int = 0,
    ) -> Service | None:
        key, node = declared[name]
        place_of = (path, key.line, name)
        if place_of in self._done:
            return self._done[place_of]
        self._done[place_of] = None  # until it is read: what leads back here goes in a circle
        entries = document.mapping(node, f"the service {name!r}")
        own = Service(path, key.line, folder)
        if "platform" in entries:
            own.platform = self._reader.text(document, entries["platform"][1], "platform")
        if "build" in entries:
            self._reader.build(document, entries["build"][1], own)
        if "extends" in entries:
            base = self._extended(document, declared, entries["extends"][1], own, depth)
            if base is not None:
                document.budget.spend(len(base.spec.args))
                own = base.under(own)
                own.origin, own.line = path, key.line
        self._done[place_of] = own
        return own

    def _extended(
        self,
        document: yaml.Document,
        declared: yaml.Entries,
        node: yaml.Node,
        own: Service,
        depth: int,
    ) -> Service | None:
        path, folder = own.origin, own.folder
        wanted: yaml.Node | None = node
        if isinstance(node, yaml.Mapping):
            entries = document.mapping(node, "extends")
            wanted = _value(entries, "service")
            if "file" in entries:
                found = self._path(document, entries["file"][1], folder, "the file of extends")
                other = None if found is None else self._loader.document(found)
                if found is None or other is None:
                    return None
                path, folder, document = found, folder_of(found), other
                tops = [document.mapping(root, "the file") for root in document.roots]
                declared = {}
                for top in tops:
                    declared |= document.mapping(_value(top, "services"), "services")
        name = self._reader.text(document, wanted, "extends")
        report = self._loader.document(own.origin) or document
        if name is None:
            return None
        if name not in declared:
            known = self._project.services.get(name)
            if known is None:
                report.warn(node, f"extends the service {name!r}, which is not declared")
            return known
        place_of = (path, declared[name][0].line, name)
        if depth >= _MAX_DEPTH or self._done.get(place_of, own) is None:
            report.warn(node, f"extends {name!r} in a circle, or too deeply")
            return None
        return self._service(document, declared, name, path, folder, depth + 1)


def _value(entries: Mapping[str, tuple[yaml.Node, yaml.Node]], name: str) -> yaml.Node | None:
    entry = entries.get(name)
    return None if entry is None else entry[1]
