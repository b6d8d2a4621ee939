"""MC101: ``sharing=locked`` becomes ``sharing=shared`` where several users at once are safe."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate_cache.codemods.context import Context, Decision, Remark
from migrate_cache.graph import Group, Use
from migrate_cache.services import clean_name

RULE = "MC101"


def share(context: Context) -> Iterator[Decision | Remark]:
    """Yield a decision for every user of a cache that tolerates several users at once."""
    fresh = _FreshIds(context)
    for group in context.graph.groups:
        if group.kind not in ("shared", "cargo-subdir"):
            continue
        yield from _share_group(context, group, fresh)


def _share_group(context: Context, group: Group, fresh: _FreshIds) -> Iterator[Decision | Remark]:
    uses = [use for use in group.uses if context.decision(use) is None]
    refusal = context.cargo_refusals.get(id(group), "")
    if refusal:
        yield from _refused(uses, refusal)
        return
    holder = context.graph.holder(group, RULE)
    if holder:
        for use in uses:
            if use.mode == "locked":
                reason = use.refusal(RULE)
                yield Decision(
                    use,
                    "MC203",
                    f"stays locked: {reason}"
                    if reason
                    else f"stays locked: {holder}, and one cache must have one sharing mode",
                )
            else:
                yield Decision(use, RULE, f"already shared: {_safe(context, use)}")
        return
    is_locked = any(use.mode == "locked" for use in uses)
    new_id = fresh.id_for(group) if is_locked else None
    for use in uses:
        changed = use.mode == "locked"
        yield Decision(
            use,
            RULE,
            _safe(context, use) if changed else f"already shared: {_safe(context, use)}",
            id=new_id,
            sharing="shared" if changed else None,
            evidence=(use.match.cache.source,) if use.match.cache else (),
        )
        if use.kind == "cargo-subdir" and not context.settings.cargo_lock:
            yield _hazard(use)


def _refused(uses: list[Use], refusal: str) -> Iterator[Decision]:
    for use in uses:
        if use.mode == "locked":
            yield Decision(
                use, "MC211", f"stays locked, Cargo's lock cannot be linked into it: {refusal}"
            )
        else:
            yield Decision(
                use,
                "MC211",
                "shared without Cargo's lock, so cold parallel builds can fail; "
                f"it cannot be linked: {refusal}",
            )


def _hazard(use: Use) -> Remark:
    return Remark(
        use.path, use.line, use.column, "MC211",
        "shared without Cargo's lock (--no-cargo-lock): cold parallel builds can fail with "
        "'File exists (os error 17)'",
    )  # fmt: skip


def _safe(context: Context, use: Use) -> str:
    if use.kind == "cargo-subdir":
        if not context.settings.cargo_lock:
            return "parallel builds no longer wait for each other"
        return "several builds at once are safe with Cargo's lock in the same mount"
    return use.match.reason


class _FreshIds:
    """Ids of their own for caches whose mode changes (``--fresh-ids``)."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.taken = {group.key.id for group in context.graph.groups}

    def id_for(self, group: Group) -> str | None:
        """Return the new id of a cache, None where ids stay."""
        if not self.context.settings.fresh_ids:
            return None
        if any(use.refusal(RULE) for use in group.uses):
            return None
        project = clean_name(self.context.project) or "project"
        explicit = next((use.mount.id for use in group.uses if use.mount.id), "")
        cache = group.deciding.match.cache
        stem = explicit or (cache.slug if cache else "cache")
        new = stem if explicit and project in explicit else f"{stem}-{project}"
        base, number = new, 2
        while new in self.taken and new != explicit:
            new = f"{base}-{number}"
            number += 1
        if re.search(r"[\s,\"'\\]", new):
            return None
        self.taken.add(new)
        return None if new == explicit else new
