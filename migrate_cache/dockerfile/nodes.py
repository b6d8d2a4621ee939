"""Tokens and nodes, and the tokens for what stands between those of the grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from migrate_cache.dockerfile.words import SPACES
from migrate_cache.text.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Token(NamedTuple):
    """A piece of text that no node divides; `kind` is its terminal in the grammar.

    A token that a continuation divides is several tokens of one kind. What stands between
    the grammar's tokens has kinds of its own: ``BLANK``, ``NEWLINE``, ``CONTINUATION`` (an
    escape character at the end of a line, with the line ending), ``COMMENT``,
    ``DIRECTIVE``, ``QUOTE`` (around parts of a flag word), ``BOM``, ``HEREDOC_BODY``,
    ``HEREDOC_END``.
    """

    kind: str
    span: Span
    text: str


@dataclass(frozen=True, eq=False, repr=False)
class Node:
    """A part of the tree. `kind` is the grammar's rule, `children` its parts in order.

    Nodes never change, and each is equal to itself alone.
    """

    kind: str
    span: Span
    children: tuple[Part, ...]

    def tokens(self) -> Iterator[Token]:
        """Yield every token below this node, in the order of the text."""
        stack: list[Part] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, Token):
                yield item
            else:
                stack.extend(reversed(item.children))

    @property
    def text(self) -> str:
        """The node's text as it stands in the file."""
        return "".join(token.text for token in self.tokens())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kind} {self.span.start}:{self.span.end}>"


Part: TypeAlias = Node | Token


# The blanks that are not a line ending; `\r` is one where no `\n` follows.
_BLANKS = SPACES.replace("\n", "").replace("\r", "") + "\udc85\udca0"
# An escape character that is no part of a token ends its line, or the file.
_TRIVIA = re.compile(
    rf"(?P<CONTINUATION>[\\`][ \t]*\r*(?:\n|\Z))"
    rf"|(?P<NEWLINE>\r*\n)"
    rf"|(?P<COMMENT>\#[^\r\n]*(?:\r+[^\r\n]+)*)"
    rf"|(?P<BLANK>[{_BLANKS}]+|\r+)"
    rf"|(?P<QUOTE>[\"'])"
    rf"|(?P<OTHER>.)",
    re.DOTALL,
)


def trivia(text: str, start: int, end: int) -> Iterator[Token]:
    """Yield tokens for ``text[start:end]``, which holds none of the grammar's."""
    for match in _TRIVIA.finditer(text, start, end):
        yield Token(match.lastgroup or "OTHER", Span(*match.span()), match.group())


def cover(text: str, parts: Iterable[Part], span: Span) -> tuple[Part, ...]:
    """Return `parts` and tokens for the gaps between them, which together make up `span`."""
    covered: list[Part] = []
    position = span.start
    for part in parts:
        if part.span.start > position:
            covered.extend(trivia(text, position, part.span.start))
        covered.append(part)
        position = part.span.end
    covered.extend(trivia(text, position, span.end))
    return tuple(covered)
