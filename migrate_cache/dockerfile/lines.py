r"""Text to logical lines: what a grammar cannot say about a Dockerfile.

Three rules of BuildKit (``frontend/dockerfile/parser``) are not context-free, so they
are applied here, before any grammar:

* ``# escape=`` at the top of a file changes what continues a line further down;
* a line that ends with the escape character goes on, across comments and blank lines,
  even in the middle of a word;
* a heredoc's delimiter is any word, and its body ends where that word stands alone.

A logical line keeps, for every character, the place in the file that it comes from.
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

_LEADING = re.compile(f"[{SPACES}]*")
_DIRECTIVE = re.compile(rf"\#[{SPACES}]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=(.+)", re.DOTALL)
_DIRECTIVES = ("syntax", "escape", "check")


@dataclass(frozen=True, slots=True)
class Directive:
    """A parser directive at the top of the file, such as ``# syntax=docker/dockerfile:1``.

    `in_force` is False where one of BuildKit's two readers of directives passes it over:
    the one of ``escape`` stops at a shebang line, the one of the others at an indented line.
    """

    name: str
    value: str
    span: Span
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One heredoc of an instruction; `body` keeps its line endings and leading tabs."""

    name: str
    expand: bool
    chomp: bool
    body: str
    span: Span
    terminator: Span


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """One instruction's text with its continuations taken out.

    `text` is the joined line. `pieces` are the parts of the file that it is made of;
    `starts` are the offsets in `text` at which they begin. `span` covers all physical
    lines, heredocs and the last line ending included; `head` ends where the last
    physical line before the heredocs ends.
    """

    text: str
    pieces: tuple[Span, ...]
    starts: tuple[int, ...]
    span: Span
    head: Span
    heredocs: tuple[Heredoc, ...]

    def offset(self, position: int) -> int:
        """Return where in the file the character at `position` of `text` stands."""
        index = bisect_right(self.starts, position) - 1
        return self.pieces[index].start + position - self.starts[index]

    def end_offset(self, position: int) -> int:
        """Return where in the file the text up to `position` ends (before any continuation)."""
        return self.offset(position - 1) + 1 if position else self.pieces[0].start

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Yield the parts of the file that ``text[start:end]`` is made of."""
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


# Tells of a joined line and an escape character whether its ``<<`` words announce heredocs.
MayHoldHeredoc = Callable[[str, str], bool]


def parse_error(source: Source, offset: int, message: str, hint: str = "") -> ParseError:
    """Return an error that points at the character at `offset`."""
    place = source.place(offset)
    return ParseError(
        message,
        path=source.path,
        line=place.line,
        column=place.column,
        source_line=source.line_text(place.line),
        hint=hint,
    )


def read_lines(source: Source, may_hold_heredoc: MayHoldHeredoc) -> Lines:
    """Split a file into logical lines.

    `may_hold_heredoc` says whether a joined line is a RUN, COPY or ADD in shell form.

    Raises:
        ParseError: where the structure is uncertain: an unterminated heredoc, a wrong
            or doubled directive, a line that BuildKit's reader refuses, no instruction.

    """
    _check_lengths(source)
    reader = _Reader(source)
    directives = _Directives(source)
    logical: list[LogicalLine] = []
    for line in reader:
        if line.is_comment or line.content == line.end:
            directives.read(line)
            continue
        directives.close()
        logical.append(_logical_line(reader, directives.escape, line, may_hold_heredoc))
    if not logical:
        raise parse_error(
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
            raise parse_error(
                source,
                start,
                f"dockerfile line greater than max allowed size of {MAX_LINE - 1} bytes",
                "BuildKit does not read longer lines; break it with the escape character",
            )


# -- physical lines ----------------------------------------------------------------------


class _Line(NamedTuple):
    r"""A physical line without a byte order mark: ``start <= content <= end <= stop``.

    `content` is its first character that is no blank (or `end`), `end` is before the
    ``\r\n``, `stop` behind it.
    """

    start: int
    content: int
    end: int
    stop: int
    is_comment: bool


class _Reader:
    """Walks over the physical lines of a file once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self._starts = source.line_starts
        self._index = 0

    def __iter__(self) -> Iterator[_Line]:
        while (line := self.next()) is not None:
            yield line

    def next(self) -> _Line | None:
        """Return the next line, None at the end of the file."""
        text, starts = self.text, self._starts
        start = starts[self._index] if self._index < len(starts) else len(text)
        if start == len(text):
            return None
        self._index += 1
        stop = starts[self._index] if self._index < len(starts) else len(text)
        if start == 0 and text.startswith(BOM):
            start = 1
        end = stop
        while end > start and text[end - 1] in "\r\n":
            end -= 1
        content = _skip_blanks(text, start, end)
        return _Line(start, content, end, stop, text.startswith("#", content, end))


def _skip_blanks(text: str, start: int, end: int) -> int:
    match = _LEADING.match(text, start, end)
    assert match is not None
    return match.end()


# -- directives --------------------------------------------------------------------------


class _Directives:
    """Reads the directives: comments at the very top of the file, without a gap."""

    def __init__(self, source: Source) -> None:
        self.escape = "\\"
        self.found: list[Directive] = []
        self._source = source
        self._open = True
        self._after_shebang = False

    def close(self) -> None:
        """Take no more directives: something else than a directive has come."""
        self._open = False

    def read(self, line: _Line) -> None:
        """Read a comment or a blank line."""
        if not self._open:
            return
        text = self._source.text
        if line.start == line.content <= len(BOM) and text.startswith("#!", line.content):
            self._after_shebang = True
            return
        match = _DIRECTIVE.fullmatch(text, line.content, line.end)
        name = match[1].lower() if match else ""
        if match is None or name not in _DIRECTIVES:
            self.close()
        elif any(directive.name == name for directive in self.found):
            self._doubled(line, name)
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
            raise parse_error(
                self._source,
                offset,
                f"invalid escape token '{value}': expected a backslash or a backtick",
                "write # escape=` or leave the line out",
            )
        self.escape = value

    def _doubled(self, line: _Line, name: str) -> None:
        if self._after_shebang:
            # Only the reader of syntax is at work here, and it takes the first in silence.
            self.close()
            return
        raise parse_error(
            self._source,
            line.content,
            f"only one {name} parser directive can be used",
            f"remove this line; the {name} directive above is the one in force",
        )


# -- logical lines -----------------------------------------------------------------------


def _logical_line(
    reader: _Reader, escape: str, first: _Line, may_hold_heredoc: MayHoldHeredoc
) -> LogicalLine:
    text, last = reader.text, first
    goes_on, end = _continuation(text, first.content, first.end, escape)
    pieces = [Span(first.content, end)]
    while goes_on and (line := reader.next()) is not None:
        last = line
        if line.is_comment or line.content == line.end:
            continue
        goes_on, end = _continuation(text, line.start, line.end, escape)
        pieces.append(Span(line.start, end))
    lengths = (piece.end - piece.start for piece in pieces)
    joined = LogicalLine(
        "".join(text[piece.start : piece.end] for piece in pieces),
        tuple(pieces),
        tuple(accumulate(lengths, initial=0))[:-1],
        Span(first.start, last.stop),
        Span(first.start, last.stop),
        (),
    )
    if "<<" not in joined.text or not may_hold_heredoc(joined.text, escape):
        return joined
    return _with_heredocs(reader, joined)


def _continuation(text: str, start: int, end: int, escape: str) -> tuple[bool, int]:
    """Return whether the line goes on, and where its own text ends.

    The escape character continues a line as its last character before blanks and tabs,
    unless another one stands before it.
    """
    last = end
    while last > start and text[last - 1] in " \t":
        last -= 1
    if last == start or text[last - 1] != escape:
        return False, end
    if last - 1 > start and text[last - 2] == escape:
        return False, end
    return True, last - 1


# -- heredocs ----------------------------------------------------------------------------


def _with_heredocs(reader: _Reader, line: LogicalLine) -> LogicalLine:
    heredocs = []
    for word in heredoc_words(line.text):
        heredoc = _heredoc(reader, word)
        if heredoc is None:
            raise parse_error(
                reader.source,
                line.offset(_announced_at(line.text, word.name)),
                f"unterminated heredoc: no line with {word.name} alone ends it",
                f"end the body with a line that holds only {word.name}",
            )
        heredocs.append(heredoc)
    if not heredocs:
        return line
    span = Span(line.span.start, heredocs[-1].span.end)
    return replace(line, span=span, heredocs=tuple(heredocs))


def _heredoc(reader: _Reader, word: HeredocWord) -> Heredoc | None:
    """Read the body up to the line that is the delimiter; None where there is no such line."""
    text = reader.text
    begin = -1
    while (line := reader.next()) is not None:
        begin = line.start if begin < 0 else begin
        end = text[line.start : line.end]
        if (end.lstrip("\t") if word.chomp else end) == word.name:
            return Heredoc(
                word.name,
                word.expand,
                word.chomp,
                text[begin : line.start],
                Span(begin, line.stop),
                Span(line.start, line.end),
            )
    return None


def _announced_at(text: str, name: str) -> int:
    """Return where in a joined line the heredoc of that name is announced, for a message."""
    written = re.search(rf"<<-?[\t ]*[\"']?{re.escape(name)}", text)
    return written.start() if written else text.index("<<")
