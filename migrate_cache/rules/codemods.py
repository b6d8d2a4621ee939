"""The codemods, in the order in which they decide.

A codemod is a function of the `Context` that yields decisions about mounts, insertions and
remarks; it changes nothing. Each mount is decided about once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from migrate_cache.rules.context import Context, Decision, Insertion, Remark
from migrate_cache.rules.left_alone import explain, untouchable
from migrate_cache.rules.mc101_share_cache import share
from migrate_cache.rules.mc102_own_output_cache import separate
from migrate_cache.rules.mc104_link_cargo_lock import link
from migrate_cache.rules.review import review

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
