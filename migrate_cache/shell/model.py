"""Commands and scripts, and the state that reading a script keeps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_EXPORTS = 32  # every command carries the exports before it: a bound keeps that linear

ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\+?=")
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox"})
EXPORTING = frozenset({"export", "declare", "typeset", "local", "readonly"})

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Command:
    """One program that is run, with its words.

    `program` is the base name of the program; for ``python -m NAME`` it is NAME.
    `arguments` are the words after it, quotes removed, variables as written.
    `environment` holds what is exported or assigned for it, the last of equal names
    being the one in force. `path` is the program's word as written.
    """

    program: str
    arguments: tuple[str, ...] = ()
    environment: Pairs = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """What a script runs, and the variables that it uses.

    `commands` are in the order of the text. `reads` names the variables that the script
    takes from its environment, in order: those it has not assigned itself by then.
    `assigns` names those it assigns, be it for one command.
    """

    commands: tuple[Command, ...] = ()
    reads: tuple[str, ...] = ()
    assigns: frozenset[str] = frozenset()


@dataclass(slots=True)
class HereDocument:
    """A here-document; its body is read when the line that announces it ends.

    `commands` replaces the shell that takes the body as its script.
    """

    delimiter: str
    strips_tabs: bool
    is_literal: bool
    is_script: bool = False
    exports: Pairs = ()
    commands: list[Command] | None = None


@dataclass(slots=True)
class Frame:
    """A list of commands that something closes: the script, ``( )``, ``$( )``, backticks."""

    closer: str
    start: int = 0
    into_word: bool = False  # its text is part of a word of the frame around it
    holds_words: bool = False  # no commands: the elements of an array, an extended pattern
    exports: Pairs = ()
    variables: dict[str, str] = field(default_factory=dict)
    # The command that is being read.
    words: list[str] = field(default_factory=list)
    assigned: set[str] = field(default_factory=set)
    is_assigning: bool = True  # so far it has only assignments, or begins with `export`
    is_test: bool = False  # [[ ... ]]
    skips_words: bool = False  # the list of a `for`
    documents: list[HereDocument] = field(default_factory=list)
    # The word that is being read: its parts, its open quotes, and what it is if no argument:
    # a here-document's delimiter (``<<``, ``<<-``), the variable of a ``for``, or ``skipped``.
    parts: list[str] = field(default_factory=list)
    is_quoted: bool = False
    quotes: list[str] = field(default_factory=list)
    role: str = ""
    # The open `case` commands, the innermost last: how far each has been read.
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
