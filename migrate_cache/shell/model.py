"""What the reading of a script goes by: commands, and what is still open."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_NESTING = 6  # sh -c 'sh -c ...': what lies deeper is not read
MAX_EXPORTS = 32  # each command carries the exports before it: a bound keeps that linear

ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\+?=")
NUMBERED = re.compile(r"(pip|python|pypy|bundle|gem|ruby|php)[0-9][0-9.]*")
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox"})


@dataclass(frozen=True, slots=True)
class Command:
    """One program that is run, with its words.

    `program` is the base name of the program; for ``python -m NAME`` it is NAME.
    `arguments` are the words after it, quotes removed, variables as written.
    `environment` holds what is exported or assigned for it, the last of equal names
    being the one in force. `path` is the program's word as it is written.
    """

    program: str
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    path: str = ""


Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Heredoc:
    """A heredoc; its body is read when the line that begins it ends."""

    delimiter: str
    strip: bool
    body: str = ""
    exports: Pairs = ()


@dataclass(slots=True)
class Frame:
    """A list of commands that something closes: the script, ``( )``, ``$( )``, backticks."""

    closer: str
    start: int = 0
    into_word: bool = False
    swallow: bool = False  # words that are no commands: the elements of an array
    exports: Pairs = ()
    variables: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    buffer: list[str] = field(default_factory=list)
    has_word: bool = False
    quoted: bool = False
    quotes: list[str] = field(default_factory=list)
    double: int = 0
    depths: list[int] = field(default_factory=list)
    skip: bool = False
    skip_list: bool = False
    test: bool = False
    heredoc: str = ""
    heredocs: list[Heredoc] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)


def options(command: Command, *names: str) -> tuple[str, ...]:
    """Return the values of options, from ``--name value`` and ``--name=value``."""
    values: list[str] = []
    arguments = command.arguments
    for index, word in enumerate(arguments):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name in names:
            if equals:
                values.append(value)
            elif index + 1 < len(arguments):
                values.append(arguments[index + 1])
    return tuple(values)
