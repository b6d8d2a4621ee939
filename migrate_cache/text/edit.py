"""Edits of a text as data; every byte that no edit names is copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_cache.text.source import Span


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of `span` by `text`; an empty span is an insertion."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class OptionEdit(Edit):
    """An edit that gives an option of a mount another value.

    `option` is the option's main name, `value` the decoded value after all edits of the
    option, None where the option goes.
    """

    option: str
    value: str | None


@dataclass(frozen=True, slots=True)
class InstructionEdit(Edit):
    """An edit that inserts an instruction; `instruction` is its text without the comment."""

    instruction: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with all `edits` made; raise ValueError where two overlap.

    Insertions at the same place are made in the order in which they are given.
    """
    ordered = sorted(edits, key=lambda edit: edit.span)
    parts: list[str] = []
    position = 0
    for edit in ordered:
        start, end = edit.span
        if start < position or end < start or end > len(text):
            raise ValueError(f"edits overlap or leave the text at offset {start}")
        parts.append(text[position:start])
        parts.append(edit.text)
        position = end
    parts.append(text[position:])
    return "".join(parts)
