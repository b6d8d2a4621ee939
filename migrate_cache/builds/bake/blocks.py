"""Read the blocks of bake files, in HCL and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from migrate_cache.builds.bake.hcl import MAX_BYTES, name_of, parse, trees
from migrate_cache.builds.sources import LimitError, Sources, WarningLog

if TYPE_CHECKING:
    from lark import Tree
    from yaml.nodes import Node

    Expression: TypeAlias = Tree[Any] | Node

_KINDS = {"target", "group", "variable", "function"}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a bake file; an attribute outside of blocks is a variable."""

    kind: str
    label: str
    origin: str
    line: int
    attributes: dict[str, Expression]


def read_blocks(sources: Sources, path: str) -> list[Block]:
    """Return the blocks of a bake file in their order; none, with a warning, if it is malformed."""
    log = sources.log(path)
    if path.lower().endswith(".json"):
        data = sources.read(path)
        try:
            return [] if data is None else list(_json_blocks(data, path, log))
        except LimitError as error:
            log.stopped(error)
            return []
    data = sources.read(path, MAX_BYTES)
    tree = None if data is None else parse(data.decode("utf-8", "replace"), log)
    return [] if tree is None else list(_hcl_blocks(trees(tree)[0], path))


def _hcl_blocks(body: Any, path: str) -> Iterator[Block]:
    for item in trees(body):
        if item.data == "attribute":
            name, value = trees(item)
            yield Block("variable", name_of(name), path, item.meta.line, {"default": value})
            continue
        kind, *labels = [each for each in trees(item) if each.data != "body"]
        if name_of(kind) not in _KINDS or len(labels) != 1:
            continue
        label = labels[0]
        if label.data == "string":
            name = "".join(str(piece.children[0]) for piece in trees(label))
        else:
            name = name_of(label)
        attributes = {
            name_of(trees(each)[0]): trees(each)[1]
            for body in trees(item)
            if body.data == "body"
            for each in trees(body)
            if each.data == "attribute"
        }
        yield Block(name_of(kind), name, path, item.meta.line, attributes)


def _json_blocks(data: bytes, path: str, log: WarningLog) -> Iterator[Block]:
    # Imported here because bake files in HCL do without PyYAML.
    from migrate_cache.builds.yaml import line_of, load

    document = load(data, log)
    if document is None or not document.roots:
        return
    for kind, (key, node) in document.mapping(document.roots[0], "the file").items():
        if kind not in _KINDS:
            yield Block("variable", kind, path, line_of(key), {"default": node})
            continue
        for each in document.items(node):
            for label, (name, body) in document.mapping(each, kind).items():
                for inner in document.items(body):
                    entries = document.mapping(inner, f"{kind} {label!r}")
                    document.budget.spend(len(entries))
                    attributes: dict[str, Expression] = {k: v for k, (_, v) in entries.items()}
                    yield Block(kind, label, path, line_of(name), attributes)
