"""The builds of bake files, in HCL and JSON.

All default files of a folder (``docker-bake.json``, ``docker-bake.hcl`` and their
``override``) are one declaration, as for ``docker buildx bake``; any other file is one of
its own, on top of them only where it inherits from what they declare.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_cache.builds.bake.blocks import Block, function_of, read_blocks
from migrate_cache.builds.bake.evaluate import Evaluator, Scope
from migrate_cache.builds.bake.values import UNKNOWN, UnknownError, Value, text_of
from migrate_cache.builds.model import (
    MAX_BUILDS,
    Build,
    Files,
    Spec,
    TooMuchError,
    finish,
    folder_of,
    place,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migrate_cache.builds.bake.hcl import Expression, UserFunction

_DEFAULTS = (
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
)
_MAX_COMBINATIONS = 1000
_MAX_DEPTH = 40
# What docker/metadata-action writes: tags and labels, never what is built.
_METADATA = re.compile(r".*meta.*")


@dataclass(slots=True)
class _Target:
    """A target by its final name: its blocks, each with the values of its matrix."""

    label: str
    origin: str
    line: int
    blocks: list[tuple[Block, Scope]]


def read_bake(files: Files, names: Sequence[str], compose: Sequence[Build]) -> list[Build]:
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
        base = [block for path in base_paths for block in read_blocks(files, path)]
        seeds = {
            build.name.replace(".", "_"): build
            for build in compose
            if folder_of(build.origin) == folder and _is_default(build.origin)
        }
        if base_paths:
            result += _Unit(files, folder, base, seeds).builds()
        for path in by_name.values():
            own = read_blocks(files, path)
            unit = _Unit(files, folder, own, {})
            if unit.lacks({block.label for block in base}):
                unit = _Unit(files, folder, [*base, *own], seeds)
            result += [build for build in unit.builds() if build.origin == path]
    return result


def _is_default(path: str) -> bool:
    return re.fullmatch(r"(?:docker-)?compose\.ya?ml", posixpath.basename(path)) is not None


class _Unit:
    """Bake files that are read together."""

    def __init__(
        self, files: Files, folder: str, blocks: Sequence[Block], seeds: Mapping[str, Build]
    ) -> None:
        self._files = files
        self._folder = folder
        self._blocks = blocks
        self._seeds = seeds
        self._targets: dict[str, _Target] = {}
        self._specs: dict[str, Spec] = {}
        self._busy: set[object] = set()
        variables: dict[str, Expression] = {}
        functions: dict[str, UserFunction] = {}
        for block in blocks:
            if block.kind in {"", "variable"} and "default" in block.attributes:
                variables[block.label] = block.attributes["default"]
            elif block.kind == "function" and "result" in block.attributes:
                functions[block.label] = function_of(block)
        self._evaluator = Evaluator(variables, functions, self._attribute)

    def builds(self) -> list[Build]:
        """Return the builds; targets that only others inherit from are none."""
        if not self._blocks:
            return []
        result: list[Build] = []
        path = self._blocks[-1].origin
        try:
            self._expand()
            templates = self._templates()
            for name, target in self._targets.items():
                path = target.origin
                if name not in templates:
                    result.append(self._build(name, target))
        except (TooMuchError, RecursionError) as error:
            words = str(error) if isinstance(error, TooMuchError) else "is nested too deeply"
            self._files.report(path).warn(0, 0, f"{words}; the rest of it was not read")
        if self._evaluator.trouble:
            self._files.report(path).warn(0, 0, f"{self._evaluator.trouble}; they are not known")
        return result

    def lacks(self, others: Iterable[str]) -> bool:
        """Tell whether a target inherits from one that only `others` have."""
        own = {block.label for block in self._blocks if block.kind == "target"}
        missing = set(others) - own
        try:
            return any(
                name in missing
                for block in self._blocks
                if block.kind == "target"
                for name in self._names(block, "inherits", {})
            )
        except (TooMuchError, RecursionError):
            return False

    def _build(self, name: str, target: _Target) -> Build:
        spec = self._spec(name, 0)
        folders = [self._folder, "."]
        if "?" in spec.fields:  # something that is not declared here may set the others
            unset: dict[str, str | None] = {"context": None, "dockerfile": None, "target": None}
            spec = Spec({**unset, **spec.fields}, spec.args, spec.platforms)
        where = place(spec, self._files, dict.fromkeys(folders))
        return finish(
            spec, name=name, origin=target.origin, line=target.line, where=where, kind="bake"
        )

    def _expand(self) -> None:
        for block in self._blocks:
            if block.kind != "target":
                continue
            for scope in self._matrix(block):
                name = self._instance_name(block, scope)
                target = self._targets.get(name)
                if target is None:
                    if len(self._targets) >= MAX_BUILDS:
                        raise TooMuchError(f"declares more than {MAX_BUILDS} targets")
                    target = _Target(block.label, block.origin, block.line, [])
                    self._targets[name] = target
                target.blocks.append((block, scope))

    def _instance_name(self, block: Block, scope: Scope) -> str:
        if not scope or "name" not in block.attributes:
            return block.label
        name = self._text(block, "name", scope)
        if name is not None:
            return name
        values = [str(value) for value in scope.values() if isinstance(value, str | int)]
        return "-".join([block.label, *values])[:200]

    def _matrix(self, block: Block) -> list[Scope]:
        if "matrix" not in block.attributes:
            return [{}]
        value = self._evaluator.known(block.attributes["matrix"], {})
        if not isinstance(value, dict) or any(
            not isinstance(axis, list) for axis in value.values()
        ):
            return [{}]
        axes = [axis for axis in value.values() if isinstance(axis, list)]
        size = 1
        for axis in axes:
            size *= len(axis)
        if size > _MAX_COMBINATIONS:
            self._files.report(block.origin).warn(
                block.line, 1, f"the matrix has more than {_MAX_COMBINATIONS} combinations"
            )
            return [{}]
        return [dict(zip(value, values, strict=True)) for values in itertools.product(*axes)]

    def _templates(self) -> set[str]:
        """Return the targets that are only there for others to inherit from."""
        grouped = {
            name
            for block in self._blocks
            if block.kind == "group"
            for name in self._names(block, "targets", {})
        }
        for name, target in self._targets.items():
            if target.label in grouped:
                grouped.add(name)
        parents = {name: self._parents(name) for name in self._targets}
        inherited = {parent for each in parents.values() for parent in each}
        covered: set[str] = set()
        todo = [name for name in grouped if name in parents]
        while todo:
            for parent in parents.get(todo.pop(), ()):
                if parent not in covered:
                    covered.add(parent)
                    todo.append(parent)
        return {
            name
            for name in self._targets
            if name in inherited
            and name not in grouped
            and (name.startswith("_") or name in covered or not self._is_product(name))
        }

    def _is_product(self, name: str) -> bool:
        """Tell whether a target says both what is built and where the result goes."""
        fields = self._spec(name, 0).fields
        return bool({"context", "dockerfile", "inline", "target"} & fields.keys()) and (
            "result" in fields
        )

    def _parents(self, name: str) -> list[str]:
        return [
            parent
            for block, scope in self._targets[name].blocks
            for parent in self._names(block, "inherits", scope)
        ]

    def _names(self, block: Block, attribute: str, scope: Scope) -> list[str]:
        """Return a list of names; ``"?"`` is one that is not known."""
        if attribute not in block.attributes:
            return []
        value = self._evaluator.known(block.attributes[attribute], scope)
        if not isinstance(value, list):
            if value is not UNKNOWN and value is not None:
                self._wrong(block, attribute, "a list")
            return ["?"]
        return [item if isinstance(item, str) else "?" for item in value]

    def _wrong(self, block: Block, attribute: str, expected: str) -> None:
        self._files.report(block.origin).warn(
            block.line,
            1,
            f"expected {attribute!r} of the {block.kind} {block.label!r} to be {expected}",
        )

    def _spec(self, name: str, depth: int) -> Spec:
        """Return what a target says with all that it inherits, the last named on top."""
        if name in self._specs:
            return self._specs[name]
        spec = Spec()
        if name in self._seeds:
            spec = _seed(self._seeds[name], self._folder)
        target = self._targets.get(name)
        if target is None:
            if name not in self._seeds and not _METADATA.fullmatch(name):
                spec.fields["?"] = None
            return spec
        if depth > _MAX_DEPTH:
            raise TooMuchError("has targets that inherit too deeply")
        self._busy.add(name)
        for parent in self._parents(name):
            if parent not in self._busy:  # else a circle, which bake passes over too
                _lay(spec, self._spec(parent, depth + 1))
        for block, scope in target.blocks:
            _lay(spec, self._own(block, scope))
        self._busy.discard(name)
        self._specs[name] = spec
        return spec

    def _own(self, block: Block, scope: Scope) -> Spec:
        spec = Spec()
        attributes = block.attributes
        for field in ("context", "dockerfile", "target"):
            value = self._value(block, field, scope)
            if value is not None:
                if isinstance(value, list | dict):
                    self._wrong(block, field, "a text")
                spec.put(field, _text(value))
        if "dockerfile-inline" in attributes:
            spec.put("inline", "")
        if attributes.keys() & {"tags", "output"}:
            spec.fields["result"] = ""
        spec.args = self._args(block, scope)
        spec.platforms = self._platforms(block, scope)
        return spec

    def _args(self, block: Block, scope: Scope) -> dict[str, str | None]:
        expression = block.attributes.get("args")
        value = None if expression is None else self._evaluator.entries(expression, scope)
        if isinstance(value, dict):
            # A null leaves the Dockerfile's own default in force.
            return {key: _text(each) for key, each in value.items() if each is not None}
        if value is UNKNOWN:
            return {"": None}
        if value is not None:
            self._wrong(block, "args", "a mapping")
        return {}

    def _platforms(self, block: Block, scope: Scope) -> list[str] | None:
        value = self._value(block, "platforms", scope)
        if isinstance(value, list):
            return list(dict.fromkeys(_text(each) or "" for each in value))
        if value is UNKNOWN:
            return [""]
        if value is not None:
            self._wrong(block, "platforms", "a list")
        return None

    def _value(self, block: Block, attribute: str, scope: Scope) -> Value:
        """Return the value of an attribute; None where it is not set."""
        expression = block.attributes.get(attribute)
        return None if expression is None else self._evaluator.known(expression, scope)

    def _attribute(self, label: str, attribute: str) -> Value:
        """Return what ``target.LABEL.ATTRIBUTE`` comes to."""
        for block in reversed(self._blocks):
            if block.kind == "target" and block.label == label and attribute in block.attributes:
                mark = (label, attribute)
                if mark in self._busy:
                    raise UnknownError
                self._busy.add(mark)
                try:
                    return self._evaluator.value(block.attributes[attribute], {})
                finally:
                    self._busy.discard(mark)
        raise UnknownError

    def _text(self, block: Block, attribute: str, scope: Scope) -> str | None:
        return _text(self._evaluator.known(block.attributes[attribute], scope))


def _text(value: Value) -> str | None:
    try:
        return text_of(value)
    except UnknownError:
        return None


def _seed(build: Build, folder: str) -> Spec:
    """Return a compose build as the start of a target."""

    def seen(path: str, start: str) -> str | None:
        return posixpath.relpath(path, start) if path else None

    fields: dict[str, str | None] = {"context": seen(build.context, folder)}
    fields["dockerfile"] = seen(build.dockerfile, build.context or ".")
    if build.target != "":
        fields["target"] = build.target
    return Spec(fields, dict(build.args), list(build.platforms) or None)


def _lay(under: Spec, over: Spec) -> None:
    """Lay one declaration on top of another, in place."""
    for name, value in over.fields.items():
        under.put(name, value)
    under.args.update(over.args)
    if over.platforms is not None:
        under.platforms = over.platforms
