"""Which RUN depends on what another RUN put into a build output's directory.

A new id gives a RUN an empty directory whenever the RUN that fills the directory comes from
the layer cache. So a RUN that cannot be understood counts as one that reads.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.shell import Command
from migrate_cache.shell.build_tools import is_whole
from migrate_cache.shell.phrases import fits_any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_cache.caches.cache_mount import CacheMount

# Words of a script's or a target's name that say that it builds.
_BUILDS = re.compile(r"(?:^|[^a-z])(?:build|compile|release|all)(?:$|[^a-z])")


def readers(mounts: Sequence[CacheMount]) -> list[CacheMount]:
    """Return those of a file's mounts of one cache whose RUN may read what another one compiled."""
    fillers = [mount for mount in mounts if compiles(mount)]
    others = [mount for mount in mounts if not compiles(mount) and may_read(mount)]
    if not fillers:
        # A single script may well do all on its own; two may hand over to each other.
        is_one_script = len(others) == 1 and others[0].run.is_opaque
        return [] if is_one_script else others
    return others + [mount for mount in fillers if _takes_from_earlier(mount, fillers)]


def compiles(mount: CacheMount) -> bool:
    """Whether the RUN fills the directory from nothing, whatever lies in it."""
    return mount.fills and not mount.mount_is_readonly and not _continues(mount)


def may_read(mount: CacheMount) -> bool:
    """Whether a RUN that does not fill the directory may depend on what lies in it."""
    if mount.run.is_opaque or not mount.runs_tool or mount.mount_is_readonly or _continues(mount):
        return True
    return any(
        _names_folder(mount, word)
        for command in mount.run.commands
        if shell.canonical(command)[0] not in _tools(mount)
        for word in _words(command)
    )


def says_it_builds(mount: CacheMount) -> bool:
    """Whether a script or task runner of the RUN is called a build (``make``, ``build.sh``)."""
    for command in mount.run.commands:
        if shell.is_opaque(command, mount.run.file.tools):
            text = " ".join(_words(command)).lower()
            if _BUILDS.search(text) or (command.program == "make" and not command.arguments):
                return True
    return False


def only_cooks(mount: CacheMount) -> bool:
    """Whether ``cargo chef cook`` is all that Cargo does in the RUN."""
    lines = map(shell.canonical, shell.all_commands(mount.run.commands))
    cargos = [arguments[:2] for program, arguments in lines if program == "cargo"]
    return bool(cargos) and all(words == ("chef", "cook") for words in cargos)


def compile_lines(mount: CacheMount) -> frozenset[tuple[str, ...]]:
    """Return the RUN's commands of the directory's own tools, without those that only download."""
    lines = map(shell.canonical, mount.run.commands)
    return frozenset(
        (program, *arguments)
        for program, arguments in lines
        if program in _tools(mount) and arguments[:1] != ("fetch",)
    )


def _continues(mount: CacheMount) -> bool:
    return mount.entry is not None and mount.entry.is_continued_by(mount.run.commands)


def _tools(mount: CacheMount) -> tuple[str, ...]:
    return mount.entry.tools if mount.entry else ()


def _words(command: Command) -> tuple[str, ...]:
    return (command.path, *command.arguments)


def _names_folder(mount: CacheMount, word: str) -> bool:
    folder = posixpath.basename(mount.directory)
    return folder in mount.run.scope.expand(word).pattern.split("/")


# -- Cargo: a RUN that compiles one thing and copies another -----------------------------------

# The folder of a profile, where it has another name.
_PROFILE_FOLDERS = {"dev": "debug", "test": "debug", "bench": "release"}
_RELEASE_BY_DEFAULT = frozenset(("install", "bench", "deb"))


def _takes_from_earlier(mount: CacheMount, fillers: Sequence[CacheMount]) -> bool:
    """Whether a RUN that compiles also uses what only an earlier RUN compiled."""
    earlier = [
        other
        for other in fillers
        if other.run.instruction.start < mount.run.instruction.start and not only_cooks(other)
    ]
    if not earlier:
        return False
    own, theirs = _cargo_lines(mount), [line for other in earlier for line in _cargo_lines(other)]
    if mount.run.is_opaque and set(own) != set(theirs):
        return True
    return any(_is_foreign(profile, name, own, theirs) for profile, name in _results_named(mount))


def _is_foreign(profile: str, name: str, own: Sequence[Command], theirs: Sequence[Command]) -> bool:
    """Whether the lines of another RUN, but not the RUN's own, compile a result."""
    if "$" not in profile and profile not in map(_profile, own):
        return profile in map(_profile, theirs)
    if re.search(r"[$*?{\[]", name) or name.startswith("lib"):
        return False
    if any(not _binaries(line) or is_whole("cargo", line.arguments) for line in own):
        # It compiles more than it names: another RUN's result is one that is named there.
        mine = {part for line in own for part in _named(line)}
        named = {part for line in theirs for part in _named(line)}
        return bool(mine) and name in named - mine
    return name not in {binary for line in own for binary in _binaries(line)}


def _cargo_lines(mount: CacheMount) -> list[Command]:
    begins = mount.entry.begins if mount.entry else ()
    return [
        Command(program, arguments)
        for command in mount.run.commands
        for program, arguments in [shell.canonical(command)]
        if program == "cargo" and fits_any(begins, command)
    ]


def _binaries(line: Command) -> tuple[str, ...]:
    return shell.options(line, "--bin")


def _named(line: Command) -> tuple[str, ...]:
    return _binaries(line) + shell.options(line, "-p", "--package")


def _profile(line: Command) -> str:
    named = shell.options(line, "--profile")
    if named:
        return _PROFILE_FOLDERS.get(named[-1], named[-1])
    if "--release" in line.arguments or "-r" in line.arguments:
        return "release"
    return "release" if line.arguments[0] in _RELEASE_BY_DEFAULT else "debug"


def _results_named(mount: CacheMount) -> Iterator[tuple[str, str]]:
    """Yield profile and name of the compiled files that other commands than Cargo name."""
    folder = posixpath.basename(mount.directory)
    for command in mount.run.commands:
        if shell.canonical(command)[0] == "cargo":
            continue
        for word in _words(command):
            parts = mount.run.scope.expand(word).pattern.split("/")
            if folder not in parts:
                continue
            below = [part for part in parts[parts.index(folder) + 1 :] if part]
            if len(below) > 1 and below[0].count("-") > 1:
                del below[0]  # the target triple
            if len(below) == 2:
                yield below[0], below[1]
