"""Logical lines to nodes, through the grammar. The only module that knows Lark.

The parser is built at first use: Lark costs more to import than most files to read.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.flag_words import FlagWord
from migrate_cache.dockerfile.lines import BOM, parse_error, read_lines
from migrate_cache.dockerfile.mount import Flag, Mount, MountOption
from migrate_cache.dockerfile.nodes import Token, cover
from migrate_cache.dockerfile.tree import Dockerfile, HeredocNode, Instruction, Run
from migrate_cache.dockerfile.validation.instructions import check_instruction, check_structure
from migrate_cache.dockerfile.words import SPACES
from migrate_cache.text.source import Source, Span, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lark import Lark, Tree
    from lark import Token as LarkToken
    from lark.exceptions import UnexpectedInput

    from migrate_cache.dockerfile.lines import Heredoc, LogicalLine
    from migrate_cache.dockerfile.nodes import Part
    from migrate_cache.text.errors import ParseError

    LarkTree = Tree[LarkToken]

_HEREDOC_KEYWORDS = ("RUN", "COPY", "ADD")
_ARGUMENTS = ("WORD", "PLAIN_WORD", "EXEC_FORM", "COMMAND")
_WORDS = ("WORD", "PLAIN_WORD")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def parse(data: bytes | str, path: str | None = None) -> Dockerfile:
    """Read a Dockerfile into its lossless tree.

    What BuildKit would reject within one instruction (an unknown flag, a malformed mount)
    is kept in the tree's `errors` and does not stop the rest from being read.

    Raises:
        ParseError: where the structure of the file is uncertain: an unterminated heredoc,
            a wrong parser directive, a binary file, or no instruction at all.

    """
    text = decode(data) if isinstance(data, bytes) else data
    source = Source(text, path or "Dockerfile")
    if isinstance(data, str) and (found := _NO_BYTE.search(data)):
        raise parse_error(source, found.start(), "not text: half of a surrogate pair")
    return _Parser(source).dockerfile()


def grammar() -> str:
    """Return the text of the grammar: the packaged one, or the checkout's."""
    packaged = files("migrate_cache") / "dockerfile.lark"
    if packaged.is_file():
        return packaged.read_text("utf-8")
    return (Path(__file__).parents[2] / "grammar" / "dockerfile.lark").read_text("utf-8")


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


class _Parser:
    """Reads one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text
        self._escape = "\\"

    def dockerfile(self) -> Dockerfile:
        lines = read_lines(self._source, _may_hold_heredoc)
        self._escape = lines.escape
        self._refuse_binary(lines.logical[0])
        instructions = tuple(map(self._instruction, lines.logical))
        directives = {directive.span.start for directive in lines.directives}
        children: list[Part] = []
        if self._text.startswith(BOM):
            children.append(Token("BOM", Span(0, 1), BOM))
        for part in cover(self._text, (*children, *instructions), Span(0, len(self._text))):
            is_directive = part.kind == "COMMENT" and part.span.start in directives
            if is_directive and isinstance(part, Token):
                children.append(part._replace(kind="DIRECTIVE"))
            elif part.kind != "BOM":
                children.append(part)
        tree = Dockerfile(
            self._source, tuple(children), instructions, lines.directives, lines.escape
        )
        tree.errors = tuple(self._errors(tree))
        return tree

    def _errors(self, tree: Dockerfile) -> list[ParseError]:
        errors = []
        for instruction in tree.instructions:
            instruction.error = check_instruction(self._source, instruction)
            if instruction.error:
                errors.append(instruction.error)
        if not errors and (error := check_structure(self._source, tree)):
            errors.append(error)
        return errors

    def _refuse_binary(self, first: LogicalLine) -> None:
        keyword = first.text[:64].strip(SPACES).split(" ")[0]
        if "\0" in keyword or _SURROGATE.search(keyword):
            raise parse_error(
                self._source,
                first.pieces[0].start,
                "not a text file: the first instruction's keyword holds binary data",
                "Dockerfiles are read as UTF-8; UTF-16 needs converting",
            )

    # -- instructions ---------------------------------------------------------------

    def _instruction(self, line: LogicalLine) -> Instruction:
        text = line.text.strip(SPACES)
        if not text:
            return self._nameless(line)
        start = line.text.index(text)
        return self._statement(_lark(self._escape).parse(text, start="instruction"), line, start)

    def _nameless(self, line: LogicalLine) -> Instruction:
        """Make the node of a lone escape character that ends the file: no keyword, nothing."""
        return Instruction(
            "other",
            line.span,
            cover(self._text, (), line.span),
            keyword="",
            written_keyword="",
            line=line,
            escape=self._escape,
            flag_nodes=(),
            arguments="",
            words=(),
            exec_form=None,
            trigger=None,
            heredocs=line.heredocs,
            lines=self._lines(line),
        )

    def _statement(
        self, tree: LarkTree, line: LogicalLine, start: int, *, is_trigger: bool = False
    ) -> Instruction:
        """Make the node of an instruction that begins at `start` of the joined line.

        A trigger is the instruction within an ONBUILD: the heredocs are the ONBUILD's.
        """
        parts: list[Part] = []
        for part in tree.children:
            parts.extend(self._parts(part, line, start))
        span = Span(parts[0].span.start, parts[-1].span.end)
        if not is_trigger:
            span = line.span
            parts.extend(map(self._heredoc, line.heredocs))
        arguments = [part for part in tree.children[1:] if _is_argument(part)]
        arguments_at = start + _position(arguments[0]) if arguments else len(line.text)
        written = str(tree.children[0])
        keyword = written.upper() if written.isascii() else written
        node = Run if keyword == "RUN" else Instruction
        return node(
            str(tree.data),
            span,
            cover(self._text, parts, span),
            keyword=keyword,
            written_keyword=written,
            line=line,
            escape=self._escape,
            flag_nodes=tuple(p for p in parts if isinstance(p, Flag) and p.word != "--"),
            arguments=line.text[arguments_at:].strip(SPACES),
            words=tuple(str(w) for w in arguments if isinstance(w, str) and w.type in _WORDS),
            exec_form=_exec_form(arguments),
            trigger=next((part for part in parts if isinstance(part, Instruction)), None),
            heredocs=line.heredocs,
            lines=self._lines(line),
        )

    def _parts(self, part: LarkTree | LarkToken, line: LogicalLine, start: int) -> Iterable[Part]:
        """Return what one child of the grammar's tree becomes."""
        if not isinstance(part, str):
            return [self._statement(part, line, start, is_trigger=True)]
        begin = start + _position(part)
        if part.type == "FLAG":
            return [self._flag(FlagWord(part, begin, line, self._escape), line)]
        return self._tokens(part.type, line.spans(begin, begin + len(part)))

    def _lines(self, line: LogicalLine) -> tuple[int, int]:
        place = self._source.place
        last = max(line.span.start, line.span.end - 1)
        return place(line.span.start).line, place(last).line

    def _heredoc(self, heredoc: Heredoc) -> HeredocNode:
        body = Span(heredoc.span.start, heredoc.terminator.start)
        children = self._tokens("HEREDOC_BODY", [body] if heredoc.body else [])
        children += self._tokens("HEREDOC_END", [heredoc.terminator])
        return HeredocNode(heredoc, cover(self._text, children, heredoc.span))

    # -- flags and mounts -------------------------------------------------------------

    def _flag(self, word: FlagWord, line: LogicalLine) -> Flag:
        tree = _lark(self._escape).parse(word.text, start="flag")
        tokens = {token.type: token for token in _tokens_of(tree)}
        name = str(tokens.get("NAME", ""))
        value = str(tokens.get("VALUE_OF_FLAG", "")) if "EQUALS" in tokens else None
        parts: list[Part] = []
        for token in tokens.values():
            if name != "mount" or token.type != "VALUE_OF_FLAG":
                parts.extend(self._decoded(token, word))
        span = Span(line.offset(word.start), line.end_offset(word.end))
        error = self._torn(word, line)
        if name == "mount":
            return self._mount(word, value, parts, span, error)
        children = cover(self._text, parts, span)
        return Flag("flag", span, children, word=word.text, name=name, value=value, error=error)

    def _torn(self, word: FlagWord, line: LogicalLine) -> ParseError | None:
        if word.torn < 0:
            return None
        return parse_error(
            self._source,
            line.offset(word.torn),
            "BuildKit cuts this character in two: it reads a part of it as a blank",
            "put the value in quotes, or write it without this character",
        )

    def _mount(
        self,
        word: FlagWord,
        value: str | None,
        parts: list[Part],
        span: Span,
        error: ParseError | None,
    ) -> Mount:
        from lark.exceptions import UnexpectedInput

        # Go's reader of CSV drops a carriage return at the end.
        text = (value or "").removesuffix("\r")
        at = len(word.text) - len(value or "")
        options: list[tuple[MountOption, int]] = []
        try:
            tree = _lark(self._escape).parse(text, start="mount")
        except UnexpectedInput as unexpected:
            error = error or self._bad_quote(unexpected, word, at)
            parts.extend(self._tokens("VALUE_OF_FLAG", word.spans(at, len(word.text))))
        else:
            options = list(self._options(tree, word, at))
            commas = (token for token in tree.children if isinstance(token, str))
            parts.extend(token for comma in commas for token in self._decoded(comma, word, at))
            parts.extend(option for option, _ in options if option.children)
            parts.sort(key=lambda part: part.span)
        return Mount(
            span,
            cover(self._text, parts, span),
            word=word.text,
            value=value,
            options=tuple(option for option, _ in options),
            after_option=tuple(after for _, after in options),
            error=error,
        )

    def _bad_quote(self, unexpected: UnexpectedInput, word: FlagWord, at: int) -> ParseError:
        # Lark's own annotation says that there never is one.
        position: int | None = getattr(unexpected, "pos_in_stream", None)
        return parse_error(
            self._source,
            word.offset(min(at + max(0, position or 0), len(word.text) - 1)),
            'failed to parse csv mounts: a quote (") stands in the middle of a field',
            'put the whole field in quotes, and double a quote within: "key=a""b"',
        )

    def _options(
        self, tree: LarkTree, word: FlagWord, at: int
    ) -> Iterator[tuple[MountOption, int]]:
        """Yield the options of a mount, and where text can be added behind each.

        `at` is where the mount's value begins in the decoded word.
        """
        end = at
        for part in tree.children:
            start, end = end, end + (1 if isinstance(part, str) else _length(part))
            if not isinstance(part, str):
                yield self._option(part, word, at, start), word.insertion_offset(start, end)

    def _option(self, tree: LarkTree, word: FlagWord, at: int, start: int) -> MountOption:
        key, value = "", None
        key_spans: tuple[Span, ...] = ()
        value_spans: tuple[Span, ...] = ()
        parts: list[Token] = []
        for token in _tokens_of(tree):
            found = self._decoded(token, word, at)
            parts.extend(found)
            spans = tuple(leaf.span for leaf in found)
            match token.type.removeprefix("QUOTED_"):
                case "KEY":
                    key, key_spans = _unquoted(token), spans
                case "EQUALS":
                    end = spans[-1].end
                    value, value_spans = "", (Span(end, end),)
                case "VALUE":
                    value, value_spans = _unquoted(token), spans
        here = word.end_offset(start)
        span = Span(parts[0].span.start, parts[-1].span.end) if parts else Span(here, here)
        return MountOption(
            span,
            cover(self._text, parts, span),
            key=key,
            value=value,
            key_spans=key_spans,
            value_spans=value_spans,
        )

    # -- from joined text to tokens of the file -------------------------------------------

    def _tokens(self, kind: str, spans: Iterable[Span]) -> list[Token]:
        text = self._text
        return [
            Token(kind, span, text[span.start : span.end]) for span in spans if span[0] < span[1]
        ]

    def _decoded(self, token: LarkToken, word: FlagWord, at: int = 0) -> list[Token]:
        """Return the tokens of the file for one of a decoded word, whose text begins at `at`."""
        begin = at + _position(token)
        return self._tokens(token.type, word.spans(begin, begin + len(token)))


def _may_hold_heredoc(joined: str, escape: str) -> bool:
    """Whether a joined line is a RUN, COPY or ADD in shell form, or an ONBUILD of one."""
    tree = _lark(escape).parse(joined.strip(SPACES), start="instruction")
    last = tree.children[-1]
    if tree.data == "onbuild" and not isinstance(last, str):
        tree = last
    keyword, last = tree.children[0], tree.children[-1]
    assert isinstance(keyword, str)
    assert isinstance(last, str)
    return keyword.upper() in _HEREDOC_KEYWORDS and last.type != "EXEC_FORM"


def _is_argument(part: LarkTree | LarkToken) -> bool:
    return not isinstance(part, str) or part.type in _ARGUMENTS


def _exec_form(arguments: list[LarkTree | LarkToken]) -> tuple[str, ...] | None:
    for part in arguments:
        if isinstance(part, str) and part.type == "EXEC_FORM":
            # Go has no other way to spell what is no character.
            return tuple(_SURROGATE.sub("\ufffd", word) for word in json.loads(part))
    return None


def _tokens_of(tree: LarkTree) -> list[LarkToken]:
    """Return the children of a rule that has tokens only."""
    return [part for part in tree.children if isinstance(part, str)]


def _position(part: LarkTree | LarkToken) -> int:
    """Return where a part begins in the text that Lark read."""
    while not isinstance(part, str):
        part = part.children[0]
    assert part.start_pos is not None
    return part.start_pos


def _length(tree: LarkTree) -> int:
    return sum(map(len, _tokens_of(tree)))


def _unquoted(token: LarkToken) -> str:
    return token.replace('""', '"') if token.type.startswith("QUOTED_") else str(token)
