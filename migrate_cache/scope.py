"""What is in force at an instruction: ARG, ENV, WORKDIR, USER and SHELL along the FROM chain.

BuildKit's rules (``dockerfile2llb/convert.go``): an ARG counts from its own line on, in its
stage and in the stages built FROM it; one above the first FROM only where a stage repeats it,
and so do ``TARGETARCH`` and its like; ENV wins over ARG; a stage inherits everything but the
global ARGs from the stage or the image that it is built FROM.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from migrate_cache import words
from migrate_cache.cst import Dockerfile, Instruction, Stage
from migrate_cache.images import image_environment, image_user

PLATFORM_ARGS = frozenset(
    f"{side}{part}"
    for side in ("TARGET", "BUILD")
    for part in ("PLATFORM", "OS", "ARCH", "VARIANT", "OSVERSION")
) | {"TARGETSTAGE"}

POSIX_SHELLS = frozenset(("sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"))


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable in scope.

    `value` is None where the files do not tell it; for an ARG it is the default, which a
    build may override. `depends` names the build arguments that decide the value.
    """

    value: str | None
    depends: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expanded:
    """A word with its variables replaced as far as the files tell.

    `text` is None where an unknown value takes part. `pattern` is the text with unknown
    variables left as ``${NAME}``. `undeclared` are variables that are not in scope, and so
    expand to nothing; `open` those in scope whose value a build decides.
    """

    text: str | None
    pattern: str
    undeclared: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """What holds where an instruction stands, before it runs."""

    variables: Mapping[str, Variable] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    # Whether the files tell who that is: an unknown base image may name any user.
    user_known: bool = True
    shell: tuple[str, ...] | None = None
    escape: str = "\\"

    def known(self) -> dict[str, str]:
        """Return the variables whose value the files tell, defaults of ARGs included."""
        return {
            name: variable.value
            for name, variable in self.variables.items()
            if variable.value is not None
        }

    def environment(self) -> dict[str, str]:
        """Return the known variables that no build argument can change."""
        return {
            name: variable.value
            for name, variable in self.variables.items()
            if variable.value is not None and not variable.depends
        }

    def expand(self, text: str, overridden: frozenset[str] = frozenset()) -> Expanded:
        """Expand a word; ARGs named in `overridden` get other values in some build."""
        if "$" not in text and "\\" not in text and '"' not in text and "'" not in text:
            return Expanded(text, text)
        names = words.variables(text)
        undeclared = frozenset(
            name
            for name in names
            if name not in self.variables and not _has_default(text, name)
        )
        values: dict[str, str] = {}
        open_names: set[str] = set()
        for name in names:
            variable = self.variables.get(name)
            if variable is None:
                continue
            if variable.value is None or variable.depends & overridden:
                open_names.add(name)
            else:
                values[name] = variable.value
        try:
            known = words.expand(text, values, self.escape).text
            marked = {**values, **{name: f"${{{name}}}" for name in open_names}}
            pattern = words.expand(text, marked, self.escape).text
        except words.WordError:
            return Expanded(None, text, undeclared, names)
        return Expanded(
            None if open_names else known, pattern, undeclared, frozenset(open_names)
        )

    @property
    def is_root(self) -> bool:
        """Whether commands run as root, as far as the file tells."""
        return self.user.partition(":")[0] in ("", "root", "0")

    @property
    def home(self) -> str | None:
        """The home directory of the user: ``HOME`` where it is set, else the usual place."""
        variable = self.variables.get("HOME")
        if variable is not None:
            return variable.value
        if self.is_root:
            return "/root"
        name = self.user.partition(":")[0]
        return f"/home/{name}" if name and not name.isdigit() and "$" not in name else None

    @property
    def is_posix_shell(self) -> bool:
        """Whether a RUN's shell form is read by a POSIX shell."""
        if self.shell is None:
            return self.escape == "\\"
        return bool(self.shell) and posixpath.basename(self.shell[0]) in POSIX_SHELLS

    def directory(self, target: str) -> str:
        """Return an expanded target as an absolute, clean path."""
        return posixpath.normpath(posixpath.join(self.workdir or "/", target))


def _has_default(text: str, name: str) -> bool:
    """Whether every use of a variable in a word says what stands in for it (``${X:-d}``)."""
    return f"${{{name}:" in text or f"${{{name}-" in text or f"${{{name}+" in text


@dataclass(slots=True)
class _State:
    """A stage's state while its instructions are walked."""

    environment: dict[str, Variable] = field(default_factory=dict)
    arguments: dict[str, Variable] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    user_known: bool = True
    shell: tuple[str, ...] | None = None

    def copy(self) -> _State:
        return replace(
            self, environment=dict(self.environment), arguments=dict(self.arguments)
        )

    def scope(self, escape: str) -> Scope:
        return Scope(
            {**self.arguments, **self.environment},
            self.workdir,
            self.user,
            self.user_known,
            self.shell,
            escape,
        )


@dataclass(frozen=True, slots=True)
class Resolved:
    """A file's scopes, and how its stages hang together.

    `scopes` gives for each instruction, by its start offset, what is in force before it.
    `parents` gives for each stage index that of the stage it is built FROM, `images` the
    expanded image of the others; `copies` the stages that a stage takes files from.
    """

    scopes: Mapping[int, Scope]
    parents: Mapping[int, int]
    images: Mapping[int, str]
    copies: Mapping[int, frozenset[int]]

    def chain(self, index: int) -> tuple[int, ...]:
        """Return the stage and those it is built FROM, the nearest first."""
        chain = [index]
        while chain[-1] in self.parents:
            chain.append(self.parents[chain[-1]])
        return tuple(chain)

    def needed(self, index: int) -> frozenset[int]:
        """Return all stages that building one takes, itself included."""
        found: set[int] = set()
        stack = [index]
        while stack:
            stage = stack.pop()
            if stage in found:
                continue
            found.add(stage)
            stack.extend(self.copies.get(stage, ()))
            if stage in self.parents:
                stack.append(self.parents[stage])
        return frozenset(found)


def resolve(tree: Dockerfile) -> Resolved:
    """Walk a file once and return what is in force at each of its instructions."""
    return _Walker(tree).walk()


class _Walker:
    def __init__(self, tree: Dockerfile) -> None:
        self.tree = tree
        self.global_args: dict[str, Variable] = {}
        self.scopes: dict[int, Scope] = {}
        self.states: list[_State] = []
        self.names: dict[str, int] = {}
        self.parents: dict[int, int] = {}
        self.images: dict[int, str] = {}
        self.copies: dict[int, set[int]] = {}

    def walk(self) -> Resolved:
        for instruction in self.tree.global_args:
            scope = Scope(dict(self.global_args), escape=self.tree.escape)
            for name, value in argument_pairs(instruction):
                self.global_args[name] = _argument(name, value, scope)
        for stage in self.tree.stages:
            self._stage(stage)
        return Resolved(
            self.scopes,
            self.parents,
            self.images,
            {index: frozenset(found) for index, found in self.copies.items()},
        )

    def _stage(self, stage: Stage) -> None:
        state = self._base(stage)
        self.states.append(state)
        self.scopes[stage.from_.start] = Scope(dict(self.global_args), escape=self.tree.escape)
        for instruction in stage.instructions:
            self.scopes[instruction.start] = state.scope(self.tree.escape)
            self._apply(state, instruction)
            self._copies(stage, instruction)
        if stage.name:
            self.names[stage.name] = stage.index

    def _base(self, stage: Stage) -> _State:
        scope = Scope(dict(self.global_args), escape=self.tree.escape)
        base = scope.expand(stage.base).pattern
        if base.lower() in self.names:
            parent = self.names[base.lower()]
            self.parents[stage.index] = parent
            return self.states[parent].copy()
        self.images[stage.index] = base
        user = image_user(base)
        state = _State(user=user or "", user_known=user is not None)
        for name, value in image_environment(base).items():
            state.environment[name] = Variable(value)
        return state

    def _apply(self, state: _State, instruction: Instruction) -> None:
        scope = self.scopes[instruction.start]
        match instruction.keyword:
            case "ARG":
                for name, default in argument_pairs(instruction):
                    inherited = self.global_args.get(name) if default is None else None
                    state.arguments[name] = inherited or _argument(name, default, scope)
            case "ENV":
                for name, value in environment_pairs(instruction):
                    state.environment[name] = Variable(
                        scope.expand(value).text, _depends(value, scope)
                    )
            case "WORKDIR":
                state.workdir = scope.directory(scope.expand(instruction.arguments).pattern)
            case "USER":
                state.user = scope.expand(instruction.arguments).pattern
                state.user_known = True
            case "SHELL":
                state.shell = instruction.exec_form

    def _copies(self, stage: Stage, instruction: Instruction) -> None:
        sources = []
        if instruction.keyword in ("COPY", "ADD"):
            sources.append(instruction.flag("from"))
        sources.extend(mount.from_ for mount in getattr(instruction, "mounts", ()))
        for source in filter(None, sources):
            index = self.names.get(source.lower())
            if index is None and source.isdigit() and int(source) < stage.index:
                index = int(source)
            if index is not None:
                self.copies.setdefault(stage.index, set()).add(index)


def _argument(name: str, default: str | None, scope: Scope) -> Variable:
    if default is None:
        return Variable(None, frozenset((name,)))
    return Variable(scope.expand(default).text, _depends(default, scope) | {name})


def _depends(text: str, scope: Scope) -> frozenset[str]:
    """Return the build arguments that decide what a word expands to."""
    found: set[str] = set()
    for name in words.variables(text):
        if name in scope.variables:
            found |= scope.variables[name].depends
    return frozenset(found)


def argument_pairs(instruction: Instruction) -> list[tuple[str, str | None]]:
    """Return an ARG's names with their defaults, None where it gives none."""
    pairs: list[tuple[str, str | None]] = []
    for word in instruction.words:
        name, equals, value = word.partition("=")
        pairs.append((name, value if equals else None))
    return pairs


def environment_pairs(instruction: Instruction) -> list[tuple[str, str]]:
    """Return an ENV's names and values, in the form with and without ``=``."""
    if not instruction.words:
        return []
    if "=" not in instruction.words[0]:
        parts = instruction.arguments.split(None, 1)
        return [(parts[0], parts[1] if len(parts) > 1 else "")]
    pairs = []
    for word in instruction.words:
        name, _, value = word.partition("=")
        pairs.append((name, value))
    return pairs
