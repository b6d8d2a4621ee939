"""MC101: ``sharing=locked`` becomes ``sharing=shared`` where several users at once are safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.rules.context import Context, Decision, Remark
from migrate_cache.rules.fresh_ids import FreshIds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.caches.graph import Group, Use

RULE = "MC101"


def share(context: Context) -> Iterator[Decision | Remark]:
    """Yield a decision for every user of a cache that tolerates several users at once."""
    fresh = FreshIds(context)
    for group in context.graph.groups:
        if group.kind not in ("shared", "cargo-subdir"):
            continue
        uses = [use for use in group.uses if context.decision(use) is None]
        refusal = context.cargo_refusals.get(id(group), "")
        holder = context.graph.holder(group, RULE)
        if refusal:
            yield from _refused(uses, refusal)
        elif holder:
            yield from _held(context, uses, holder)
        else:
            yield from _shared(context, uses, fresh)
        if not context.settings.cargo_lock:
            yield from _hazards(context, group)


def _refused(uses: list[Use], refusal: str) -> Iterator[Decision]:
    for use in uses:
        if use.mode == "locked":
            reason = f"stays locked, Cargo's lock cannot be linked into it: {refusal}"
        else:
            reason = (
                "shared without Cargo's lock, so cold parallel builds can fail; "
                f"it cannot be linked: {refusal}"
            )
        yield Decision(use, "MC211", reason)


def _held(context: Context, uses: list[Use], holder: str) -> Iterator[Decision]:
    """Leave a cache alone that one of its users holds back: one cache has one mode."""
    for use in uses:
        if use.mode == "locked":
            own = use.refusal(RULE)
            yield Decision(
                use,
                RULE if own else "MC203",
                f"stays locked: {own or f'{holder}, and one cache must have one sharing mode'}",
            )
        else:
            yield Decision(use, RULE, f"already shared: {_safe(context, use)}")


def _shared(context: Context, uses: list[Use], fresh: FreshIds) -> Iterator[Decision]:
    changes = any(use.mode == "locked" for use in uses)
    kept = fresh.refusal(uses) if changes else ""
    for use in uses:
        changed = use.mode == "locked"
        reason = _safe(context, use)
        yield Decision(
            use,
            RULE,
            (reason if changed else f"already shared: {reason}") + (f"; {kept}" if kept else ""),
            id=fresh.id_for(use) if changes and not kept else None,
            sharing="shared" if changed else None,
            evidence=(use.match.cache.source,) if use.match.cache else (),
        )


def _hazards(context: Context, group: Group) -> Iterator[Remark]:
    """Say of each Cargo cache that is shared in the end what can go wrong without the link."""
    for use in group.uses:
        decision = context.decision(use)
        if use.kind != "cargo-subdir" or decision is None or decision.rule == "MC211":
            continue
        if decision.sharing_after in ("", "shared"):
            yield Remark(
                use.path, use.line, use.column, "MC211",
                "shared without Cargo's lock (--no-cargo-lock): cold parallel builds can fail "
                "with 'File exists (os error 17)'",
            )  # fmt: skip


def _safe(context: Context, use: Use) -> str:
    if use.kind == "unknown":
        return "its RUN only copies, so the directory follows the other users of its id"
    if use.kind == "cargo-subdir":
        if not context.settings.cargo_lock:
            return "parallel builds no longer wait for each other"
        return "several builds at once are safe with Cargo's lock in the same mount"
    return use.match.reason
