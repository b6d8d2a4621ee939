"""Read the builds of compose files.

A file called ``compose`` or ``docker-compose`` is a project, together with its
``override`` file. Any other compose file is a project of its own; where it only adds to
a build of the project beside it (a ``target``, some ``args``, no ``context``), it adds
to that. What another file includes belongs to the project of that file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from yaml.nodes import MappingNode, Node

from migrate_cache.builds.compose.interpolate import Env, parse_env
from migrate_cache.builds.compose.service import ComposeService, ServiceReader
from migrate_cache.builds.model import Build, Draft, folder_of, resolve_path
from migrate_cache.builds.sources import BUILD_STEPS, LimitError, Sources
from migrate_cache.builds.yaml import Document, Entries, line_of, load, value_of

_NAME = re.compile(r"(?P<stem>(?:docker-)?compose)(?P<rest>.*)\.ya?ml", re.IGNORECASE)
_MAX_DEPTH = 30
_MAX_FILES = 200


@dataclass(slots=True)
class _Project:
    """Services by name, and the project's own name."""

    name: str = ""
    services: dict[str, ComposeService] = field(default_factory=dict)
    included: set[str] = field(default_factory=set)
    """The files that others of the project include."""


def read_compose(sources: Sources, names: Sequence[str]) -> list[Build]:
    """Return the builds of all compose files in `names`."""
    files = _Files(sources)
    projects: dict[str, _Project] = {}
    included: set[str] = set()
    for base, layers in _layers(names):
        if layers[0] in included:
            continue
        project = projects[layers[0]] = _Project()
        folder = folder_of(layers[0])
        env = files.env(posixpath.join(folder, ".env"), {})
        _ProjectReader(files, project, env, projects.get(base)).read(layers, folder, ())
        for path in project.included - {layers[0]}:
            included.add(path)
            projects.pop(path, None)
    return [build for project in projects.values() for build in _builds(project, sources)]


def _layers(names: Sequence[str]) -> list[tuple[str, list[str]]]:
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
            same = [base for base in bases if _stem(base) == _stem(override)]
            owner = next(iter(same or bases), None)
            if owner is None:
                others = [*others, override]
            else:
                bases[owner].append(override)
        result += [("", layers) for layers in bases.values()]
        result += [(next(iter(bases), ""), [other]) for other in others]
    # Files that add to others come last, when what they add to has been read.
    return sorted(result, key=lambda item: (item[0] != "", item[1]))


def _stem(path: str) -> str:
    return posixpath.basename(path).lower().partition(".")[0]


def _builds(project: _Project, sources: Sources) -> list[Build]:
    result: list[Build] = []
    for name, service in project.services.items():
        if not service.builds:
            continue
        draft = service.draft
        if not draft.platforms and service.platform is not None:
            draft = replace(draft, platforms=[service.platform])
        paths = Draft({"context": service.folder, **draft.fields}).locate(sources, ["."])
        origin = (service.origin, service.line)
        result.append(draft.build("compose", name, origin, paths, project.name))
    return result


class _Files:
    """The compose files and environment files of a repository, each parsed once."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._documents: dict[str, Document | None] = {}

    def document(self, path: str) -> Document | None:
        """Return the nodes of a file; None, with one warning, where it cannot be read."""
        if path not in self._documents:
            data = self.sources.read(path)
            document = None if data is None else load(data, self.sources.log(path))
            self._documents[path] = document
        return self._documents[path]

    def env(self, path: str, base: Env) -> Env:
        """Return the variables of an environment file, with those of `base` on top."""
        data = self.sources.read(posixpath.normpath(path), optional=True)
        return base if data is None else {**parse_env(data, base), **base}


class _Services:
    """The services that documents of a file declare; paths in them are relative to `folder`."""

    def __init__(self, document: Document, path: str, folder: str, roots: Sequence[Node]) -> None:
        self.document = document
        self.path = path
        self.folder = folder
        self.declared: Entries = {}
        for root in roots:
            top = document.mapping(root, "the file")
            self.declared |= document.mapping(value_of(top, "services"), "services")


class _ProjectReader:
    """Reads files of one project; `base` is the project that its services may add to."""

    def __init__(
        self, files: _Files, project: _Project, env: Env, base: _Project | None = None
    ) -> None:
        self._files = files
        self._project = project
        self._env = env
        self._reader = ServiceReader(env)
        self._base = base
        self._done: dict[tuple[str, int, str], ComposeService | None] = {}
        """Services by file, line and name; None for one that is being read."""

    def read(self, layers: Sequence[str], folder: str, chain: tuple[str, ...]) -> None:
        """Read `layers`, one on top of the other; paths in them are relative to `folder`.

        `chain` are the files that include these, the outermost first.
        """
        services: dict[str, ComposeService] = {}
        for path in layers:
            document = self._files.document(path)
            if document is None:
                continue
            try:
                self._file(document, path, folder, (*chain, path), services)
            except LimitError as error:
                document.log.stopped(error)
        for name, service in services.items():
            old = self._project.services.get(name)
            self._project.services[name] = service if old is None else old.overlaid(service)

    def _file(
        self,
        document: Document,
        path: str,
        folder: str,
        chain: tuple[str, ...],
        services: dict[str, ComposeService],
    ) -> None:
        for root in document.roots:
            top = document.mapping(root, "the file")
            if "name" in top and not chain[1:]:
                name = self._reader.text(document, top["name"][1], "name")
                self._project.name = name or self._project.name
            if "include" in top:
                self._include(document, top["include"][1], folder, chain)
            file = _Services(document, path, folder, [root])
            for name in file.declared:
                service = self._service(file, name)
                if service is None:
                    continue
                below = services.get(name)
                if below is None and service.only_adds and self._base is not None:
                    below = self._base.services.get(name)
                services[name] = service if below is None else below.overlaid(service)

    def _include(self, document: Document, node: Node, folder: str, chain: tuple[str, ...]) -> None:
        included = self._project.included
        for item in document.sequence(node, "include"):
            entries: Entries = {}
            path: Node | None = item
            if isinstance(item, MappingNode):
                entries = document.mapping(item, "an entry of include")
                path = value_of(entries, "path")
            layers = [
                found
                for each in document.items(path)
                if (found := self._path(document, each, folder, "the path of include")) is not None
            ]
            if not layers or layers[0] in included:
                continue
            if layers[0] in chain or len(chain) > _MAX_DEPTH or len(included) > _MAX_FILES:
                document.warn(item, f"{layers[0]} is included in a circle, or too deeply")
                continue
            included.update(layers)
            home = folder_of(layers[0])
            if "project_directory" in entries:
                given = entries["project_directory"][1]
                text = self._reader.text(document, given, "project_directory")
                home = resolve_path(folder, text) or home
            env = self._included_env(document, entries, home, folder)
            _ProjectReader(self._files, self._project, env).read(layers, home, chain)

    def _included_env(self, document: Document, entries: Entries, home: str, folder: str) -> Env:
        if "env_file" not in entries:
            return self._files.env(posixpath.join(home, ".env"), self._env)
        env = self._env
        for each in document.items(entries["env_file"][1]):
            path = resolve_path(folder, self._reader.text(document, each, "env_file"))
            if path is not None:
                env = self._files.env(path, env)
        return env

    def _path(self, document: Document, node: Node, folder: str, what: str) -> str | None:
        path = resolve_path(folder, self._reader.text(document, node, what))
        if path is not None and not self._files.sources.exists(path):
            document.warn(node, f"{what} is not there: {path}")
            return None
        return None if path is None or self._files.document(path) is None else path

    def _service(self, file: _Services, name: str, depth: int = 0) -> ComposeService | None:
        document = file.document
        key, node = file.declared[name]
        mark = (file.path, line_of(key), name)
        if mark in self._done:
            return self._done[mark]
        self._done[mark] = None
        document.budget.spend(BUILD_STEPS)
        entries = document.mapping(node, f"the service {name!r}")
        own = ComposeService(file.path, line_of(key), file.folder)
        if "platform" in entries:
            own.platform = self._reader.text(document, entries["platform"][1], "platform")
        if "build" in entries:
            self._reader.build(document, entries["build"][1], own)
        if "extends" in entries:
            base = self._extended(file, entries["extends"][1], own, depth)
            if base is not None:
                document.budget.spend(len(base.draft.args))
                own = base.overlaid(own)
                own.origin, own.line = file.path, line_of(key)
        self._done[mark] = own
        return own

    def _extended(
        self, file: _Services, node: Node, own: ComposeService, depth: int
    ) -> ComposeService | None:
        """Return the service that `own` extends; None, with a warning, where it is missing."""
        document = file.document
        wanted: Node | None = node
        if isinstance(node, MappingNode):
            entries = document.mapping(node, "extends")
            wanted = value_of(entries, "service")
            if "file" in entries:
                what = "the file of extends"
                path = self._path(document, entries["file"][1], file.folder, what)
                other = None if path is None else self._files.document(path)
                if path is None or other is None:
                    return None
                file = _Services(other, path, folder_of(path), other.roots)
                document.budget.spend(len(file.declared))
        name = self._reader.text(document, wanted, "extends")
        if name is None:
            return None
        if name not in file.declared:
            known = self._project.services.get(name)
            if known is None:
                document.warn(node, f"extends the service {name!r}, which is not declared")
            return known
        mark = (file.path, line_of(file.declared[name][0]), name)
        if depth >= _MAX_DEPTH or self._done.get(mark, own) is None:
            document.warn(node, f"extends {name!r} in a circle, or too deeply")
            return None
        return self._service(file, name, depth + 1)
