"""Decisions and insertions as edits of a file's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.dockerfile.tree import Instruction, Mount, Token
from migrate_cache.plan.model import Change
from migrate_cache.text.edit import Edit
from migrate_cache.text.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrate_cache.caches.graph import File
    from migrate_cache.rules.context import Decision, Insertion


def changes_of(
    file: File, decisions: Iterable[Decision], insertions: Sequence[Insertion]
) -> tuple[Change, ...]:
    """Return the changes of one file in the order of the text."""
    changes = []
    for decision in decisions:
        if decision.changes:
            use = decision.use
            changes.append(
                Change(
                    decision.rule, use.line, use.column, decision.reason,
                    mount_edits(use.mount, decision.id, decision.sharing), decision.evidence,
                )
            )  # fmt: skip
    for insertion in insertions:
        place = file.tree.source.place(insertion.before.start)
        changes.append(
            Change(
                insertion.rule, place.line, place.column, insertion.reason,
                (insertion_edit(file, insertion),),
            )
        )  # fmt: skip
    changes.sort(key=lambda change: (change.line, change.column, change.rule))
    return tuple(changes)


def mount_edits(mount: Mount, new_id: str | None, sharing: str | None) -> tuple[Edit, ...]:
    """Return the edits that give a mount another id or mode; a mode of ``""`` goes."""
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
    """Return the edits that take an option out, with one of the commas beside it.

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
        return (Edit(Span(before.span.start, option.span.end), ""),)
    if plain and _is_comma(after):
        assert after is not None
        return (Edit(Span(option.span.start, after.span.end), ""),)
    return mount.set(name, "shared")


def _is_comma(child: object) -> bool:
    return isinstance(child, Token) and child.kind == "COMMA"


def insertion_edit(file: File, insertion: Insertion) -> Edit:
    """Return the edit that puts an instruction above another one and its comments."""
    source = file.tree.source
    start = _above_comments(file, insertion.before)
    text = f"{insertion.comment}{source.newline}{insertion.text}{source.newline}"
    return Edit(Span(start, start), text)


def _above_comments(file: File, instruction: Instruction) -> int:
    """Return where the block of comment lines right above an instruction begins."""
    source = file.tree.source
    children = file.tree.children
    start = instruction.span.start
    for child in reversed(children[: children.index(instruction)]):
        if not isinstance(child, Token) or child.kind not in ("COMMENT", "NEWLINE", "BLANK"):
            break
        line_start = source.text.rfind("\n", 0, child.span.start) + 1
        line = source.text[line_start : child.span.end]
        if child.kind == "NEWLINE" and not line.strip():
            break
        if child.kind == "COMMENT":
            start = line_start
    return start
