"""Cache mounts: one ``--mount=type=cache`` of a RUN, as BuildKit and its tool see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from migrate_cache import shell
from migrate_cache.dockerfile.mount import Mount, clean_path

if TYPE_CHECKING:
    from migrate_cache.builds.runs import RunContext
    from migrate_cache.caches.entry import CacheEntry
    from migrate_cache.caches.match import Catalog, Match
    from migrate_cache.dockerfile.scope import Expanded, Scope
    from migrate_cache.dockerfile.tree import Stage

# fmt: off
_FILE_TOOLS = frozenset({
    ":", "[", "cat", "cd", "chmod", "chown", "cp", "cpio", "date", "df", "dirname", "du", "echo",
    "exit", "find", "grep", "gunzip", "gzip", "head", "install", "ln", "ls", "mkdir", "mv",
    "printf", "pwd", "rm", "rmdir", "rsync", "set", "shopt", "sort", "stat", "sync", "tail",
    "tar", "test", "touch", "tree", "true", "unzip", "wc", "xz", "zip", "zstd",
})
# fmt: on


class CacheKey(NamedTuple):
    """What makes a cache the same directory to a builder; variables as ``${NAME}``.

    `id` is the cleaned target where a mount names no id.
    """

    id: str
    uid: str
    gid: str
    mode: str
    from_: str


@dataclass(frozen=True, eq=False)
class CacheMount:
    """One cache mount of the project.

    `node` is its flag in the tree; `target` the expanded target and `directory` the absolute
    path, as far as the files tell; `match` what the catalogue says of the directory.
    """

    run: RunContext
    node: Mount
    line: int
    column: int
    target: Expanded
    directory: str
    key: CacheKey
    match: Match

    @property
    def path(self) -> str:
        """The path of the Dockerfile, relative to the root."""
        return self.run.path

    @property
    def place(self) -> str:
        """The file and line, as messages name it."""
        return f"{self.path}:{self.line}"

    @property
    def stage(self) -> Stage:
        """The stage of the RUN."""
        return self.run.stage

    @property
    def entry(self) -> CacheEntry | None:
        """The entry of the catalogue that fits the directory, if any does."""
        return self.match.entry

    @property
    def kind(self) -> str:
        """The kind of cache that the directory is in this RUN."""
        return self.match.kind

    @property
    def id(self) -> str:
        """The id as it is written, ``""`` where the target is the id."""
        return self.node.id

    @property
    def sharing(self) -> str:
        """The sharing mode that BuildKit uses: ``shared`` where none is written."""
        return self.node.sharing or "shared"

    @property
    def is_common(self) -> bool:
        """Whether all builds see one and the same directory here, whatever its sharing mode."""
        return self.node.type == "cache" and self.sharing in ("shared", "locked")

    @cached_property
    def runs_tool(self) -> bool:
        """Whether the RUN runs a tool that this directory belongs to."""
        entry = self.entry
        if entry is None:
            return False
        return not entry.tools or bool(shell.tools(self.run.commands).intersection(entry.tools))

    @cached_property
    def only_copies(self) -> bool:
        """Whether the RUN runs nothing but programs that copy, list and remove files."""
        programs = {command.program for command in self.run.commands}
        return bool(programs) and programs <= _FILE_TOOLS

    @cached_property
    def mount_is_readonly(self) -> bool:
        """Whether the RUN cannot write to the directory."""
        for option in reversed(self.node.options):
            if option.name in ("readonly", "readwrite"):
                is_on = (option.value or "true").lower() in ("true", "1")
                return is_on == (option.name == "readonly")
        return False

    @cached_property
    def fills(self) -> bool:
        """Whether the RUN is known to fill the directory."""
        return self.entry is not None and self.entry.is_filled_by(self.run.commands)


def is_cache(mount: Mount) -> bool:
    """Whether a mount is a cache, or may be one because its type comes from a variable."""
    return mount.type == "cache" or "$" in mount.type


def cache_mounts(run: RunContext, catalog: Catalog) -> tuple[CacheMount, ...]:
    """Return the cache mounts of a RUN in order."""
    nodes = [node for node in run.node.mounts if is_cache(node)]
    if not nodes:
        return ()
    overridden = run.file.overridden
    targets = [run.scope.expand(node.target, overridden) for node in nodes]
    directories = [
        run.scope.directory(target.pattern if target.text is None else target.text)
        for target in targets
    ]
    tools = shell.tools(run.commands)
    classify = partial(
        catalog.classify,
        environment=_environment(run),
        home=run.scope.home,
        workdir=run.scope.workdir,
        opaque=run.is_opaque,
    )
    # A Cargo registry beside it says whose a `target` folder is.
    if any(classify(folder, tools=tools).kind == "cargo-subdir" for folder in directories):
        tools |= {"cargo"}
    found = []
    for node, target, directory in zip(nodes, targets, directories, strict=True):
        place = run.tree.source.place(node.span.start)
        found.append(
            CacheMount(
                run=run,
                node=node,
                line=place.line,
                column=place.column,
                target=target,
                directory=directory,
                key=_key(node, run.scope, target, overridden),
                match=classify(directory, tools=tools),
            )
        )
    return tuple(found)


def _environment(run: RunContext) -> dict[str, str]:
    """Return the known variables that the RUN's commands see, those set for one included."""
    environment = run.scope.known()
    for command in run.commands:
        for name, value in command.environment:
            expanded = run.scope.expand(value, run.file.overridden)
            if expanded.text is not None and "$" not in expanded.text:
                environment[name] = expanded.text
    return environment


def _key(node: Mount, scope: Scope, target: Expanded, overridden: frozenset[str]) -> CacheKey:
    cache_id = scope.expand(node.id, overridden).pattern if node.id else ""
    owner = [scope.expand(node.get(name)).pattern for name in ("uid", "gid", "mode")]
    if any(owner):
        # BuildKit fills in what is not given; without any of them the cache is another one.
        uid, gid, mode = owner
        owner = [uid or "0", gid or "0", (mode or "0755").removeprefix("0o").lstrip("0")]
    uid, gid, mode = owner
    return CacheKey(cache_id or clean_path(target.pattern), uid, gid, mode, node.from_.lower())
