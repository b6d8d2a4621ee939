"""Read shell text: the commands of a script, and the variables that it reads and assigns.

Nothing is expanded, and the order is that of the text, whatever branch or loop a command
stands in. One pass over the text with a stack of its own, so that no input makes it
recurse; a script in a script (``sh -c``, ``sh <<EOF``) is read to a fixed depth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from migrate_cache.shell.model import (
    ASSIGNMENT,
    EXPORTING,
    Command,
    Frame,
    HereDocument,
    Pairs,
    Script,
)
from migrate_cache.shell.wrappers import Resolver, assigned_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_NESTING = 6  # scripts in scripts: sh -c 'sh -c ...'
MAX_FRAMES = 1000  # open parentheses and substitutions
MAX_WRITTEN = 200  # a command substitution in a word is kept as written up to this length

_RESERVED = frozenset(
    ("if", "then", "elif", "else", "fi", "do", "done", "while", "until", "!", "{", "}", "coproc")
)

# The tokens of each context; a token's name is that of the method that takes it, `_on_NAME`.
_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_EXPANSION = rf"""
    | (?P<variable>     \$ (?: \$ | {_NAME} ) )
    | (?P<arithmetic>   \$ \( \( )
    | (?P<substitution> \$ \( )
    | (?P<backtick>     ` )
    | (?P<braces>       \$ \{{ [#!]? (?: {_NAME} )? )
"""
_STRINGS = r"""
    | (?P<single>       ' [^']* '? | \$ ' (?: [^'\\]++ | \\. )*+ '? )
    | (?P<double>       \$? " )
"""
_COMMANDS = r"""
      (?P<blank>        [^\S\n]+ )
    | (?P<newline>      \n )
    | (?P<semicolon>    ; [;&]? )
    | (?P<redirection>  &>>? | <<< | <<-? | < [>&(]? | > [>&|(]? )
    | (?P<operator>     &&? | \| [|&]? )
    | (?P<opening>      \( )
    | (?P<closing>      \) )
    | (?P<hash>         \# )
    | (?P<continuation> \\ \r? \n )
    | (?P<escape>       \\ .? )
"""
_QUOTED = r"(?P<quoted_escape> \\ .? )"


def _pattern(text: str, special: str) -> re.Pattern[str]:
    plain = rf"| (?P<plain> [^{special}]+ | . )"
    return re.compile(text + plain, re.VERBOSE | re.DOTALL)


# By the innermost open quote: none, "...", ${...}, ${...} within "...", $((...)).
_TOKENS = {
    "": _pattern(_COMMANDS + _STRINGS + _EXPANSION, r"\s'\"\\$`;&|<>()#"),
    '"': _pattern(_QUOTED + _EXPANSION + '| (?P<double> " )', r"\"\\$`"),
    "{": _pattern(_QUOTED + _EXPANSION + _STRINGS + r"| (?P<end> \} )", r"}'\"\\$`"),
    '"{': _pattern(_QUOTED + _EXPANSION + r"""| (?P<double> " ) | (?P<end> \} )""", r"}\"\\$`"),
    "(": _pattern(_QUOTED + _EXPANSION + r"| (?P<parenthesis> \( ) | (?P<end> \) )", r"()$`\\"),
}
_VARIABLE = re.compile(rf"\\.|\$\$|\$(?:\{{[#!]?)?({_NAME})", re.DOTALL)


@dataclass(slots=True)
class _Variables:
    """The variables that a script, with the scripts in it, reads and assigns."""

    reads: dict[str, None] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)  # assigned from here on
    passed: set[str] = field(default_factory=set)  # assigned for one command only

    def read(self, frame: Frame, name: str) -> None:
        """Note a variable that comes from the environment: it was not assigned before."""
        is_own = name in self.kept or (frame.is_assigning and name in frame.assigned)
        if name and not is_own:
            self.reads[name] = None


class _Reader:
    """Reads one script, `depth` scripts deep in another one."""

    def __init__(
        self, text: str, variables: _Variables, exports: Pairs = (), depth: int = 0
    ) -> None:
        self._text = text
        self._at = 0
        self._depth = depth
        self._frames = [Frame("", exports=exports)]
        self._found: list[Command | HereDocument] = []
        self._announced: list[HereDocument] = []
        self.variables = variables

    def commands(self) -> list[Command]:
        """Read the text to its end; return what it runs."""
        while self._at < len(self._text):
            frame = self._frames[-1]
            token = _TOKENS[frame.quotes[-1] if frame.quotes else ""].match(self._text, self._at)
            assert token
            self._at = token.end()
            getattr(self, f"_on_{token.lastgroup}")(frame, token[0])
        while self._frames:
            self._end_command(self._frames.pop())
        commands: list[Command] = []
        for item in self._found:
            if isinstance(item, Command):
                commands.append(item)
            elif item.commands is not None:
                commands[-1:] = item.commands  # in place of the shell
        return commands

    def nested(self, text: str, exports: Pairs) -> list[Command]:
        """Return the commands of a script in this one; a shell if it is nested too deeply."""
        if self._depth >= MAX_NESTING:
            return [Command("sh", (), exports, "sh")]
        return _Reader(text, self.variables, exports, self._depth + 1).commands()

    def script(self, commands: Iterable[Command]) -> Script:
        """Return `commands` with the variables found so far."""
        found = self.variables
        return Script(tuple(commands), tuple(found.reads), frozenset(found.kept | found.passed))

    # Words.

    def _on_plain(self, frame: Frame, text: str) -> None:
        frame.parts.append(text)

    def _on_blank(self, frame: Frame, _: str) -> None:
        self._end_word(frame)

    def _on_continuation(self, frame: Frame, text: str) -> None:
        pass

    def _on_escape(self, frame: Frame, text: str) -> None:
        frame.parts.append(text[1:])
        frame.is_quoted = True

    def _on_single(self, frame: Frame, text: str) -> None:
        frame.parts.append(text.removeprefix("$")[1:].removesuffix("'"))
        frame.is_quoted = True

    def _on_double(self, frame: Frame, _: str) -> None:
        frame.parts.append("")
        frame.is_quoted = True
        if frame.quotes[-1:] == ['"']:
            frame.quotes.pop()
        else:
            frame.quotes.append('"')

    def _on_quoted_escape(self, frame: Frame, text: str) -> None:
        if text != "\\\n":
            is_removed = frame.quotes[-1] == '"' and text[1:] in ('"', "\\", "$", "`", "")
            frame.parts.append(text[1:] if is_removed else text)

    def _on_variable(self, frame: Frame, text: str) -> None:
        frame.parts.append(text)
        self.variables.read(frame, text.lstrip("${#!"))

    def _on_braces(self, frame: Frame, text: str) -> None:
        self._on_variable(frame, text)
        frame.quotes.append("{" if frame.quotes[-1:] in ([], ["{"]) else '"{')

    def _on_arithmetic(self, frame: Frame, text: str) -> None:
        frame.parts.append(text)
        frame.quotes += ["(", "("]

    def _on_parenthesis(self, frame: Frame, text: str) -> None:
        frame.parts.append(text)
        frame.quotes.append("(")

    def _on_end(self, frame: Frame, text: str) -> None:
        frame.parts.append(text)
        frame.quotes.pop()

    def _on_substitution(self, frame: Frame, text: str) -> None:
        self._push(frame, Frame(")", self._at - len(text), into_word=True))

    def _on_backtick(self, frame: Frame, _: str) -> None:
        if frame.closer == "`":
            self._pop(frame)
        else:
            self._push(frame, Frame("`", self._at - 1, into_word=True))

    def _end_word(self, frame: Frame) -> None:
        if not frame.parts:
            return
        word, is_bare = "".join(frame.parts), not frame.is_quoted
        frame.parts.clear()
        frame.is_quoted = False
        role, frame.role = frame.role, ""
        if role.startswith("<<"):
            document = HereDocument(word, role == "<<-", not is_bare)
            frame.documents.append(document)
            self._announced.append(document)
        elif role == "variable":
            self.variables.kept.add(word)
        elif role == "skipped":
            pass
        elif frame.cases and frame.cases[-1] != "body":
            _read_case(frame, word if is_bare else "")
        elif not (frame.holds_words or frame.skips_words or (is_bare and _is_keyword(frame, word))):
            _add_word(frame, word)

    # Commands.

    def _push(self, parent: Frame, frame: Frame) -> None:
        frame.exports = parent.exports
        self._frames.append(frame)
        if len(self._frames) > MAX_FRAMES:  # no script: what follows is not read
            self._at = len(self._text)

    def _pop(self, frame: Frame) -> None:
        self._end_command(frame)
        self._frames.pop()
        if frame.into_word:
            is_short = self._at - frame.start <= MAX_WRITTEN
            written = self._text[frame.start : self._at] if is_short else "$(...)"
            self._frames[-1].parts.append(written)

    def _end_command(self, frame: Frame) -> None:
        self._end_word(frame)
        frame.role, frame.skips_words, frame.is_test = "", False, False
        documents, frame.documents = frame.documents, []
        words, frame.words = frame.words, []
        if not words:
            return
        variables = self.variables
        (variables.kept if frame.is_assigning else variables.passed).update(frame.assigned)
        resolver = Resolver(frame, self.nested)
        commands = resolver.resolve(words)
        for command in commands:
            variables.kept.update(assigned_by(command))
        self._found += commands
        if resolver.reads_script and documents:
            documents[-1].is_script = True
            documents[-1].exports = frame.exports
            self._found.append(documents[-1])

    def _on_newline(self, frame: Frame, text: str) -> None:
        self._on_operator(frame, text)
        self._read_documents(frame)

    def _on_operator(self, frame: Frame, _: str) -> None:
        self._end_word(frame)
        if not frame.is_test:
            self._end_command(frame)

    def _on_semicolon(self, frame: Frame, text: str) -> None:
        self._on_operator(frame, text)
        if len(text) > 1 and frame.cases:
            frame.cases[-1] = "pattern"

    def _on_redirection(self, frame: Frame, text: str) -> None:
        if frame.is_test:
            self._end_word(frame)
            return
        is_number = len(frame.parts) == 1 and frame.parts[0].isdigit() and not frame.is_quoted
        if is_number and text[0] != "&":
            frame.parts.clear()  # the file descriptor
        self._end_word(frame)
        if text[-1] == "(":
            self._push(frame, Frame(")", self._at - len(text), into_word=True))
        else:
            frame.role = text if text in ("<<", "<<-") else "skipped"

    def _on_opening(self, frame: Frame, _: str) -> None:
        start = self._at - 1
        is_function = self._text.startswith(")", self._at)
        if frame.is_test or frame.cases[-1:] == ["pattern"]:
            self._end_word(frame)
        elif frame.parts and (frame.parts[-1].endswith("=") or not is_function):
            self._push(frame, Frame(")", start, into_word=True, holds_words=True))
        elif is_function:  # its name stands before
            frame.parts.clear()
            frame.is_quoted = False
            frame.words.clear()
            self._at += 1
        else:
            self._push(frame, Frame(")", start))

    def _on_closing(self, frame: Frame, text: str) -> None:
        is_pattern = frame.cases[-1:] == ["pattern"]
        self._end_word(frame)
        if is_pattern and not frame.is_test:
            if frame.cases:
                frame.cases[-1] = "body"
        elif frame.closer == ")" and not frame.is_test:
            self._pop(frame)
        else:
            self._on_operator(frame, text)

    def _on_hash(self, frame: Frame, text: str) -> None:
        if frame.parts:
            frame.parts.append(text)
        else:
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end

    def _read_documents(self, frame: Frame) -> None:
        for document in self._announced:
            body = self._read_body(document)
            if document.is_script and body:
                document.commands = self.nested(body, document.exports)
            elif not document.is_literal:
                for match in _VARIABLE.finditer(body):
                    self.variables.read(frame, match[1] or "")
        self._announced.clear()

    def _read_body(self, document: HereDocument) -> str:
        start = self._at
        while self._at < len(self._text):
            begin, end = self._at, self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end + 1
            line = self._text[begin : self._at].removesuffix("\n").rstrip("\r")
            if (line.lstrip("\t") if document.strips_tabs else line) == document.delimiter:
                return self._text[start:begin]
        return self._text[start:]


def _add_word(frame: Frame, word: str) -> None:
    if not frame.words:
        frame.assigned, frame.is_assigning = set(), True
    if frame.is_assigning:
        found = ASSIGNMENT.match(word)
        if found:
            frame.assigned.add(found[1])
        else:
            frame.is_assigning = (frame.words or [word])[0] in EXPORTING
    frame.words.append(word)
    if word == "]]":
        frame.is_test = False


def _read_case(frame: Frame, word: str) -> None:
    """Take a word of ``case WORD in PATTERN)``."""
    if frame.cases[-1] == "case":
        frame.cases[-1] = "in"
    elif frame.cases[-1] == "in":
        if word == "in":
            frame.cases[-1] = "pattern"
    elif word == "esac":
        frame.cases.pop()


def _is_keyword(frame: Frame, word: str) -> bool:
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
        frame.role = "variable"
        frame.skips_words = True
    elif word == "function":
        frame.role = "skipped"
    else:
        frame.is_test = word == "[["
        return False
    return True


@lru_cache(maxsize=512)
def read_script(text: str) -> Script:
    """Return what a shell script runs, reads and assigns."""
    reader = _Reader(text, _Variables())
    return reader.script(reader.commands())


def read_exec_form(words: Sequence[str]) -> Script:
    """Return what a JSON array runs: there is no shell, but for ``["sh", "-c", ...]``."""
    reader = _Reader("", _Variables())
    return reader.script(Resolver(Frame(""), reader.nested).resolve(list(words)))
