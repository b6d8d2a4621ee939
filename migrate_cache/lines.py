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
from collections.abc import Callable
from dataclasses import dataclass

from migrate_cache.errors import ParseError
from migrate_cache.source import Source, Span
from migrate_cache.words import SPACES, heredoc_words

_LEADING = re.compile(f"[{SPACES}]*")
_DIRECTIVE = re.compile(rf"\#[{SPACES}]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=(.+)", re.DOTALL)
_DIRECTIVES = ("syntax", "escape", "check")
# bufio.MaxScanTokenSize: BuildKit reads a physical line into a buffer of this many bytes.
MAX_LINE = 65536
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Directive:
    """A parser directive at the top of the file, such as ``# syntax=docker/dockerfile:1``."""

    name: str
    value: str
    span: Span


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


@dataclass(frozen=True, slots=True)
class Lines:
    """A whole file: its directives, escape character and logical lines, in order."""

    escape: str
    directives: tuple[Directive, ...]
    logical: tuple[LogicalLine, ...]


class _Reader:
    """Walks over the physical lines of a file once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.starts = source.line_starts
        self.count = len(self.starts) - (1 if self.starts[-1] == len(self.text) else 0)
        self.index = 0
        self._check_lengths()

    def next(self) -> tuple[int, int, int] | None:
        r"""Return start, end without the ``\r\n``, and end of the next line; None at the end."""
        if self.index >= self.count:
            return None
        start = self.starts[self.index]
        self.index += 1
        stop = self.starts[self.index] if self.index < len(self.starts) else len(self.text)
        end = stop
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return start, end, stop

    def error(self, offset: int, message: str, hint: str = "") -> ParseError:
        return parse_error(self.source, offset, message, hint)

    def _check_lengths(self) -> None:
        if len(self.text) * 4 < MAX_LINE:
            return
        for index in range(self.count):
            start = self.starts[index]
            stop = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.text)
            if (stop - start) * 4 < MAX_LINE:
                continue
            size = len(self.text[start:stop].encode("utf-8", "surrogateescape"))
            if size > MAX_LINE or (size == MAX_LINE and self.text[stop - 1] != "\n"):
                raise self.error(
                    start,
                    "dockerfile line greater than maximum allowed size of 65535 bytes",
                    "BuildKit does not read longer lines; break it with the escape character",
                )


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


def read_lines(source: Source, may_hold_heredoc: Callable[[str, str], bool]) -> Lines:
    """Split a file into logical lines.

    `may_hold_heredoc` tells of a joined line and an escape character whether it is an
    instruction whose ``<<`` words announce heredocs (RUN, COPY or ADD in shell form).

    Raises:
        ParseError: where the structure is uncertain: an unterminated heredoc, a wrong
            or doubled directive, a line that BuildKit's reader refuses, no instruction.
    """
    reader = _Reader(source)
    text = source.text
    directives: dict[str, Directive] = {}
    in_directives = True
    escape = "\\"
    logical: list[LogicalLine] = []
    while (line := reader.next()) is not None:
        start, end, stop = line
        first = _skip_blanks(text, start + (start == 0 and text.startswith(BOM)), end)
        if in_directives:
            directive = _directive(reader, Span(first, end), directives)
            in_directives = directive is not None
            if directive and directive.name == "escape":
                escape = directive.value
        if first == end or text[first] == "#":
            continue
        logical.append(_logical_line(reader, escape, Span(start, stop), first, end, may_hold_heredoc))
    if not logical:
        raise reader.error(
            0, "file with no instructions", "a Dockerfile needs at least a FROM instruction"
        )
    return Lines(escape, tuple(directives.values()), tuple(logical))


def _skip_blanks(text: str, start: int, end: int) -> int:
    match = _LEADING.match(text, start, end)
    return match.end() if match else start


def _directive(
    reader: _Reader, span: Span, seen: dict[str, Directive]
) -> Directive | None:
    match = _DIRECTIVE.fullmatch(reader.text, *span)
    name = match[1].lower() if match else ""
    if match is None or name not in _DIRECTIVES:
        return None
    if name in seen:
        raise reader.error(
            span.start,
            f"only one {name} parser directive can be used",
            f"remove this line; the {name} directive above is the one in force",
        )
    # BuildKit's `\s*(.+?)\s*$` leaves one blank of a value that is all blanks.
    value = match[2].strip("\t\n\f\r ") or match[2][-1]
    if name == "escape" and value not in ("\\", "`"):
        raise reader.error(
            match.start(2),
            f"invalid escape token '{value}': expected a backslash or a backtick",
        )
    seen[name] = Directive(name, value, span)
    return seen[name]


def _logical_line(
    reader: _Reader,
    escape: str,
    physical: Span,
    first: int,
    end: int,
    may_hold_heredoc: Callable[[str, str], bool],
) -> LogicalLine:
    text = reader.text
    start, stop = physical
    pieces: list[Span] = []
    going_on, cut = _continuation(text, first, end, escape)
    pieces.append(Span(first, cut))
    while going_on and (line := reader.next()) is not None:
        begin, end, stop = line
        content = _skip_blanks(text, begin, end)
        if content == end or text[content] == "#":
            continue
        going_on, cut = _continuation(text, begin, end, escape)
        pieces.append(Span(begin, cut))
    starts: list[int] = []
    length = 0
    for piece in pieces:
        starts.append(length)
        length += piece.end - piece.start
    joined = "".join(text[piece.start : piece.end] for piece in pieces)
    head = Span(start, stop)
    heredocs: tuple[Heredoc, ...] = ()
    if "<<" in joined and may_hold_heredoc(joined, escape):
        heredocs = _heredocs(reader, joined, first)
        if heredocs:
            stop = heredocs[-1].span.end
    return LogicalLine(joined, tuple(pieces), tuple(starts), Span(start, stop), head, heredocs)


def _continuation(text: str, start: int, end: int, escape: str) -> tuple[bool, int]:
    """Return whether the line goes on, and where its own text ends.

    The escape character continues a line as its last character before blanks and tabs,
    unless another one stands before it.
    """
    last = end
    while last > start and text[last - 1] in " \t":
        last -= 1
    if last > start and text[last - 1] == escape:
        if last - 1 == start or text[last - 2] != escape:
            return True, last - 1
    return False, end


def _heredocs(reader: _Reader, joined: str, first: int) -> tuple[Heredoc, ...]:
    found: list[Heredoc] = []
    text = reader.text
    for word in heredoc_words(joined):
        line = reader.next()
        begin = line[0] if line else len(text)
        while line is not None:
            start, end, stop = line
            candidate = text[start:end]
            if (candidate.lstrip("\t") if word.chomp else candidate) == word.name:
                found.append(
                    Heredoc(
                        word.name,
                        word.expand,
                        word.chomp,
                        text[begin:start],
                        Span(begin, stop),
                        Span(start, end),
                    )
                )
                break
            line = reader.next()
        else:
            raise reader.error(
                first,
                f"unterminated heredoc: no line with {word.name} alone ends it",
                f"end the body with a line that holds only {word.name}",
            )
    return tuple(found)
