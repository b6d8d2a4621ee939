"""Edits of a text as data; every byte that no edit names is copied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate_cache.text.source import Span


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of `span` by `text`; an empty span is an insertion."""

    span: Span
    text: str


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
