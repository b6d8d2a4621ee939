"""MC104: link Cargo's package-cache lock into the shared registry mount.

Cargo locks two files in ``CARGO_HOME``; a cache mount of ``CARGO_HOME/registry`` does not
contain them, so builds that share the mount do not lock each other out. Links that lead
into the mount make all of them lock the same files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.caches.cargo_lock import cannot_link, cargo_home, is_linked, mounted_home
from migrate_cache.rules.context import Context, Insertion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.caches.graph import CacheKey, Group, Use

RULE = "MC104"
COMMENT = (
    "# Put Cargo's package lock into the shared registry cache, for builds that run side by side"
)


def link_command(cargo_home: str) -> str:
    """Return the shell command that links the lock files of a ``CARGO_HOME``.

    The directory must exist in the image too, or a later RUN without the mount would find
    dangling links; mode 777 lets another user than root lock there.
    """
    return (
        f"mkdir -p -m 777 {cargo_home}/registry && "
        f"ln -sf registry/.package-cache registry/.package-cache-mutate {cargo_home}/"
    )


def link(context: Context) -> Iterator[Insertion]:
    """Yield the links that are needed, and fill `Context.cargo_refusals`."""
    for component in _components(context):
        refusal = _refusal(context, component)
        if refusal:
            for group in component:
                context.cargo_refusals[id(group)] = refusal
        elif context.settings.cargo_lock and any(_is_shared(context, g) for g in component):
            yield from _insertions(context, [use for group in component for use in group.uses])


def _is_shared(context: Context, group: Group) -> bool:
    """Whether a cache is shared already for some user, or becomes so."""
    if any(use.mode == "shared" for use in group.uses):
        return True
    return not context.graph.holder(group, "MC101")


def _components(context: Context) -> list[list[Group]]:
    """Return the Cargo caches that hang together because one RUN mounts several of them."""
    groups = [group for group in context.graph.groups if group.kind == "cargo-subdir"]
    number = {id(group): index for index, group in enumerate(groups)}
    parent = list(range(len(groups)))

    def find(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first_of_run: dict[int, int] = {}
    for index, group in enumerate(groups):
        for use in group.uses:
            first = first_of_run.setdefault(id(use.run), index)
            parent[find(index)] = find(first)
    components: dict[int, list[Group]] = {}
    for group in groups:
        components.setdefault(find(number[id(group)]), []).append(group)
    return list(components.values())


def _refusal(context: Context, component: list[Group]) -> str:
    """Return why the lock of a set of caches cannot be linked, ``""`` where it can."""
    uses = [use for group in component for use in group.uses]
    for use in uses:
        if use.kind != "cargo-subdir":
            return f"{use.place} uses the same id for another directory"
    if not context.settings.cargo_lock:
        return ""
    return _divided(context, uses) or next(
        (
            f"{use.place}: {reason}"
            for use in uses
            if (reason := "" if _needs_no_link(use) else cannot_link(use, _topmost(context, use)))
        ),
        next(filter(None, map(context.graph.unread_user, component)), ""),
    )


def _divided(context: Context, uses: list[Use]) -> str:
    """Return why the locks of some users would not be one and the same file."""
    places: dict[CacheKey, Use] = {}
    for run_uses in _by_run(uses):
        use = run_uses[0]
        home = cargo_home(use)
        lock = mounted_home(use, home) or next(
            (use for use in run_uses if use.directory == home + "/registry"), None
        )
        if lock is None:
            return (
                f"{use.place} mounts {use.directory} without {home}/registry, "
                "so its lock would lie elsewhere"
            )
        if lock.mount_is_readonly:
            return f"{use.place} mounts {lock.directory} read-only, so Cargo cannot lock there"
        places.setdefault(context.graph.group_of[id(lock)].key, lock)
    if len(places) > 1:
        ids = ", ".join(sorted(key.id for key in places))
        return f"the lock would lie in different caches ({ids})"
    users = {use.scope.user.partition(":")[0] or "root" for use in uses}
    if len(users - {"0"} | ({"root"} if "0" in users else set())) > 1:
        names = ", ".join(sorted(users))
        return f"different users ({names}) would have to write the same lock file"
    return ""


def _needs_no_link(use: Use) -> bool:
    home = cargo_home(use)
    return mounted_home(use, home) is not None or is_linked(use, home)


def _by_run(uses: list[Use]) -> list[list[Use]]:
    runs: dict[int, list[Use]] = {}
    for use in uses:
        runs.setdefault(id(use.run), []).append(use)
    return list(runs.values())


def _topmost(context: Context, use: Use) -> Use:
    """Return the first use in the stage nearest the root of the chain that mounts the registry."""
    best, home = use, cargo_home(use)
    for index in use.resolved.chain(use.stage.index):
        for other in context.graph.uses_in(use.path, index):
            if (
                other.instruction.trigger is None
                and other.kind == "cargo-subdir"
                and cargo_home(other) == home
            ):
                best = other
                break
    return best


def _insertions(context: Context, uses: list[Use]) -> Iterator[Insertion]:
    files = {file.path: file for file in context.graph.files}
    done: set[tuple[str, int]] = {
        (insertion.file.path, insertion.before.start) for insertion in context.insertions
    }
    for use in uses:
        if _needs_no_link(use):
            continue
        home = cargo_home(use)
        top = _topmost(context, use)
        place = (top.path, top.instruction.start)
        if place in done:
            continue
        done.add(place)
        yield Insertion(
            files[top.path],
            top.instruction,
            COMMENT,
            link_command(home),
            RULE,
            f"parallel builds share {home}/registry; its lock must lie in the same mount, "
            "or cold builds fail with 'File exists (os error 17)'",
        )
