"""What becomes of every mount and of every cache, as data for reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.plan.model import CacheInfo, CacheUser, Outcome
from migrate_cache.rules.mc102_own_output_cache import service_of

if TYPE_CHECKING:
    from migrate_cache.rules.context import Context


def outcomes(context: Context) -> Iterator[Outcome]:
    """Yield the one outcome of each cache mount, in the order of paths and lines."""
    for use in context.graph.uses:
        decision = context.decisions[id(use)]
        cache = use.match.cache
        yield Outcome(
            use.path, use.line, use.column, use.stage.label, use.mount.target, use.directory,
            cache.name if cache else "", use.kind, use.mount.cache_id, decision.id_after,
            use.mount.sharing, decision.sharing_after, decision.rule, decision.reason,
            decision.evidence,
        )  # fmt: skip


def caches(context: Context) -> Iterator[CacheInfo]:
    """Yield the caches of the project with their users."""
    for group in context.graph.groups:
        cache = group.deciding.match.cache
        users = []
        for use in group.uses:
            decision = context.decisions[id(use)]
            users.append(
                CacheUser(
                    use.path, use.line, use.stage.label, service_of(context, use), use.mode,
                    decision.sharing_after or "shared", decision.id_after,
                )
            )  # fmt: skip
        yield CacheInfo(
            group.key.id,
            group.kind,
            cache.name if cache else "",
            tuple(dict.fromkeys(use.directory for use in group.uses)),
            tuple(users),
        )
