"""MC104: link Cargo's package-cache lock into the shared registry mount.

Cargo locks two files in ``CARGO_HOME``; a cache mount of ``CARGO_HOME/registry`` does not
contain them, so builds that share the mount do not lock each other out. Links that lead
into the mount make all of them lock the same files.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrate_cache import commands as shell
from migrate_cache.codemods.context import Context, Insertion, Remark
from migrate_cache.cst import Run
from migrate_cache.graph import Group, Use

RULE = "MC104"
COMMENT = "# Put Cargo's package lock into the shared registry cache, for builds that run side by side"
_SAFE_PATH = re.compile(r"/[A-Za-z0-9._/-]+")
_PRIVILEGED = frozenset(
    "apt-get apt apk dnf yum microdnf zypper pacman useradd adduser groupadd addgroup".split()
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


@dataclass(frozen=True)
class _Site:
    """The RUNs of a stage that mount the registry, and where their link would stand."""

    use: Use
    cargo_home: str


def link(context: Context) -> Iterator[Insertion | Remark]:
    """Yield the links that are needed, and fill `Context.cargo_refusals`."""
    for component in _components(context):
        uses = [use for group in component for use in group.uses]
        refusal = _refusal(context, component)
        if refusal:
            for group in component:
                context.cargo_refusals[id(group)] = refusal
            continue
        if not context.settings.cargo_lock:
            continue
        yield from _insertions(context, uses)


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


def cargo_home(use: Use) -> str:
    """Return the ``CARGO_HOME`` whose registry or git directory a mount is (or lies in)."""
    parts = use.directory.split("/")
    for index in range(len(parts) - 1, 0, -1):
        if parts[index] in ("registry", "git"):
            return "/".join(parts[:index])
    return posixpath.dirname(use.directory)


def _refusal(context: Context, component: list[Group]) -> str:
    """Return why the lock of a set of caches cannot be linked, ``""`` where it can."""
    uses = [use for group in component for use in group.uses]
    for use in uses:
        if use.kind != "cargo-subdir":
            return f"{use.place} uses the same id for another directory"
    if not context.settings.cargo_lock:
        return ""
    registries: set[int] = set()
    for run_uses in _by_run(uses):
        own = [use for use in run_uses if use.directory == cargo_home(use) + "/registry"]
        if not own:
            use = run_uses[0]
            return (
                f"{use.place} mounts {use.directory} without {cargo_home(use)}/registry, "
                "so its lock would lie elsewhere"
            )
        registries.add(id(context.graph.group_of[id(own[0])]))
    if len(registries) > 1:
        ids = sorted(
            group.key.id for group in component if id(group) in registries
        )
        return f"the lock would lie in different caches ({', '.join(ids)})"
    for use in uses:
        reason = _cannot_link(context, use)
        if reason:
            return f"{use.place}: {reason}"
    for path, text in context.graph.unread.items():
        if any(use.key.id in text for use in uses):
            return f"{path} cannot be read and may use the same cache"
    return ""


def _by_run(uses: list[Use]) -> list[list[Use]]:
    runs: dict[int, list[Use]] = {}
    for use in uses:
        runs.setdefault(id(use.run), []).append(use)
    return list(runs.values())


def _cannot_link(context: Context, use: Use) -> str:
    """Return why one RUN's stage cannot get the link, ``""`` where it can or needs none."""
    home = cargo_home(use)
    if _home_is_mounted(use, home) or is_linked(use, home):
        return ""
    top = _topmost(context, use, home)
    held = use.refusal(RULE) or top.refusal(RULE)
    if held:
        return held
    if not _SAFE_PATH.fullmatch(home):
        return f"CARGO_HOME {home} cannot be written into a command safely"
    if not top.scope.is_posix_shell:
        return "the stage's shell is not a POSIX shell"
    if not _has_shell(top):
        return "no RUN of the stage shows that the image has a shell"
    return _cannot_write(top, home)


def _has_shell(use: Use) -> bool:
    """Whether a RUN in shell form shows that the stage has a shell."""
    for index in use.resolved.chain(use.stage.index):
        for instruction in use.tree.stages[index].instructions:
            if isinstance(instruction, Run) and instruction.exec_form is None:
                return True
    return False


def _cannot_write(use: Use, home: str) -> str:
    """Return why the user at a RUN may not write ``CARGO_HOME``, ``""`` where it may."""
    scope = use.scope
    if scope.is_root:
        if scope.user_known or _acts_as_root(use):
            return ""
        image = use.resolved.images.get(use.resolved.chain(use.stage.index)[-1], "")
        return f"the base image {image} does not tell whether its user may write {home}"
    name = scope.user.partition(":")[0]
    own_home = scope.home
    if own_home and home.startswith(own_home + "/") and _filled_by_user(use):
        return ""
    return f"user {name} may not be allowed to write {home}"


def _earlier_runs(use: Use) -> Iterator[tuple[Run, str, tuple[shell.Command, ...]]]:
    """Yield the RUNs before a use in its chain of stages, their user, and their commands."""
    for index in use.resolved.chain(use.stage.index):
        for instruction in use.tree.stages[index].instructions:
            if index == use.stage.index and instruction.start > use.instruction.start:
                break
            if isinstance(instruction, Run):
                user = use.resolved.scopes[instruction.start].user
                yield instruction, user, shell.parse_commands(instruction.script)


def _acts_as_root(use: Use) -> bool:
    """Whether a command before (or of) the RUN works for root only, under the same user."""
    return any(
        user == use.scope.user and any(command.program in _PRIVILEGED for command in commands)
        for _, user, commands in _earlier_runs(use)
    )


def _filled_by_user(use: Use) -> bool:
    """Whether the same user ran rustup or Cargo's installer before, and so owns CARGO_HOME."""
    for run, user, commands in _earlier_runs(use):
        if run is use.run or user != use.scope.user:
            continue
        text = run.script
        if "rustup" in text and ("sh.rustup.rs" in text or "rustup-init" in text):
            return True
        if any(command.program == "rustup" for command in commands):
            return True
    return False


def _home_is_mounted(use: Use, home: str) -> bool:
    """Whether ``CARGO_HOME`` itself lies in a cache mount of the RUN: its lock lies there too."""
    return any(
        use.scope.directory(use.scope.expand(mount.target).pattern) == home
        for mount in use.run.mounts
        if mount.type == "cache"
    )


def is_linked(use: Use, home: str) -> bool:
    """Whether the lock is linked already before the RUN, in its stage or one it is built FROM."""
    for _, _, commands in _earlier_runs(use):
        for command in commands:
            if command.program == "ln" and _links_lock(command.arguments, home, use):
                return True
    return False


def _links_lock(arguments: tuple[str, ...], home: str, use: Use) -> bool:
    options = "".join(word for word in arguments if word.startswith("-"))
    words = [use.scope.expand(word).pattern for word in arguments if not word.startswith("-")]
    if "s" not in options or len(words) < 2:
        return False
    *sources, destination = words
    locks = [word for word in sources if word.endswith("registry/.package-cache")]
    destination = destination.rstrip("/")
    return bool(locks) and destination in (home, f"{home}/.package-cache")


def _topmost(context: Context, use: Use, home: str) -> Use:
    """Return the first use in the stage nearest the root of the chain that mounts the registry."""
    best = use
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
        home = cargo_home(use)
        if _home_is_mounted(use, home) or is_linked(use, home):
            continue
        top = _topmost(context, use, home)
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
