"""Logical lines to nodes, through the grammar. The only module that knows Lark.

The parser is built at first use: Lark costs more to import than most files to read.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from migrate_cache.checks import check_instruction, check_structure
from migrate_cache.cst import (
    Dockerfile,
    Flag,
    HeredocNode,
    Instruction,
    Mount,
    MountOption,
    Node,
    Run,
    Token,
)
from migrate_cache.errors import ParseError
from migrate_cache.lines import BOM, Heredoc, LogicalLine, parse_error, read_lines
from migrate_cache.source import Source, Span, decode
from migrate_cache.words import SPACES

if TYPE_CHECKING:
    from lark import Lark
    from lark import Token as LarkToken
    from lark import Tree

_STRIP = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_HEREDOC_KEYWORDS = ("RUN", "COPY", "ADD")


def parse(data: bytes | str, path: str | None = None) -> Dockerfile:
    """Read a Dockerfile into its lossless tree.

    What BuildKit would reject within one instruction (an unknown flag, a malformed mount)
    is kept in the tree's `errors` and does not stop the rest from being read.

    Raises:
        ParseError: where the structure of the file is uncertain: an unterminated heredoc,
            a wrong parser directive, a binary file, or no instruction at all.
    """
    text = decode(data) if isinstance(data, bytes) else data
    return _Parser(Source(text, path or "Dockerfile")).dockerfile()


def grammar() -> str:
    """Return the text of the grammar: the packaged one, or the checkout's."""
    packaged = files("migrate_cache") / "dockerfile.lark"
    if packaged.is_file():
        return packaged.read_text("utf-8")
    return (Path(__file__).parent.parent / "grammar" / "dockerfile.lark").read_text("utf-8")


@cache
def _lark(escape: str) -> Lark:
    from lark import Lark

    text = grammar()
    if escape != "\\":
        text = text.replace('ESCAPE: "\\\\"', f'ESCAPE: "{escape}"')
    return Lark(
        text,
        parser="lalr",
        lexer="contextual",
        start=["instruction", "flag", "mount"],
        keep_all_tokens=True,
        maybe_placeholders=False,
        propagate_positions=False,
    )


class _Word:
    """A flag word: its decoded text, and where in the joined line each character stands."""

    __slots__ = ("ends", "quotes", "starts", "text")

    def __init__(self, raw: str, start: int, escape: str) -> None:
        chars: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        # The parts of the joined line that stand in quotes, without the quotes.
        self.quotes: list[tuple[int, int]] = []
        quote, quoted_from, index, length = "", 0, 0, len(raw)
        while index < length:
            char = raw[index]
            begin = index
            if char == escape:
                index += 1
                if index == length:
                    break
                char = raw[index]
            elif quote and char == quote:
                self.quotes.append((start + quoted_from, start + index))
                quote = ""
                index += 1
                continue
            elif not quote and char in "\"'":
                quote, quoted_from = char, index + 1
                index += 1
                continue
            index += 1
            chars.append(char)
            self.starts.append(start + begin)
            self.ends.append(start + index)
        self.text = "".join(chars)


# What stands between the grammar's tokens. An escape character there ends a line.
_TRIVIA = re.compile(
    rf"(?P<CONTINUATION>[\\`][ \t]*\r*\n|[\\`][ \t]*\Z)"
    rf"|(?P<NEWLINE>\r*\n)"
    rf"|(?P<COMMENT>\#[^\r\n]*(?:\r+[^\r\n]+)*)"
    rf"|(?P<BLANK>[{SPACES.replace(chr(10), '').replace(chr(13), '')}]+|\r+)"
    rf"|(?P<QUOTE>[\"'])"
    rf"|(?P<OTHER>.)",
    re.DOTALL,
)


class _Parser:
    """Reads one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.escape = "\\"

    def dockerfile(self) -> Dockerfile:
        lines = read_lines(self.source, self._may_hold_heredoc)
        self.escape = lines.escape
        self._refuse_binary(lines.logical[0])
        instructions = tuple(self._instruction_node(line) for line in lines.logical)
        directives = {directive.span.start: directive for directive in lines.directives}
        children: list[Node | Token] = []
        position = 0
        if self.text.startswith(BOM):
            children.append(Token("BOM", Span(0, 1), BOM))
            position = 1
        for instruction in instructions:
            for token in self._trivia(position, instruction.span.start):
                is_directive = token.kind == "COMMENT" and token.span.start in directives
                children.append(token._replace(kind="DIRECTIVE") if is_directive else token)
            children.append(instruction)
            position = instruction.span.end
        children.extend(self._trivia(position, len(self.text)))
        tree = Dockerfile(
            self.source, tuple(children), instructions, lines.directives, lines.escape
        )
        tree.errors = tuple(self._errors(tree))
        return tree

    def _errors(self, tree: Dockerfile) -> list[ParseError]:
        errors = []
        for instruction in tree.instructions:
            instruction.error = check_instruction(self.source, instruction)
            if instruction.error:
                errors.append(instruction.error)
        if not errors and (error := check_structure(self.source, tree)):
            errors.append(error)
        return errors

    def _refuse_binary(self, first: LogicalLine) -> None:
        keyword = first.text[:64].strip(_STRIP).split(" ")[0]
        if "\0" in keyword or any("\udc80" <= char <= "\udcff" for char in keyword):
            raise parse_error(
                self.source,
                first.pieces[0].start,
                "not a text file: the first instruction's keyword holds binary data",
                "Dockerfiles are read as UTF-8; UTF-16 needs converting",
            )

    # -- instructions ---------------------------------------------------------------

    def _may_hold_heredoc(self, joined: str, escape: str) -> bool:
        tree = _lark(escape).parse(joined.strip(_STRIP), start="instruction")
        parts = tree.children
        if tree.data == "onbuild" and _is_tree(parts[-1]):
            parts = parts[-1].children
        tokens = [part for part in parts if not _is_tree(part)]
        return tokens[0].upper() in _HEREDOC_KEYWORDS and tokens[-1].type != "EXEC_FORM"

    def _instruction_node(self, line: LogicalLine) -> Instruction:
        stripped = line.text.strip(_STRIP)
        start = len(line.text) - len(line.text.lstrip(_STRIP)) if stripped else 0
        place = self.source.place
        lines = (place(line.span.start).line, place(max(line.span.end - 1, line.span.start)).line)
        if not stripped:
            # A lone escape character at the end of the file: an instruction without a name.
            children = tuple(self._fill([], line.span))
            return Instruction(
                "other", line.span, children, keyword="", line=line, escape=self.escape,
                flag_nodes=(), arguments="", words=(), exec_form=None, trigger=None,
                heredocs=(), lines=lines,
            )  # fmt: skip
        tree = _lark(self.escape).parse(stripped, start="instruction")
        return self._from_tree(tree, line, start, lines, line.span)

    def _from_tree(
        self,
        tree: Tree[LarkToken],
        line: LogicalLine,
        start: int,
        lines: tuple[int, int],
        span: Span | None,
    ) -> Instruction:
        """Make a node of one parsed statement; `span` is None for an ONBUILD's trigger."""
        parts: list[Node | Token] = []
        flags: list[Flag] = []
        words: list[str] = []
        arguments_from = -1
        exec_form: tuple[str, ...] | None = None
        trigger: Instruction | None = None
        keyword = ""
        for part in tree.children:
            if _is_tree(part):
                trigger = self._from_tree(part, line, start, lines, None)
                arguments_from = start + _position(part.children[0])
                parts.append(trigger)
                continue
            begin, end = start + _position(part), start + _position(part) + len(part)
            kind = part.type
            if not keyword:
                keyword = part.upper()
            elif kind == "FLAG":
                flag = self._flag(str(part), begin, line)
                parts.append(flag)
                if flag.word != "--":
                    flags.append(flag)
                continue
            elif kind in ("WORD", "PLAIN_WORD"):
                words.append(str(part))
            elif kind == "EXEC_FORM":
                exec_form = tuple(json.loads(part))
            if kind in ("WORD", "PLAIN_WORD", "EXEC_FORM", "COMMAND") and arguments_from < 0:
                arguments_from = begin
            parts.extend(self._leaves(kind, begin, end, line))
        whole = span or Span(parts[0].span.start, parts[-1].span.end)
        if span is not None:
            for heredoc in line.heredocs:
                parts.append(self._heredoc(heredoc))
        node = Run if keyword == "RUN" else Instruction
        arguments = line.text[arguments_from:].strip(_STRIP) if arguments_from >= 0 else ""
        return node(
            tree.data,
            whole,
            tuple(self._fill(parts, whole)),
            keyword=keyword,
            line=line,
            escape=self.escape,
            flag_nodes=tuple(flags),
            arguments=arguments,
            words=tuple(words),
            exec_form=exec_form,
            trigger=trigger,
            heredocs=line.heredocs,
            lines=lines,
        )

    def _heredoc(self, heredoc: Heredoc) -> HeredocNode:
        body = Span(heredoc.span.start, heredoc.terminator.start)
        children: list[Node | Token] = []
        if body.end > body.start:
            children.append(Token("HEREDOC_BODY", body, heredoc.body))
        end = heredoc.terminator
        children.append(Token("HEREDOC_END", end, self.text[end.start : end.end]))
        return HeredocNode(heredoc, tuple(self._fill(children, heredoc.span)))

    # -- flags and mounts -------------------------------------------------------------

    def _flag(self, raw: str, start: int, line: LogicalLine) -> Flag:
        word = _Word(raw, start, self.escape)
        whole = Span(line.offset(start), line.end_offset(start + len(raw)))
        tree = _lark(self.escape).parse(word.text, start="flag")
        parts: list[Node | Token] = []
        name, value, value_at = "", None, len(word.text)
        for token in tree.children:
            begin = _position(token)
            if token.type == "NAME":
                name = str(token)
            elif token.type == "EQUALS":
                value = ""
            elif token.type == "VALUE_OF_FLAG":
                value, value_at = str(token), begin
                if name == "mount":
                    return self._mount(word, value, value_at, parts, whole, line)
            parts.extend(self._decoded_leaves(token.type, word, begin, begin + len(token), line))
        if name == "mount":
            return self._mount(word, value, value_at, parts, whole, line)
        return Flag("flag", whole, tuple(self._fill(parts, whole)), word.text, name, value)

    def _mount(
        self,
        word: _Word,
        value: str | None,
        value_at: int,
        parts: list[Node | Token],
        whole: Span,
        line: LogicalLine,
    ) -> Mount:
        from lark.exceptions import UnexpectedInput

        options: list[MountOption] = []
        after: list[int] = []
        error: ParseError | None = None
        try:
            tree = _lark(self.escape).parse(value or "", start="mount")
        except UnexpectedInput as unexpected:
            at = value_at + max(0, min(_error_position(unexpected), len(value or "") - 1))
            parts.extend(
                self._decoded_leaves("VALUE_OF_FLAG", word, value_at, len(word.text), line)
            )
            offset = line.offset(word.starts[at]) if at < len(word.starts) else whole.start
            error = parse_error(
                self.source,
                offset,
                'failed to parse csv mounts: a quote (") stands in the middle of a field',
                'put the whole field in quotes, and double a quote within: "key=a""b"',
            )
        else:
            position = value_at
            for part in tree.children:
                if _is_tree(part):
                    option = self._option(part, word, value_at, position, line)
                    position += sum(len(token) for token in part.children)
                    if option.children:
                        parts.append(option)
                    options.append(option)
                    after.append(self._insertion_point(word, option, position, line))
                else:
                    parts.extend(
                        self._decoded_leaves("COMMA", word, position, position + 1, line)
                    )
                    position += 1
        mount = Mount(
            whole, tuple(self._fill(parts, whole)), word.text, value, tuple(options), tuple(after)
        )
        mount.error = error
        return mount

    def _option(
        self, tree: Tree[LarkToken], word: _Word, value_at: int, position: int, line: LogicalLine
    ) -> MountOption:
        parts: list[Node | Token] = []
        key, value = "", None
        key_spans: tuple[Span, ...] = ()
        value_spans: tuple[Span, ...] = ()
        for token in tree.children:
            begin = value_at + _position(token)
            leaves = self._decoded_leaves(token.type, word, begin, begin + len(token), line)
            if token.type in ("KEY", "QUOTED_KEY"):
                key = _unquote(token)
                key_spans = tuple(leaf.span for leaf in leaves)
            elif token.type == "EQUALS":
                value = ""
                end = leaves[-1].span.end
                value_spans = (Span(end, end),)
            elif token.type in ("VALUE", "QUOTED_VALUE"):
                value = _unquote(token)
                value_spans = tuple(leaf.span for leaf in leaves)
            parts.extend(leaves)
        if parts:
            span = Span(parts[0].span.start, parts[-1].span.end)
        else:
            at = line.end_offset(word.ends[position - 1])
            span = Span(at, at)
        return MountOption(
            span, tuple(self._fill(parts, span)), key.lower(), value, key_spans, value_spans
        )

    @staticmethod
    def _insertion_point(
        word: _Word, option: MountOption, position: int, line: LogicalLine
    ) -> int:
        """Where a field can be added behind `option`, which ends before decoded `position`.

        Quotes that open within the option are left behind; those around it are stayed in.
        """
        joined = word.ends[position - 1]
        for begin, end in word.quotes:
            if begin <= joined <= end and line.offset(begin) > option.span.start:
                return line.end_offset(end + 1)
        return line.end_offset(joined)

    # -- from joined text to tokens of the file -------------------------------------------

    def _leaves(self, kind: str, start: int, end: int, line: LogicalLine) -> list[Token]:
        """Return the tokens for ``line.text[start:end]``, one for each piece of the file."""
        tokens = []
        while start < end:
            offset = line.offset(start)
            index = _piece_index(line, start)
            piece_end = (
                line.starts[index + 1] if index + 1 < len(line.starts) else len(line.text)
            )
            stop = min(end, piece_end)
            span = Span(offset, offset + stop - start)
            tokens.append(Token(kind, span, self.text[span.start : span.end]))
            start = stop
        return tokens

    def _decoded_leaves(
        self, kind: str, word: _Word, start: int, end: int, line: LogicalLine
    ) -> list[Token]:
        """Return the tokens for decoded characters; quotes between them divide tokens."""
        tokens: list[Token] = []
        index = start
        while index < end:
            stop = index + 1
            while stop < end and word.starts[stop] == word.ends[stop - 1]:
                stop += 1
            tokens.extend(self._leaves(kind, word.starts[index], word.ends[stop - 1], line))
            index = stop
        return tokens

    def _fill(self, parts: list[Node | Token], span: Span) -> list[Node | Token]:
        """Put tokens for all that stands between `parts`, so that they cover `span`."""
        filled: list[Node | Token] = []
        position = span.start
        for part in parts:
            if part.span.start > position:
                filled.extend(self._trivia(position, part.span.start))
            filled.append(part)
            position = part.span.end
        if position < span.end:
            filled.extend(self._trivia(position, span.end))
        return filled

    def _trivia(self, start: int, end: int) -> list[Token]:
        return [
            Token(match.lastgroup or "OTHER", Span(*match.span()), match.group())
            for match in _TRIVIA.finditer(self.text, start, end)
        ]


def _piece_index(line: LogicalLine, position: int) -> int:
    return bisect_right(line.starts, position) - 1


def _is_tree(part: object) -> bool:
    return hasattr(part, "children")


def _position(token: LarkToken) -> int:
    assert token.start_pos is not None
    return token.start_pos


def _error_position(error: object) -> int:
    position = getattr(error, "pos_in_stream", None)
    if position is None:
        position = getattr(getattr(error, "token", None), "start_pos", None)
    return position if isinstance(position, int) else 0


def _unquote(token: LarkToken) -> str:
    return str(token).replace('""', '"') if token.type.startswith("QUOTED") else str(token)
