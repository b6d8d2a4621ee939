"""Read what a command says that it builds: ``--bin api``, ``./cmd/api``, ``--filter web``.

Which words of which tool say so is data, in ``shell/build_tools.toml``.
"""

from __future__ import annotations

import posixpath
import re
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.services.names import words
from migrate_cache.shell.build_tools import build_tool, is_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from migrate_cache.shell import Command
    from migrate_cache.shell.build_tools import BuildTool

# Names that say nothing of a program that is called so.
_PLAIN_NAMES = words(
    "app application binary bin main out output server service program run entrypoint"
)


def selected(commands: Iterable[Command]) -> tuple[str, ...]:
    """Return the names of what the commands say that they build, variables as written."""
    names = (_selected(*shell.canonical(command)) for command in shell.all_commands(commands))
    return tuple(dict.fromkeys(chain.from_iterable(names)))


def builds_everything(commands: Iterable[Command]) -> bool:
    """Whether a command builds a whole workspace, whichever service it runs for."""
    lines = map(shell.canonical, shell.all_commands(commands))
    return any(is_whole(*line) and not _selected(*line) for line in lines)


def _selected(program: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
    tool = build_tool(program, arguments)
    if tool is None:
        return ()
    for places in tool.names:
        names = [name for name in _read(tool, places, arguments) if name]
        if names:
            # A pattern stands for several things, so it names none.
            return tuple(name for name in names if "*" not in name)
    return ()


def _read(tool: BuildTool, places: Mapping[str, str], arguments: tuple[str, ...]) -> Iterator[str]:
    for place, reading in places.items():
        yield from READINGS[reading](tool.values_at(place, arguments))


# -- how the words at a place are read ---------------------------------------------------------


def _last(path: str) -> str:
    """Return the last part of a path or of a scoped name, ``*`` for a pattern."""
    path = path.rstrip("/")
    if "*" in path:
        return "*"
    return "" if path in ("", ".", "..") else posixpath.basename(path)


def _manifest(path: str) -> str:
    """Return the folder that a manifest lies in, ``""`` for the one that commands run in."""
    return _last(posixpath.dirname(path))


def _package(value: str) -> str:
    """Return the name in ``name@version``."""
    return value.partition("@")[0]


def _program(path: str) -> str:
    """Return what a compiled program is called, ``""`` where that says nothing."""
    name = "" if path.endswith("/") else _last(path)
    return "" if name in _PLAIN_NAMES else name


def _list(value: str) -> Iterator[str]:
    """Yield the names in ``api,group:worker,!web``, but for those that are left out."""
    for part in value.split(","):
        if part[:1] not in ("!", "-"):
            yield _last(part.strip("+?").rpartition(":")[2])


def _filter(value: str) -> str:
    """Return the package in a filter such as ``@shop/web...`` or ``{apps/web}[HEAD]``."""
    if value.startswith(("!", "[")):
        return ""
    plain = re.sub(r"\[[^\]]*\]$", "", value).removeprefix("...").removeprefix("^")
    plain = plain.removesuffix("...")
    return _last(plain if "$" in plain else plain.removesuffix("^").strip("{}"))


def _go_package(word: str) -> str:
    """Return the folder of a Go package; ``./...`` stands for all of them."""
    if word.startswith("-") or "@" in word:
        return ""
    if word.endswith("..."):
        return "*"
    return _last(posixpath.dirname(word) if word.endswith(".go") else word)


def _gradle_task(word: str) -> str:
    """Return the project in ``:shop:api:build``."""
    return word.split(":")[-2] if ":" in word and not word.startswith("-") else ""


def _bazel_label(word: str) -> str:
    """Return the package of ``//shop/api:image``, or the target of one at the root."""
    if not word.startswith("//") or word.endswith(("...", ":all")):
        return ""
    package, _, target = word[2:].partition(":")
    return _last(package) or target


def _yarn_workspace(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the name in ``workspace @shop/web build``."""
    if arguments[:1] == ("workspace",):
        yield from map(_last, arguments[1:2])


def _nx_task(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the project in ``run api:build:production`` or ``build api``."""
    plain = [word for word in arguments if not word.startswith("-")]
    if plain[:1] == ["run"]:
        yield from (word.partition(":")[0] for word in plain[1:2])
    elif len(plain) == 2:
        yield plain[1]


def _dotnet_project(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the project in ``src/Api/Api.csproj``, or the folder right after the subcommand."""
    for index, word in enumerate(arguments):
        if re.search(r"\.(?:cs|fs|vb)proj$", word):
            yield posixpath.basename(word).rpartition(".")[0]
        elif not index and not word.startswith("-") and not word.endswith((".sln", ".slnx")):
            yield _last(word)


READINGS: dict[str, Callable[[Sequence[str]], Iterable[str]]] = {
    "name": iter,
    "path": partial(map, _last),
    "manifest": partial(map, _manifest),
    "package": partial(map, _package),
    "program": partial(map, _program),
    "list": lambda values: chain.from_iterable(map(_list, values)),
    "filter": partial(map, _filter),
    "go-package": partial(map, _go_package),
    "gradle-task": partial(map, _gradle_task),
    "bazel-label": partial(map, _bazel_label),
    "yarn-workspace": _yarn_workspace,
    "nx-task": _nx_task,
    "dotnet-project": _dotnet_project,
}
