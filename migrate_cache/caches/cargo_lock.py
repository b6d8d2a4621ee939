"""What a file says about ``CARGO_HOME``: whether its lock can be linked into a mount."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.dockerfile.tree import Instruction, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.caches.graph import Use
    from migrate_cache.dockerfile.scope import Scope

_SAFE_PATH = re.compile(r"/[A-Za-z0-9._/-]+")
# Programs, and what they do, that only root can.
_PRIVILEGED = {
    "apt-get": ("install", "update", "upgrade"),
    "apt": ("install", "update", "upgrade"),
    "apk": ("add", "update", "upgrade"),
    "dnf": ("install", "update", "upgrade"),
    "yum": ("install", "update", "upgrade"),
    "microdnf": ("install", "update", "upgrade"),
    "zypper": ("install", "in", "update"),
    "pacman": ("-S", "-Sy", "-Syu", "-Syyu"),
    "useradd": (),
    "adduser": (),
    "groupadd": (),
    "addgroup": (),
}
_COVERING = ("bind", "tmpfs", "cache")


def cargo_home(use: Use) -> str:
    """Return the ``CARGO_HOME`` whose registry or git directory a mount is (or lies in)."""
    parts = use.directory.split("/")
    for index in range(len(parts) - 1, 0, -1):
        if parts[index] in ("registry", "git"):
            return "/".join(parts[:index])
    return posixpath.dirname(use.directory)


def mounted_home(use: Use, home: str) -> Use | None:
    """Return the cache mount of the RUN in which ``CARGO_HOME`` itself lies, lock included."""
    around = [
        other for other in use.mounted_beside if _lies_in(home, other.directory) and other.is_common
    ]
    return max(around, key=lambda other: len(other.directory), default=None)


def is_linked(use: Use, home: str) -> bool:
    """Whether the lock is linked already before the RUN, in its stage or one it is built FROM."""
    return any(
        command.program == "ln" and _links_lock(command.arguments, home, use)
        for _, _, commands in _earlier_runs(use)
        for command in commands
    )


def _links_lock(arguments: tuple[str, ...], home: str, use: Use) -> bool:
    options = "".join(word for word in arguments if word.startswith("-"))
    words = [use.scope.expand(word).pattern for word in arguments if not word.startswith("-")]
    if "s" not in options or len(words) < 2:
        return False
    *sources, destination = words
    wanted = ("registry/.package-cache", f"{home}/registry/.package-cache")
    destination = destination.rstrip("/")
    return bool(set(wanted).intersection(sources)) and destination in (
        home,
        f"{home}/.package-cache",
    )


def cannot_link(use: Use, top: Use) -> str:
    """Return why a RUN cannot get the link, ``""`` where it can.

    `top` is the first RUN of its chain of stages that mounts the registry: the link would
    stand above it.
    """
    home = cargo_home(use)
    held = use.refusal("MC104") or top.refusal("MC104")
    if held:
        return held
    if use.base_is_open:
        return "a build decides which base image it is, and so whether CARGO_HOME is there"
    if not (use.match.certain and top.match.certain):
        return f"the base image does not tell whether {home} is CARGO_HOME"
    if not _SAFE_PATH.fullmatch(home):
        return f"CARGO_HOME {home} cannot be written into a command safely"
    if not top.scope.is_posix_shell:
        return "the stage's shell is not a POSIX shell"
    if not _has_shell(top):
        return "no RUN of the stage shows that the image has a shell"
    return _hidden(use, home) or _cannot_write(top, home) or _undone(top, home)


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _hidden(use: Use, home: str) -> str:
    """Return which other mount of the RUN would hide the link."""
    for mount in use.run.mounts:
        target = use.scope.directory(use.scope.expand(mount.target).pattern)
        if mount.type in _COVERING and _lies_in(home, target):
            return f"another mount of the RUN ({target}) hides CARGO_HOME, and the link in it"
    return ""


def _has_shell(use: Use) -> bool:
    """Whether a RUN in shell form shows that the stage has a shell."""
    return any(
        isinstance(instruction, Run) and instruction.exec_form is None
        for index in use.resolved.chain(use.stage.index)
        for instruction in use.tree.stages[index].instructions
    )


# -- may the user write there? -----------------------------------------------------------------


def _cannot_write(use: Use, home: str) -> str:
    """Return why the user at a RUN may not write ``CARGO_HOME``, ``""`` where it may."""
    scope = use.scope
    if scope.is_root:
        if scope.user_known or _acts_as_root(use):
            return ""
        image = use.resolved.images.get(use.resolved.chain(use.stage.index)[-1], "")
        return f"the base image {image} does not tell whether its user may write {home}"
    name = scope.user.partition(":")[0]
    if scope.home and home.startswith(scope.home + "/") and _filled_by_user(use):
        return ""
    return f"user {name} may not be allowed to write {home}"


def _earlier_runs(use: Use) -> Iterator[tuple[Run, str, tuple[shell.Command, ...]]]:
    """Yield the RUNs before a use in its chain of stages, their user, and their commands."""
    for index in use.resolved.chain(use.stage.index):
        for instruction in use.tree.stages[index].instructions:
            if index == use.stage.index and instruction.start > use.instruction.start:
                break
            if isinstance(instruction, Run):
                user = use.resolved.scopes[instruction.start].user
                yield instruction, user, shell.parse_commands(instruction.script)


def _acts_as_root(use: Use) -> bool:
    """Whether a command before (or of) the RUN works for root only, under the same user."""
    return any(
        user == use.scope.user
        and not re.search(r"\b(sudo|doas|gosu|su)\b", run.script)
        and any(map(_is_privileged, commands))
        for run, user, commands in _earlier_runs(use)
    )


def _is_privileged(command: shell.Command) -> bool:
    wanted = _PRIVILEGED.get(command.program)
    return wanted is not None and (not wanted or bool(set(wanted).intersection(command.arguments)))


def _filled_by_user(use: Use) -> bool:
    """Whether the same user ran rustup or Cargo's installer before, and so owns CARGO_HOME."""
    for run, user, commands in _earlier_runs(use):
        if run is use.run or user != use.scope.user:
            continue
        text = run.script
        if "rustup" in text and ("sh.rustup.rs" in text or "rustup-init" in text):
            return True
        if any(command.program == "rustup" for command in commands):
            return True
    return False


# -- does it stay? -----------------------------------------------------------------------------


def _undone(top: Use, home: str) -> str:
    """Return what takes away the link, or the folder that it leads to, after it is made."""
    for stage in top.tree.stages:
        if top.stage.index not in top.resolved.chain(stage.index):
            continue
        for instruction in stage.instructions:
            if stage.index == top.stage.index and instruction.start < top.instruction.start:
                continue
            scope = top.resolved.scopes[instruction.start]
            if _removes(instruction, scope, home):
                return f"line {instruction.start_line} removes files of CARGO_HOME"
            if _overwrites(instruction, scope, home):
                return f"line {instruction.start_line} copies a whole CARGO_HOME over it"
    return ""


def _removes(instruction: Instruction, scope: Scope, home: str) -> bool:
    if not isinstance(instruction, Run):
        return False
    for command in shell.parse_commands(instruction.script):
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
        path = path[:-2] or "/"
        return _lies_in(home, path)
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
    destination = _path(words[-1], scope)
    if destination == home:
        return True
    # A whole parent folder, such as `COPY --from=tools /usr/local /usr/local`.
    return _lies_in(home, destination) and any(
        _lies_in(home, _path(word, scope)) for word in words[:-1]
    )
