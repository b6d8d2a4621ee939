"""YAML as nodes with places, bounded in size and depth.

Nodes are made from the parser's events, not by PyYAML's own composer and constructors:
nothing here recurses, an alias is the node it stands for and is never copied, and
scalars stay text until someone asks how compose would write them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrate_cache.builds.model import Budget, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml.events import Event

_MAX_NODES = 100_000
_MAX_DEPTH = 100
_MAX_BYTES_SLOW = 512 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A part of a file and where it begins, from 1."""

    line: int
    column: int
    tag: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Scalar(Node):
    """A text, and whether it stands without quotes."""

    text: str
    plain: bool


@dataclass(frozen=True, slots=True, eq=False)
class Sequence(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Mapping(Node):
    """Keys and values as they stand in the file."""

    pairs: list[tuple[Node, Node]] = field(default_factory=list)


Entries = dict[str, tuple[Node, Node]]
"""Key -> the nodes of key and value."""


class Document:
    """The documents of one file, and ways to look into them that warn instead of failing."""

    def __init__(self, roots: list[Node], report: Report, budget: Budget) -> None:
        self.roots = roots
        self.report = report
        self.budget = budget
        self._entries: dict[Mapping, Entries] = {}

    def warn(self, node: Node, message: str) -> None:
        """Remember that something is wrong at `node`."""
        self.report.warn(node.line, node.column, message)

    def mapping(self, node: Node | None, what: str) -> Entries:
        """Return the entries of `node`; none, with a warning, where it is no mapping.

        Merge keys are followed: what stands here comes before what is merged in.
        """
        if node is None or is_null(node):
            return {}
        if not isinstance(node, Mapping):
            self.warn(node, f"expected {what} to be a mapping, found {kind_of(node)}")
            return {}
        return self._flatten(node, 0)

    def _flatten(self, node: Mapping, depth: int) -> Entries:
        if node in self._entries:
            return self._entries[node]
        found: Entries = {}
        merges: list[Node] = []
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                self.warn(key, f"expected a name as the key, found {kind_of(key)}")
            elif key.plain and key.text == "<<":
                merges.append(value)
            else:
                if key.text in found:
                    self.warn(key, "this key is there twice; the last one counts")
                found[key.text] = (key, value)
        for merged in merges:
            for source in merged.items if isinstance(merged, Sequence) else [merged]:
                if not isinstance(source, Mapping) or depth >= _MAX_DEPTH:
                    self.warn(source, f"expected a mapping to merge, found {kind_of(source)}")
                    continue
                entries = self._flatten(source, depth + 1)
                self.budget.spend(len(entries))
                for name, entry in entries.items():
                    found.setdefault(name, entry)
        self._entries[node] = found
        return found

    def sequence(self, node: Node | None, what: str) -> list[Node]:
        """Return the items of `node`; none, with a warning, where it is no list."""
        if node is None or is_null(node):
            return []
        if not isinstance(node, Sequence):
            self.warn(node, f"expected {what} to be a list, found {kind_of(node)}")
            return []
        self.budget.spend(len(node.items))
        return node.items

    def text(self, node: Node | None, what: str) -> Scalar | None:
        """Return `node` where it is a text; None, with a warning, where it is something else."""
        if node is None or is_null(node):
            return None
        if not isinstance(node, Scalar):
            self.warn(node, f"expected {what} to be a text, found {kind_of(node)}")
            return None
        return node


def kind_of(node: Node) -> str:
    """Name the kind of `node` in a message."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    return "nothing" if is_null(node) else "a text"


def is_null(node: Node) -> bool:
    """Tell whether `node` says nothing."""
    return (
        isinstance(node, Scalar)
        and node.plain
        and node.text in {"", "~", "null", "Null", "NULL"}
        and (node.tag or "").removeprefix("!") in {"", "reset", "override"}
    )


def load(data: bytes, report: Report) -> Document | None:
    """Read YAML or JSON; None, with a warning at its place, where that fails."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", None)
    if loader is None:
        loader = yaml.SafeLoader
        if len(data) > _MAX_BYTES_SLOW:
            report.warn(0, 0, f"is larger than {_MAX_BYTES_SLOW // 1024} KiB and was not read")
            return None
    try:
        events: Iterator[Event] = yaml.parse(data, Loader=loader)
        roots = _compose(events, report)
    except yaml.reader.ReaderError as error:
        before = data[: error.position]
        report.warn(
            before.count(b"\n") + 1,
            len(before) - before.rfind(b"\n"),
            f"cannot be read as YAML: {error.reason}",
        )
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        words = getattr(error, "problem", None) or getattr(error, "context", None) or "not valid"
        line, column = (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
        report.warn(line, column, f"cannot be read as YAML: {words}")
        return None
    except (ValueError, RecursionError) as error:  # such as a number that is too large in a tag
        report.warn(0, 0, f"cannot be read as YAML: {error}")
        return None
    return None if roots is None else Document(roots, report, Budget())


def _compose(events: Iterator[Event], report: Report) -> list[Node] | None:
    composer = _Composer(report)
    for count, event in enumerate(events):
        if count > _MAX_NODES or len(composer.stack) > _MAX_DEPTH:
            much = "too long" if count > _MAX_NODES else "nested too deeply"
            report.warn(*_start(event), f"is {much} and was not read")
            return None
        composer.take(event)
    return composer.roots


def _start(event: Event) -> tuple[int, int]:
    mark = event.start_mark
    return (0, 0) if mark is None else (mark.line + 1, mark.column + 1)


class _Composer:
    """Puts nodes together from events."""

    def __init__(self, report: Report) -> None:
        from yaml import events

        self._kinds = events
        self._report = report
        self._anchors: dict[str, Node] = {}
        self.roots: list[Node] = []
        self.stack: list[tuple[Sequence | Mapping, str | None]] = []
        """The lists and mappings whose end is still to come, with their anchors."""
        self._keys: list[Node | None] = []

    def take(self, event: Event) -> None:
        kinds, at = self._kinds, _start(event)
        if isinstance(event, kinds.ScalarEvent):
            self._add(Scalar(*at, event.tag, event.value, not event.style), event.anchor)
        elif isinstance(event, kinds.AliasEvent):
            node = self._anchors.get(event.anchor or "")
            if node is None:  # also inside of what the anchor names
                self._report.warn(*at, "this alias has no anchor before it")
            self._add(node or Scalar(*at, None, "", plain=True), None)
        elif isinstance(event, kinds.SequenceStartEvent):
            self._open(Sequence(*at, event.tag), event.anchor)
        elif isinstance(event, kinds.MappingStartEvent):
            self._open(Mapping(*at, event.tag), event.anchor)
        elif isinstance(event, kinds.CollectionEndEvent):
            self._keys.pop()
            self._add(*self.stack.pop())
        elif isinstance(event, kinds.DocumentStartEvent):
            self._anchors.clear()

    def _open(self, node: Sequence | Mapping, anchor: str | None) -> None:
        self.stack.append((node, anchor))
        self._keys.append(None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self.stack:
            self.roots.append(node)
            return
        parent, key = self.stack[-1][0], self._keys[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif key is None:
            self._keys[-1] = node
        else:
            parent.pairs.append((key, node))
            self._keys[-1] = None


_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def rendered(node: Scalar) -> str | None:
    """Return the text that compose makes of `node`: ``1.10`` is ``1.1``; None for nothing."""
    text = node.text
    if not node.plain or (node.tag or "").endswith("str") or len(text) > 40:
        return text
    if is_null(node):
        return None
    if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return text.lower()
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(float(text.replace("_", "")), text)
    return text


def _integer(text: str) -> str:
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-").lower()
    try:
        if digits.startswith("0") and digits.isdigit() and len(digits) > 1:
            return str(sign * int(digits, 8))
        return str(sign * int(digits, 0))
    except ValueError:
        return text


def _float(value: float, text: str) -> str:
    if abs(value) < 1e21 and value == int(value):
        return str(int(value))
    return repr(value) if math.isfinite(value) else text
