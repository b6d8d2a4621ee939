"""BuildKit's shell-word lexer: quotes, escapes and ``$NAME`` in words.

Two things need it: heredocs are found in the words of a logical line, and
variables are expanded in mount options, ENV, ARG and WORKDIR. It follows
``frontend/dockerfile/shell/lex.go``; unlike it, it uses a stack of its own and
one output buffer, so that no input makes it recurse or copy text twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Go's unicode.IsSpace. Python's \s also takes U+001C to U+001F, which BuildKit keeps.
SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
SPACE = re.compile(f"[{SPACES}]+")
_SPECIAL = "@*#?-$!"
_OPERATORS = ("-", "+", "?", "#", "%", "/", ":-", ":+", ":?")
# Characters that stand for themselves wherever they are, and end nothing.
_PLAIN_RUN = re.compile(r"[^'\"$<}/\\`]+")
_REFERENCE = re.compile(r"\$\{?(\w+)")
_BRACED = re.compile(r"\$\{(\w+)")
_HEREDOC = re.compile(r"[0-9]*<<(-?)[\t\n\f\r ]*([^<]*)")


class WordError(ValueError):
    """A word that BuildKit's lexer refuses, such as an unmatched quote."""


@dataclass(slots=True)
class _Frame:
    """An open ``"…``, ``${NAME:-…`` or ``${NAME/…``: what ends it, and where its output begins."""

    stop: str
    start: int
    raw_escapes: bool
    name: str = ""
    operator: str = ""
    value: str | None = None


class Lexer:
    """Processes one text; see `expand`, `expand_words` and `heredoc_words`."""

    def __init__(
        self,
        text: str,
        environment: Mapping[str, str],
        *,
        escape: str = "\\",
        raw_quotes: bool = False,
        raw_escapes: bool = False,
        keep_unset: bool = False,
    ) -> None:
        self._text = text
        self._position = 0
        self._environment = environment
        self._escape = escape
        self._raw_quotes = raw_quotes
        self._raw_escapes = raw_escapes
        self._keep_unset = keep_unset
        self._out: list[str] = []
        self._frames: list[_Frame] = []
        # Words are made of the output at the top level only.
        self._words: list[str] = []
        self._word: list[str] = []
        self._top_mark = 0
        self.unset: set[str] = set()

    def run(self) -> tuple[str, list[str]]:
        """Return the processed text, and the words it falls into."""
        text, length = self._text, len(self._text)
        while True:
            if self._position >= length:
                if not self._frames:
                    break
                frame = self._frames[-1]
                if frame.stop == '"':
                    raise WordError("unexpected end of statement: a double quote is not closed")
                raise WordError("syntax error: missing '}' of a variable")
            char = text[self._position]
            frame_stop = self._frames[-1].stop if self._frames else ""
            if frame_stop and char == frame_stop:
                self._close()
            elif frame_stop == '"':
                self._in_double_quotes(char)
            else:
                self._plain(char)
        self._end_word()
        return "".join(self._out), self._words

    # -- the parts of a text ------------------------------------------------

    def _plain(self, char: str) -> None:
        if char == "'":
            self._single_quotes()
        elif char == '"':
            self._open(_Frame('"', len(self._out), self._raw()))
            self._position += 1
            if self._raw_quotes:
                self._out.append(char)
        elif char == "$":
            self._dollar()
        elif char == "<":
            self._angle()
        elif char == self._escape:
            self._position += 1
            if self._raw():
                self._emit(char, splits=False)
            if self._position < len(self._text):
                self._emit(self._text[self._position], splits=False)
                self._position += 1
        else:
            run = _PLAIN_RUN.match(self._text, self._position)
            end = run.end() if run else self._position + 1
            self._emit(self._text[self._position : end], splits=True)
            self._position = end

    def _single_quotes(self) -> None:
        end = self._text.find("'", self._position + 1)
        if end < 0:
            raise WordError("unexpected end of statement: a single quote is not closed")
        inner = self._text[self._position + 1 : end]
        self._position = end + 1
        self._emit(f"'{inner}'" if self._raw_quotes else inner, splits=False)

    def _in_double_quotes(self, char: str) -> None:
        if char == "$":
            self._dollar()
            return
        self._position += 1
        if char == self._escape:
            if self._raw():
                self._out.append(char)
            following = self._text[self._position : self._position + 1]
            if not following:
                return
            if following in ('"', "$", self._escape):
                self._position += 1
                char = following
        self._out.append(char)

    def _angle(self) -> None:
        end = self._position + 1
        if self._text[end : end + 1] == "<":
            end += 1
            # A heredoc may have blanks between `<<` and its delimiter.
            while self._text[end : end + 1] in ("\t", "\r", " ") and end < len(self._text):
                end += 1
        self._emit(self._text[self._position : end], splits=False)
        self._position = end

    def _dollar(self) -> None:
        text = self._text
        self._position += 1
        if text[self._position : self._position + 1] != "{":
            name = self._name()
            if not name:
                self._emit("$", splits=True)
                return
            self._emit(self._value_or(name, "$" + name), splits=True)
            return
        self._position += 1
        first = text[self._position : self._position + 1]
        if not first:
            raise WordError("syntax error: missing '}' of a variable")
        if first in "{}:":
            raise WordError("syntax error: bad substitution")
        name = self._name()
        operator = text[self._position : self._position + 1]
        self._position += 1
        if operator == "}":
            self._emit(self._value_or(name, "${" + name + "}"), splits=True)
            return
        if operator == ":":
            operator += text[self._position : self._position + 1]
            self._position += 1
        if not operator or operator == ":":
            raise WordError("syntax error: missing '}' of a variable")
        if operator not in _OPERATORS and not self._may_pass(name, operator):
            raise WordError(f"unsupported modifier ({operator}) in substitution")
        self._open_variable(name, operator)

    def _may_pass(self, name: str, operator: str) -> bool:
        """Whether BuildKit never looks at a modifier that it does not know.

        It reads up to the ``}`` of ``${NAME:1:2}`` first, and then passes over a variable
        without a value where such ones are to stay.
        """
        return operator[0] == ":" and self._keep_unset and name not in self._environment

    def _open_variable(self, name: str, operator: str) -> None:
        if operator == "/" and self._text[self._position : self._position + 1] == "/":
            self._position += 1
            operator = "//"
        value = self._environment.get(name)
        frame = _Frame(
            "/" if operator[0] == "/" else "}",
            len(self._out),
            operator[0] == "/" or operator[-1] in "#%",
            name,
            operator,
            value,
        )
        self._open(frame)
        if value is None and self._keep_unset:
            self._out.append("${" + name + operator)

    def _close(self) -> None:
        """End the innermost open part at the character just before the position."""
        frame = self._frames.pop()
        self._position += 1
        if frame.stop == '"':
            if self._raw_quotes:
                self._out.append('"')
            self._closed(splits=False)
            return
        if frame.stop == "/":
            # The pattern of ${NAME/pattern/replacement} is read; the replacement follows.
            self._out.append("/")
            self._frames.append(
                _Frame("}", frame.start, True, frame.name, frame.operator, frame.value)
            )
            return
        kept = frame.value is None and self._keep_unset
        if kept:
            self._out.append("}")
        else:
            self._substitute(frame)
        self._closed(splits=True)

    def _substitute(self, frame: _Frame) -> None:
        value, operator = frame.value, frame.operator
        if value is None:
            self.unset.add(frame.name)
        missing = value is None or (operator[0] == ":" and value == "")
        if operator in ("-", ":-"):
            if missing:
                return
        elif operator in ("+", ":+"):
            if not missing:
                return
            value = ""
        elif operator in ("?", ":?"):
            if missing:
                word = "".join(self._out[frame.start :])
                raise WordError(f"{frame.name}: {word or 'is not allowed to be unset'}")
        elif value:
            # ${NAME#pattern} and its like would need the value at build time anyway.
            raise WordError(f"the pattern of ${{{frame.name}{operator}…}} is not evaluated here")
        del self._out[frame.start :]
        self._out.append(value or "")

    # -- helpers --------------------------------------------------------------

    def _raw(self) -> bool:
        return self._frames[-1].raw_escapes if self._frames else self._raw_escapes

    def _open(self, frame: _Frame) -> None:
        if not self._frames:
            self._top_mark = len(self._out)
        self._frames.append(frame)

    def _closed(self, *, splits: bool) -> None:
        if not self._frames:
            self._add_to_word("".join(self._out[self._top_mark :]), splits=splits)

    def _emit(self, text: str, *, splits: bool) -> None:
        self._out.append(text)
        if not self._frames:
            self._add_to_word(text, splits=splits)

    def _add_to_word(self, text: str, *, splits: bool) -> None:
        """Add output of the top level to the current word; its blanks end words if `splits`."""
        if not splits:
            self._word.append(text)
            return
        position = 0
        for blank in SPACE.finditer(text):
            if blank.start() > position:
                self._word.append(text[position : blank.start()])
            self._end_word()
            position = blank.end()
        if position < len(text):
            self._word.append(text[position:])

    def _end_word(self) -> None:
        # Empty quotes make no word.
        if word := "".join(self._word):
            self._words.append(word)
        self._word = []

    def _name(self) -> str:
        """Take a name: digits, one special sign, or letters, digits and underscores.

        Letters and digits are Unicode's L and Nd, as in Go.
        """
        text, start = self._text, self._position
        position, length = start, len(self._text)
        if position < length and text[position] in _SPECIAL:
            position += 1
        elif position < length and text[position].isdecimal():
            while position < length and text[position].isdecimal():
                position += 1
        else:
            while position < length and _is_name(text[position]):
                position += 1
        self._position = position
        return text[start:position]

    def _value_or(self, name: str, written: str) -> str:
        value = self._environment.get(name)
        if value is None:
            self.unset.add(name)
            return written if self._keep_unset else ""
        return value


def _is_name(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()


@dataclass(frozen=True, slots=True)
class Expansion:
    """A text with its variables replaced; `unset` names those that had no value."""

    text: str
    unset: frozenset[str]


def expand(text: str, environment: Mapping[str, str], escape: str = "\\") -> Expansion:
    """Expand one word as BuildKit does; blanks in it stay. Unset variables become nothing."""
    lexer = Lexer(text, environment, escape=escape)
    result, _ = lexer.run()
    return Expansion(result, frozenset(lexer.unset))


def variables(text: str) -> frozenset[str]:
    """Return the names of the variables that `text` refers to, defaults included."""
    if "$" not in text:
        return frozenset()
    lexer = Lexer(text, {}, keep_unset=True)
    try:
        lexer.run()
    except WordError:
        return frozenset(_REFERENCE.findall(text))
    return frozenset(lexer.unset | set(_BRACED.findall(text)))


@dataclass(frozen=True, slots=True)
class HeredocWord:
    """A ``<<`` word: its delimiter, and how the body is to be read."""

    name: str
    expand: bool
    chomp: bool


def heredoc_words(line: str) -> tuple[HeredocWord, ...]:
    """Return the heredocs that the words of a logical line announce, in order.

    A line that the lexer refuses announces none. The escape character is always
    the backslash here, whatever the file's directive says (as in BuildKit).
    """
    try:
        _, words = Lexer(line, {}, raw_quotes=True, raw_escapes=True, keep_unset=True).run()
    except WordError:
        return ()
    found = (heredoc_word(word) for word in words if "<<" in word)
    return tuple(heredoc for heredoc in found if heredoc)


def heredoc_word(word: str) -> HeredocWord | None:
    """Return the heredoc that one word announces, None where it announces none."""
    match = _HEREDOC.fullmatch(word)
    if not match or not match[2]:
        return None
    try:
        _, plain = Lexer(match[2], {}, keep_unset=True).run()
        _, quoted = Lexer(match[2], {}, raw_quotes=True, keep_unset=True).run()
    except WordError:
        return None
    if len(plain) != 1 or len(quoted) != 1:
        return None
    # A delimiter that loses quotes was quoted: its body is not expanded.
    return HeredocWord(plain[0], _quotes(plain[0]) == _quotes(quoted[0]), match[1] == "-")


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')
