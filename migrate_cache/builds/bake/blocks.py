"""The blocks of bake files, from HCL and from JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrate_cache.builds import yaml
from migrate_cache.builds.bake.hcl import MAX_BYTES, UserFunction, name_of, parse, parts, trees
from migrate_cache.builds.model import Files, TooMuchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.builds.bake.hcl import Expression

_KINDS = {"target", "group", "variable", "function"}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a bake file, or (without a kind) an attribute outside of blocks."""

    kind: str
    label: str
    origin: str
    line: int
    attributes: dict[str, Expression]


def read_blocks(files: Files, path: str) -> list[Block]:
    """Return the blocks of a bake file in their order; none, with a warning, if it is malformed."""
    report = files.report(path)
    if path.lower().endswith(".json"):
        data = files.read(path)
        document = None if data is None else yaml.load(data, report)
        if document is None or not document.roots:
            return []
        try:
            return list(_json_blocks(document, path))
        except TooMuchError as error:
            report.warn(0, 0, f"{error}; it was not read")
            return []
    data = files.read(path, MAX_BYTES)
    tree = None if data is None else parse(data.decode("utf-8", "replace"), report)
    return [] if tree is None else list(_hcl_blocks(trees(tree)[0], path))


def _hcl_blocks(body: Any, path: str) -> Iterator[Block]:
    for item in trees(body):
        if item.data == "attribute":
            name, *_, value = parts(item)
            yield Block("", name_of(name), path, item.meta.line, {"default": value})
            continue
        kind, *labels = [each for each in trees(item) if each.data != "body"]
        bodies = [each for each in trees(item) if each.data == "body"]
        if name_of(kind) not in _KINDS or len(labels) != 1:
            continue
        label = labels[0]
        if label.data == "string":
            label = "".join(str(piece.children[0]) for piece in trees(label))
        else:
            label = name_of(label)
        found: dict[str, Expression] = {}
        for attribute in trees(bodies[0]) if bodies else []:
            if attribute.data == "attribute":
                found[name_of(trees(attribute)[0])] = trees(attribute)[-1]
        yield Block(name_of(kind), label, path, item.meta.line, found)


def _json_blocks(document: yaml.Document, path: str) -> Iterator[Block]:
    for kind, (key, node) in document.mapping(document.roots[0], "the file").items():
        if kind not in _KINDS:
            yield Block("", kind, path, key.line, {"default": node})
            continue
        for each in node.items if isinstance(node, yaml.Sequence) else [node]:
            for label, (name, body) in document.mapping(each, kind).items():
                for inner in body.items if isinstance(body, yaml.Sequence) else [body]:
                    entries = document.mapping(inner, f"{kind} {label!r}")
                    attributes = {key: value for key, (_, value) in entries.items()}
                    yield Block(kind, label, path, name.line, dict(attributes))


def function_of(block: Block) -> UserFunction:
    """Return the function that `block` defines."""
    params = block.attributes.get("params")
    variadic = block.attributes.get("variadic_params")
    names = [] if variadic is None else _identifiers(variadic)
    return UserFunction(
        tuple([] if params is None else _identifiers(params)),
        names[0] if names else None,
        block.attributes["result"],
    )


def _identifiers(expression: Expression) -> list[str]:
    if isinstance(expression, yaml.Node):
        items = expression.items if isinstance(expression, yaml.Sequence) else [expression]
        return [item.text for item in items if isinstance(item, yaml.Scalar)]
    return [name_of(each) for each in expression.find_data("identifier")]
