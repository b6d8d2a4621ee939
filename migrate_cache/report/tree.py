"""The tree of a Dockerfile as text, for bug reports and for authors of codemods.

A line for every node and every token: its kind, where it stands (line:column, and character
offsets in brackets), and what it says. Nothing of the file is printed raw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.dockerfile.mount import Flag, MountOption
from migrate_cache.dockerfile.nodes import Node, Part, Token
from migrate_cache.dockerfile.tree import Dockerfile, Heredoc, Instruction
from migrate_cache.text.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 60


def format_tree(tree: Dockerfile) -> str:
    """Return the whole tree, a line a part, errors behind it; it ends with a line ending."""
    errors = (f"error {one.line}:{one.column} {printable(one.message)}" for one in tree.errors)
    return "\n".join((*_lines(tree, tree, ""), *errors)) + "\n"


def _lines(tree: Dockerfile, part: Part, indent: str) -> Iterator[str]:
    """Yield a part and all below it; the grammar nests no deeper than six levels."""
    start, end = part.span
    first, last = tree.source.place(start), tree.source.place(max(start, end - 1))
    place = f"{first.line}:{first.column}-{last.line}:{last.column} [{start}:{end}]"
    yield f"{indent}{part.kind} {place} {_says(part)}".rstrip()
    if isinstance(part, Node):
        for child in part.children:
            yield from _lines(tree, child, indent + "  ")


def _says(part: Part) -> str:
    """Return a token's text, or what a node has been read as."""
    match part:
        case Token():
            return _quoted(part.text)
        case Dockerfile():
            directives = (f"{d.name}={_quoted(d.value)}" for d in part.directives if d.in_force)
            return " ".join((f"escape={part.escape}", *directives))
        case Instruction():
            words = (part.keyword, *(_quoted(flag) for flag in part.flags))
            exec_form = "" if part.exec_form is None else f"exec form of {len(part.exec_form)}"
            return printable(" ".join(filter(None, (*words, exec_form, _error(part)))))
        case MountOption():
            return _quoted(part.name) + ("" if part.value is None else f" = {_quoted(part.value)}")
        case Flag():
            return " ".join(filter(None, (_quoted(part.word), _error(part))))
        case Heredoc():
            marks = ("expand" if part.expand else "", "chomp" if part.chomp else "")
            return " ".join(filter(None, (_quoted(part.name), *marks)))
    return ""


def _error(part: Instruction | Flag) -> str:
    return f"error: {printable(part.error.message)}" if part.error else ""


def _quoted(text: str) -> str:
    cut = "…" if len(text) > _LONGEST else ""
    return f'"{printable(text[:_LONGEST])}{cut}"'
