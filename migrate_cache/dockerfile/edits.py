"""Edits that codemods want, on the text of a Dockerfile."""

from __future__ import annotations

from migrate_cache.dockerfile.tree import Dockerfile, Instruction, Mount, Token
from migrate_cache.text.edit import Edit, InstructionEdit, OptionEdit
from migrate_cache.text.source import Span


def mount_edits(
    mount: Mount, new_id: str | None = None, sharing: str | None = None
) -> tuple[Edit, ...]:
    """Give a mount another id or mode, None where it stays; a mode of ``""`` is taken out."""
    if new_id is None:
        if sharing is None:
            return ()
        return mount.set("sharing", sharing) if sharing else remove_option(mount, "sharing")
    if mount.option("id") is not None:
        edits = mount.set("id", new_id)
        return edits + mount_edits(mount, None, sharing)
    if sharing == "":
        # The id takes the place of the lock that goes.
        return mount.replace("sharing", "id", new_id)
    return mount.insert_after("target", "id", new_id) + mount_edits(mount, None, sharing)


def remove_option(mount: Mount, name: str) -> tuple[Edit, ...]:
    """Take an option out, with one of the commas beside it.

    Where quotes or line breaks stand in between, ``sharing`` becomes ``shared`` instead,
    which means the same.
    """
    option = mount.option(name)
    assert option is not None
    children = list(mount.children)
    at = children.index(option)
    plain = all(
        not isinstance(token, Token) or token.kind in ("KEY", "EQUALS", "VALUE")
        for token in option.children
    )
    before = children[at - 1] if at else None
    after = children[at + 1] if at + 1 < len(children) else None
    if plain and _is_comma(before):
        assert before is not None
        return (OptionEdit(Span(before.span.start, option.span.end), "", name, None),)
    if plain and _is_comma(after):
        assert after is not None
        return (OptionEdit(Span(option.span.start, after.span.end), "", name, None),)
    return mount.set(name, "shared")


def _is_comma(child: object) -> bool:
    return isinstance(child, Token) and child.kind == "COMMA"


def insert_before(
    tree: Dockerfile, instruction: Instruction, text: str, comment: str
) -> InstructionEdit:
    """Insert an instruction of one line above another one and the comments that belong to it."""
    newline = tree.source.newline
    start = _above_comments(tree, instruction)
    return InstructionEdit(
        Span(start, start), f"{comment}{newline}{text}{newline}", instruction=text
    )


def _above_comments(tree: Dockerfile, instruction: Instruction) -> int:
    """Return where the block of comment lines right above an instruction begins."""
    source = tree.source
    start = instruction.span.start
    for child in reversed(tree.children[: tree.children.index(instruction)]):
        if not isinstance(child, Token) or child.kind not in ("COMMENT", "NEWLINE", "BLANK"):
            break
        line_start = source.text.rfind("\n", 0, child.span.start) + 1
        line = source.text[line_start : child.span.end]
        if child.kind == "NEWLINE" and not line.strip():
            break
        if child.kind == "COMMENT":
            start = line_start
    return start
