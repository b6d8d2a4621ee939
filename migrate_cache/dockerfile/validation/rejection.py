"""What a check finds, and hints at the word that may have been meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from migrate_cache.text.errors import nearest


class Rejection(NamedTuple):
    """Why BuildKit rejects something, in its words; `offset` is the place in the file."""

    message: str
    offset: int
    hint: str = ""


# Checks yield in BuildKit's order. A build stops at the first rejection, and nothing asks a
# check for a second one.
Rejections: TypeAlias = Iterator[Rejection]


def suggest(word: str, known: Sequence[str]) -> str:
    """Return a hint that names the known word most similar to `word`, else ``""``."""
    found = nearest(word, known)
    return f"did you mean {found}?" if found else ""


def suggest_or_list(word: str, known: Sequence[str]) -> str:
    """Return such a hint, or one that lists the known words."""
    return suggest(word, known) or "expected one of " + ", ".join(known)
