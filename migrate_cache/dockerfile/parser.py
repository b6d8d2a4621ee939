"""Read a Dockerfile into its tree, through the grammar. The only module that knows Lark.

The parser is built at first use: Lark costs more to import than most files to read.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.flag_words import FlagWord
from migrate_cache.dockerfile.lines import BOM, read_lines
from migrate_cache.dockerfile.mount import Flag, Mount, MountOption
from migrate_cache.dockerfile.nodes import Token, cover
from migrate_cache.dockerfile.tree import Dockerfile, Heredoc, Instruction, Run
from migrate_cache.dockerfile.validation.instructions import check_instruction, check_order
from migrate_cache.dockerfile.validation.mounts import check_mount
from migrate_cache.dockerfile.words import SPACES
from migrate_cache.text.errors import ParseError
from migrate_cache.text.source import Source, Span, decode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lark import Lark, Tree
    from lark import Token as LarkToken
    from lark.exceptions import UnexpectedInput

    from migrate_cache.dockerfile.lines import HeredocLines, Lines, LogicalLine
    from migrate_cache.dockerfile.nodes import Part
    from migrate_cache.dockerfile.validation.rejection import Rejections

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

    Raise ParseError where the structure of the file is uncertain: an unterminated heredoc,
    a wrong parser directive, a binary file, or no instruction at all.
    """
    text = decode(data) if isinstance(data, bytes) else data
    source = Source(text, path or "Dockerfile")
    if isinstance(data, str) and (found := _NO_BYTE.search(data)):
        raise ParseError.at(source, found.start(), "not text: half of a surrogate pair")
    return _Parser(source, read_lines(source, _may_hold_heredoc)).dockerfile()


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
    def __init__(self, source: Source, lines: Lines) -> None:
        self._source = source
        self._text = source.text
        self._lines = lines
        self._escape = lines.escape

    def dockerfile(self) -> Dockerfile:
        self._refuse_binary(self._lines.logical[0])
        instructions = tuple(map(self._instruction, self._lines.logical))
        errors = [instruction.error for instruction in instructions if instruction.error]
        if not errors and (error := self._first(check_order(instructions))):
            errors.append(error)
        span = Span(0, len(self._text))
        parts: list[Part] = [*instructions]
        parts += self._tokens("BOM", [Span(0, 1)] if self._text.startswith(BOM) else [])
        parts += self._tokens("DIRECTIVE", (each.span for each in self._lines.directives))
        parts.sort(key=lambda part: part.span)
        return Dockerfile(
            "dockerfile",
            span,
            cover(self._text, parts, span),
            source=self._source,
            escape=self._escape,
            directives=self._lines.directives,
            instructions=instructions,
            errors=tuple(errors),
        )

    def _refuse_binary(self, first: LogicalLine) -> None:
        keyword = first.text[:64].strip(SPACES).split(" ")[0]
        if "\0" in keyword or _SURROGATE.search(keyword):
            raise ParseError.at(
                self._source,
                first.pieces[0].start,
                "not a text file: the first instruction's keyword holds binary data",
                "Dockerfiles are read as UTF-8; UTF-16 needs converting",
            )

    def _parse(self, rule: str, text: str) -> LarkTree:
        return _lark(self._escape).parse(text, start=rule)

    def _first(self, rejections: Rejections) -> ParseError | None:
        for message, offset, hint in rejections:
            return ParseError.at(self._source, offset, message, hint)
        return None

    def _instruction(self, line: LogicalLine) -> Instruction:
        text = line.text.strip(SPACES)
        heredocs = tuple(map(self._heredoc, line.heredocs))
        if text:
            start = line.text.index(text)
            tree = self._parse("instruction", text)
            return self._statement(tree, line, start, heredocs)
        # An escape character alone ends the file: BuildKit reads an instruction without a name.
        draft = Instruction(
            "other",
            line.span,
            cover(self._text, (), line.span),
            keyword="",
            written_keyword="",
            line=line,
            escape=self._escape,
        )
        return replace(draft, error=self._first(check_instruction(draft)))

    def _statement(
        self,
        tree: LarkTree,
        line: LogicalLine,
        start: int,
        heredocs: tuple[Heredoc, ...],
        *,
        is_trigger: bool = False,
    ) -> Instruction:
        """Make the node of an instruction that begins at `start` of the joined line.

        The heredocs of a trigger are children of its ONBUILD.
        """
        parts: list[Part] = []
        for part in tree.children:
            begin = start + _position(part)
            if not isinstance(part, str):
                parts.append(self._statement(part, line, start, heredocs, is_trigger=True))
            elif part.type == "FLAG":
                parts.append(self._flag(FlagWord(part, begin, line, self._escape)))
            else:
                parts += self._tokens(part.type, line.spans(begin, begin + len(part)))
        span = Span(parts[0].span.start, parts[-1].span.end)
        if not is_trigger:
            span = line.span
            parts += heredocs
        flags = tuple(part for part in parts if isinstance(part, Flag) and part.word != "--")
        arguments = [
            part
            for part in tree.children[1:]
            if not isinstance(part, str) or part.type in _ARGUMENTS
        ]
        arguments_at = start + _position(arguments[0]) if arguments else len(line.text)
        written = str(tree.children[0])
        keyword = written.upper() if written.isascii() else written
        draft = (Run if keyword == "RUN" else Instruction)(
            str(tree.data),
            span,
            cover(self._text, parts, span),
            keyword=keyword,
            written_keyword=written,
            line=line,
            escape=self._escape,
            arguments=line.text[arguments_at:].strip(SPACES),
            flag_nodes=flags,
            words=tuple(str(w) for w in arguments if isinstance(w, str) and w.type in _WORDS),
            exec_form=_exec_form(arguments),
            trigger=next((part for part in parts if isinstance(part, Instruction)), None),
            heredocs=heredocs,
        )
        error = self._first(check_instruction(draft))
        error = error or next((flag.error for flag in flags if flag.error), None)
        return replace(draft, error=error) if error else draft

    def _heredoc(self, lines: HeredocLines) -> Heredoc:
        children = self._tokens("HEREDOC_BODY", [lines.body])
        children += self._tokens("HEREDOC_END", [lines.delimiter])
        return Heredoc(
            "heredoc",
            lines.span,
            cover(self._text, children, lines.span),
            name=lines.word.name,
            expand=lines.word.expand,
            chomp=lines.word.chomp,
            body=self._text[slice(*lines.body)],
        )

    def _flag(self, word: FlagWord) -> Flag:
        tokens = {token.type: token for token in _tokens_of(self._parse("flag", word.text))}
        name = str(tokens.get("NAME", ""))
        value = str(tokens.get("VALUE_OF_FLAG", "")) if "EQUALS" in tokens else None
        error = self._torn(word)
        if name == "mount":
            tokens.pop("VALUE_OF_FLAG", None)
        parts: list[Part] = []
        for token in tokens.values():
            parts += self._decoded(token, word)
        if name != "mount":
            children = cover(self._text, parts, word.span)
            return Flag(
                "flag", word.span, children, word=word.text, name=name, value=value, error=error
            )
        contents, options, unreadable = self._mount_value(value or "", word)
        draft = Mount(
            "mount",
            word.span,
            cover(self._text, parts + contents, word.span),
            word=word.text,
            name=name,
            value=value,
            options=options,
        )
        error = error or unreadable or self._first(check_mount(draft))
        return replace(draft, error=error) if error else draft

    def _torn(self, word: FlagWord) -> ParseError | None:
        if word.torn is None:
            return None
        return ParseError.at(
            self._source,
            word.torn,
            "BuildKit cuts this character in two: it reads a part of it as a blank",
            "put the value in quotes, or write it without this character",
        )

    def _mount_value(
        self, value: str, word: FlagWord
    ) -> tuple[list[Part], tuple[MountOption, ...], ParseError | None]:
        """Return the parts of a mount's value in order, the options, and what is wrong with it."""
        from lark.exceptions import UnexpectedInput

        at = len(word.text) - len(value)
        parts: list[Part] = []
        try:
            # Go's reader of CSV drops a carriage return at the end.
            tree = self._parse("mount", value.removesuffix("\r"))
        except UnexpectedInput as unexpected:
            parts += self._tokens("VALUE_OF_FLAG", word.spans(at, len(word.text)))
            return parts, (), self._bad_quote(unexpected, word, at)
        options: list[MountOption] = []
        end = at
        for part in tree.children:
            tokens = [part] if isinstance(part, str) else _tokens_of(part)
            start, end = end, end + sum(map(len, tokens))
            if isinstance(part, str):
                parts += self._decoded(part, word, at)
                continue
            option = self._option(part, word, at, start, end)
            options.append(option)
            # An empty field is no part of the text.
            parts += [option] if option.children else []
        return parts, tuple(options), None

    def _bad_quote(self, unexpected: UnexpectedInput, word: FlagWord, at: int) -> ParseError:
        # Lark's own annotation says that there never is one.
        position: int | None = getattr(unexpected, "pos_in_stream", None)
        return ParseError.at(
            self._source,
            word.offset(min(at + max(0, position or 0), len(word.text) - 1)),
            'failed to parse csv mounts: a quote (") stands in the middle of a field',
            'put the whole field in quotes, and double a quote within: "key=a""b"',
        )

    def _option(self, tree: LarkTree, word: FlagWord, at: int, start: int, end: int) -> MountOption:
        """Make the node of the option at ``[start:end]`` of a word whose mount begins at `at`."""
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
                    start_of_value = spans[-1].end
                    value, value_spans = "", (Span(start_of_value, start_of_value),)
                case "VALUE":
                    value, value_spans = _unquoted(token), spans
        here = word.end_offset(start)
        span = Span(parts[0].span.start, parts[-1].span.end) if parts else Span(here, here)
        return MountOption(
            "option",
            span,
            cover(self._text, parts, span),
            written_key=key,
            value=value,
            key_spans=key_spans,
            value_spans=value_spans,
            after=word.insertion_offset(start, end),
        )

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
    """Tell whether a joined line is a RUN, COPY or ADD in shell form, or an ONBUILD of one."""
    tree = _lark(escape).parse(joined.strip(SPACES), start="instruction")
    last = tree.children[-1]
    if tree.data == "onbuild" and not isinstance(last, str):
        tree = last
    keyword, last = tree.children[0], tree.children[-1]
    assert isinstance(keyword, str)
    assert isinstance(last, str)
    return keyword.upper() in _HEREDOC_KEYWORDS and last.type != "EXEC_FORM"


def _exec_form(arguments: list[LarkTree | LarkToken]) -> tuple[str, ...] | None:
    for part in arguments:
        if isinstance(part, str) and part.type == "EXEC_FORM":
            # Go replaces a lone surrogate.
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


def _unquoted(token: LarkToken) -> str:
    return token.replace('""', '"') if token.type.startswith("QUOTED_") else str(token)
