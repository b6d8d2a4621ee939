"""What a command says that it builds: ``--bin api``, ``./cmd/api``, ``--filter web``."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.services.names import words
from migrate_cache.shell import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CARGO_BUILDS = frozenset(
    ("build", "b", "rustc", "r", "run", "chef", "zigbuild", "xwin", "lambda", "deb", "leptos",
     "test", "t", "bench", "check", "c", "clippy", "doc", "nextest", "llvm-cov", "component")
)  # fmt: skip
_WHOLE = {
    "cargo": frozenset(("--workspace", "--all", "--bins", "--all-targets")),
    "go": frozenset(("./...",)),
    "pnpm": frozenset(("-r", "--recursive")),
    "npm": frozenset(("-ws", "--workspaces")),
    "nx": frozenset(("run-many",)),
    "bazel": frozenset(("//...",)),
}
# Names that say nothing of a program that is called so.
_PLAIN_NAMES = words(
    "app application binary bin main out output server service program run entrypoint"
)
_GO_OPTIONS = frozenset(
    ("-o", "-tags", "-ldflags", "-gcflags", "-asmflags", "-p", "-mod", "-modfile", "-overlay",
     "-pkgdir", "-toolexec", "-buildmode", "-compiler", "-installsuffix", "-C", "-pgo")
)  # fmt: skip


def selected(commands: Iterable[Command]) -> tuple[str, ...]:
    """Return what the commands say that they build, variables as written."""
    found: dict[str, None] = {}
    for command in shell.all_commands(commands):
        found.update(dict.fromkeys(_selected(command)))
    return tuple(found)


def builds_everything(commands: Iterable[Command]) -> bool:
    """Whether a command builds a whole workspace, whoever it runs for."""
    for command in shell.all_commands(commands):
        program, arguments = shell.canonical(command)
        if _WHOLE.get(program, frozenset()).intersection(arguments) and not _selected(command):
            return True
    return False


def _selected(command: Command) -> tuple[str, ...]:
    program, arguments = shell.canonical(command)
    reader = _READERS.get(program)
    if reader is None:
        return ()
    clean = Command(program, arguments, command.environment, command.path)
    return tuple(word for word in reader(clean) if word)


def _last(path: str) -> str:
    """Return the last part of a path or of a scoped name, ``""`` for what is no one thing."""
    path = path.rstrip("/")
    return "" if "*" in path or path in ("", ".", "..") else posixpath.basename(path)


def _folder_of(path: str) -> str:
    """Return the folder that a manifest lies in, ``""`` for the one that commands run in."""
    return _last(posixpath.dirname(path))


def _positional(words: Iterable[str], with_word: frozenset[str] = frozenset()) -> Iterator[str]:
    skip = False
    for word in words:
        if not skip and not word.startswith("-"):
            yield word
        skip = not skip and word in with_word


def _cargo(command: Command) -> Iterator[str]:
    first = command.arguments[:1]
    if first == ("install",):
        yield from map(_last, shell.options(command, "--path"))
        return
    if not first or first[0] not in _CARGO_BUILDS:
        return
    packages = [
        *shell.options(command, "-p", "--package"),
        *(w[2:] for w in command.arguments if w.startswith("-p") and len(w) > 2),
    ]
    names = shell.options(command, "--bin") or [p.partition("@")[0] for p in packages]
    names = names or [_folder_of(path) for path in shell.options(command, "--manifest-path")]
    yield from (name for name in names if "*" not in name)


def _go(command: Command) -> Iterator[str]:
    if command.arguments[:1] not in (("build",), ("install",)):
        return
    places = list(_positional(command.arguments[1:], _GO_OPTIONS))
    named = []
    for place in places:
        path = posixpath.dirname(place) if place.endswith(".go") else place
        if not path.endswith("...") and "@" not in path:
            named.append(_last(path))
    if any(named):
        yield from named
    elif not any(place.endswith("...") for place in places):
        for output in shell.options(command, "-o"):
            name = _last(output) if not output.endswith("/") else ""
            yield "" if name in _PLAIN_NAMES else name


def _maven(command: Command) -> Iterator[str]:
    for value in shell.options(command, "-pl", "--projects"):
        for part in value.split(","):
            if part[:1] not in ("!", "-"):
                yield _last(part.strip("+?").rpartition(":")[2])
    yield from map(_folder_of, shell.options(command, "-f", "--file"))


def _gradle(command: Command) -> Iterator[str]:
    skip = False
    for word in command.arguments:
        if not skip and ":" in word and not word.startswith("-"):
            yield word.split(":")[-2]
        skip = word in ("-x", "--exclude-task", "-p", "--project-dir", "-c", "-b", "-I")
    yield from map(_last, shell.options(command, "-p", "--project-dir"))


def _filter(value: str) -> str:
    if value.startswith(("!", "[")):
        return ""
    plain = re.sub(r"\[[^\]]*\]$", "", value).removeprefix("...").removeprefix("^")
    plain = (
        plain.removesuffix("...").removesuffix("^").strip("{}")
        if "$" not in plain
        else (plain.removesuffix("..."))
    )
    return _last(plain)


def _node(command: Command) -> Iterator[str]:
    program, arguments = command.program, command.arguments
    names = {
        "npm": ("--workspace", "-w"),
        "pnpm": ("--filter", "-F", "--filter-prod"),
        "turbo": ("--filter", "-F", "--scope"),
        "lerna": ("--scope",),
    }.get(program, ())
    yield from map(_filter, shell.options(command, *names))
    folders = {"npm": ("--prefix",), "pnpm": ("-C", "--dir"), "yarn": ("--cwd",)}.get(program, ())
    yield from map(_last, shell.options(command, *folders))
    if program == "yarn" and arguments[:1] == ("workspace",):
        yield from map(_last, arguments[1:2])


def _nx(command: Command) -> Iterator[str]:
    words = list(_positional(command.arguments))
    if words[:1] == ["run"]:
        yield from (word.partition(":")[0] for word in words[1:2])
    elif words[:1] in (["run-many"], ["affected"]):
        for value in shell.options(command, "--projects", "-p"):
            yield from map(_last, value.split(","))
    elif len(words) == 2:
        yield words[1]


def _dotnet(command: Command) -> Iterator[str]:
    if command.arguments[:1] not in (("publish",), ("build",)):
        return
    for index, word in enumerate(command.arguments[1:]):
        if re.search(r"\.(?:cs|fs|vb)proj$", word):
            yield posixpath.basename(word).rpartition(".")[0]
        elif not index and not word.startswith("-") and not word.endswith((".sln", ".slnx")):
            yield _last(word)


def _bazel(command: Command) -> Iterator[str]:
    for word in command.arguments:
        if word.startswith("//") and not word.endswith(("...", ":all")):
            package, _, target = word[2:].partition(":")
            yield _last(package) or target


def _swift(command: Command) -> Iterator[str]:
    yield from shell.options(command, "--product")


_READERS: dict[str, Callable[[Command], Iterator[str]]] = {
    "cargo": _cargo,
    "go": _go,
    "mvn": _maven,
    "gradle": _gradle,
    "npm": _node,
    "pnpm": _node,
    "yarn": _node,
    "turbo": _node,
    "lerna": _node,
    "nx": _nx,
    "dotnet": _dotnet,
    "bazel": _bazel,
    "swift": _swift,
}
