"""HCL as trees of python-hcl2's grammar, read within bounds, and the pieces of its texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from lark import Tree

    from migrate_cache.builds import yaml
    from migrate_cache.builds.model import Report

    Expression: TypeAlias = Tree[Any] | yaml.Node

MAX_BYTES = 256 * 1024
"""The largest HCL file that is read: a reader in Python takes a second for it."""
BLANK_RUN = re.compile(r"\s{400}")
"""So many blanks that the reader's search for the end of a heredoc takes too long."""


def parse(text: str, report: Report) -> Tree[Any] | None:
    """Return the tree of an HCL file; None, with a warning at its place, where it is not HCL."""
    import hcl2
    from lark.exceptions import LarkError, UnexpectedInput

    text = text.removeprefix("\ufeff")
    blank = BLANK_RUN.search(text)
    if blank is not None and "<<" in text:  # the reader would try each of them with each other
        report.warn(text.count("\n", 0, blank.start()) + 1, 0, "has too many blanks in a row")
        return None
    try:
        tree: Tree[Any] = hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        line, column = (at if isinstance(at, int) and at > 0 else 0 for at in _at(error))
        report.warn(line, column, f"cannot be read as HCL: {_found(text, line, column)}")
        return None
    except (LarkError, RecursionError, ValueError):
        report.warn(0, 0, "cannot be read as HCL")
        return None
    return tree


def _at(error: Any) -> tuple[object, object]:
    return getattr(error, "line", 0), getattr(error, "column", 0)


def _found(text: str, line: int, column: int) -> str:
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :] if 0 < line <= len(lines) and column else ""
    word = re.match(r"\w+|\S", rest)
    if word is not None:
        return f"{word[0][:40]!r} was not expected here"
    return "the line ends too early" if 0 < line < len(lines) else "it ends too early"


def parts(tree: Tree[Any]) -> list[Any]:
    """Return the children of `tree` without blanks and comments; tokens are texts."""
    return [
        child
        for child in tree.children
        if getattr(child, "data", "") != "new_line_or_comment"
        and getattr(child, "type", "") != "NL_OR_COMMENT"
    ]


def trees(tree: Tree[Any]) -> list[Any]:
    """Return those children of `tree` that are trees."""
    return [child for child in parts(tree) if not isinstance(child, str)]


def name_of(tree: Tree[Any]) -> str:
    """Return the text of an identifier or keyword."""
    return str(tree.children[0]) if tree.children else ""


def target_reference(tree: Any) -> str | None:
    """Return ``app`` for the expression ``target.app``."""
    while getattr(tree, "data", "") == "expr_term" and len(tree.children) == 1:
        tree = tree.children[0]
    if getattr(tree, "data", "") != "get_attr_expr_term":
        return None
    base, attribute = trees(tree)
    while getattr(base, "data", "") == "expr_term" and len(base.children) == 1:
        base = base.children[0]
    if getattr(base, "data", "") != "identifier" or name_of(base) != "target":
        return None
    return name_of(trees(attribute)[0])


_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def unescaped(text: str) -> str:
    """Return what a piece of a text in quotes stands for."""
    if text.startswith(("$${", "%%{")):
        text = text[1:]
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    if match[3] is not None:
        return _PLAIN.get(match[3], match[0])
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 else match[0]


def heredoc(text: str) -> list[str]:
    """Return the lines between the marks of a heredoc."""
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    return [line + "\n" for line in lines[1:-1]]


_INTERPOLATION = re.compile(r'\$\$\{|\$\{|["{}\\]')


def quoted(text: str) -> str:
    """Return a template as it stands between quotes: escaped, but for what is in ``${}``."""
    found: list[str] = []
    position = level = 0
    for match in _INTERPOLATION.finditer(text):
        found.append(_escaped(text[position : match.start()], literal=level == 0))
        position = match.end()
        mark = match[0]
        if level == 0:
            found.append("\\" + mark if mark in {'"', "\\"} else mark)
            level = 1 if mark == "${" else 0
        else:
            found.append(mark)
            level += mark in {"${", "{"}
            level -= mark == "}"
    return "".join([*found, _escaped(text[position:], literal=level == 0)])


def _escaped(text: str, *, literal: bool) -> str:
    if not literal:
        return text
    return text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A function that the file defines."""

    params: tuple[str, ...]
    variadic: str | None
    result: Expression
