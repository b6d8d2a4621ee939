"""MC201, MC202, MC207, MC209, MC210 and MC213: mounts that are left alone, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.rules.context import Context, Decision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.caches.graph import Group, Use


def untouchable(context: Context) -> Iterator[Decision]:
    """Yield decisions about mounts that cannot be changed, whatever they are."""
    for decision in _untouchable(context):
        decision.use.held = decision.use.held or decision.reason
        yield decision


def _untouchable(context: Context) -> Iterator[Decision]:
    for use in context.graph.uses:
        mount = use.mount
        if use.run.error or use.instruction.error:
            error = use.run.error or use.instruction.error
            assert error is not None
            yield Decision(use, "MC210", f"BuildKit would reject this instruction: {error.message}")
        elif use.instruction.trigger is not None:
            yield Decision(
                use,
                "MC209",
                "an ONBUILD trigger runs in another image: scope and service are that image's",
            )
        elif "$" in mount.type or "$" in mount.sharing:
            which = "type" if "$" in mount.type else "sharing mode"
            yield Decision(use, "MC209", f"its {which} comes from a variable")
        elif use.target.open:
            names = ", ".join(sorted(use.target.open))
            yield Decision(use, "MC209", f"its target depends on {names}, which a build decides")
        elif mount.repeated("type", "target", "id", "sharing"):
            yield Decision(
                use, "MC209", "an option is given more than once; only the last one counts"
            )
        elif mount.sharing == "private":
            yield Decision(
                use, "MC207", "each build that finds the cache in use gets a copy of its own"
            )


def explain(context: Context) -> Iterator[Decision]:
    """Yield decisions about the mounts that no other codemod decided about."""
    for group in context.graph.groups:
        for use in group.uses:
            if context.decision(use) is None:
                yield _explain(context, group, use)


def _explain(context: Context, group: Group, use: Use) -> Decision:
    if group.kind == "exclusive":
        match = group.deciding.match
        own = use.match if use.kind == "exclusive" else match
        name = own.cache.name if own.cache else "the tool"
        source = (own.cache.source,) if own.cache and own.cache.source else ()
        if use.mode == "locked":
            reason = f"stays locked: {own.reason}"
            if use.kind != "exclusive":
                reason = f"stays locked: {group.deciding.place} uses the id for {name}"
            elif _alone_serial(context, use):
                reason += "; this lock alone still makes parallel builds of the RUN wait"
            return Decision(use, "MC201", reason, evidence=source)
        return Decision(
            use, "MC213", f"not locked, but {name} needs exclusive access: {own.reason}",
            evidence=source,
        )  # fmt: skip
    kinds = {member.kind for member in group.uses if member.kind != "unknown"}
    if len(kinds) > 1:
        return Decision(
            use, "MC202", "the same id is used for directories of different kinds: left alone"
        )
    reason = group.deciding.match.reason or "no tool is known to keep a cache here"
    if use.kind != "unknown":
        reason = f"{group.deciding.place} uses the id for a directory that is not known"
    return Decision(use, "MC202", reason)


def _alone_serial(context: Context, use: Use) -> bool:
    """Whether every other mount of the RUN is free of locks after the plan."""
    others = [other for other in use.mounted_beside if other is not use]
    decisions = [context.decision(other) for other in others]
    return bool(others) and all(d is not None and d.sharing_after != "locked" for d in decisions)
