"""The text of a script, cut into simple commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.shell.launchers import Resolver
from migrate_cache.shell.model import MAX_NESTING, Command, Frame, Heredoc, Pairs

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FRAMES = 1000  # open parentheses and substitutions
MAX_QUOTED = 200  # a command substitution in a word is kept as written up to this length

_PLAIN = re.compile(r"[^\s'\"\\$`;&|<>()#]+")
_PLAIN_QUOTED = re.compile(r"[^\"\\$`]+")
_PLAIN_BRACED = re.compile(r"[^}'\"\\$`]+")
_PLAIN_ARITHMETIC = re.compile(r"[^()$`\\]+")
_ANSI_QUOTED = re.compile(r"[^'\\]*(?:\\.[^'\\]*)*'", re.DOTALL)
_REDIRECTION = re.compile(r"<<<|<<-?|<>|<&|<\(|>>|>&|>\||>\(|<|>")
_CONTINUATION = re.compile(r"\\\r?\n")

_RESERVED = frozenset({"if", "then", "elif", "else", "fi", "do", "done", "while", "until", "!"})
_RESERVED |= {"{", "}", "coproc"}

_Item = Command | Heredoc


class _Parser:
    """Reads one script; `run` returns its commands."""

    def __init__(self, script: str, exports: Pairs, depth: int) -> None:
        self._text = script
        self._at = 0
        self._depth = depth
        self._out: list[_Item] = []
        self._pending: list[Heredoc] = []
        self._frames = [Frame("", exports=exports)]
        self._special: dict[str, Callable[[Frame], None]] = {
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
            elif item.body and self._depth < MAX_NESTING:
                commands.pop()  # the shell itself: what it runs stands in its place
                commands += _Parser(item.body, item.exports, self._depth + 1).run()
        return commands

    # Text outside and inside of quotes.

    def _in_commands(self, frame: Frame) -> None:
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

    def _in_quotes(self, frame: Frame, kind: str) -> None:
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

    def _escape_quoted(self, frame: Frame, kind: str) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        if following == "\n":
            pass
        elif kind == '"' and following in '"\\$`':
            self._add(frame, following)
        else:
            self._add(frame, "\\" + following)
        self._at += 2

    def _arithmetic(self, frame: Frame, character: str) -> None:
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
    def _add(frame: Frame, text: str) -> None:
        frame.buffer.append(text)
        frame.has_word = True

    def _end_word(self, frame: Frame) -> None:
        if not frame.has_word:
            return
        word = "".join(frame.buffer)
        bare = not frame.quoted
        frame.buffer.clear()
        frame.has_word = frame.quoted = False
        if frame.heredoc:
            document = Heredoc(word, frame.heredoc == "<<-")
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
    def _case_word(frame: Frame, word: str) -> None:
        if frame.cases[-1] == "case":
            frame.cases[-1] = "in"
        elif frame.cases[-1] == "in":
            if word == "in":
                frame.cases[-1] = "pattern"
        elif word == "esac":
            frame.cases.pop()

    @staticmethod
    def _keyword(frame: Frame, word: str) -> bool:
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

    def _single(self, frame: Frame) -> None:
        end = self._text.find("'", self._at + 1)
        end = len(self._text) if end < 0 else end
        self._add(frame, self._text[self._at + 1 : end])
        frame.quoted = True
        self._at = end + 1

    def _double(self, frame: Frame) -> None:
        self._add(frame, "")
        frame.quoted = True
        if frame.quotes and frame.quotes[-1] == '"':
            frame.quotes.pop()
            frame.double -= 1
        else:
            frame.quotes.append('"')
            frame.double += 1
        self._at += 1

    def _escape(self, frame: Frame) -> None:
        continued = _CONTINUATION.match(self._text, self._at)
        if continued:
            self._at = continued.end()
            return
        self._add(frame, self._text[self._at + 1 : self._at + 2])
        frame.quoted = True
        self._at += 2

    def _dollar(self, frame: Frame) -> None:
        text, at = self._text, self._at
        if text.startswith("$((", at):
            self._add(frame, "$((")
            frame.quotes.append("(")
            frame.depths.append(2)
            self._at += 3
        elif text.startswith("$(", at):
            self._push(frame, Frame(")", at, into_word=True), 2)
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

    def _backtick(self, frame: Frame) -> None:
        if frame.closer == "`":
            self._pop(frame)
        else:
            self._push(frame, Frame("`", self._at, into_word=True), 1)

    # Lists of commands.

    def _push(self, parent: Frame, frame: Frame, width: int) -> None:
        frame.exports = parent.exports
        self._frames.append(frame)
        self._at += width
        if len(self._frames) > MAX_FRAMES:  # no script: what follows is not read
            self._at = len(self._text)

    def _pop(self, frame: Frame) -> None:
        self._finish(frame)
        self._frames.pop()
        self._at += 1
        if frame.into_word:
            short = self._at - frame.start <= MAX_QUOTED
            written = self._text[frame.start : self._at] if short else "$(...)"
            self._add(self._frames[-1], written)

    def _finish(self, frame: Frame) -> None:
        self._end_word(frame)
        frame.skip = frame.skip_list = frame.test = False
        frame.heredoc = ""
        heredocs, frame.heredocs = frame.heredocs, []
        if not frame.words:
            return
        words, frame.words = frame.words, []
        resolver = Resolver(frame, self._depth, read_script)
        self._out += resolver.resolve(words)
        if resolver.reads_script and heredocs:
            heredocs[-1].exports = frame.exports
            self._out.append(heredocs[-1])

    def _newline(self, frame: Frame) -> None:
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

    def _separator(self, frame: Frame, width: int) -> None:
        if frame.test:
            self._end_word(frame)
        else:
            self._finish(frame)
        self._at += width

    def _semicolon(self, frame: Frame) -> None:
        double = self._text.startswith((";;", ";&"), self._at)
        self._separator(frame, 2 if double else 1)
        if double and frame.cases:
            frame.cases[-1] = "pattern"

    def _ampersand(self, frame: Frame) -> None:
        if self._text.startswith("&>", self._at):
            self._end_word(frame)
            self._at += 3 if self._text.startswith("&>>", self._at) else 2
            frame.skip = True
        else:
            self._separator(frame, 2 if self._text.startswith("&&", self._at) else 1)

    def _pipe(self, frame: Frame) -> None:
        if frame.cases and frame.cases[-1] == "pattern":
            self._end_word(frame)
            self._at += 1
        else:
            self._separator(frame, 2 if self._text.startswith(("||", "|&"), self._at) else 1)

    def _redirect(self, frame: Frame) -> None:
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
            self._push(frame, Frame(")", self._at, into_word=True), 2)
            return
        if operator in ("<<", "<<-"):
            frame.heredoc = operator
        else:
            frame.skip = True
        self._at = found.end()

    def _open(self, frame: Frame) -> None:
        if frame.test or (frame.cases and frame.cases[-1] == "pattern"):
            self._end_word(frame)
            self._at += 1
        elif frame.buffer and frame.buffer[-1].endswith("="):
            self._push(frame, Frame(")", self._at, into_word=True, swallow=True), 1)
        elif self._text.startswith("()", self._at):  # a function's name stands before
            frame.buffer.clear()
            frame.has_word = frame.quoted = False
            frame.words.clear()
            self._at += 2
        elif frame.has_word:  # an extended pattern
            self._push(frame, Frame(")", self._at, into_word=True, swallow=True), 1)
        else:
            self._push(frame, Frame(")", self._at), 1)

    def _close(self, frame: Frame) -> None:
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

    def _hash(self, frame: Frame) -> None:
        if frame.has_word:
            self._add(frame, "#")
            self._at += 1
            return
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end


# Programs that run another one: the options that take a word, and how many words of


def read_script(script: str, exports: Pairs = (), depth: int = 0) -> list[Command]:
    """Return the commands of a script that stands `depth` scripts deep in another one."""
    return _Parser(script, exports, depth).run()
