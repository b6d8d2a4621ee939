"""Which variables of its environment a shell script reads.

One pass puts blanks in place of what the shell takes literally: single quotes, escapes,
comments, quoted heredocs. What is left is searched for ``$NAME`` and for assignments: a
variable that the script itself has set by then is not the one of the environment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_REFERENCE = re.compile(rf"\$(?:\{{[#!]?({_NAME})|({_NAME}))")
_COMMAND_START = re.compile(
    r"(?:^|[;&|({\n]|\b(?:then|do|else|if|elif|while|until)\s|!\s)\s*"
    r"(?P<exports>(?:export|declare|local|readonly|typeset)(?:\s+-\w+)*\s+)?",
)
_CASE_START = re.compile(r"\)\s*(?P<exports>export\s+)?")
_ASSIGNMENT = re.compile(
    rf"(?P<name>{_NAME})\+?="
    r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\$\([^()]*\)|`[^`]*`|\\.|[^\s;&|\"'()`])*[ \t]*",
    re.DOTALL,
)
_END = re.compile(r"$|[;&|)\n}]")
_LOOP = re.compile(rf"\b(?:for|select|unset|getopts\s+\S+|printf\s+-v)\s+({_NAME})\b")
_READ = re.compile(rf"\b(?:read|mapfile|readarray)((?:\s+-\w+)*(?:\s+{_NAME})+)")
_SCRIPT_WORD = re.compile(r"(?:^|\s)(?:-[A-Za-z]*c|eval)\s+$")
_HEREDOC = re.compile(r"<<(-?)[ \t]*((?:[\w.!+-]|\\.|'[^'\n]*'|\"[^\"\n]*\")+)")
_COMMENT_BEFORE = re.compile(r"(?:^|[\s;&|(])$")
_PLAIN = re.compile(r"[^\\'\"#<\n$`()]+")
_PLAIN_QUOTED = re.compile(r"[^\\\"$`]+")
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "ksh", "zsh"))
_SHEBANG = re.compile(r"\s*#!\s*(\S+)(?:[ \t]+(\S+))?")
_MAX_NESTING = 6
_TAIL = 300
_BLANKED = str.maketrans(dict.fromkeys(";&|\n()='`<>#", "."))


@dataclass(frozen=True, slots=True)
class ShellText:
    """What a script reads from its environment, in order, and what it sets itself."""

    reads: tuple[str, ...] = ()
    assigns: frozenset[str] = frozenset()


def read_script(script: str) -> ShellText:
    """Return the variables that a script reads before it sets them itself."""
    if "$" not in script and "=" not in script:
        return ShellText()
    text = _masked(script, 0)
    kept, passing = _assignments(text)
    reads: dict[str, None] = {}
    for match in _REFERENCE.finditer(text):
        name = match[1] or match[2]
        if kept.get(name, len(text)) >= match.start():
            reads[name] = None
    return ShellText(tuple(reads), frozenset((*kept, *passing)))


def _assignments(text: str) -> tuple[dict[str, int], set[str]]:
    """Return where variables are first set to stay, and which are set for one command."""
    kept: dict[str, int] = {}
    passing: set[str] = set()
    starts: Iterator[re.Match[str]] = _COMMAND_START.finditer(text)
    if "esac" in text:
        starts = chain(starts, _CASE_START.finditer(text))
    for start in starts:
        names: dict[str, int] = {}
        at = start.end()
        while match := _ASSIGNMENT.match(text, at):
            at = match.end()
            names[match["name"]] = at
        if names and (start["exports"] or _END.match(text, at)):
            for name, end in names.items():
                kept[name] = min(end, kept.get(name, end))
        else:
            passing |= names.keys()
    for match in _LOOP.finditer(text):
        kept[match[1]] = min(match.start(), kept.get(match[1], match.start()))
    for match in _READ.finditer(text):
        for name in re.findall(rf"\s({_NAME})", match[1]):
            kept[name] = min(match.start(), kept.get(name, match.start()))
    return kept, passing


def _masked(script: str, depth: int) -> str:
    return "" if depth > _MAX_NESTING else _Mask(script, depth).run()


class _Mask:
    """Blanks out what the shell takes literally; see the module's text."""

    def __init__(self, text: str, depth: int) -> None:
        self._text = text
        self._depth = depth
        self._at = 0
        self._out: list[str] = []
        self._tail = ""
        # What is open, innermost last: `"`, `s` (the quotes of a script), `(`, a backtick.
        self._open: list[str] = []
        self._heredocs: list[tuple[str, bool, bool, bool]] = []

    def run(self) -> str:
        while self._at < len(self._text):
            is_quoted = bool(self._open) and self._open[-1] in ('"', "s")
            plain = (_PLAIN_QUOTED if is_quoted else _PLAIN).match(self._text, self._at)
            if plain:
                literal = self._literal(plain[0]) if is_quoted else plain[0]
                self._emit(literal, len(plain[0]))
            elif is_quoted:
                self._quoted(self._text[self._at])
            else:
                self._code(self._text[self._at])
        return "".join(self._out)

    def _emit(self, text: str, width: int) -> None:
        self._out.append(text)
        self._tail = (self._tail + text[-_TAIL:])[-_TAIL:]
        self._at += width

    def _code(self, char: str) -> None:
        text, at = self._text, self._at
        if char == "\\":
            self._emit("  " if text[at + 1 : at + 2] == "\n" else "__", 2)
        elif char == "'":
            self._single()
        elif char == '"':
            self._open.append("s" if _SCRIPT_WORD.search(self._tail) else '"')
            self._emit('"', 1)
        elif char == "#" and _COMMENT_BEFORE.search(self._tail):
            end = text.find("\n", at)
            self._at = end if end >= 0 else len(text)
        elif char == "<" and text.startswith("<<", at) and not text.startswith("<<<", at):
            self._heredoc()
        elif char == "\n":
            self._emit("\n", 1)
            self._bodies()
        else:
            self._common(char)

    def _common(self, char: str) -> None:
        text, at = self._text, self._at
        if text.startswith("$$", at):
            self._emit("..", 2)
        elif text.startswith("$(", at):
            self._open.append("(")
            self._emit("$(", 2)
        elif char == "`":
            if self._open and self._open[-1] == "`":
                self._open.pop()
            else:
                self._open.append("`")
            self._emit("(", 1)
        elif char == "(" and self._open:
            self._open.append("(")
            self._emit("(", 1)
        elif char == ")" and self._open and self._open[-1] == "(":
            self._open.pop()
            self._emit(")", 1)
        else:
            self._emit(char, 1)

    def _quoted(self, char: str) -> None:
        text, at = self._text, self._at
        if char == '"':
            self._open.pop()
            self._emit('"', 1)
        elif char == "\\":
            # `sh -c "… \$X"`: the inner shell reads it.
            inner = self._open[-1] == "s" and text.startswith("$", at + 1)
            self._emit(".$" if inner else "..", 2)
        else:
            self._common(char)

    def _literal(self, text: str) -> str:
        """Return quoted text as it is kept: the quotes of a script (`sh -c "…"`) hold commands."""
        return text.replace("'", ".") if self._open[-1] == "s" else text.translate(_BLANKED)

    def _single(self) -> None:
        end = self._text.find("'", self._at + 1)
        end = len(self._text) if end < 0 else end
        inner = self._text[self._at + 1 : end]
        if _SCRIPT_WORD.search(self._tail):
            masked = _masked(inner, self._depth + 1)
            self._emit(f";{masked};", end + 1 - self._at)
        else:
            self._emit("'" + "." * min(len(inner), 3) + "'", end + 1 - self._at)

    def _heredoc(self) -> None:
        match = _HEREDOC.match(self._text, self._at)
        if not match:
            self._emit("<<", 2)
            return
        word = match[2]
        plain = re.sub(r"['\"\\]", "", word)
        command = re.split(r"[;&|\n(]", self._tail)[-1].split()
        is_script = not command or command[0].rpartition("/")[2] in _SHELLS
        self._heredocs.append((plain, bool(match[1]), plain != word, is_script))
        self._emit(" ", match.end() - self._at)

    def _bodies(self) -> None:
        for delimiter, strips, is_quoted, is_script in self._heredocs:
            body, self._at = _body(self._text, self._at, delimiter, strips)
            if is_script and _is_shell_script(body):
                masked = _masked(body, self._depth + 1)
            elif is_quoted or is_script:
                masked = ""
            else:
                masked = re.sub(r"\\.|\$\$", "..", body).translate(_BLANKED)
            self._emit(f"{masked}\n", 0)
        self._heredocs.clear()


def _body(text: str, start: int, delimiter: str, strips: bool) -> tuple[str, int]:
    at = start
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].rstrip("\r")
        if (line.lstrip("\t") if strips else line) == delimiter:
            return text[start:at], min(end + 1, len(text))
        at = end + 1
    return text[start:], len(text)


def _is_shell_script(body: str) -> bool:
    shebang = _SHEBANG.match(body)
    if not shebang:
        return True
    program = shebang[1].rpartition("/")[2]
    return (shebang[2] or "" if program == "env" else program) in _SHELLS
