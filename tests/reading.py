"""What the tests of the reader share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

from migrate_cache.dockerfile.parser import parse
from migrate_cache.dockerfile.tree import Dockerfile, Instruction, Mount, Node, Run
from migrate_cache.text.errors import ParseError

# What BuildKit's parser makes of one instruction: keyword, flags, first and last line.
Reading: TypeAlias = tuple[str, tuple[str, ...], int, int]


def read(data: bytes | str) -> Dockerfile | ParseError:
    """Return the tree or the error; nothing else may come."""
    try:
        tree = parse(data)
    except ParseError as error:
        str(error)
        return error
    check_law(tree)
    return tree


def check_law(tree: Dockerfile) -> None:
    """Assert the law of the tree at every node, and that nothing is left without a meaning."""
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


def nodes_of(tree: Node) -> Iterator[Node]:
    """Yield a node and every node below it, in the order of the text."""
    yield tree
    for child in tree.children:
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
