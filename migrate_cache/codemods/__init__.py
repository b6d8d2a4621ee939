"""The codemods, in the order in which they decide.

A codemod is a function of the `Context` that yields decisions about mounts, insertions and
remarks; it changes nothing. Each mount is decided about once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from migrate_cache.codemods.cargo_lock import link
from migrate_cache.codemods.context import Context, Decision, Insertion, Remark
from migrate_cache.codemods.left_alone import explain, untouchable
from migrate_cache.codemods.outputs import separate
from migrate_cache.codemods.review import review
from migrate_cache.codemods.shared import share

Codemod = Callable[[Context], Iterator[Decision | Insertion | Remark]]

CODEMODS: tuple[Codemod, ...] = (
    untouchable,
    link,
    share,
    separate,
    explain,
    review,
)

__all__ = ["CODEMODS", "Codemod", "Context", "Decision", "Insertion", "Remark"]
