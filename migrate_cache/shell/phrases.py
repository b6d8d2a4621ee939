"""Phrases: how data describes commands, such as ``mvn * package``.

A phrase is the program's canonical name and the words that follow it, options left out:

* ``a|b``: one of these words; ``*`` inside a word stands for any part of it
* ``*``: any number of words
* ``!a|b``: the next word, if there is one, is none of these
* ``--option|-o``: the command has the option, wherever it stands; ``--option=value``: with
  such a value; ``!--option``: the command does not have it
* ``<builds>``: one of the program's subcommands that ``build_tools.toml`` lists

What comes after the last word of a phrase does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from migrate_cache.shell.build_tools import builds_of_program
from migrate_cache.shell.model import Command, options
from migrate_cache.shell.tools import all_commands, canonical

_BUILDS = "<builds>"


class _Option(NamedTuple):
    names: tuple[str, ...]
    value: str
    is_wanted: bool

    def agrees(self, command: Command) -> bool:
        if self.value:
            is_there = any(fits(self.value, value) for value in options(command, *self.names))
        else:
            is_there = any(word.partition("=")[0] in self.names for word in command.arguments)
        return is_there == self.is_wanted


class _Phrase(NamedTuple):
    words: tuple[str, ...]
    options: tuple[_Option, ...]


def runs_any(phrases: Iterable[str], commands: Iterable[Command]) -> bool:
    """Whether one of `commands`, or what it launches, is one that `phrases` describe."""
    wanted = tuple(phrases)
    return any(fits_any(wanted, command) for command in all_commands(commands))


def fits_any(phrases: Iterable[str], command: Command) -> bool:
    """Whether one of `phrases` describes a command."""
    program, arguments = canonical(command)
    clean = Command(program, arguments)
    words = [program, *(word for word in arguments if word[:1] not in ("-", "+"))]
    return any(
        _begin(phrase.words, words) and all(option.agrees(clean) for option in phrase.options)
        for text in phrases
        for phrase in _read(text)
    )


def fits(pattern: str, word: str) -> bool:
    """Whether `word` fits a pattern in which ``*`` stands for any part."""
    if "*" not in pattern:
        return pattern == word
    return fnmatchcase(word, pattern.replace("[", "[[]").replace("?", "[?]"))


def _begin(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Whether `words` begin with what the words of a phrase describe."""
    reached = {0}
    for want in pattern:
        if want == "*":
            reached = set(range(min(reached), len(words) + 1))
        elif want.startswith("!"):
            reached = {at for at in reached if at == len(words) or not _is(want[1:], words[at])}
        else:
            reached = {at + 1 for at in reached if at < len(words) and _is(want, words[at])}
        if not reached:
            return False
    return True


def _is(want: str, word: str) -> bool:
    return any(fits(choice, word) for choice in want.split("|"))


@cache
def _read(text: str) -> tuple[_Phrase, ...]:
    """Read a phrase; one with ``<builds>`` becomes a phrase for each subcommand."""
    words: list[str] = []
    wanted: list[_Option] = []
    for token in text.split():
        body = token.removeprefix("!")
        if body.startswith("-"):
            names, _, value = body.partition("=")
            wanted.append(_Option(tuple(names.split("|")), value, is_wanted=body == token))
        else:
            words.append(token)
    if _BUILDS not in words:
        return (_Phrase(tuple(words), tuple(wanted)),)
    at = words.index(_BUILDS)
    return tuple(
        _Phrase((*words[:at], *subcommand, *words[at + 1 :]), tuple(wanted))
        for subcommand in builds_of_program(words[0])
    )
