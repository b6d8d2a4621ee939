"""Edits of a Dockerfile, beside those that a `Mount` offers itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.dockerfile.nodes import Token
from migrate_cache.text.edit import InstructionEdit
from migrate_cache.text.source import Span

if TYPE_CHECKING:
    from migrate_cache.dockerfile.mount import Mount
    from migrate_cache.dockerfile.tree import Dockerfile, Instruction
    from migrate_cache.text.edit import OptionEdit


def mount_edits(
    mount: Mount, new_id: str | None = None, sharing: str | None = None
) -> tuple[OptionEdit, ...]:
    """Give a cache mount another id, another sharing mode, or both.

    None leaves an option as it is. A mode of ``""`` takes the option out; where quotes or a
    line break stand beside it, it becomes ``shared``, which means the same. A new id takes
    the place of a mode that goes, else it follows the target.
    """
    has_id = mount.option("id") is not None
    if new_id is not None and not has_id and sharing == "":
        return mount.replace("sharing", "id", new_id)
    edits: tuple[OptionEdit, ...] = ()
    if new_id is not None:
        edits += mount.set("id", new_id) if has_id else mount.add("id", new_id, after="target")
    if sharing:
        edits += mount.set("sharing", sharing)
    elif sharing == "":
        try:
            edits += mount.remove("sharing")
        except ValueError:
            edits += mount.set("sharing", "shared")
    return edits


def insert_before(
    tree: Dockerfile, instruction: Instruction, text: str, comment: str
) -> InstructionEdit:
    """Insert an instruction of one line above another one and the comments that belong to it.

    Comments belong to an instruction if no blank line stands between. `text` and `comment`
    are given without a line ending; the file's own is used.
    """
    newline = tree.source.newline
    start = _start_of_comments(tree, instruction)
    lines = f"{comment}{newline}{text}{newline}"
    return InstructionEdit(Span(start, start), lines, instruction=text)


def _start_of_comments(tree: Dockerfile, instruction: Instruction) -> int:
    text, start = tree.source.text, instruction.span.start
    for child in reversed(tree.children[: tree.children.index(instruction)]):
        if not isinstance(child, Token) or child.kind not in ("COMMENT", "NEWLINE", "BLANK"):
            break
        line_start = text.rfind("\n", 0, child.span.start) + 1
        if child.kind == "NEWLINE" and not text[line_start : child.span.end].strip():
            break
        if child.kind == "COMMENT":
            start = line_start
    return start
