"""Look up what the commands of build tools build; the facts are in ``build_tools.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from migrate_cache.shell.model import Command, options


@dataclass(frozen=True, slots=True)
class BuildTool:
    """One ``[[tool]]`` table of ``build_tools.toml``, which says what each field means."""

    name: str
    builds: tuple[tuple[str, ...], ...] = ()
    names: tuple[Mapping[str, str], ...] = ()
    values: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()

    def subcommand(self, arguments: Sequence[str]) -> tuple[str, ...] | None:
        """Return the words of `builds` that `arguments` begin with, None where none fits."""
        if not self.builds:
            return ()
        heads = (words for words in self.builds if tuple(arguments[: len(words)]) == words)
        return next(heads, None)

    def values_at(self, place: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """Return what `arguments` hold at one of the places of `names`."""
        if place == "words":
            return self._words(arguments)
        spellings = place.split("|")
        glued = tuple(spelling[:-1] for spelling in spellings if spelling.endswith("*"))
        return options(Command(self.name, arguments), *spellings) + tuple(
            word.removeprefix(start)
            for start in glued
            for word in arguments
            if word.startswith(start) and word != start
        )

    def _words(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        words: list[str] = []
        is_value = False
        for word in arguments[len(self.subcommand(arguments) or ()) :]:
            if not is_value:
                words.append(word)
            is_value = not is_value and word in self.values
        return tuple(words)


@cache
def build_tools() -> Mapping[str, tuple[BuildTool, ...]]:
    """Return the tables of ``build_tools.toml`` by program."""
    import tomllib
    from importlib.resources import files

    text = files("migrate_cache.shell").joinpath("build_tools.toml").read_text(encoding="utf-8")
    found: dict[str, tuple[BuildTool, ...]] = {}
    for table in tomllib.loads(text)["tool"]:
        tool = BuildTool(
            table["name"],
            tuple(tuple(words.split()) for words in table.get("builds", ())),
            tuple(table["names"]),
            frozenset(table.get("values", ())),
            frozenset(table.get("whole", ())),
        )
        found[tool.name] = (*found.get(tool.name, ()), tool)
    return found


def build_tool(program: str, arguments: Sequence[str]) -> BuildTool | None:
    """Return the table about a command, given as `canonical` does; None where none fits."""
    tools = build_tools().get(program, ())
    return next((tool for tool in tools if tool.subcommand(arguments) is not None), None)


def builds_of_program(program: str) -> tuple[tuple[str, ...], ...]:
    """Return all subcommands of a program that build something."""
    return tuple(words for tool in build_tools().get(program, ()) for words in tool.builds)


def is_whole(program: str, arguments: Sequence[str]) -> bool:
    """Whether the arguments of a command stand for the whole workspace."""
    tools = build_tools().get(program, ())
    return any(tool.whole.intersection(arguments) for tool in tools)
