"""Read YAML as PyYAML's nodes, bounded in size and depth.

PyYAML composes them, so that an alias is the node it stands for and is never copied. Scalars
stay as written; `rendered` gives the text that compose makes of one.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.composer import Composer, ComposerError
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from migrate_cache.builds.sources import Budget, LimitError, WarningLog

_MAX_NODES = 100_000
_MAX_DEPTH = 100

Entries = dict[str, tuple[Node, Node]]
"""Key -> the nodes of key and value."""


class Document:
    """The documents of one file, and ways to look into them that warn instead of failing."""

    def __init__(self, roots: list[Node], log: WarningLog) -> None:
        self.roots = roots
        self.log = log
        self.budget = Budget()
        self._entries: dict[MappingNode, Entries] = {}

    def warn(self, node: Node, message: str) -> None:
        """Add a warning about `node`."""
        self.log.warn(line_of(node), node.start_mark.column + 1, message)

    def mapping(self, node: Node | None, what: str) -> Entries:
        """Return the entries of `node`; none, with a warning, where it is no mapping.

        Merge keys are followed: the mapping's own entries win over those merged in.
        """
        if isinstance(node, MappingNode):
            return self._merged(node, 0)
        self._expected(f"{what} to be a mapping", node)
        return {}

    def _merged(self, node: MappingNode, depth: int) -> Entries:
        if node in self._entries:
            return self._entries[node]
        if depth > _MAX_DEPTH:
            raise LimitError("has merges that are nested too deeply")
        found: Entries = {}
        merges: list[Node] = []
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._expected("a name as the key", key)
            elif key.value == "<<" and not key.style:
                merges += value.value if isinstance(value, SequenceNode) else [value]
            else:
                if key.value in found:
                    self.warn(key, "this key is given twice; the last one counts")
                found[key.value] = (key, value)
        for source in merges:
            if not isinstance(source, MappingNode):
                self._expected("a mapping to merge", source)
                continue
            entries = self._merged(source, depth + 1)
            self.budget.spend(1 + len(entries))
            for name, entry in entries.items():
                found.setdefault(name, entry)
        self._entries[node] = found
        return found

    def sequence(self, node: Node | None, what: str) -> list[Node]:
        """Return the items of `node`; none, with a warning, where it is no list."""
        if isinstance(node, SequenceNode):
            return self.items(node)
        self._expected(f"{what} to be a list", node)
        return []

    def items(self, node: Node | None) -> list[Node]:
        """Return the items of a list, or the one node that stands in its place."""
        found = node.value if isinstance(node, SequenceNode) else [] if node is None else [node]
        self.budget.spend(len(found))
        return list(found)

    def text(self, node: Node | None, what: str) -> ScalarNode | None:
        """Return `node` where it is a text; None, with a warning, where it is something else."""
        if isinstance(node, ScalarNode):
            return None if is_null(node) else node
        self._expected(f"{what} to be a text", node)
        return None

    def _expected(self, what: str, node: Node | None) -> None:
        if node is not None and not is_null(node):
            kinds: dict[type[Node], str] = {MappingNode: "a mapping", SequenceNode: "a list"}
            self.warn(node, f"expected {what}, found {kinds.get(type(node), 'a text')}")


def value_of(entries: Entries, name: str) -> Node | None:
    """Return the value of an entry; None where there is none."""
    return entries[name][1] if name in entries else None


def line_of(node: Node) -> int:
    """Return the line where `node` begins, from 1."""
    return int(node.start_mark.line) + 1


def is_null(node: Node) -> bool:
    """Tell whether `node` is empty or null."""
    return (
        isinstance(node, ScalarNode)
        and not node.style
        and node.value in {"", "~", "null", "Null", "NULL"}
        and node.tag in {"", "!reset", "!override"}
    )


def load(data: bytes, log: WarningLog) -> Document | None:
    """Read YAML or JSON; None, with a warning at its place, where that fails."""
    parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        composer = _Composer(parser(data))
        composer.check_node()  # skips the start of the stream
        roots = list(iter(composer.get_node, None))
    except yaml.reader.ReaderError as error:
        before = data[: error.position]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        log.warn(line, column, f"cannot be read as YAML: {error.reason}")
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
        log.warn(line, column, f"cannot be read as YAML: {error.problem or error.context}")
        return None
    except ValueError:  # such as a version in a %YAML directive that is no number
        log.warn(0, 0, "cannot be read as YAML")
        return None
    return Document(roots, log)


class _Composer(Composer):
    """PyYAML's composer with bounds on size and depth; tags stay as they are written."""

    def __init__(self, parser: Any) -> None:
        super().__init__()
        self.check_event = parser.check_event
        self.peek_event = parser.peek_event
        self.get_event = parser.get_event
        self._count = 0
        self._open: list[str | None] = []
        """The anchors of the nodes around the current one; None for a node without."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Compose the next node; raise ComposerError for what is too large or circular."""
        event: Any = self.peek_event()
        mark = event.start_mark
        self._count += 1
        if self._count > _MAX_NODES or len(self._open) > _MAX_DEPTH:
            much = "too long" if self._count > _MAX_NODES else "nested too deeply"
            raise ComposerError(None, None, f"it is {much}", mark)
        if not isinstance(event, AliasEvent):
            self.anchors.pop(event.anchor, None)  # an anchor may be set anew
        elif event.anchor in self._open:
            problem = f"the alias {event.anchor!r} is part of what it names"
            raise ComposerError(None, None, problem, mark)
        self._open.append(event.anchor)
        node = super().compose_node(parent, index)
        self._open.pop()
        return node

    def descend_resolver(self, parent: Node | None, index: object) -> None:
        """Do nothing: tags are not resolved."""

    def ascend_resolver(self) -> None:
        """Do nothing: tags are not resolved."""

    def resolve(self, kind: type[Node], value: object, implicit: object) -> str:  # noqa: ARG002 - PyYAML's signature
        """Return the tag of a node that is written without one."""
        return ""


_NUMBER = re.compile(
    r"[-+]?(?:0[bBoOxX][0-9a-fA-F_]+|\.?[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)"
)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,6}")


def rendered(node: ScalarNode) -> str | None:
    """Return the text that compose makes of `node`: ``1.10`` is ``1.1``.

    None for nothing, and for numbers of unusual form, such as ``0x1F`` and ``1e3``.
    """
    text = str(node.value)
    if node.style or node.tag.endswith("str"):
        return text
    if is_null(node):
        return None
    if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return text.lower()
    if _DECIMAL.fullmatch(text):
        return text.rstrip("0").rstrip(".")
    return None if _NUMBER.fullmatch(text) and not _INTEGER.fullmatch(text) else text
