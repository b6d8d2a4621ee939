"""Split a file into logical lines, as no grammar can.

Three rules of BuildKit (``frontend/dockerfile/parser``) are not context-free, so they
are applied here, before any grammar:

* ``# escape=`` at the top of a file changes what continues a line further down;
* a line that ends with the escape character goes on, across comments and blank lines,
  even in the middle of a word;
* a heredoc's delimiter is any word, and its body ends where that word stands alone.

A logical line keeps, for every character, its place in the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

from migrate_cache.dockerfile.words import SPACES, HeredocWord, heredoc_words
from migrate_cache.text.errors import ParseError
from migrate_cache.text.source import Source, Span, encode

BOM = "\ufeff"
# bufio.MaxScanTokenSize: BuildKit reads a physical line into a buffer of this many bytes.
MAX_LINE = 65536

_VISIBLE = re.compile(f"[^{SPACES}]")
_DIRECTIVE = re.compile(rf"\#[{SPACES}]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=(.+)", re.DOTALL)
_DIRECTIVES = ("syntax", "escape", "check")


@dataclass(frozen=True, slots=True)
class Directive:
    """A parser directive at the top of the file, such as ``# syntax=docker/dockerfile:1``.

    `in_force` is False where the one of BuildKit's two readers that looks for this directive
    does not see it: that of ``escape`` stops at a shebang line, that of the others at an
    indented line.
    """

    name: str
    value: str
    span: Span
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class HeredocLines:
    """The lines of one heredoc: those of its body, and that of the delimiter, which ends it."""

    word: HeredocWord
    body: Span
    delimiter: Span
    span: Span


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """One instruction's text with its continuations taken out.

    `text` is the joined line. `pieces` are the parts of the file that it is made of, and
    `starts` the offsets in `text` at which they begin. `span` covers all physical lines,
    heredocs and the last line ending included; lines are numbered from 1.
    """

    text: str
    pieces: tuple[Span, ...]
    starts: tuple[int, ...]
    span: Span
    first_line: int
    last_line: int
    heredocs: tuple[HeredocLines, ...] = ()

    def offset(self, position: int) -> int:
        """Return the offset in the file of the character at `position` of `text`."""
        index = bisect_right(self.starts, position) - 1
        return self.pieces[index].start + position - self.starts[index]

    def end_offset(self, position: int) -> int:
        """Return the offset in the file at which ``text[:position]`` ends."""
        return self.offset(position - 1) + 1 if position else self.pieces[0].start

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Yield the parts of the file that make up ``text[start:end]``."""
        index = bisect_right(self.starts, start) - 1
        while start < end:
            piece = self.pieces[index]
            first = piece.start + start - self.starts[index]
            last = min(piece.end, first + end - start)
            if last > first:
                yield Span(first, last)
            start += last - first
            index += 1


@dataclass(frozen=True, slots=True)
class Lines:
    """A whole file: its directives, escape character and logical lines, in order."""

    escape: str
    directives: tuple[Directive, ...]
    logical: tuple[LogicalLine, ...]


# Tells of a joined line and an escape character whether ``<<`` may begin a heredoc there.
MayHoldHeredoc = Callable[[str, str], bool]


def read_lines(source: Source, may_hold_heredoc: MayHoldHeredoc) -> Lines:
    """Split a file into logical lines.

    `may_hold_heredoc` tells whether a joined line is a RUN, COPY or ADD in shell form. Raise
    ParseError where the structure is uncertain: an unterminated heredoc, a wrong or repeated
    directive, a line too long for BuildKit, no instruction.
    """
    _check_lengths(source)
    reader = _Reader(source)
    directives = _Directives(source)
    logical: list[LogicalLine] = []
    while (line := reader.next()) is not None:
        if line.is_skipped:
            directives.read(line)
            continue
        directives.are_over = True
        logical.append(_logical_line(reader, directives.escape, line, may_hold_heredoc))
    if not logical:
        raise ParseError.at(
            source, 0, "file with no instructions", "a Dockerfile needs at least a FROM instruction"
        )
    return Lines(directives.escape, tuple(directives.found), tuple(logical))


def _check_lengths(source: Source) -> None:
    text, starts = source.text, source.line_starts
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        # A character is at most four bytes.
        if (stop - start) * 4 < MAX_LINE:
            continue
        size = len(encode(text[start:stop]))
        if size > MAX_LINE or (size == MAX_LINE and text[stop - 1] != "\n"):
            raise ParseError.at(
                source,
                start,
                f"dockerfile line greater than max allowed size of {MAX_LINE - 1} bytes",
                "BuildKit does not read longer lines; break it with the escape character",
            )


class _Line(NamedTuple):
    r"""A physical line without a byte order mark: ``start <= content <= end <= stop``.

    `content` is its first character that is not blank (or `end`), `end` is before the line
    ending, `stop` after it. Comments and blank lines are skipped, also within an instruction.
    """

    start: int
    content: int
    end: int
    stop: int
    is_skipped: bool


class _Reader:
    """The physical lines of a file, each read once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self._starts = source.line_starts
        # The number of the last line read.
        self.number = 0

    def next(self) -> _Line | None:
        """Return the next line, None at the end of the file."""
        text, starts = self.text, self._starts
        start = starts[self.number] if self.number < len(starts) else len(text)
        if start == len(text):
            return None
        self.number += 1
        stop = starts[self.number] if self.number < len(starts) else len(text)
        if start == 0 and text.startswith(BOM):
            start = 1
        end = stop
        while end > start and text[end - 1] in "\r\n":
            end -= 1
        visible = _VISIBLE.search(text, start, end)
        content = visible.start() if visible else end
        return _Line(start, content, end, stop, visible is None or visible[0] == "#")


class _Directives:
    """The directives: comments at the very top of the file, without a gap."""

    def __init__(self, source: Source) -> None:
        self.escape = "\\"
        self.found: list[Directive] = []
        self._source = source
        self.are_over = False
        self._after_shebang = False

    def read(self, line: _Line) -> None:
        """Read a comment or a blank line; one that is no directive ends them."""
        if self.are_over:
            return
        text = self._source.text
        if line.start == line.content <= len(BOM) and text.startswith("#!", line.content):
            self._after_shebang = True
            return
        match = _DIRECTIVE.fullmatch(text, line.content, line.end)
        name = match[1].lower() if match else ""
        if match is None or name not in _DIRECTIVES:
            self.are_over = True
        elif any(directive.name == name for directive in self.found):
            self._repeated(line, name)
        else:
            self._add(line, name, match)

    def _add(self, line: _Line, name: str, match: re.Match[str]) -> None:
        # BuildKit's `\s*(.+?)\s*$` leaves one blank of a value that is all blanks.
        value = match[2].strip("\t\n\f\r ") or match[2][-1]
        if name == "escape":
            in_force = not self._after_shebang
            if in_force:
                self._set_escape(value, match.start(2))
        else:
            in_force = line.content == line.start
        self.found.append(Directive(name, value, Span(line.content, line.end), in_force))

    def _set_escape(self, value: str, offset: int) -> None:
        if value not in ("\\", "`"):
            raise ParseError.at(
                self._source,
                offset,
                f"invalid escape token '{value}': expected a backslash or a backtick",
                "write # escape=` or leave the line out",
            )
        self.escape = value

    def _repeated(self, line: _Line, name: str) -> None:
        if not self._after_shebang:
            raise ParseError.at(
                self._source,
                line.content,
                f"only one {name} parser directive can be used",
                f"remove this line; the {name} directive above is the one in force",
            )
        # BuildKit looks for nothing but syntax here, and takes the first one.
        self.are_over = True


def _logical_line(
    reader: _Reader, escape: str, first: _Line, may_hold_heredoc: MayHoldHeredoc
) -> LogicalLine:
    text, last, number = reader.text, first, reader.number
    goes_on, end = _continuation(text, first.content, first.end, escape)
    pieces = [Span(first.content, end)]
    while goes_on and (line := reader.next()) is not None:
        last = line
        if line.is_skipped:
            continue
        goes_on, end = _continuation(text, line.start, line.end, escape)
        pieces.append(Span(line.start, end))
    lengths = (piece.end - piece.start for piece in pieces)
    joined = LogicalLine(
        "".join(text[piece.start : piece.end] for piece in pieces),
        tuple(pieces),
        tuple(accumulate(lengths, initial=0))[:-1],
        Span(first.start, last.stop),
        number,
        reader.number,
    )
    if "<<" not in joined.text or not may_hold_heredoc(joined.text, escape):
        return joined
    return _with_heredocs(reader, joined)


def _continuation(text: str, start: int, end: int, escape: str) -> tuple[bool, int]:
    """Return whether a line goes on, and where its own text ends.

    The escape character continues a line if nothing but blanks and tabs follows it, and no
    other escape character stands before it.
    """
    last = end
    while last > start and text[last - 1] in " \t":
        last -= 1
    if last == start or text[last - 1] != escape:
        return False, end
    if last - 1 > start and text[last - 2] == escape:
        return False, end
    return True, last - 1


def _with_heredocs(reader: _Reader, line: LogicalLine) -> LogicalLine:
    heredocs = []
    for word in heredoc_words(line.text):
        heredoc = _heredoc(reader, word)
        if heredoc is None:
            raise ParseError.at(
                reader.source,
                line.offset(_announced_at(line.text, word.name)),
                f"unterminated heredoc: no line with {word.name} alone ends it",
                f"end the body with a line that holds only {word.name}",
            )
        heredocs.append(heredoc)
    if not heredocs:
        return line
    span = Span(line.span.start, heredocs[-1].span.end)
    return replace(line, span=span, last_line=reader.number, heredocs=tuple(heredocs))


def _heredoc(reader: _Reader, word: HeredocWord) -> HeredocLines | None:
    """Read up to the line that is the delimiter; return None where there is no such line."""
    begin = -1
    while (line := reader.next()) is not None:
        begin = line.start if begin < 0 else begin
        content = reader.text[line.start : line.end]
        if (content.lstrip("\t") if word.chomp else content) == word.name:
            return HeredocLines(
                word,
                Span(begin, line.start),
                Span(line.start, line.end),
                Span(begin, line.stop),
            )
    return None


def _announced_at(text: str, name: str) -> int:
    """Return where in a joined line the heredoc of that name is announced, for a message."""
    written = re.search(rf"<<-?[\t ]*[\"']?{re.escape(name)}", text)
    return written.start() if written else text.index("<<")
