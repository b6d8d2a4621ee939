"""Read the builds of bake files, in HCL and JSON.

All default files of a folder (``docker-bake.json``, ``docker-bake.hcl`` and their
``override``) are one declaration, as for ``docker buildx bake``; any other file is one of
its own, on top of them only where it inherits from what they declare.
"""

from __future__ import annotations

import itertools
import math
import posixpath
import re
from collections.abc import Mapping, Sequence

from migrate_cache.builds.bake.blocks import Block, read_blocks
from migrate_cache.builds.bake.evaluate import UNKNOWN, Evaluator, Scope, Value, text_of
from migrate_cache.builds.model import MAX_COMBINATIONS, Build, Draft, folder_of
from migrate_cache.builds.sources import BUILD_STEPS, LimitError, Sources

_DEFAULTS = (
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
)
_DEFAULT_COMPOSE = re.compile(r"(?:docker-)?compose\.ya?ml")
_MAX_DEPTH = 40
_UNKNOWN_NAME = "?"
_KINDS = {"a text": (str, int), "a list": (list,), "a mapping": (dict,)}


def read_bake(sources: Sources, names: Sequence[str], compose: Sequence[Build]) -> list[Build]:
    """Return the builds of all bake files in `names`.

    `compose` are the builds of compose files: bake reads those of its folder before its
    own files, and a target of the same name adds to them.
    """
    folders: dict[str, list[str]] = {}
    for name in sorted(names):
        folders.setdefault(folder_of(name), []).append(name)
    result: list[Build] = []
    for folder, paths in folders.items():
        by_name = {posixpath.basename(path).lower(): path for path in paths}
        base_paths = [by_name.pop(name) for name in _DEFAULTS if name in by_name]
        base = [block for path in base_paths for block in read_blocks(sources, path)]
        seeds = {
            build.name.replace(".", "_"): build
            for build in compose
            if folder_of(build.origin) == folder
            and _DEFAULT_COMPOSE.fullmatch(posixpath.basename(build.origin))
        }
        result += _Declaration(sources, folder, base, seeds).builds()
        for path in by_name.values():
            own = read_blocks(sources, path)
            declaration = _Declaration(sources, folder, own, {})
            if declaration.inherits_from({block.label for block in base}):
                declaration = _Declaration(sources, folder, [*base, *own], seeds)
            result += [build for build in declaration.builds() if build.origin == path]
    return result


class _Declaration:
    """The blocks of bake files that are read together."""

    def __init__(
        self, sources: Sources, folder: str, blocks: Sequence[Block], seeds: Mapping[str, Build]
    ) -> None:
        self._sources = sources
        self._folder = folder
        self._blocks = blocks
        self._seeds = seeds
        self._targets: dict[str, list[tuple[Block, Scope]]] = {}
        """Each target's blocks, with the matrix values that they are evaluated with."""
        self._drafts: dict[str, Draft] = {}
        self._busy: set[str] = set()
        variables = {
            block.label: block.attributes["default"]
            for block in blocks
            if block.kind == "variable" and "default" in block.attributes
        }
        functions = frozenset(block.label for block in blocks if block.kind == "function")
        self._evaluator = Evaluator(variables, functions)

    def builds(self) -> list[Build]:
        """Return the builds; a target that is only there to inherit from is none."""
        result: list[Build] = []
        try:
            self._expand()
            templates = self._templates()
            for name, ((block, _), *_) in self._targets.items():
                if name not in templates:
                    draft = self._draft(name, 0)
                    paths = draft.locate(self._sources, dict.fromkeys([self._folder, "."]))
                    result.append(draft.build("bake", name, (block.origin, block.line), paths))
        except LimitError as error:
            self._sources.log(self._blocks[-1].origin).stopped(error)
        if self._evaluator.trouble:
            message = f"{self._evaluator.trouble}; some values are unknown"
            self._sources.log(self._blocks[-1].origin).warn(0, 0, message)
        return result

    def inherits_from(self, others: set[str]) -> bool:
        """Tell whether a target inherits from one that only `others` have."""
        targets = [block for block in self._blocks if block.kind == "target"]
        missing = others - {block.label for block in targets}
        parents = [name for block in targets for name in self._names(block, "inherits", {})]
        return not missing.isdisjoint(parents)

    def _expand(self) -> None:
        """Find the targets, one for each combination of a matrix."""
        for block in self._blocks:
            if block.kind != "target":
                continue
            for scope in self._matrix(block):
                self._evaluator.budget.spend(BUILD_STEPS)
                name = self._instance_name(block, scope)
                self._targets.setdefault(name, []).append((block, scope))

    def _instance_name(self, block: Block, scope: Scope) -> str:
        if not scope or "name" not in block.attributes:
            return block.label
        name = text_of(self._value(block, "name", scope))
        if name is not None:
            return name
        values = [str(value) for value in scope.values() if isinstance(value, str | int)]
        return "-".join([block.label, *values])[:200]

    def _matrix(self, block: Block) -> list[Scope]:
        matrix = self._value(block, "matrix", {}, "a mapping")
        axes = list(matrix.values()) if isinstance(matrix, dict) else []
        known = [axis for axis in axes if isinstance(axis, list)]
        if not isinstance(matrix, dict) or len(known) < len(axes):
            return [{}]
        if math.prod(map(len, known)) > MAX_COMBINATIONS:
            message = f"the matrix has more than {MAX_COMBINATIONS} combinations"
            self._sources.log(block.origin).warn(block.line, 1, message)
            return [{}]
        return [dict(zip(matrix, values, strict=True)) for values in itertools.product(*known)]

    def _templates(self) -> set[str]:
        """Return the targets that are only there for others to inherit from."""
        grouped = {
            name
            for block in self._blocks
            if block.kind == "group"
            for name in self._names(block, "targets", {})
        }
        for name, ((block, _), *_) in self._targets.items():
            if block.label in grouped:  # that is, all targets of its matrix
                grouped.add(name)
        parents = {name: self._parents(name) for name in self._targets}
        inherited = {parent for each in parents.values() for parent in each}
        covered: set[str] = set()
        todo = list(grouped)
        while todo:
            new = set(parents.get(todo.pop(), ())) - covered
            covered |= new
            todo += new
        return {
            name
            for name in self._targets
            if name in inherited
            and name not in grouped
            and (name.startswith("_") or name in covered or not self._is_product(name))
        }

    def _is_product(self, name: str) -> bool:
        """Tell whether a target says both what is built and where the result goes."""
        fields = self._draft(name, 0).fields.keys()
        return "result" in fields and not fields.isdisjoint(
            {"context", "dockerfile", "inline", "target"}
        )

    def _parents(self, name: str) -> list[str]:
        return [
            parent
            for block, scope in self._targets.get(name, ())
            for parent in self._names(block, "inherits", scope)
        ]

    def _names(self, block: Block, attribute: str, scope: Scope) -> list[str]:
        value = self._value(block, attribute, scope, "a list")
        names = [] if value is None else value if isinstance(value, list) else [value]
        return [name if isinstance(name, str) else _UNKNOWN_NAME for name in names]

    def _draft(self, name: str, depth: int) -> Draft:
        """Return what a target says with all that it inherits, the last named on top."""
        if name in self._drafts:
            return self._drafts[name]
        if name not in self._targets and name not in self._seeds:
            return _undeclared(name)
        if depth > _MAX_DEPTH:
            raise LimitError("has targets that inherit too deeply")
        draft = _seed(self._seeds[name], self._folder) if name in self._seeds else Draft()
        self._busy.add(name)
        for parent in self._parents(name):
            if parent not in self._busy:  # bake, too, passes over a circle
                draft = draft.overlaid(self._draft(parent, depth + 1))
                self._evaluator.budget.spend(len(draft.args))
        for block, scope in self._targets.get(name, ()):
            draft = draft.overlaid(self._own(block, scope))
        self._busy.discard(name)
        self._drafts[name] = draft
        return draft

    def _own(self, block: Block, scope: Scope) -> Draft:
        draft = Draft()
        for name in ("context", "dockerfile", "target"):
            value = self._value(block, name, scope)
            if value is not None:
                draft.fields[name] = text_of(value)
        if "dockerfile-inline" in block.attributes:
            draft.fields["inline"] = ""
        if block.attributes.keys() & {"tags", "output"}:
            draft.fields["result"] = ""
        args = self._value(block, "args", scope, "a mapping")
        if isinstance(args, dict):
            # A null leaves the Dockerfile's own default in force.
            draft.args = {key: text_of(each) for key, each in args.items() if each is not None}
        elif args is UNKNOWN:
            draft.args = {"": None}
        platforms = self._value(block, "platforms", scope, "a list")
        if platforms is not None:
            listed = platforms if isinstance(platforms, list) else [platforms]
            draft.platforms = list(dict.fromkeys(text_of(each) or "" for each in listed))
        return draft

    def _value(self, block: Block, name: str, scope: Scope, kind: str = "a text") -> Value:
        """Return the value of an attribute; None where it is not set.

        UNKNOWN, with a warning, where it is of another `kind`.
        """
        expression = block.attributes.get(name)
        value = None if expression is None else self._evaluator.value(expression, scope)
        if value is None or value is UNKNOWN or isinstance(value, _KINDS[kind]):
            return value
        message = f"expected {name!r} of the {block.kind} {block.label!r} to be {kind}"
        self._sources.log(block.origin).warn(block.line, 1, message)
        return UNKNOWN


def _undeclared(name: str) -> Draft:
    """Return a parent that is declared nowhere: it may set anything."""
    if "meta" in name:  # written by docker/metadata-action: tags and labels, never what is built
        return Draft()
    return Draft({"context": None, "dockerfile": None, "target": None})


def _seed(build: Build, folder: str) -> Draft:
    """Return a compose build as the draft that a target adds to."""
    fields: dict[str, str | None] = {}
    for name, path, start in (
        ("context", build.context, folder),
        ("dockerfile", build.dockerfile, build.context or "."),
    ):
        fields[name] = posixpath.relpath(path, start) if path else None
    if build.target != "":
        fields["target"] = build.target
    return Draft(fields, dict(build.args), list(build.platforms) or None)
