"""The caches of the whole project, and their users.

BuildKit knows a cache by its id (else its cleaned target) together with ``uid``, ``gid``,
``mode`` and ``from``; neither file, stage nor project take part. So every mount of every
Dockerfile is a user of one cache, and what changes, changes for all users of a cache.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from migrate_cache import shell
from migrate_cache.dockerfile.base_images import image_name
from migrate_cache.dockerfile.tree import Dockerfile, Instruction, Mount, Run, Stage, clean_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrate_cache.builds.model import Build
    from migrate_cache.caches.entry import Catalog, Match
    from migrate_cache.dockerfile.scope import Expanded, Resolved, Scope
    from migrate_cache.shell import Command

# fmt: off
_FILE_TOOLS = frozenset({
    ":", "[", "cat", "cd", "chmod", "chown", "cp", "cpio", "date", "df", "dirname", "du", "echo",
    "exit", "find", "grep", "gunzip", "gzip", "head", "install", "ln", "ls", "mkdir", "mv",
    "printf", "pwd", "rm", "rmdir", "rsync", "set", "shopt", "sort", "stat", "sync", "tail",
    "tar", "test", "touch", "tree", "true", "unzip", "wc", "xz", "zip", "zstd",
})
# fmt: on
STRICTNESS = ("shared", "cargo-subdir", "output", "unknown", "exclusive")


class CacheKey(NamedTuple):
    """What makes a cache the same directory to a builder; variables as ``${NAME}``."""

    id: str
    uid: str
    gid: str
    mode: str
    from_: str


@dataclass(eq=False)
class Use:
    """One cache mount of the project: a user of a cache."""

    path: str
    tree: Dockerfile
    resolved: Resolved
    stage: Stage
    instruction: Instruction
    run: Run
    mount: Mount
    scope: Scope
    commands: tuple[Command, ...]
    line: int
    column: int
    target: Expanded
    directory: str
    key: CacheKey
    match: Match
    # Whether a build decides what image the stage is built on.
    base_is_open: bool
    # Why this mount can not be changed at all; "" where it can.
    held: str = ""
    # All cache mounts of the RUN, this one included.
    mounted_beside: list[Use] = field(default_factory=list, repr=False)
    # Rules (codes or prefixes of codes) that may not touch it, and why.
    refusals: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of cache that the directory is in this RUN."""
        return self.match.kind

    @property
    def mode(self) -> str:
        """The sharing mode that BuildKit uses."""
        return self.mount.sharing or "shared"

    @property
    def is_common(self) -> bool:
        """Whether all builds see one and the same directory here, whatever its sharing mode."""
        return self.mount.type == "cache" and self.mode in ("shared", "locked")

    @property
    def place(self) -> str:
        """The file and line, as messages name it."""
        return f"{self.path}:{self.line}"

    @cached_property
    def opaque(self) -> bool:
        """Whether the RUN runs something that cannot be looked into."""
        return any(shell.is_opaque(command) for command in self.commands)

    @cached_property
    def runs_tool(self) -> bool:
        """Whether the RUN runs a tool that this directory belongs to."""
        cache = self.match.cache
        if cache is None:
            return False
        return not cache.tools or bool(shell.tools(self.commands).intersection(cache.tools))

    @cached_property
    def only_copies(self) -> bool:
        """Whether the RUN runs nothing but programs that copy, list and remove files."""
        programs = {command.program for command in self.commands}
        return bool(programs) and programs <= _FILE_TOOLS

    @cached_property
    def mount_is_readonly(self) -> bool:
        """Whether the RUN cannot write to the directory."""
        for option in reversed(self.mount.options):
            if option.name in ("readonly", "readwrite"):
                is_on = (option.value or "true").lower() in ("true", "1")
                return is_on == (option.name == "readonly")
        return False

    @cached_property
    def fills(self) -> bool:
        """Whether the RUN is known to fill the directory."""
        cache = self.match.cache
        return cache is not None and cache.is_filled_by(self.commands)

    def refusal(self, *rules: str) -> str:
        """Return why `rules` may not change this mount, ``""`` where they may."""
        if self.held:
            return self.held
        for prefix, reason in self.refusals.items():
            if any(rule.startswith(prefix) for rule in rules):
                return reason
        return ""


@dataclass(frozen=True, slots=True)
class File:
    """A Dockerfile of the project that was read."""

    path: str
    tree: Dockerfile
    resolved: Resolved
    held: str = ""


def uses_of(file: File, catalog: Catalog, builds: Iterable[Build]) -> Iterator[Use]:
    """Yield the cache mounts of one file in order; `builds` are those that the project declares."""
    overridden = _overridden(file, builds)
    for stage in file.tree.stages:
        for instruction in stage.instructions:
            run = instruction.trigger or instruction
            if not isinstance(run, Run) or not any(map(is_cache, run.mounts)):
                continue
            yield from _uses_of_run(file, stage, instruction, run, catalog, overridden)


def _overridden(file: File, builds: Iterable[Build]) -> frozenset[str]:
    """Return the build arguments of a file that some build gives another value than its default."""
    given = {name for build in builds if build.dockerfile == file.path for name, _ in build.args}
    if "" in given:
        # A build sets arguments whose names are not known: it may be any of them.
        for scope in file.resolved.scopes.values():
            for variable in scope.variables.values():
                given |= variable.depends
    return frozenset(given)


def is_cache(mount: Mount) -> bool:
    """Whether a mount is a cache, or may be one: its type comes from a variable."""
    return mount.type == "cache" or "$" in mount.type


def _uses_of_run(
    file: File,
    stage: Stage,
    instruction: Instruction,
    run: Run,
    catalog: Catalog,
    overridden: frozenset[str],
) -> Iterator[Use]:
    scope = file.resolved.scopes[instruction.start]
    commands = (
        shell.exec_command(run.exec_form)
        if run.exec_form is not None
        else shell.parse_commands(run.script)
    )
    tools = shell.tools(commands)
    opaque = any(shell.is_opaque(command) for command in commands)
    environment = scope.known()
    for command in commands:
        for name, value in command.environment:
            expanded = scope.expand(value, overridden)
            if expanded.text is not None and "$" not in expanded.text:
                environment[name] = expanded.text
    mounts = [(mount, scope.expand(mount.target, overridden)) for mount in run.mounts]

    def classify(target: Expanded, names: frozenset[str]) -> Match:
        directory = scope.directory(target.text if target.text is not None else target.pattern)
        return catalog.classify(
            directory,
            environment=environment,
            home=scope.home,
            tools=names,
            workdir=scope.workdir,
            opaque=opaque,
        )

    # A Cargo registry beside it says whose a `target` folder is.
    if any(classify(target, tools).kind == "cargo-subdir" for m, target in mounts if is_cache(m)):
        tools |= {"cargo"}
    beside: list[Use] = []
    for mount, target in mounts:
        if not is_cache(mount):
            continue
        place = file.tree.source.place(mount.span.start)
        directory = scope.directory(target.text if target.text is not None else target.pattern)
        beside.append(Use(
            file.path, file.tree, file.resolved, stage, instruction, run, mount, scope,
            commands, place.line, place.column, target, directory,
            _key(mount, scope, target, overridden), classify(target, tools),
            _base_is_open(file, stage, overridden), file.held, beside,
        ))  # fmt: skip
    yield from beside


def _base_is_open(file: File, stage: Stage, overridden: frozenset[str]) -> bool:
    """Whether builds give the stage other base images; another tag is the same image."""
    root = file.tree.stages[file.resolved.chain(stage.index)[-1]]
    image = file.resolved.scopes[root.from_.start].expand(root.base, overridden)
    return "$" in image_name(image.pattern) and bool(image.open & overridden)


def _key(mount: Mount, scope: Scope, target: Expanded, overridden: frozenset[str]) -> CacheKey:
    cache_id = scope.expand(mount.id, overridden).pattern if mount.id else ""
    owner = [scope.expand(mount.get(name)).pattern for name in ("uid", "gid", "mode")]
    if any(owner):
        # BuildKit fills in what is not given; without any of them the cache is another one.
        uid, gid, mode = owner
        owner = [uid or "0", gid or "0", (mode or "0755").removeprefix("0o").lstrip("0")]
    uid, gid, mode = owner
    return CacheKey(cache_id or clean_path(target.pattern), uid, gid, mode, mount.from_.lower())


@dataclass
class Group:
    """One cache: all mounts that use the same directory on a builder."""

    key: CacheKey
    uses: list[Use]

    @cached_property
    def modes(self) -> frozenset[str]:
        """The sharing modes in use."""
        return frozenset(use.mode for use in self.uses)

    @cached_property
    def deciding(self) -> Use:
        """The strictest user: it decides for all. RUNs that only copy follow."""
        voters = [use for use in self.uses if not use.only_copies] or self.uses
        return max(voters, key=lambda use: STRICTNESS.index(use.kind))

    @cached_property
    def kind(self) -> str:
        """The kind of the cache; ``unknown`` where its users do not agree what it is."""
        kinds = {use.kind for use in self.uses if use.kind != "unknown"}
        if len(kinds) > 1 and kinds & {"output", "cargo-subdir"}:
            return "unknown"
        return self.deciding.kind

    @property
    def files(self) -> tuple[str, ...]:
        """The files that use the cache."""
        return tuple(dict.fromkeys(use.path for use in self.uses))


@dataclass
class Graph:
    """All files, uses and caches of a project, in the order of paths and lines."""

    files: tuple[File, ...]
    uses: tuple[Use, ...]
    groups: tuple[Group, ...]
    # Texts of files that could not be read but may use caches, by path.
    unread: Mapping[str, str]

    @cached_property
    def group_of(self) -> dict[int, Group]:
        """The group of each use, by the use's identity."""
        return {id(use): group for group in self.groups for use in group.uses}

    def uses_of_run(self, run: Run) -> list[Use]:
        """Return the cache mounts of one RUN."""
        return self._by_run.get(id(run), [])

    def uses_in(self, path: str, stage: int) -> list[Use]:
        """Return the cache mounts of one stage in order."""
        return self._by_stage.get((path, stage), [])

    @cached_property
    def uses_in_file(self) -> dict[str, list[Use]]:
        """The cache mounts of each file, by its path."""
        found: dict[str, list[Use]] = {}
        for use in self.uses:
            found.setdefault(use.path, []).append(use)
        return found

    @cached_property
    def _by_stage(self) -> dict[tuple[str, int], list[Use]]:
        found: dict[tuple[str, int], list[Use]] = {}
        for use in self.uses:
            found.setdefault((use.path, use.stage.index), []).append(use)
        return found

    @cached_property
    def _by_run(self) -> dict[int, list[Use]]:
        found: dict[int, list[Use]] = {}
        for use in self.uses:
            found.setdefault(id(use.run), []).append(use)
        return found

    def holder(self, group: Group, *rules: str) -> str:
        """Return which user of a cache cannot change, and why; ``""`` where all can."""
        for use in group.uses:
            reason = use.refusal(*rules)
            if reason and use.mode != "shared":
                return f"{use.place} stays {use.mode} ({reason})"
        return self.unread_user(group)

    def unread_user(self, group: Group) -> str:
        """Return which file that could not be read may use a cache, ``""`` where none does."""
        for path, text in self.unread.items():
            if any(use.key.id in text or use.mount.target in text for use in group.uses):
                return f"{path} cannot be read and may use the same cache"
        return ""


def build_graph(files: Sequence[File], uses: Iterable[Use], unread: Mapping[str, str]) -> Graph:
    """Put the users of the same cache together."""
    ordered = tuple(uses)
    by_key: dict[CacheKey, list[Use]] = {}
    for use in ordered:
        by_key.setdefault(use.key, []).append(use)
    groups = [Group(key, members) for key, members in by_key.items()]
    return Graph(tuple(files), ordered, tuple(_joined(groups)), unread)


_VARIABLE = re.compile(r"\$\{\w+\}")


def _joined(groups: list[Group]) -> Iterator[Group]:
    """Join caches whose ids meet for some value of their variables (``go-${ARCH}``, ``go-x``).

    Such caches must change their mode together. The ids of build outputs are told apart by
    what their variables are known to become, see `codemods.ids`.
    """
    taken: set[int] = set()
    joinable = [group for group in groups if all(use.kind != "output" for use in group.uses)]
    for pattern in joinable:
        matcher = _matcher(pattern.key.id)
        if id(pattern) in taken or matcher is None:
            continue
        for other in joinable:
            if other is pattern or id(other) in taken or other.key[1:] != pattern.key[1:]:
                continue
            is_pattern = "${" in other.key.id
            same_text = _VARIABLE.sub("$", other.key.id) == _VARIABLE.sub("$", pattern.key.id)
            if same_text if is_pattern else matcher.fullmatch(other.key.id):
                pattern.uses.extend(other.uses)
                taken.add(id(other))
    for group in groups:
        if id(group) not in taken:
            yield group


def _matcher(cache_id: str) -> re.Pattern[str] | None:
    """Return what an id with variables may become, None for one without."""
    parts = _VARIABLE.split(cache_id)
    # A text before or after the variable is needed: `${X}` alone would meet everything.
    if len(parts) < 2 or len("".join(parts).strip("-_./")) < 2:
        return None
    return re.compile(".+".join(map(re.escape, parts)))
