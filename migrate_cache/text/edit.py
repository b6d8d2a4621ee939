"""Edits of a text as data: whatever no edit names is copied."""

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
    """An edit that gives an option of a mount another value, or a part of one.

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
    """Return `text` with all `edits` made, in whatever order they are given.

    Raise ValueError where two edits overlap, two insertions meet at one place (nothing says
    which comes first), or an edit leaves the text.
    """
    parts: list[str] = []
    position = 0
    previous: Span | None = None
    for edit in sorted(edits, key=lambda edit: edit.span):
        start, end = edit.span
        if edit.span == previous:
            raise ValueError(f"two edits of one place, at offset {start}")
        if not position <= start <= end <= len(text):
            raise ValueError(f"edits overlap or leave the text at offset {start}")
        parts += (text[position:start], edit.text)
        position, previous = end, edit.span
    parts.append(text[position:])
    return "".join(parts)
