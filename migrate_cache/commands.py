"""What the shell text of a RUN runs: programs, their words, their environment.

Not a shell: nothing is expanded, and the order is that of the text, whatever branch or
loop a command stands in. One pass over the text with a stack of its own, so that no
input makes it recurse; a script in a script (``sh -c``, ``sh <<EOF``) is read to a fixed
depth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

_MAX_NESTING = 6  # sh -c 'sh -c ...': what lies deeper is not read
_MAX_FRAMES = 1000  # open parentheses and substitutions
_MAX_EXPORTS = 32  # each command carries the exports before it: a bound keeps that linear
_MAX_QUOTED = 200  # a command substitution in a word is kept as written up to this length

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\+?=")
_PLAIN = re.compile(r"[^\s'\"\\$`;&|<>()#]+")
_PLAIN_QUOTED = re.compile(r"[^\"\\$`]+")
_PLAIN_BRACED = re.compile(r"[^}'\"\\$`]+")
_PLAIN_ARITHMETIC = re.compile(r"[^()$`\\]+")
_ANSI_QUOTED = re.compile(r"[^'\\]*(?:\\.[^'\\]*)*'", re.DOTALL)
_REDIRECTION = re.compile(r"<<<|<<-?|<>|<&|<\(|>>|>&|>\||>\(|<|>")
_CONTINUATION = re.compile(r"\\\r?\n")
_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*")
_NUMBERED = re.compile(r"(pip|python|pypy|bundle|gem|ruby|php)[0-9][0-9.]*")

_RESERVED = frozenset({"if", "then", "elif", "else", "fi", "do", "done", "while", "until", "!"})
_RESERVED |= {"{", "}", "coproc"}
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox"})


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


_Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Heredoc:
    """A heredoc; its body is read when the line that begins it ends."""

    delimiter: str
    strip: bool
    body: str = ""
    exports: _Pairs = ()


@dataclass(slots=True)
class _Frame:
    """A list of commands that something closes: the script, ``( )``, ``$( )``, backticks."""

    closer: str
    start: int = 0
    into_word: bool = False
    swallow: bool = False  # words that are no commands: the elements of an array
    exports: _Pairs = ()
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
    heredocs: list[_Heredoc] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)


_Item = Command | _Heredoc


class _Parser:
    """Reads one script; `run` returns its commands."""

    def __init__(self, script: str, exports: _Pairs, depth: int) -> None:
        self._text = script
        self._at = 0
        self._depth = depth
        self._out: list[_Item] = []
        self._pending: list[_Heredoc] = []
        self._frames = [_Frame("", exports=exports)]
        self._special: dict[str, Callable[[_Frame], None]] = {
            "'": self._single,
            '"': self._double,
            "\\": self._escape,
            "$": self._dollar,
            "`": self._backtick,
            "\n": self._newline,
            ";": self._semicolon,
            "&": self._ampersand,
            "|": self._pipe,
            "<": self._redirect,
            ">": self._redirect,
            "(": self._open,
            ")": self._close,
            "#": self._hash,
        }

    def run(self) -> list[Command]:
        text = self._text
        while self._at < len(text):
            frame = self._frames[-1]
            if frame.quotes:
                self._in_quotes(frame, frame.quotes[-1])
            else:
                self._in_commands(frame)
        while self._frames:
            self._finish(self._frames.pop())
        self._bodies()
        commands: list[Command] = []
        for item in self._out:
            if isinstance(item, Command):
                commands.append(item)
            elif item.body and self._depth < _MAX_NESTING:
                commands.pop()  # the shell itself: what it runs stands in its place
                commands += _Parser(item.body, item.exports, self._depth + 1).run()
        return commands

    # Text outside and inside of quotes.

    def _in_commands(self, frame: _Frame) -> None:
        plain = _PLAIN.match(self._text, self._at)
        if plain:
            self._add(frame, plain[0])
            self._at = plain.end()
            return
        special = self._special.get(self._text[self._at])
        if special:
            special(frame)
        else:  # a blank
            self._end_word(frame)
            self._at += 1

    def _in_quotes(self, frame: _Frame, kind: str) -> None:
        plain = {'"': _PLAIN_QUOTED, "{": _PLAIN_BRACED, "(": _PLAIN_ARITHMETIC}[kind]
        found = plain.match(self._text, self._at)
        if found:
            self._add(frame, found[0])
            self._at = found.end()
            return
        character = self._text[self._at]
        if character == "$":
            self._dollar(frame)
        elif character == "`":
            self._backtick(frame)
        elif character == "\\":
            self._escape_quoted(frame, kind)
        elif kind == "(":
            self._arithmetic(frame, character)
        elif character == '"':
            self._double(frame)
        elif character == "'" and not frame.double:
            self._single(frame)
        else:
            if character == "}":
                frame.quotes.pop()
            self._add(frame, character)
            self._at += 1

    def _escape_quoted(self, frame: _Frame, kind: str) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        if following == "\n":
            pass
        elif kind == '"' and following in '"\\$`':
            self._add(frame, following)
        else:
            self._add(frame, "\\" + following)
        self._at += 2

    def _arithmetic(self, frame: _Frame, character: str) -> None:
        self._add(frame, character)
        self._at += 1
        if character == "(":
            frame.depths[-1] += 1
            return
        frame.depths[-1] -= 1
        if not frame.depths[-1]:
            frame.depths.pop()
            frame.quotes.pop()

    # Words.

    @staticmethod
    def _add(frame: _Frame, text: str) -> None:
        frame.buffer.append(text)
        frame.has_word = True

    def _end_word(self, frame: _Frame) -> None:
        if not frame.has_word:
            return
        word = "".join(frame.buffer)
        bare = not frame.quoted
        frame.buffer.clear()
        frame.has_word = frame.quoted = False
        if frame.heredoc:
            document = _Heredoc(word, frame.heredoc == "<<-")
            frame.heredoc = ""
            frame.heredocs.append(document)
            self._pending.append(document)
        elif frame.skip:
            frame.skip = False
        elif frame.cases and frame.cases[-1] != "body":
            self._case_word(frame, word if bare else "")
        elif not (frame.swallow or frame.skip_list or (bare and self._keyword(frame, word))):
            frame.words.append(word)
            if word == "]]":
                frame.test = False

    @staticmethod
    def _case_word(frame: _Frame, word: str) -> None:
        if frame.cases[-1] == "case":
            frame.cases[-1] = "in"
        elif frame.cases[-1] == "in":
            if word == "in":
                frame.cases[-1] = "pattern"
        elif word == "esac":
            frame.cases.pop()

    @staticmethod
    def _keyword(frame: _Frame, word: str) -> bool:
        """Take a word of the shell's own grammar; return whether it is one."""
        if frame.words:
            return False
        if word in _RESERVED:
            return True
        if word == "esac" and frame.cases:
            frame.cases.pop()
        elif word == "case":
            frame.cases.append("case")
        elif word in ("for", "select"):
            frame.skip_list = True
        elif word == "function":
            frame.skip = True
        else:
            frame.test = word == "[["
            return False
        return True

    def _single(self, frame: _Frame) -> None:
        end = self._text.find("'", self._at + 1)
        end = len(self._text) if end < 0 else end
        self._add(frame, self._text[self._at + 1 : end])
        frame.quoted = True
        self._at = end + 1

    def _double(self, frame: _Frame) -> None:
        self._add(frame, "")
        frame.quoted = True
        if frame.quotes and frame.quotes[-1] == '"':
            frame.quotes.pop()
            frame.double -= 1
        else:
            frame.quotes.append('"')
            frame.double += 1
        self._at += 1

    def _escape(self, frame: _Frame) -> None:
        continued = _CONTINUATION.match(self._text, self._at)
        if continued:
            self._at = continued.end()
            return
        self._add(frame, self._text[self._at + 1 : self._at + 2])
        frame.quoted = True
        self._at += 2

    def _dollar(self, frame: _Frame) -> None:
        text, at = self._text, self._at
        if text.startswith("$((", at):
            self._add(frame, "$((")
            frame.quotes.append("(")
            frame.depths.append(2)
            self._at += 3
        elif text.startswith("$(", at):
            self._push(frame, _Frame(")", at, into_word=True), 2)
        elif text.startswith("${", at):
            self._add(frame, "${")
            frame.quotes.append("{")
            self._at += 2
        elif text.startswith("$'", at) and not frame.double:
            found = _ANSI_QUOTED.match(text, at + 2)
            end = found.end() if found else len(text) + 1
            self._add(frame, text[at + 2 : end - 1])
            frame.quoted = True
            self._at = end
        elif text.startswith('$"', at) and not frame.double:
            self._at += 1
        else:
            self._add(frame, "$")
            self._at += 1

    def _backtick(self, frame: _Frame) -> None:
        if frame.closer == "`":
            self._pop(frame)
        else:
            self._push(frame, _Frame("`", self._at, into_word=True), 1)

    # Lists of commands.

    def _push(self, parent: _Frame, frame: _Frame, width: int) -> None:
        frame.exports = parent.exports
        self._frames.append(frame)
        self._at += width
        if len(self._frames) > _MAX_FRAMES:  # no script: what follows is not read
            self._at = len(self._text)

    def _pop(self, frame: _Frame) -> None:
        self._finish(frame)
        self._frames.pop()
        self._at += 1
        if frame.into_word:
            short = self._at - frame.start <= _MAX_QUOTED
            written = self._text[frame.start : self._at] if short else "$(...)"
            self._add(self._frames[-1], written)

    def _finish(self, frame: _Frame) -> None:
        self._end_word(frame)
        frame.skip = frame.skip_list = frame.test = False
        frame.heredoc = ""
        heredocs, frame.heredocs = frame.heredocs, []
        if not frame.words:
            return
        words, frame.words = frame.words, []
        resolver = _Resolver(frame, self._depth)
        self._out += resolver.resolve(words)
        if resolver.reads_script and heredocs:
            heredocs[-1].exports = frame.exports
            self._out.append(heredocs[-1])

    def _newline(self, frame: _Frame) -> None:
        self._at += 1
        if frame.test or (frame.cases and frame.cases[-1] != "body"):
            self._end_word(frame)
        else:
            self._finish(frame)
        self._bodies()

    def _bodies(self) -> None:
        """Read the bodies of the heredocs that began on the line before."""
        text = self._text
        for document in self._pending:
            start = position = self._at
            while position < len(text):
                end = text.find("\n", position)
                end = len(text) if end < 0 else end
                line = text[position:end].rstrip("\r")
                if (line.lstrip("\t") if document.strip else line) == document.delimiter:
                    break
                position = end + 1
            else:
                end = position = len(text)
            document.body = text[start:position]
            self._at = min(end + 1, len(text))
        self._pending.clear()

    def _separator(self, frame: _Frame, width: int) -> None:
        if frame.test:
            self._end_word(frame)
        else:
            self._finish(frame)
        self._at += width

    def _semicolon(self, frame: _Frame) -> None:
        double = self._text.startswith((";;", ";&"), self._at)
        self._separator(frame, 2 if double else 1)
        if double and frame.cases:
            frame.cases[-1] = "pattern"

    def _ampersand(self, frame: _Frame) -> None:
        if self._text.startswith("&>", self._at):
            self._end_word(frame)
            self._at += 3 if self._text.startswith("&>>", self._at) else 2
            frame.skip = True
        else:
            self._separator(frame, 2 if self._text.startswith("&&", self._at) else 1)

    def _pipe(self, frame: _Frame) -> None:
        if frame.cases and frame.cases[-1] == "pattern":
            self._end_word(frame)
            self._at += 1
        else:
            self._separator(frame, 2 if self._text.startswith(("||", "|&"), self._at) else 1)

    def _redirect(self, frame: _Frame) -> None:
        found = _REDIRECTION.match(self._text, self._at)
        if not found or frame.test:
            self._end_word(frame)
            self._at += 1
            return
        operator = found[0]
        if not frame.quoted and "".join(frame.buffer[:2]).isdigit():
            frame.buffer.clear()  # the number of a file descriptor
            frame.has_word = False
        self._end_word(frame)
        if operator.endswith("("):
            self._push(frame, _Frame(")", self._at, into_word=True), 2)
            return
        if operator in ("<<", "<<-"):
            frame.heredoc = operator
        else:
            frame.skip = True
        self._at = found.end()

    def _open(self, frame: _Frame) -> None:
        if frame.test or (frame.cases and frame.cases[-1] == "pattern"):
            self._end_word(frame)
            self._at += 1
        elif frame.buffer and frame.buffer[-1].endswith("="):
            self._push(frame, _Frame(")", self._at, into_word=True, swallow=True), 1)
        elif self._text.startswith("()", self._at):  # a function's name stands before
            frame.buffer.clear()
            frame.has_word = frame.quoted = False
            frame.words.clear()
            self._at += 2
        elif frame.has_word:  # an extended pattern
            self._push(frame, _Frame(")", self._at, into_word=True, swallow=True), 1)
        else:
            self._push(frame, _Frame(")", self._at), 1)

    def _close(self, frame: _Frame) -> None:
        if frame.test:
            self._separator(frame, 1)
        elif frame.cases and frame.cases[-1] == "pattern":
            self._end_word(frame)
            if frame.cases:
                frame.cases[-1] = "body"
            self._at += 1
        elif frame.closer == ")":
            self._pop(frame)
        else:
            self._separator(frame, 1)

    def _hash(self, frame: _Frame) -> None:
        if frame.has_word:
            self._add(frame, "#")
            self._at += 1
            return
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end


# Programs that run another one: the options that take a word, and how many words of
# their own stand before the program that they run.
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
_CARGO_WRAPPERS = frozenset({"auditable", "hack", "careful"})


class _Resolver:
    """Turns the words of one simple command into what is run in the end."""

    def __init__(self, frame: _Frame, depth: int) -> None:
        self._frame = frame
        self._depth = depth
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
        if program in _SHELLS:
            return self._shell(program, path, words[at + 1 :], own)
        arguments = tuple(words[at + 1 :])
        if program == "su":
            return self._su(arguments, own) or [Command(program, arguments, own, path)]
        if program == "eval" and not any("$(" in word or "`" in word for word in arguments):
            return self._script(" ".join(arguments), own)
        if program in _EXPORTING:
            self._export(program, arguments)
        commands = [_clean(Command(program, arguments, own, path))]
        if program == "find" and level < 2:
            for inner in _executed(arguments):
                commands += self.resolve(inner, level + 1)
        return commands

    @staticmethod
    def _assignments(words: list[str], at: int, environment: list[tuple[str, str]]) -> int:
        while at < len(words):
            found = _ASSIGNMENT.match(words[at])
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
            if len(known) < _MAX_EXPORTS or name in known:
                known[name] = value
            if any(name == exported for exported, _ in self._frame.exports):
                self._set(name, value)

    def _export(self, program: str, arguments: tuple[str, ...]) -> None:
        flags = [word for word in arguments if word.startswith("-")]
        if program != "export" and not any("x" in word for word in flags):
            return
        for word in arguments:
            name, equals, value = word.partition("=")
            if equals and _ASSIGNMENT.match(word):
                self._set(name.rstrip("+"), value)
            elif word in self._frame.variables:
                self._set(word, self._frame.variables[word])

    def _set(self, name: str, value: str) -> None:
        others = tuple(pair for pair in self._frame.exports if pair[0] != name)
        if len(others) < _MAX_EXPORTS:
            self._frame.exports = (*others, (name, value))

    def _script(self, script: str, environment: _Pairs) -> list[Command]:
        if self._depth >= _MAX_NESTING:
            return []
        return _Parser(script, environment[:_MAX_EXPORTS], self._depth + 1).run()

    def _shell(
        self, program: str, path: str, words: list[str], environment: _Pairs
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

    def _su(self, arguments: tuple[str, ...], environment: _Pairs) -> list[Command]:
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
    if arguments and arguments[0] in _CARGO_WRAPPERS:
        arguments = arguments[1:]
    folders = options(command, "--target-dir")
    if folders and folders[-1].startswith(("/", "$")):
        environment = (*environment, ("CARGO_TARGET_DIR", folders[-1]))
    return Command(command.program, arguments, environment, command.path)


def _clean(command: Command) -> Command:
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


def parse_commands(script: str) -> tuple[Command, ...]:
    """Return the commands of a shell script in the order of the text."""
    return tuple(_Parser(script, (), 0).run())


def exec_command(words: Sequence[str]) -> tuple[Command, ...]:
    """Return the commands that a JSON array runs: no shell, but for ``["sh", "-c", ...]``."""
    if not words:
        return ()
    return tuple(_Resolver(_Frame(""), 0).resolve(list(words)))


# What a program is called here. A second word stands in front of its arguments.
_CANONICAL: dict[str, tuple[str, ...]] = {
    "xx-cargo": ("cargo",),
    "cross": ("cargo",),
    "xx-go": ("go",),
    "gotip": ("go",),
    "apt-get": ("apt",),
    "aptitude": ("apt",),
    "apt-fast": ("apt",),
    "xx-apt": ("apt",),
    "xx-apt-get": ("apt",),
    "xx-apk": ("apk",),
    "yum": ("dnf",),
    "microdnf": ("dnf",),
    "dnf5": ("dnf",),
    "mvnw": ("mvn",),
    "mvnd": ("mvn",),
    "mvnw.cmd": ("mvn",),
    "gradlew": ("gradle",),
    "gradlew.bat": ("gradle",),
    "yarnpkg": ("yarn",),
    "npx": ("npm", "exec"),
    "pnpx": ("pnpm", "dlx"),
    "bunx": ("bun", "x"),
    "uvx": ("uv", "tool", "run"),
    "micromamba": ("mamba",),
    "bundler": ("bundle",),
    "composer.phar": ("composer",),
    "cs": ("coursier",),
    "bazelisk": ("bazel",),
    "hf": ("huggingface-cli",),
    "cmake3": ("cmake",),
}
_CARGO_OPTIONS = frozenset({"--color", "--config", "-C", "-Z"})


def canonical(command: Command) -> tuple[str, tuple[str, ...]]:
    """Return the one name of the program and its arguments from the sub command on.

    ``./mvnw`` is ``mvn``, ``pip3.11`` is ``pip``, ``cargo-chef cook`` and
    ``cargo +nightly chef cook`` are ``cargo`` with ``("chef", "cook")``.
    """
    program, arguments = command.program, command.arguments
    if program in _CANONICAL:
        program, *front = _CANONICAL[program]
        arguments = (*front, *arguments)
    elif program.startswith("cargo-") and len(program) > 6:
        plugin = program[6:]  # cargo starts it with its own name as the first word
        program = "cargo"
        arguments = arguments if arguments[:1] == (plugin,) else (plugin, *arguments)
    else:
        numbered = _NUMBERED.fullmatch(program)
        program = numbered[1] if numbered else program
    if program == "cargo":
        at = 0
        while at < len(arguments) and arguments[at][:1] in ("+", "-"):
            at += 2 if arguments[at] in _CARGO_OPTIONS else 1
        at += 1 if arguments[at : at + 1] and arguments[at] in _CARGO_WRAPPERS else 0
        arguments = arguments[at:] if at < len(arguments) else arguments
    return program, arguments


# Programs that run the program named by their arguments, after these words of their own.
_LAUNCHERS: tuple[tuple[str, ...], ...] = (
    ("uv", "run"),
    ("uv", "tool", "run"),
    ("poetry", "run"),
    ("pipenv", "run"),
    ("pipx", "run"),
    ("pdm", "run"),
    ("bundle", "exec"),
    ("npm", "exec"),
    ("pnpm", "exec"),
    ("pnpm", "dlx"),
    ("yarn", "exec"),
    ("yarn", "dlx"),
    ("bun", "x"),
    ("corepack",),
    ("mise", "exec"),
    ("mise", "x"),
    ("asdf", "exec"),
    ("conda", "run"),
    ("mamba", "run"),
    ("rustup", "run", "*"),
    ("sccache",),
    ("ccache",),
)
_LAUNCHER_OPTIONS = frozenset({"-n", "-p", "--name", "--prefix", "--with", "--from", "--package"})


def launched(command: Command) -> Command | None:
    """Return what a launcher such as ``uv run`` or ``npx`` runs; None if it is none."""
    program, arguments = canonical(command)
    for launcher in _LAUNCHERS:
        own = launcher[1:]
        if launcher[0] != program or len(arguments) <= len(own):
            continue
        if all(want in ("*", word) for want, word in zip(own, arguments, strict=False)):
            rest = list(arguments[len(own) :])
            at = 0
            while at < len(rest) and rest[at].startswith("-"):
                at += 2 if rest[at] in _LAUNCHER_OPTIONS else 1
            if at >= len(rest):
                return None
            path = rest[at]
            name = path.rpartition("/")[2]
            if program in ("npm", "pnpm", "yarn", "bun", "uv", "corepack") and name[:1] != "@":
                name = name.partition("@")[0]  # a version: pnpm@9
            inner = Command(name, tuple(rest[at + 1 :]), command.environment, path)
            return _clean(inner)
    return None


def all_commands(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Return `commands`, each followed by what it launches."""
    found: list[Command] = []
    for command in commands:
        inner: Command | None = command
        for _ in range(_MAX_NESTING):
            if inner is None:
                break
            found.append(inner)
            inner = launched(inner)
    return tuple(found)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Which tools of the catalogue a program runs, beyond the one that has its name.
_ALSO: dict[str, tuple[str, ...]] = {
    "trunk": ("cargo",),
    "wasm-pack": ("cargo",),
    "maturin": ("cargo",),
    "tauri": ("cargo",),
    "rustc": ("rustup",),
    "rustup-init": ("rustup",),
    "golangci-lint": ("go",),
    "gotestsum": ("go",),
    "goreleaser": ("go",),
    "mage": ("go",),
    "xcaddy": ("go",),
    "ko": ("go",),
    "pip-compile": ("pip",),
    "pip-sync": ("pip",),
    "pipenv": ("pip",),
    "pipx": ("pip",),
    "build": ("pip",),
    "pdm": ("pip",),
    "easy_install": ("pip",),
    "add-apt-repository": ("apt",),
    "apt-key": (),
    "nuget": ("dotnet",),
    "msbuild": ("dotnet",),
    "react-scripts": ("webpack",),
    "gem": ("bundle",),
    "rake": ("bundle",),
    "rails": ("bundle",),
    "iex": ("mix",),
    "elixir": ("mix",),
    "ctest": ("cmake",),
    "nix-build": ("nix",),
    "nix-shell": ("nix",),
    "nix-env": ("nix",),
    "transformers-cli": ("huggingface-cli",),
    "flutter": ("dart",),
    "scala-cli": ("coursier",),
    "sbt": ("coursier",),
    "mill": ("coursier",),
    "tofu": ("terraform",),
}
_NAMED = _words(
    """
    cargo rustup sccache ccache go golangci-lint npm yarn pnpm bun node-gyp next turbo nx vite
    webpack cypress playwright pip pipx uv poetry conda mamba mypy pytest ruff mvn gradle sbt
    coursier kotlinc dotnet composer bundle rails mix rebar3 swift bazel cabal stack zig elm dart
    flutter cmake meson ninja conan vcpkg apt dnf apk zypper pacman nix huggingface-cli terraform
    helm trivy grype
    """
)
TOOLS = _NAMED


def tools(commands: Iterable[Command]) -> frozenset[str]:
    """Return the catalogue's names of the tools that `commands` run.

    What a task runner or a script runs cannot be told, see `is_opaque`.
    """
    found: set[str] = set()
    for command in all_commands(commands):
        program, arguments = canonical(command)
        if program == "corepack" or (program == "command" and arguments[:1] in (("-v",), ("-V",))):
            continue
        if program in _NAMED:
            found.add(program)
        found.update(_ALSO.get(program, ()))
        if program == "yarn" and arguments and arguments[0] in _NAMED:
            found.add(arguments[0])  # yarn runs the programs of packages by their names
    return frozenset(found)


_TASK_RUNNERS = _words(
    """
    make gmake bmake just task go-task mage ninja scons waf ant rake invoke inv nox tox poe moon
    please plz earthly dagger doit lerna gulp grunt cmake-js configure bake b2 tup
    """
)
_SCRIPTED: dict[str, frozenset[str]] = {
    "npm": frozenset({"run", "run-script", "start", "test", "t"}),
    "pnpm": frozenset({"run", "start", "test"}),
    "yarn": frozenset({"run", "start", "test", "build"}),
    "bun": frozenset({"run"}),
    "composer": frozenset({"run", "run-script"}),
    "cargo": frozenset({"make", "xtask", "run"}),
    "go": frozenset({"generate", "run"}),
    "mise": frozenset({"run", "r"}),
    "deno": frozenset({"run", "task"}),
}
_INTERPRETERS = frozenset({"python", "pypy", "node", "ruby", "perl", "php", "tsx", "ts-node"})
_SCRIPT_SUFFIXES = (".sh", ".bash", ".py", ".js", ".mjs", ".ts", ".rb", ".pl", ".ps1")
_SYSTEM_FOLDER = re.compile(r"(?:/usr)?(?:/local)?/s?bin/|/opt/|.*/\.[a-z]+/(?:.*/)?bin/")
_MODULES = frozenset({"pip", "pipx", "pipenv", "poetry", "uv", "venv", "virtualenv", "ensurepip"})
_MODULES |= {"build", "compileall", "pytest", "mypy", "ruff", "pdm", "conda", "maturin"}


def is_opaque(command: Command) -> bool:
    """Return whether it cannot be told what `command` runs: a script or a task runner."""
    program, arguments = canonical(command)
    if program in _TASK_RUNNERS or program.startswith(("$", "`")):
        return True
    if program in (".", "source"):
        script = arguments[0] if arguments else ""
        return script.endswith(".sh") and not script.startswith(("/", "~", "$"))
    if program in _SHELLS:
        return arguments[:1] not in (("--version",), ("-version",))
    if program in _SCRIPTED:
        first = next((word for word in arguments if not word.startswith("-")), "")
        return first in _SCRIPTED[program]
    interpreter = _NUMBERED.sub(r"\1", command.path.rpartition("/")[2])
    if interpreter in _INTERPRETERS:
        if program != interpreter:  # python -m NAME
            return program not in _MODULES
        return arguments[:1] not in (("--version",), ("-V",), ("-v",), ())
    if program in _NAMED or program in _ALSO:
        return False
    if program.endswith(_SCRIPT_SUFFIXES):
        return True
    return "/" in command.path and not _SYSTEM_FOLDER.match(command.path)


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
