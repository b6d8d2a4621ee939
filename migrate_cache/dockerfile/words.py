"""BuildKit's shell-word lexer: quotes, escapes and ``$NAME`` in words.

It finds heredocs in the words of a logical line, and expands variables in mount options, ENV,
ARG and WORKDIR. It follows ``frontend/dockerfile/shell/lex.go``, but with a stack of its own
and one output buffer, so that no input makes it recurse or copy text twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Go's unicode.IsSpace. Python's \s also takes U+001C to U+001F, which BuildKit keeps.
SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
SPACE = re.compile(f"[{SPACES}]+")
# The blanks at which BuildKit splits arguments that have no quotes.
BLANKS = re.compile(r"[\t\v\f\r ]+")
_SPECIAL = tuple("@*#?-$!")
_OPERATORS = ("-", "+", "?", "#", "%", "/", ":-", ":+", ":?")
# Characters that mean themselves everywhere, and end nothing.
_PLAIN_RUN = re.compile(r"[^'\"$<}/\\`]+")
_REFERENCE = re.compile(r"\$\{?(\w+)")
_BRACED = re.compile(r"\$\{(\w+)")
_HEREDOC = re.compile(r"[0-9]*<<(-?)[\t\n\f\r ]*([^<]*)")
_NOT_CLOSED = "syntax error: missing '}' of a variable"


class WordError(ValueError):
    """A word that BuildKit's lexer refuses, such as an unmatched quote."""


@dataclass(slots=True)
class _Frame:
    """An open ``"…``, ``${NAME:-…`` or ``${NAME/…``, or the text as a whole.

    `stop` ends it (``""``: the end of the text), `start` is where its output begins. For a
    variable, `value` is None where it has none.
    """

    stop: str
    start: int
    raw_escapes: bool
    name: str = ""
    operator: str = ""
    value: str | None = None


@dataclass(slots=True)
class _Lexer:
    """One pass over a text: variables expanded, quotes and escapes taken out.

    `raw_quotes` and `raw_escapes` keep quotes and escapes, `keep_unset` keeps variables that
    have no value; `unset` collects the names of these.
    """

    text: str
    environment: Mapping[str, str]
    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    keep_unset: bool = False
    unset: set[str] = field(default_factory=set)
    position: int = 0
    out: list[str] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    # Words are made of the output at the top level only.
    words: list[str] = field(default_factory=list)
    word: list[str] = field(default_factory=list)

    def run(self) -> tuple[str, list[str]]:
        """Return the processed text, and the words that it falls into."""
        self.frames.append(_Frame("", 0, self.raw_escapes))
        while self.position < len(self.text):
            char, stop = self.text[self.position], self.frames[-1].stop
            if char == stop:
                self._close()
            elif stop == '"':
                self._in_double_quotes(char)
            else:
                self._plain(char)
        if self.frames[-1].stop == '"':
            raise WordError("unexpected end of statement: a double quote is not closed")
        if self.frames[-1].stop:
            raise WordError(_NOT_CLOSED)
        self._end_word()
        return "".join(self.out), self.words

    def _plain(self, char: str) -> None:
        if char == "'":
            self._single_quotes()
        elif char == '"':
            self.frames.append(_Frame('"', len(self.out), self.frames[-1].raw_escapes))
            self.position += 1
            if self.raw_quotes:
                self.out.append(char)
        elif char == "$":
            self._dollar()
        elif char == "<":
            self._angle()
        elif char == self.escape:
            self.position += 1
            if self.frames[-1].raw_escapes:
                self._emit(char, splits=False)
            self._take(self.position + 1, splits=False)
        else:
            run = _PLAIN_RUN.match(self.text, self.position)
            self._take(run.end() if run else self.position + 1, splits=True)

    def _take(self, end: int, *, splits: bool) -> None:
        self._emit(self.text[self.position : end], splits=splits)
        self.position = end

    def _single_quotes(self) -> None:
        end = self.text.find("'", self.position + 1)
        if end < 0:
            raise WordError("unexpected end of statement: a single quote is not closed")
        inner = self.text[self.position + 1 : end]
        self.position = end + 1
        self._emit(f"'{inner}'" if self.raw_quotes else inner, splits=False)

    def _in_double_quotes(self, char: str) -> None:
        if char == "$":
            self._dollar()
            return
        self.position += 1
        if char == self.escape:
            if self.frames[-1].raw_escapes:
                self.out.append(char)
            following = self.text[self.position : self.position + 1]
            if not following:
                return
            if following in ('"', "$", self.escape):
                self.position += 1
                char = following
        self.out.append(char)

    def _angle(self) -> None:
        end = self.position + 1
        if self.text[end : end + 1] == "<":
            end += 1
            # A heredoc may have blanks between `<<` and its delimiter.
            while end < len(self.text) and self.text[end] in "\t\r ":
                end += 1
        self._take(end, splits=False)

    def _dollar(self) -> None:
        text = self.text
        self.position += 1
        if text[self.position : self.position + 1] != "{":
            name = self._name()
            self._emit(self._value_or(name, "$" + name) if name else "$", splits=True)
            return
        self.position += 1
        first = text[self.position : self.position + 1]
        if not first:
            raise WordError(_NOT_CLOSED)
        if first in "{}:":
            raise WordError("syntax error: bad substitution")
        name = self._name()
        operator = text[self.position : self.position + 1]
        self.position += 1
        if operator == "}":
            self._emit(self._value_or(name, "${" + name + "}"), splits=True)
            return
        if operator == ":":
            operator += text[self.position : self.position + 1]
            self.position += 1
        if not operator or operator == ":":
            raise WordError(_NOT_CLOSED)
        if operator not in _OPERATORS and not self._may_pass(name, operator):
            raise WordError(f"unsupported modifier ({operator}) in substitution")
        self._open_variable(name, operator)

    def _may_pass(self, name: str, operator: str) -> bool:
        """Tell whether BuildKit never looks at a modifier that it does not know.

        It reads up to the ``}`` of ``${NAME:1:2}`` first, and then leaves a variable without
        a value alone where it is to keep such variables.
        """
        return operator[0] == ":" and self.keep_unset and name not in self.environment

    def _open_variable(self, name: str, operator: str) -> None:
        if operator == "/" and self.text[self.position : self.position + 1] == "/":
            self.position += 1
            operator = "//"
        value = self.environment.get(name)
        stop = "/" if operator[0] == "/" else "}"
        raw_escapes = operator[-1] in "#%/"
        self.frames.append(_Frame(stop, len(self.out), raw_escapes, name, operator, value))
        if value is None and self.keep_unset:
            self.out.append("${" + name + operator)

    def _close(self) -> None:
        """End the innermost frame at its stop character."""
        frame = self.frames[-1]
        self.position += 1
        if frame.stop == "/":
            # The pattern of ${NAME/pattern/replacement} ends; the replacement follows.
            self.out.append("/")
            frame.stop = "}"
            return
        self.frames.pop()
        if frame.stop == '"':
            if self.raw_quotes:
                self.out.append('"')
        elif frame.value is None and self.keep_unset:
            self.out.append("}")
        else:
            self._substitute(frame)
        if len(self.frames) == 1:
            self._add_to_word("".join(self.out[frame.start :]), splits=frame.stop == "}")

    def _substitute(self, frame: _Frame) -> None:
        """Put the value of a variable in the place of its word, unless the word stands in."""
        value, operator = frame.value, frame.operator
        if value is None:
            self.unset.add(frame.name)
        missing = value is None or (operator[0] == ":" and value == "")
        if operator[-1] == "-":
            if missing:
                return
        elif operator[-1] == "+":
            if not missing:
                return
            value = ""
        elif operator[-1] == "?":
            if missing:
                word = "".join(self.out[frame.start :])
                raise WordError(f"{frame.name}: {word or 'is not allowed to be unset'}")
        elif value:
            # ${NAME#pattern} and its like would need the value at build time anyway.
            raise WordError(f"the pattern of ${{{frame.name}{operator}…}} is not evaluated here")
        self.out[frame.start :] = [value or ""]

    def _emit(self, text: str, *, splits: bool) -> None:
        self.out.append(text)
        if len(self.frames) == 1:
            self._add_to_word(text, splits=splits)

    def _add_to_word(self, text: str, *, splits: bool) -> None:
        """Add output of the top level to the current word; its blanks end words if `splits`."""
        if not splits:
            self.word.append(text)
            return
        position = 0
        for blank in SPACE.finditer(text):
            self.word.append(text[position : blank.start()])
            self._end_word()
            position = blank.end()
        self.word.append(text[position:])

    def _end_word(self) -> None:
        # Empty quotes make no word.
        if word := "".join(self.word):
            self.words.append(word)
        self.word = []

    def _name(self) -> str:
        """Take a name: digits, one special sign, or letters, digits and underscores.

        Letters and digits are Unicode's L and Nd, as in Go.
        """
        text, start = self.text, self.position
        goes_on = str.isdecimal if text[start : start + 1].isdecimal() else _is_name
        end = start
        while end < len(text) and goes_on(text[end]):
            end += 1
        if text.startswith(_SPECIAL, start):
            end += 1
        self.position = end
        return text[start:end]

    def _value_or(self, name: str, written: str) -> str:
        value = self.environment.get(name)
        if value is None:
            self.unset.add(name)
            return written if self.keep_unset else ""
        return value


def _is_name(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()


def expand(text: str, environment: Mapping[str, str], escape: str = "\\") -> str:
    """Expand one word as BuildKit does; blanks in it stay. Unset variables become nothing.

    Raise WordError where BuildKit's lexer refuses the word.
    """
    return _Lexer(text, environment, escape=escape).run()[0]


def variables(text: str) -> frozenset[str]:
    """Return the names of the variables that `text` refers to, defaults included."""
    if "$" not in text:
        return frozenset()
    lexer = _Lexer(text, {}, keep_unset=True)
    try:
        lexer.run()
    except WordError:
        return frozenset(_REFERENCE.findall(text))
    return frozenset(lexer.unset | set(_BRACED.findall(text)))


@dataclass(frozen=True, slots=True)
class HeredocWord:
    """A ``<<`` word: the delimiter, and how the body is read (see `tree.Heredoc`)."""

    name: str
    expand: bool
    chomp: bool


def heredoc_words(line: str) -> tuple[HeredocWord, ...]:
    """Return the heredocs that the words of a logical line announce, in order.

    A line that the lexer refuses announces none. The escape character is the backslash here,
    whatever the file's directive says (as in BuildKit).
    """
    try:
        _, words = _Lexer(line, {}, raw_quotes=True, raw_escapes=True, keep_unset=True).run()
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
        _, plain = _Lexer(match[2], {}, keep_unset=True).run()
        _, quoted = _Lexer(match[2], {}, raw_quotes=True, keep_unset=True).run()
    except WordError:
        return None
    if len(plain) != 1 or len(quoted) != 1:
        return None
    # A delimiter that loses quotes was quoted: its body is not expanded.
    return HeredocWord(plain[0], _quotes(plain[0]) == _quotes(quoted[0]), match[1] == "-")


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')
