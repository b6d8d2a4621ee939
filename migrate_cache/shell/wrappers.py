"""Resolve the words of a simple command: assignments, wrappers such as ``sudo``, and shells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_cache.shell.model import (
    ASSIGNMENT,
    EXPORTING,
    MAX_EXPORTS,
    SHELLS,
    Command,
    Frame,
    options,
)
from migrate_cache.shell.tools import normalized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrate_cache.shell.model import Pairs

    # Reads a script in a script: its text, and what is exported to it.
    NestedReader = Callable[[str, Pairs], list[Command]]

# Programs that run another one: their options that take a word, and how many words of their
# own stand before that program.
_WRAPPERS: dict[str, tuple[str, int]] = {
    "env": ("-u --unset -C --chdir", 0),
    "sudo": ("-u -g -h -p -C -r -t -T -U -D -R --user --group --chdir --prompt --host", 0),
    "doas": ("-u -C", 0),
    "time": ("-f -o --format --output", 0),
    "exec": ("-a", 0),
    "nice": ("-n --adjustment", 0),
    "ionice": ("-c -n --class --classdata", 0),
    "stdbuf": ("-i -o -e", 0),
    "xargs": (
        "-I -n -P -L -s -d -a -E"
        " --max-args --max-procs --replace --delimiter --arg-file --max-lines",
        0,
    ),
    "timeout": ("-k -s --kill-after --signal", 1),
    "gosu": ("", 1),
    "su-exec": ("", 1),
    "runuser": ("-u -g -G", 0),
    "setpriv": ("--reuid --regid --groups", 0),
    "chroot": ("--userspec --groups", 1),
    "flock": ("-w --timeout -E", 1),
    "xvfb-run": ("-s -n -e -f --server-args --server-num", 0),
    **dict.fromkeys(("nohup", "command", "builtin", "setsid", "dumb-init", "tini"), ("", 0)),
    **dict.fromkeys(("ssh-agent", "linux32", "linux64", "busybox"), ("", 0)),
}
_ASSIGNING = frozenset({"env", "sudo", "doas"})


@dataclass(slots=True)
class Resolver:
    """Turns the words of one simple command into the commands that it runs.

    `reads_script` says whether a shell takes its script from its standard input.
    """

    frame: Frame
    read_nested: NestedReader
    reads_script: bool = False

    def resolve(self, words: list[str], level: int = 0) -> list[Command]:
        """Return the commands that `words` run; assignments and exports go into the frame."""
        exports = self.frame.exports
        environment = list(exports)
        at = _take_assignments(words, 0, environment)
        if at == len(words):
            self._keep(words)
            return []
        at = _unwrap(words, at, environment)
        path, arguments = words[at], tuple(words[at + 1 :])
        program = path.rstrip("/").rpartition("/")[2] or path
        own = exports if len(environment) == len(exports) else tuple(environment)
        command = Command(program, arguments, own, path)
        if program in SHELLS:
            return self._shell(command)
        if program == "su":
            return self._su(command)
        if program == "eval" and not any("$(" in word or "`" in word for word in arguments):
            return self._script(" ".join(arguments), command)
        if program in EXPORTING:
            self._export(program, arguments)
        commands = [normalized(command)]
        if program == "find" and level < 2:
            for inner in _executed(arguments):
                commands += self.resolve(inner, level + 1)
        return commands

    def _keep(self, words: list[str]) -> None:
        """Keep plain assignments: a later ``export NAME`` exports them."""
        for word in words:
            name, _, value = word.partition("=")
            self.frame.variables[name] = value
            if any(name == exported for exported, _ in self.frame.exports):
                self._set_export(name, value)

    def _export(self, program: str, arguments: tuple[str, ...]) -> None:
        flags = [word for word in arguments if word.startswith("-")]
        if program != "export" and not any("x" in word for word in flags):
            return
        for word in arguments:
            name, _, value = word.partition("=")
            if ASSIGNMENT.match(word):
                self._set_export(name.rstrip("+"), value)
            elif word in self.frame.variables:
                self._set_export(word, self.frame.variables[word])

    def _set_export(self, name: str, value: str) -> None:
        others = tuple(pair for pair in self.frame.exports if pair[0] != name)
        if len(others) < MAX_EXPORTS:
            self.frame.exports = (*others, (name, value))

    def _script(self, script: str, command: Command) -> list[Command]:
        return self.read_nested(script, command.environment[:MAX_EXPORTS])

    def _shell(self, command: Command) -> list[Command]:
        words = command.arguments
        at, has_script = 0, False
        while at < len(words) and words[at][:1] in ("-", "+") and words[at] != "-":
            word = words[at]
            short = not word.startswith("--")
            has_script = has_script or (short and "c" in word)
            at += 2 if short and word[-1:] in ("o", "O") else 1
            if word == "--":
                break
        if has_script and at < len(words):
            return self._script(words[at], command)
        self.reads_script = at >= len(words) or words[at] == "-" or "-s" in words[:at]
        return [command]

    def _su(self, command: Command) -> list[Command]:
        for index, word in enumerate(command.arguments[:-1]):
            if word in ("-c", "--command", "-lc"):
                return self._script(command.arguments[index + 1], command)
        return [command]


def _take_assignments(words: list[str], at: int, environment: list[tuple[str, str]]) -> int:
    """Move the assignments at `at` into the environment; return the index behind them."""
    while at < len(words):
        found = ASSIGNMENT.match(words[at])
        if not found:
            break
        environment.append((found[1], words[at][found.end() :]))
        at += 1
    return at


def _unwrap(words: list[str], at: int, environment: list[tuple[str, str]]) -> int:
    """Return the index of the program that the wrappers at `at` run in the end."""
    while (name := words[at].rpartition("/")[2]) in _WRAPPERS:
        start, at = at, _skip_options(words, at + 1, *_WRAPPERS[name])
        if name in _ASSIGNING:
            at = _take_assignments(words, at, environment)
        asks = name == "command" and words[start + 1 : start + 2] in (["-v"], ["-V"])
        if at >= len(words) or asks:
            return start
        if name == "flock" and words[at] in ("-c", "--command"):
            words[at - 1 : at + 1] = ["sh", "-c"]
            at -= 1
    return at


def _skip_options(words: list[str], at: int, with_word: str, own: int) -> int:
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in with_word.split() else 1
    return at + own


def _executed(arguments: tuple[str, ...]) -> Iterable[list[str]]:
    words: list[str] | None = None
    for word in arguments:
        if words is None:
            words = [] if word in ("-exec", "-execdir", "-ok", "-okdir") else None
        elif word in (";", "+"):
            if words:
                yield words
            words = None
        else:
            words.append(word)
    if words:
        yield words


def assigned_by(command: Command) -> Iterable[str]:
    """Return the variables that a builtin such as ``read`` takes as words and assigns."""
    if command.program in ("read", "mapfile", "readarray", "unset"):
        return filter(str.isidentifier, command.arguments)
    if command.program == "getopts":
        return command.arguments[1:2]
    if command.program == "printf":
        return options(command, "-v")
    return ()
