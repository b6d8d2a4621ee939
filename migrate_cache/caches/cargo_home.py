"""``CARGO_HOME`` at a RUN: whether the file shows that its lock can be linked into a mount."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.dockerfile.tree import Instruction, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate_cache.builds.runs import RunContext
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.dockerfile.scope import Scope

_SAFE_PATH = re.compile(r"/[A-Za-z0-9._/-]+")
# Programs, and what they do, that only root can.
_PRIVILEGED = {
    **dict.fromkeys(("apt-get", "apt", "dnf", "yum", "microdnf"), ("install", "update", "upgrade")),
    "apk": ("add", "update", "upgrade"),
    "zypper": ("install", "in", "update"),
    "pacman": ("-S", "-Sy", "-Syu", "-Syyu"),
    **dict.fromkeys(("useradd", "adduser", "groupadd", "addgroup"), ()),
}
_COVERING = ("bind", "tmpfs", "cache")


def cargo_home(mount: CacheMount) -> str:
    """Return the ``CARGO_HOME`` whose registry or git directory a mount is (or lies in)."""
    parts = mount.directory.split("/")
    for index in range(len(parts) - 1, 0, -1):
        if parts[index] in ("registry", "git"):
            return "/".join(parts[:index])
    return posixpath.dirname(mount.directory)


def mounted_home(mounts: Iterable[CacheMount], home: str) -> CacheMount | None:
    """Return the one of a RUN's cache mounts in which ``CARGO_HOME`` lies, lock included."""
    around = [mount for mount in mounts if _lies_in(home, mount.directory) and mount.is_common]
    return max(around, key=lambda mount: len(mount.directory), default=None)


def is_linked(mount: CacheMount, home: str) -> bool:
    """Whether the lock is linked already before the RUN, in its stage or one it is built FROM."""
    return any(
        command.program == "ln" and _links_lock(command.arguments, home, mount)
        for run in _earlier_runs(mount)
        for command in run.commands
    )


def _links_lock(arguments: tuple[str, ...], home: str, mount: CacheMount) -> bool:
    options = "".join(word for word in arguments if word.startswith("-"))
    words = [mount.run.scope.expand(word).pattern for word in arguments if not word.startswith("-")]
    if "s" not in options or len(words) < 2:
        return False
    *sources, destination = words
    wanted = ("registry/.package-cache", f"{home}/registry/.package-cache")
    places = (home, f"{home}/.package-cache")
    return bool(set(wanted).intersection(sources)) and destination.rstrip("/") in places


def cannot_link(mount: CacheMount, top: CacheMount) -> str:
    """Return why a RUN cannot get the link, ``""`` where it can.

    `top` is the first RUN of its chain of stages that mounts the registry: the link would
    stand above it.
    """
    home = cargo_home(mount)
    if mount.run.base_is_open:
        return "a build decides which base image it is, and so whether CARGO_HOME is there"
    if not (mount.match.certain and top.match.certain):
        return f"the base image does not tell whether {home} is CARGO_HOME"
    if not _SAFE_PATH.fullmatch(home):
        return f"CARGO_HOME {home} cannot be written into a command safely"
    if not top.run.scope.is_posix_shell:
        return "the stage's shell is not a POSIX shell"
    if not _has_shell(top):
        return "no RUN of the stage shows that the image has a shell"
    return _hidden(mount, home) or _cannot_write(top, home) or _undone(top, home)


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _hidden(mount: CacheMount, home: str) -> str:
    for node in mount.run.node.mounts:
        target = mount.run.scope.directory(mount.run.scope.expand(node.target).pattern)
        if node.type in _COVERING and _lies_in(home, target):
            return f"another mount of the RUN ({target}) hides CARGO_HOME, and the link in it"
    return ""


def _has_shell(mount: CacheMount) -> bool:
    return any(
        isinstance(instruction, Run) and instruction.exec_form is None
        for index in mount.run.resolved.chain(mount.stage.index)
        for instruction in mount.run.tree.stages[index].instructions
    )


def _cannot_write(mount: CacheMount, home: str) -> str:
    """Return why the user at a RUN may not write ``CARGO_HOME``, ``""`` where it may."""
    scope = mount.run.scope
    if scope.is_root:
        if scope.user_known or _acts_as_root(mount):
            return ""
        image = mount.run.resolved.images.get(mount.run.resolved.chain(mount.stage.index)[-1], "")
        return f"the base image {image} does not tell whether its user may write {home}"
    name = scope.user.partition(":")[0]
    if scope.home and home.startswith(scope.home + "/") and _filled_by_user(mount):
        return ""
    return f"user {name} may not be allowed to write {home}"


def _earlier_runs(mount: CacheMount) -> Iterator[RunContext]:
    for index in mount.run.chain:
        for run in mount.run.file.runs:
            if run.stage.index != index or run.instruction.trigger is not None:
                continue
            if index == mount.stage.index and run.node.start > mount.run.instruction.start:
                break
            yield run


def _acts_as_root(mount: CacheMount) -> bool:
    """Whether a command before (or of) the RUN works for root only, under the same user."""
    return any(
        run.scope.user == mount.run.scope.user
        and not re.search(r"\b(sudo|doas|gosu|su)\b", run.node.script)
        and any(map(_is_privileged, run.commands))
        for run in _earlier_runs(mount)
    )


def _is_privileged(command: shell.Command) -> bool:
    wanted = _PRIVILEGED.get(command.program)
    return wanted is not None and (not wanted or bool(set(wanted).intersection(command.arguments)))


def _filled_by_user(mount: CacheMount) -> bool:
    """Whether the same user ran rustup or Cargo's installer before, and so owns CARGO_HOME."""
    return any(
        re.search(r"sh\.rustup\.rs|rustup-init", run.node.script)
        or any(command.program == "rustup" for command in run.commands)
        for run in _earlier_runs(mount)
        if run is not mount.run and run.scope.user == mount.run.scope.user
    )


def _undone(top: CacheMount, home: str) -> str:
    """Return what takes away the link, or the folder that it leads to, after it is made."""
    for stage in top.run.tree.stages:
        if top.stage.index not in top.run.resolved.chain(stage.index):
            continue
        for instruction in stage.instructions:
            if stage.index == top.stage.index and instruction.start < top.run.instruction.start:
                continue
            scope = top.run.resolved.scopes[instruction.start]
            if _removes(instruction, scope, home):
                return f"line {instruction.start_line} removes files of CARGO_HOME"
            if _overwrites(instruction, scope, home):
                return f"line {instruction.start_line} copies a whole CARGO_HOME over it"
    return ""


def _removes(instruction: Instruction, scope: Scope, home: str) -> bool:
    if not isinstance(instruction, Run):
        return False
    for command in shell.read_script(instruction.script).commands:
        if command.program == "rm":
            words = (word for word in command.arguments if not word.startswith("-"))
            if any(_covers_link(_path(word, scope), home) for word in words):
                return True
        program, arguments = shell.canonical(command)
        if program == "cargo" and arguments[:1] == ("cache",):
            return True
    return False


def _path(word: str, scope: Scope) -> str:
    expanded = scope.expand(word).pattern
    if expanded.startswith("~/") or expanded == "~":
        expanded = (scope.home or "/") + expanded[1:]
    return scope.directory(expanded)


def _covers_link(path: str, home: str) -> bool:
    """Whether removing `path` takes away the links, or the registry folder of the image."""
    if path.endswith("/*"):
        return _lies_in(home, path[:-2] or "/")
    if _lies_in(home, path):
        return True
    below = path.removeprefix(home + "/")
    if below == path:
        return False
    return below == "registry" or below.startswith(".package-cache") or below[:1] in "{*?["


def _overwrites(instruction: Instruction, scope: Scope, home: str) -> bool:
    if instruction.keyword not in ("COPY", "ADD") or not instruction.flag("from"):
        return False
    words = instruction.exec_form or tuple(instruction.arguments.split())
    if len(words) < 2:
        return False
    *sources, destination = (_path(word, scope) for word in words)
    # Or a whole parent folder, such as `COPY --from=tools /usr/local /usr/local`.
    is_above = _lies_in(home, destination) and any(_lies_in(home, path) for path in sources)
    return destination == home or is_above
