"""The variables, user, shell and working directory in effect at each instruction of a file.

BuildKit's rules (``dockerfile2llb/convert.go``): an ARG counts from its own line on, in its
stage and in the stages built FROM it; one above the first FROM counts only where a stage
repeats it, as do ``TARGETARCH`` and its like; ENV wins over ARG; a stage inherits everything
but the global ARGs from the stage or the image that it is built FROM.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_cache.dockerfile import words
from migrate_cache.dockerfile.base_images import known_image
from migrate_cache.dockerfile.tree import Run
from migrate_cache.shell import SHELLS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrate_cache.dockerfile.tree import Dockerfile, Instruction, Stage

PLATFORM_ARGS = frozenset(
    f"{side}{part}"
    for side in ("TARGET", "BUILD")
    for part in ("PLATFORM", "OS", "ARCH", "VARIANT", "OSVERSION")
) | {"TARGETSTAGE"}

_NUMBER = re.compile(r"[0-9]{1,9}")
_WINDOWS_SHELLS = ("powershell", "pwsh", "cmd")

Given = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable in scope.

    `value` is None where the file does not tell it; for an ARG it is the default, which a
    build may override. `depends` names the build arguments that decide the value.
    """

    value: str | None
    depends: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expanded:
    """A word with its variables expanded as far as the file tells.

    `text` is None where an unknown value takes part. `pattern` is the text with unknown
    variables left as ``${NAME}``. `undeclared` names the variables that are not in scope, and
    so expand to nothing; `open` those in scope whose value a build decides.
    """

    text: str | None
    pattern: str
    undeclared: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables, user, shell and working directory in effect at one instruction.

    `user_known` is False where the user comes from an unknown base image. `shell` is None
    where no SHELL instruction sets one.
    """

    variables: Mapping[str, Variable] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    user_known: bool = True
    shell: tuple[str, ...] | None = None
    escape: str = "\\"

    def known(self) -> dict[str, str]:
        """Return the variables whose value the file tells, defaults of ARGs included."""
        return {
            name: variable.value
            for name, variable in self.variables.items()
            if variable.value is not None
        }

    def environment(self) -> dict[str, str]:
        """Return the known variables that no build argument can change."""
        known = self.known()
        return {name: known[name] for name in known if not self.variables[name].depends}

    def expand(self, text: str, overridden: frozenset[str] = frozenset()) -> Expanded:
        """Expand a word; `overridden` names ARGs that some build gives another value."""
        if "$" not in text and "\\" not in text and '"' not in text and "'" not in text:
            return Expanded(text, text)
        names = words.variables(text)
        declared = names & self.variables.keys()
        undeclared = frozenset(name for name in names - declared if not _has_default(text, name))
        values: dict[str, str] = {}
        for name in declared:
            variable = self.variables[name]
            if variable.value is not None and not variable.depends & overridden:
                values[name] = variable.value
        unknown = declared - values.keys()
        try:
            known = words.expand(text, values, self.escape)
            marked = {**values, **{name: f"${{{name}}}" for name in unknown}}
            pattern = words.expand(text, marked, self.escape)
        except words.WordError:
            return Expanded(None, text, undeclared, names)
        return Expanded(None if unknown else known, pattern, undeclared, unknown)

    @property
    def is_root(self) -> bool:
        """Tell whether commands run as root, as far as the file tells."""
        return self.user.partition(":")[0] in ("", "root", "0")

    @property
    def home(self) -> str | None:
        """The user's home directory: ``HOME`` where it is set, else the usual place."""
        variable = self.variables.get("HOME")
        if variable is not None:
            return variable.value
        if self.is_root:
            return "/root"
        name = self.user.partition(":")[0]
        return f"/home/{name}" if name and not name.isdigit() and "$" not in name else None

    @property
    def is_posix_shell(self) -> bool:
        """Tell whether a POSIX shell reads the shell form of a RUN."""
        if self.shell is None:
            return self.escape == "\\"
        return bool(self.shell) and posixpath.basename(self.shell[0]) in SHELLS

    @property
    def is_windows_shell(self) -> bool:
        """Tell whether a Windows shell reads the shell form of a RUN."""
        program = self.shell[0].lower() if self.shell else ""
        return self.escape == "`" or any(name in program for name in _WINDOWS_SHELLS)

    def depends(self, text: str) -> frozenset[str]:
        """Return the build arguments that decide what a word expands to."""
        found = (self.variables.get(name) for name in words.variables(text))
        return frozenset().union(*(variable.depends for variable in found if variable))

    def directory(self, target: str) -> str:
        """Return an expanded target as an absolute, clean path."""
        return posixpath.normpath(posixpath.join(self.workdir or "/", target))


def _has_default(text: str, name: str) -> bool:
    """Tell whether every use of a variable in a word has a substitute (``${X:-d}``)."""
    name = re.escape(name)
    return re.search(rf"\$(?:{name}(?!\w)|\{{{name}[^\w:+-])", text) is None


@dataclass(slots=True)
class _State:
    """A stage after some of its instructions; `rest` is its scope without the variables."""

    rest: Scope
    environment: dict[str, Variable] = field(default_factory=dict)
    arguments: dict[str, Variable] = field(default_factory=dict)

    def scope(self) -> Scope:
        return replace(self.rest, variables={**self.arguments, **self.environment})


@dataclass(frozen=True)
class Resolved:
    """The scopes of a file, and how its stages depend on each other.

    `scopes` has the scope at each instruction, by the instruction's start offset; `finals`
    that at the end of each stage. By the index of a stage, `parents` has the stage that it is
    built FROM, `images` the expanded image where it is built from none, and `copies` the
    stages that it takes files from.
    """

    tree: Dockerfile
    scopes: Mapping[int, Scope]
    finals: Sequence[Scope]
    parents: Mapping[int, int]
    images: Mapping[int, str]
    copies: Mapping[int, frozenset[int]]
    _under: dict[Given, Resolved] = field(default_factory=dict, compare=False, repr=False)

    def under(self, given: Given) -> Resolved:
        """Return the same file as a build with the arguments `given` sees it.

        The name ``""`` stands for arguments of unknown names, the value None for an unknown
        value.
        """
        relevant = tuple(
            (name, value) for name, value in given if name in self._declared or not name
        )
        if relevant not in self._under:
            self._under[relevant] = _Walker(self.tree, dict(relevant)).walk()
        return self._under[relevant]

    @cached_property
    def _declared(self) -> frozenset[str]:
        declared = (instruction.trigger or instruction for instruction in self.tree.instructions)
        arguments = (each for each in declared if each.keyword == "ARG")
        return frozenset(name for each in arguments for name, _ in argument_pairs(each))

    def chain(self, index: int) -> tuple[int, ...]:
        """Return a stage and those that it is built FROM, the nearest first."""
        chain = [index]
        while chain[-1] in self.parents:
            chain.append(self.parents[chain[-1]])
        return tuple(chain)

    def needed(self, index: int) -> frozenset[int]:
        """Return all stages that building one needs, itself included."""
        found: set[int] = set()
        stack = [index]
        while stack:
            stage = stack.pop()
            if stage not in found:
                found.add(stage)
                stack += self.copies.get(stage, ())
                stack += [self.parents[stage]] if stage in self.parents else []
        return frozenset(found)


def resolve(tree: Dockerfile) -> Resolved:
    """Return the scopes of a file for builds of which nothing is known."""
    return _Walker(tree, None).walk()


class _Walker:
    """One walk over a file; `given` are the arguments of a build, None where none is known."""

    def __init__(self, tree: Dockerfile, given: Mapping[str, str | None] | None) -> None:
        self.tree = tree
        self.given = given
        self.global_args: dict[str, Variable] = {}
        self.scopes: dict[int, Scope] = {}
        self.states: list[_State] = []
        self.names: dict[str, int] = {}
        self.parents: dict[int, int] = {}
        self.images: dict[int, str] = {}
        self.copies: dict[int, set[int]] = {}

    def walk(self) -> Resolved:
        for instruction in self.tree.global_args:
            for name, value in argument_pairs(instruction):
                self.global_args[name] = self._argument(name, value, self._global_scope())
        for stage in self.tree.stages:
            self._stage(stage)
        return Resolved(
            self.tree,
            self.scopes,
            tuple(state.scope() for state in self.states),
            self.parents,
            self.images,
            {index: frozenset(found) for index, found in self.copies.items()},
        )

    def _stage(self, stage: Stage) -> None:
        state = self._base(stage)
        self.states.append(state)
        self.scopes[stage.from_.start] = self._global_scope()
        if stage.index in self.parents:
            # A stage runs the triggers of the stage that it is built FROM.
            for instruction in self.tree.stages[self.parents[stage.index]].instructions:
                if instruction.trigger is not None:
                    self._apply(state, instruction.trigger, state.scope())
        for instruction in stage.instructions:
            scope = self.scopes[instruction.start] = state.scope()
            self._apply(state, instruction, scope)
            self._copies(stage, instruction)
        if stage.name:
            self.names[stage.name] = stage.index

    def _global_scope(self) -> Scope:
        return Scope(dict(self.global_args), escape=self.tree.escape)

    def _base(self, stage: Stage) -> _State:
        base = self._global_scope().expand(stage.base).pattern
        if base.lower() in self.names:
            parent = self.names[base.lower()]
            self.parents[stage.index] = parent
            state = self.states[parent]
            return _State(state.rest, dict(state.environment), dict(state.arguments))
        self.images[stage.index] = base
        image = known_image(base)
        rest = Scope(escape=self.tree.escape)
        if image is None:
            return _State(replace(rest, user_known=False))
        environment = {name: Variable(value) for name, value in image.environment.items()}
        return _State(replace(rest, user=image.user or "root"), environment)

    def _apply(self, state: _State, instruction: Instruction, scope: Scope) -> None:
        match instruction.keyword:
            case "ARG":
                for name, default in argument_pairs(instruction):
                    known = self._inherited(state, name) if default is None else None
                    state.arguments[name] = known or self._argument(name, default, scope)
            case "ENV":
                for name, value in environment_pairs(instruction):
                    variable = Variable(scope.expand(value).text, scope.depends(value))
                    state.environment[name] = variable
            case "WORKDIR":
                folder = scope.directory(scope.expand(instruction.arguments).pattern)
                state.rest = replace(state.rest, workdir=folder)
            case "USER":
                user = scope.expand(instruction.arguments).pattern
                state.rest = replace(state.rest, user=user, user_known=True)
            case "SHELL":
                state.rest = replace(state.rest, shell=instruction.exec_form)

    def _inherited(self, state: _State, name: str) -> Variable | None:
        """Return the variable that an ARG without a default repeats: the global one, if any."""
        known, there = self.global_args.get(name), state.arguments.get(name)
        return there if known is None or (known.value is None and there) else known

    def _copies(self, stage: Stage, instruction: Instruction) -> None:
        sources = []
        if instruction.keyword in ("COPY", "ADD"):
            sources.append(instruction.flag("from"))
        if isinstance(instruction, Run):
            sources.extend(mount.from_ for mount in instruction.mounts)
        for source in filter(None, sources):
            index = self.names.get(source.lower())
            if index is None and _NUMBER.fullmatch(source) and int(source) < stage.index:
                index = int(source)
            if index is not None:
                self.copies.setdefault(stage.index, set()).add(index)

    def _argument(self, name: str, default: str | None, scope: Scope) -> Variable:
        own = frozenset((name,))
        if self.given is not None and name in self.given:
            return Variable(self.given[name], own)
        depends = own if default is None else own | scope.depends(default)
        if self.given is not None and "" in self.given:
            return Variable(None, depends)
        if default is not None:
            return Variable(scope.expand(default).text, depends)
        unset = self.given is not None and name not in PLATFORM_ARGS
        return Variable("" if unset else None, own)


def argument_pairs(instruction: Instruction) -> list[tuple[str, str | None]]:
    """Return the names that an ARG declares with their defaults, None where it gives none."""
    parts = (word.partition("=") for word in instruction.words)
    return [(name, value if equals else None) for name, equals, value in parts]


def environment_pairs(instruction: Instruction) -> list[tuple[str, str]]:
    """Return the names and values that an ENV sets, with or without ``=``."""
    if instruction.words and "=" not in instruction.words[0]:
        name, *rest = words.BLANKS.split(instruction.arguments, maxsplit=1)
        return [(name, "".join(rest))]
    parts = (word.partition("=") for word in instruction.words)
    return [(name, value) for name, _, value in parts]
