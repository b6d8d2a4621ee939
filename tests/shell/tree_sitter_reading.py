"""Tree-sitter's reading of shell scripts, to hold ours against.

Tree-sitter cuts the text into commands and words; what a command runs in the end (``sudo``,
``sh -c``) is resolved as in ours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tree_sitter
import tree_sitter_bash

from migrate_cache.shell.model import Command, Frame, Script
from migrate_cache.shell.wrappers import Resolver, assigned_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
STATEMENTS = {"declaration_command", "unset_command", "test_command"}


class UnreadableError(Exception):
    """Tree-sitter does not understand the script."""


def read_script(text: str) -> Script:
    reading = Reading()
    commands = reading.commands(text)
    return Script(tuple(commands), (), frozenset(reading.assigned))


class Reading:
    def __init__(self) -> None:
        self.assigned: set[str] = set()

    def commands(self, text: str) -> list[Command]:
        root = PARSER.parse(text.encode("utf-8", "surrogateescape")).root_node
        if root.has_error:
            raise UnreadableError
        return list(self.visit(root))

    def nested(self, text: str, _: object) -> list[Command]:
        return self.commands(text)

    def visit(self, node: Node) -> Iterator[Command]:
        for child in node.named_children:
            if child.type not in ("heredoc_body", "comment"):
                yield from self.visit(child)
        if node.type in ("variable_assignment", "for_statement"):
            self.assigned.add(text_of(node.named_children[0]))
        elif node.type == "command":
            yield from self.run(words_of(node), here_document(node))
        elif node.type in STATEMENTS:
            yield from self.run([text_of(node.children[0]), *map(value, node.named_children)])

    def run(self, words: list[str], document: str = "") -> list[Command]:
        resolver = Resolver(Frame(""), self.nested)
        found = resolver.resolve(words)
        for command in found:
            self.assigned.update(assigned_by(command))
        if resolver.reads_script and document:
            found[-1:] = self.commands(document)
        return found


def here_document(command: Node) -> str:
    """Return the text that a command has as its standard input."""
    statement = command.parent
    if not statement or statement.type != "redirected_statement":
        return ""
    redirects = [n for n in statement.named_children if n.type == "heredoc_redirect"]
    bodies = [n for r in redirects for n in r.named_children if n.type == "heredoc_body"]
    return text_of(bodies[-1]) if bodies and statement.named_children[0] == command else ""


def text_of(node: Node) -> str:
    assert node.text is not None
    return node.text.decode("utf-8", "surrogateescape")


def words_of(command: Node) -> list[str]:
    return [value(n) for n in command.named_children if not n.type.endswith("redirect")]


def value(node: Node) -> str:
    """Return a word without its quotes."""
    text = text_of(node)
    match node.type:
        case "command_name" | "concatenation" | "variable_assignment":
            return "".join(map(value, node.children))
        case "string":
            return re.sub(r"\\(?:\r?\n|([\"\\$`]))", r"\1", text[1:-1])
        case "raw_string":
            return text[1:-1]
        case "ansi_c_string":
            return text[2:-1]
        case "word":
            return re.sub(r"\\(?:\r?\n|(.))", r"\1", text)
    return text
