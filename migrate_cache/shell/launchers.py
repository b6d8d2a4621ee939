"""The words of a simple command, seen through wrappers, shells and launchers of modules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from migrate_cache.shell.model import (
    ASSIGNMENT,
    MAX_EXPORTS,
    MAX_NESTING,
    SHELLS,
    Command,
    Frame,
    Pairs,
    options,
)

_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*")

_WRAPPERS: dict[str, tuple[frozenset[str], int]] = {
    "env": (frozenset({"-u", "--unset", "-C", "--chdir"}), 0),
    "sudo": (
        frozenset({"-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "-R"})
        | {"--user", "--group", "--chdir", "--prompt", "--host"},
        0,
    ),
    "doas": (frozenset({"-u", "-C"}), 0),
    "time": (frozenset({"-f", "-o", "--format", "--output"}), 0),
    "exec": (frozenset({"-a"}), 0),
    "nice": (frozenset({"-n", "--adjustment"}), 0),
    "ionice": (frozenset({"-c", "-n", "--class", "--classdata"}), 0),
    "nohup": (frozenset(), 0),
    "command": (frozenset(), 0),
    "builtin": (frozenset(), 0),
    "setsid": (frozenset(), 0),
    "stdbuf": (frozenset({"-i", "-o", "-e"}), 0),
    "xargs": (
        frozenset({"-I", "-n", "-P", "-L", "-s", "-d", "-a", "-E"})
        | {"--max-args", "--max-procs", "--replace", "--delimiter", "--arg-file", "--max-lines"},
        0,
    ),
    "timeout": (frozenset({"-k", "-s", "--kill-after", "--signal"}), 1),
    "gosu": (frozenset(), 1),
    "su-exec": (frozenset(), 1),
    "runuser": (frozenset({"-u", "-g", "-G"}), 0),
    "setpriv": (frozenset({"--reuid", "--regid", "--groups"}), 0),
    "chroot": (frozenset({"--userspec", "--groups"}), 1),
    "flock": (frozenset({"-w", "--timeout", "-E"}), 1),
    "xvfb-run": (frozenset({"-s", "-n", "-e", "-f", "--server-args", "--server-num"}), 0),
    "dumb-init": (frozenset(), 0),
    "tini": (frozenset(), 0),
    "ssh-agent": (frozenset(), 0),
    "linux32": (frozenset(), 0),
    "linux64": (frozenset(), 0),
    "busybox": (frozenset(), 0),
}
_ASSIGNING = frozenset({"env", "sudo", "doas"})
_EXPORTING = frozenset({"export", "declare", "typeset", "local", "readonly"})
_CARGOS = frozenset({"cargo", "xx-cargo", "cross"})
CARGO_WRAPPERS = frozenset({"auditable", "hack", "careful"})


# How a script in a script is read: its text, what is exported to it, and how deep it stands.
Reader = Callable[[str, Pairs, int], list[Command]]


class Resolver:
    """Turns the words of one simple command into what is run in the end."""

    def __init__(self, frame: Frame, depth: int, read: Reader) -> None:
        self._frame = frame
        self._depth = depth
        self._read = read
        self.reads_script = False

    def resolve(self, words: list[str], level: int = 0) -> list[Command]:
        """Return the commands that `words` run; exports are kept in the frame."""
        environment = list(self._frame.exports)
        at = self._assignments(words, 0, environment)
        if at == len(words):
            self._remember(words)
            return []
        at = self._unwrap(words, at, environment)
        if at >= len(words):
            return []
        path = words[at]
        program = path.rstrip("/").rpartition("/")[2] or path
        plain = len(environment) == len(self._frame.exports)
        own = self._frame.exports if plain else tuple(environment)
        if program == "env" and words[at + 1 : at + 2] == ["-S"]:
            return self._script(" ".join(words[at + 2 :]), own)
        if program in SHELLS:
            return self._shell(program, path, words[at + 1 :], own)
        arguments = tuple(words[at + 1 :])
        if program == "su":
            return self._su(arguments, own) or [Command(program, arguments, own, path)]
        if program == "eval" and not any("$(" in word or "`" in word for word in arguments):
            return self._script(" ".join(arguments), own)
        if program in _EXPORTING:
            self._export(program, arguments)
        commands = [clean(Command(program, arguments, own, path))]
        if program == "find" and level < 2:
            for inner in _executed(arguments):
                commands += self.resolve(inner, level + 1)
        return commands

    @staticmethod
    def _assignments(words: list[str], at: int, environment: list[tuple[str, str]]) -> int:
        while at < len(words):
            found = ASSIGNMENT.match(words[at])
            if not found:
                break
            environment.append((found[1], words[at][found.end() :]))
            at += 1
        return at

    def _unwrap(self, words: list[str], at: int, environment: list[tuple[str, str]]) -> int:
        """Return the index of the program that the wrappers at `at` run in the end."""
        while at < len(words):
            name = words[at].rpartition("/")[2]
            if name not in _WRAPPERS:
                break
            start, at = at, self._options(words, at + 1, _WRAPPERS[name])
            if name in _ASSIGNING:
                at = self._assignments(words, at, environment)
            asks = name == "command" and words[start + 1 : start + 2] in (["-v"], ["-V"])
            splits = name == "env" and words[start + 1 : start + 2] == ["-S"]
            if at >= len(words) or asks or splits:
                return start
            if name == "flock" and words[at] in ("-c", "--command"):
                words[at - 1 : at + 1] = ["sh", "-c"]
                at -= 1
        return at

    @staticmethod
    def _options(words: list[str], at: int, form: tuple[frozenset[str], int]) -> int:
        with_word, own = form
        while at < len(words) and words[at].startswith("-"):
            at += 2 if words[at] in with_word else 1
            if words[at - 1] == "--":
                break
        return at + own

    def _remember(self, words: list[str]) -> None:
        """Keep plain assignments: a later ``export NAME`` exports them."""
        known = self._frame.variables
        for word in words:
            name, _, value = word.partition("=")
            if len(known) < MAX_EXPORTS or name in known:
                known[name] = value
            if any(name == exported for exported, _ in self._frame.exports):
                self._set(name, value)

    def _export(self, program: str, arguments: tuple[str, ...]) -> None:
        flags = [word for word in arguments if word.startswith("-")]
        if program != "export" and not any("x" in word for word in flags):
            return
        for word in arguments:
            name, equals, value = word.partition("=")
            if equals and ASSIGNMENT.match(word):
                self._set(name.rstrip("+"), value)
            elif word in self._frame.variables:
                self._set(word, self._frame.variables[word])

    def _set(self, name: str, value: str) -> None:
        others = tuple(pair for pair in self._frame.exports if pair[0] != name)
        if len(others) < MAX_EXPORTS:
            self._frame.exports = (*others, (name, value))

    def _script(self, script: str, environment: Pairs) -> list[Command]:
        if self._depth >= MAX_NESTING:
            return []
        return self._read(script, environment[:MAX_EXPORTS], self._depth + 1)

    def _shell(
        self, program: str, path: str, words: list[str], environment: Pairs
    ) -> list[Command]:
        at, script = 0, False
        while at < len(words) and words[at][:1] in ("-", "+") and words[at] != "-":
            word = words[at]
            short = not word.startswith("--")
            script = script or (short and "c" in word)
            at += 2 if short and word[-1:] in ("o", "O") else 1
            if word in ("--", "-s") or (short and "s" in word[1:]):
                break
        if script and at < len(words):
            return self._script(words[at], environment)
        self.reads_script = at >= len(words) or words[at] == "-" or "-s" in words[:at]
        return [Command(program, tuple(words), environment, path)]

    def _su(self, arguments: tuple[str, ...], environment: Pairs) -> list[Command]:
        for index, word in enumerate(arguments[:-1]):
            if word in ("-c", "--command", "-lc"):
                return self._script(arguments[index + 1], environment)
        return []


def _executed(arguments: tuple[str, ...]) -> Iterable[list[str]]:
    """Yield the words of each ``-exec`` of a find."""
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


def _clean_cargo(command: Command) -> Command:
    """Drop ``auditable``; read ``--target-dir`` as the variable that it takes the place of."""
    arguments, environment = command.arguments, command.environment
    if arguments and arguments[0] in CARGO_WRAPPERS:
        arguments = arguments[1:]
    folders = options(command, "--target-dir")
    if folders and folders[-1].startswith(("/", "$")):
        environment = (*environment, ("CARGO_TARGET_DIR", folders[-1]))
    return Command(command.program, arguments, environment, command.path)


def clean(command: Command) -> Command:
    """See through ``python -m NAME`` and ``cargo auditable``."""
    arguments = command.arguments
    if command.program in _CARGOS:
        return _clean_cargo(command)
    if not _PYTHON.fullmatch(command.program):
        return command
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        word = arguments[at]
        if word == "-m" and at + 1 < len(arguments):
            module, rest = arguments[at + 1], arguments[at + 2 :]
            return Command(module, rest, command.environment, command.path)
        if word.startswith("-m") and len(word) > 2:
            return Command(word[2:], arguments[at + 1 :], command.environment, command.path)
        if word == "-c":
            break
        at += 2 if word in ("-W", "-X") else 1
    return command
