"""Which RUN depends on what another RUN put into a build output's directory.

A new id gives such a RUN an empty directory whenever the RUN that fills it comes from the
layer cache. So what cannot be told counts as reading.
"""

from __future__ import annotations

import posixpath
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.shell import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrate_cache.caches.cache_mount import CacheMount as Use

_Line = tuple[str, tuple[str, ...]]

_BUILDS = re.compile(r"(?:^|[^a-z])(?:build|compile|release|all)(?:$|[^a-z])")
# fmt: off
_CARGO_COMPILES = frozenset({
    "build", "b", "check", "c", "clippy", "test", "t", "nextest", "bench", "run", "r", "rustc",
    "install", "zigbuild", "chef",
})
# fmt: on
_RELEASE_BY_DEFAULT = frozenset(("install", "bench"))
_PROFILES = {"dev": "debug", "test": "debug", "bench": "release"}
_EVERYTHING = frozenset(("--workspace", "--all", "--bins", "--all-targets"))


def readers(uses: Sequence[Use]) -> list[Use]:
    """Return the mounts whose RUN may read what another RUN of the file compiled."""
    fillers = [use for use in uses if compiles(use)]
    others = [use for use in uses if not compiles(use) and may_read(use)]
    if not fillers:
        # A single script may well do all on its own; two may hand over to each other.
        is_one_script = len(others) == 1 and others[0].opaque
        return [] if is_one_script else others
    return others + [use for use in fillers if _takes_from_earlier(use, fillers)]


def compiles(use: Use) -> bool:
    """Whether a RUN fills the directory from nothing, whatever lies in it."""
    return use.fills and not use.mount_is_readonly and not _continues(use)


def may_read(use: Use) -> bool:
    """Whether a RUN that does not fill the directory can depend on what lies in it."""
    if use.opaque or not use.runs_tool or use.mount_is_readonly or _continues(use):
        return True
    own = set(use.match.cache.tools) if use.match.cache else set()
    return any(
        _names_folder(use, word)
        for command in use.commands
        if shell.canonical(command)[0] not in own
        for word in _words(command)
    )


def says_it_builds(use: Use) -> bool:
    """Whether what cannot be looked into is at least called a build (``make``, ``build.sh``)."""
    for command in use.commands:
        if shell.is_opaque(command):
            text = " ".join(_words(command)).lower()
            if _BUILDS.search(text) or (command.program == "make" and not command.arguments):
                return True
    return False


def only_cooks(use: Use) -> bool:
    """Whether Cargo does nothing in a RUN but ``cargo chef cook``."""
    lines = [arguments[:2] for program, arguments in _lines(use) if program == "cargo"]
    return bool(lines) and all(words == ("chef", "cook") for words in lines)


def compile_lines(use: Use) -> frozenset[tuple[str, ...]]:
    """Return the lines of a RUN that run the directory's own tool, but for downloads."""
    tools = use.match.cache.tools if use.match.cache else ()
    return frozenset(
        (program, *arguments)
        for command in use.commands
        for program, arguments in [shell.canonical(command)]
        if program in tools and arguments[:1] != ("fetch",)
    )


def _lines(use: Use) -> list[_Line]:
    return [shell.canonical(command) for command in shell.all_commands(use.commands)]


def _words(command: Command) -> tuple[str, ...]:
    return (command.path or command.program, *command.arguments)


def _names_folder(use: Use, word: str) -> bool:
    folder = posixpath.basename(use.directory.rstrip("/"))
    return folder in use.scope.expand(word).pattern.split("/")


# -- tools that work in steps ------------------------------------------------------------------


def _continues(use: Use) -> bool:
    """Whether a RUN goes on with what an earlier step of the tool left in the directory."""
    cache = use.match.cache
    check = _STEPS.get(cache.slug) if cache else None
    return check is not None and check(_lines(use))


def _cmake(lines: Sequence[_Line]) -> bool:
    later = ("--build", "--install", "-E", "-P", "--version")
    configures = any(
        program == "cmake" and arguments and arguments[0] not in later
        for program, arguments in lines
    )
    return not configures and any(
        program in ("make", "ninja", "ctest") or arguments[:1] in (("--build",), ("--install",))
        for program, arguments in lines
    )


def _meson(lines: Sequence[_Line]) -> bool:
    later = ("compile", "install", "test", "dist", "configure", "introspect")
    return not any(
        program == "meson" and arguments and arguments[0] not in later
        for program, arguments in lines
    )


def _dotnet(lines: Sequence[_Line]) -> bool:
    steps = [arguments for program, arguments in lines if program == "dotnet"]
    skips = [bool({"--no-restore", "--no-build"}.intersection(words)) for words in steps]
    return any(skips) and all(
        skip
        for skip, words in zip(skips, steps, strict=True)
        if words[:1] in (("restore",), ("build",), ("publish",), ("test",), ("pack",))
    )


def _mix_dependencies(lines: Sequence[_Line]) -> bool:
    fetches = ("deps.get", "setup", "deps.get,")
    return not any(
        program == "mix" and set(fetches).intersection(arguments) for program, arguments in lines
    )


def _mix(lines: Sequence[_Line]) -> bool:
    return any({"--no-compile", "--no-deps-check"}.intersection(words) for _, words in lines)


def _next(lines: Sequence[_Line]) -> bool:
    steps = [arguments[:1] for program, arguments in lines if program == "next"]
    return bool(steps) and ("build",) not in steps


def _swift(lines: Sequence[_Line]) -> bool:
    return any("--skip-build" in words for _, words in lines)


def _maven(lines: Sequence[_Line]) -> bool:
    """Only goals of plugins, none of the phases that compile."""
    goals = [
        word
        for program, arguments in lines
        if program == "mvn"
        for word in arguments
        if not word.startswith("-") and re.fullmatch(r"[a-z][\w.-]*(?::[\w.:@-]+)?", word)
    ]
    return bool(goals) and all(":" in goal for goal in goals)


def _gradle(lines: Sequence[_Line]) -> bool:
    return any(
        word in ("-x", "--exclude-task") and "ompile" in following
        for program, arguments in lines
        if program == "gradle"
        for word, following in pairwise(arguments)
    )


def _cargo(lines: Sequence[_Line]) -> bool:
    packs = compiled = False
    for program, arguments in lines:
        if program != "cargo" or not arguments:
            continue
        if (
            arguments[0] == "generate-rpm"
            or (arguments[0] == "deb" and "--no-build" in arguments)
            or arguments[:2] == ("llvm-cov", "report")
        ):
            packs = True
        elif arguments[0] in _CARGO_COMPILES:
            compiled = True
    return packs and not compiled


_STEPS: dict[str, Callable[[Sequence[_Line]], bool]] = {
    "target": _cargo,
    "cmake": _cmake,
    "meson": _meson,
    "dotnet": _dotnet,
    "mix-deps": _mix_dependencies,
    "mix-build": _mix,
    "next": _next,
    "swift-build": _swift,
    "maven-target": _maven,
    "gradle-build": _gradle,
}


# -- Cargo: a RUN that compiles one thing and copies another -----------------------------------


def _takes_from_earlier(use: Use, fillers: Sequence[Use]) -> bool:
    """Whether a RUN that compiles also uses what only an earlier RUN compiled."""
    earlier = [
        other
        for other in fillers
        if other.instruction.start < use.instruction.start and not only_cooks(other)
    ]
    if not earlier or "cargo" not in (use.match.cache.tools if use.match.cache else ()):
        return False
    own, theirs = _cargo_lines(use), [line for other in earlier for line in _cargo_lines(other)]
    if use.opaque and set(own) != set(theirs):
        return True
    return any(_is_foreign(profile, name, own, theirs) for profile, name in _results_named(use))


def _is_foreign(profile: str, name: str, own: Sequence[Command], theirs: Sequence[Command]) -> bool:
    if "$" not in profile and profile not in map(_profile, own):
        return profile in map(_profile, theirs)
    if re.search(r"[$*?{\[]", name) or name.startswith("lib"):
        return False
    if any(not _binaries(line) or _EVERYTHING.intersection(line.arguments) for line in own):
        # It compiles more than it names: another RUN's result is one that is named there.
        mine = {part for line in own for part in _named(line)}
        named = {part for line in theirs for part in _named(line)}
        return bool(mine) and name in named - mine
    return name not in {binary for line in own for binary in _binaries(line)}


def _cargo_lines(use: Use) -> list[Command]:
    return [
        Command(program, arguments)
        for command in use.commands
        for program, arguments in [shell.canonical(command)]
        if program == "cargo" and arguments[:1] and arguments[0] in _CARGO_COMPILES
    ]


def _binaries(line: Command) -> tuple[str, ...]:
    return shell.options(line, "--bin")


def _named(line: Command) -> tuple[str, ...]:
    return _binaries(line) + shell.options(line, "-p", "--package")


def _profile(line: Command) -> str:
    named = shell.options(line, "--profile")
    if named:
        return _PROFILES.get(named[-1], named[-1])
    if "--release" in line.arguments or "-r" in line.arguments:
        return "release"
    return "release" if line.arguments[0] in _RELEASE_BY_DEFAULT else "debug"


def _results_named(use: Use) -> Iterator[tuple[str, str]]:
    """Yield profile and name of the compiled files that other commands than Cargo name."""
    folder = posixpath.basename(use.directory.rstrip("/"))
    for command in use.commands:
        if shell.canonical(command)[0] == "cargo":
            continue
        for word in _words(command):
            parts = use.scope.expand(word).pattern.split("/")
            if folder not in parts:
                continue
            below = [part for part in parts[parts.index(folder) + 1 :] if part]
            if len(below) > 1 and below[0].count("-") > 1:
                below = below[1:]  # the target triple
            if len(below) == 2:
                yield below[0], below[1]
