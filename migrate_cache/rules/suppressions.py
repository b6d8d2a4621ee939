"""Comments that tell this tool to leave something alone.

``# migrate-cache: ignore[MC102] why`` above an instruction or between its continued lines,
``# migrate-cache: ignore`` for every rule, ``# migrate-cache: ignore-file`` anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrate_cache.dockerfile.nodes import Token
from migrate_cache.dockerfile.tree import Dockerfile, Instruction

_IGNORE = re.compile(
    r"#\s*migrate-cache:\s*(?P<what>ignore-file|ignore)\b\s*(?:\[(?P<codes>[^\]]*)\])?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Suppression:
    """One such comment; without `codes` it means every rule, without `start` the whole file.

    `start` is the offset of the instruction that it belongs to, -1 where it belongs to none.
    """

    line: int
    column: int
    codes: tuple[str, ...]
    start: int | None
    written: str

    def covers(self, rule: str, start: int | None) -> bool:
        """Whether a rule at the instruction that begins at `start` is ignored."""
        if self.start is not None and self.start != start:
            return False
        return not self.codes or rule.startswith(self.codes)


def read_suppressions(tree: Dockerfile) -> tuple[Suppression, ...]:
    """Return the ignore comments of a file in order."""
    # Most files have none; looking for the words is cheaper than walking the tree.
    return tuple(_read(tree)) if "migrate-cache:" in tree.source.text.lower() else ()


def _read(tree: Dockerfile) -> Iterator[Suppression]:
    above: list[Token] = []
    for child in tree.children:
        if isinstance(child, Instruction):
            own = [token for token in child.tokens() if token.kind == "COMMENT"]
            for token in (*above, *own):
                yield from _suppression(tree, token, child.start)
            above = []
        elif isinstance(child, Token):
            if child.kind == "COMMENT":
                above.append(child)
            elif child.kind == "NEWLINE" and _is_blank_line(tree, child):
                for token in above:
                    yield from _suppression(tree, token, -1)
                above = []
    for token in above:
        yield from _suppression(tree, token, -1)


def _is_blank_line(tree: Dockerfile, newline: Token) -> bool:
    start = tree.source.text.rfind("\n", 0, newline.span.start) + 1
    return not tree.source.text[start : newline.span.start].strip()


def _suppression(tree: Dockerfile, token: Token, start: int) -> Iterator[Suppression]:
    match = _IGNORE.match(token.text)
    if not match:
        return
    is_file = match["what"].lower() == "ignore-file"
    codes = tuple(part.upper() for part in re.split(r"[,\s]+", match["codes"] or "") if part)
    place = tree.source.place(token.span.start)
    yield Suppression(
        place.line, place.column, codes, None if is_file else start, match.group().strip()
    )


def instruction_start(tree: Dockerfile, line: int) -> int:
    """Return the offset of the instruction that stands at a line, -1 where none does."""
    for instruction in tree.instructions:
        if instruction.start_line <= line <= instruction.end_line:
            return instruction.start
    return -1
