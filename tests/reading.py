"""What the tests of reading share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from migrate_cache.dockerfile.nodes import Node
from migrate_cache.dockerfile.parser import parse
from migrate_cache.dockerfile.tree import Dockerfile, Instruction, Run
from migrate_cache.text.errors import ParseError

if TYPE_CHECKING:
    from migrate_cache.dockerfile.mount import Mount

# What BuildKit's parser makes of one instruction: keyword, flags, first and last line.
Reading: TypeAlias = tuple[str, tuple[str, ...], int, int]

CACHE = "--mount=type=cache,target=/c"


def read(data: bytes | str) -> Dockerfile | ParseError:
    """Return the tree, whose law is checked, or the error; nothing else may come."""
    try:
        tree = parse(data)
    except ParseError as error:
        str(error)
        return error
    check_law(tree)
    return tree


def tree_of(text: str | bytes) -> Dockerfile:
    tree = read(text)
    assert isinstance(tree, Dockerfile), tree
    return tree


def run_of(text: str, before: str = "FROM a\n") -> Run:
    """Read a file and return its first RUN."""
    run = next(i for i in tree_of(before + text).instructions if i.keyword == "RUN")
    assert isinstance(run, Run)
    return run


def mount_of(text: str, before: str = "FROM a\n") -> Mount:
    (mount,) = run_of(text, before).mounts
    return mount


def error_of(text: str | bytes) -> ParseError:
    """Return the first error of a file, whether it stops the reading or not."""
    tree = read(text)
    if isinstance(tree, Dockerfile):
        assert tree.errors, text
        return tree.errors[0]
    return tree


def check_law(tree: Dockerfile) -> None:
    """Assert the law of the tree at every node, and that no token is left without a meaning."""
    text = tree.source.text
    assert tree.text == text
    for node in nodes_of(tree):
        start, end = node.span
        children = node.children
        if children:
            assert children[0].span.start == start
            assert children[-1].span.end == end
        else:
            assert start == end, node
        for left, right in pairwise(children):
            assert left.span.end == right.span.start, (node, left, right)
        for child in children:
            assert isinstance(child, Node) or child.text == text[slice(*child.span)]
            assert child.kind != "OTHER", (node, child)
            assert child.span.start < child.span.end, (node, child)


def nodes_of(node: Node) -> Iterator[Node]:
    """Yield a node and every node below it, in the order of the text."""
    yield node
    for child in node.children:
        if isinstance(child, Node):
            yield from nodes_of(child)


def readings(tree: Dockerfile) -> list[Reading]:
    return [reading(instruction) for instruction in tree.instructions]


def reading(instruction: Instruction) -> Reading:
    return (
        instruction.keyword,
        instruction.flags,
        instruction.start_line,
        instruction.end_line,
    )


def as_bytes_are_read(word: str) -> str:
    """Spell a flag word as BuildKit does, which takes each byte of it for a character."""
    return word.encode("utf-8", "surrogateescape").decode("latin-1")


def mounts_of(instruction: Instruction | None) -> tuple[Mount, ...]:
    return instruction.mounts if isinstance(instruction, Run) else ()


def options_of(mount: Mount) -> list[tuple[str, str | None]]:
    return [(option.key, option.value) for option in mount.options]
