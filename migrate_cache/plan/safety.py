"""The safety net: nothing is written that does not read exactly as it was planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from migrate_cache.caches.cache_mount import CacheMount
from migrate_cache.dockerfile.mount import Mount
from migrate_cache.plan.render import changes_in
from migrate_cache.text.edit import InstructionEdit, OptionEdit
from migrate_cache.text.errors import SafetyError

if TYPE_CHECKING:
    from migrate_cache.caches.facts import Project
    from migrate_cache.dockerfile.tree import Dockerfile, Instruction
    from migrate_cache.rules.context import Decisions
    from migrate_cache.rules.rule import Change
    from migrate_cache.text.errors import MigrateError

# The options after the plan of each mount that the plan changes; None for one that goes.
_Planned = Mapping[Mount, Mapping[str, str | None]]


def verify_all(project: Project, after: Project, decisions: Decisions) -> dict[str, MigrateError]:
    """Return the files of a project whose new text does not read as planned, with the errors."""
    trees = {file.path: file.tree for file in after.files}
    unsafe: dict[str, MigrateError] = {}
    for file in project.files:
        if file.path in after.errors:
            message = after.errors[file.path].message
            unsafe[file.path] = refused(file.path, f"it does not parse: {message}")
        elif trees[file.path] is not file.tree:
            try:
                verify(file.tree, trees[file.path], changes_in(file, project, decisions))
            except SafetyError as error:
                unsafe[file.path] = error
    return unsafe


def second_run(project: Project, decisions: Decisions) -> dict[str, MigrateError]:
    """Return the files that decisions about the new texts would change once more."""
    return {
        file.path: refused(file.path, "a second run would change it again")
        for file in project.files
        if any(True for _ in changes_in(file, project, decisions))
    }


def verify(before: Dockerfile, after: Dockerfile, changes: Iterable[Change]) -> None:
    """Compare the tree of the new text with the old one and the planned changes.

    Raises:
        SafetyError: where anything but the planned changes differs in what BuildKit reads.

    """
    changes = tuple(changes)
    if after.escape != before.escape or _directives(after) != _directives(before):
        raise refused(before.path, "the result has other parser directives")
    planned = {
        change.at.node: {
            edit.option: edit.value for edit in change.edits if isinstance(edit, OptionEdit)
        }
        for change in changes
        if isinstance(change.at, CacheMount)
    }
    inserted = [
        (change.run.instruction, edit.instruction)
        for change in changes
        for edit in change.edits
        if isinstance(edit, InstructionEdit)
    ]
    if not {below for below, _ in inserted} <= set(before.instructions):
        raise refused(before.path, "an inserted instruction belongs to another file")
    remaining = list(after.instructions)
    for instruction in before.instructions:
        for text in (text for below, text in inserted if below is instruction):
            if not remaining or remaining[0].line.text.strip() != text:
                raise refused(before.path, "an inserted instruction does not read as planned")
            remaining.pop(0)
        if not remaining:
            raise refused(before.path, "the result has too few instructions")
        if not _reads_as_planned(instruction, remaining.pop(0), planned):
            line = instruction.start_line
            raise refused(before.path, f"the instruction in line {line} reads differently")
    if remaining:
        raise refused(before.path, "the result has too many instructions")
    if len(after.errors) != len(before.errors):
        raise refused(before.path, "BuildKit would reject more of the result than of the original")


def refused(path: str, why: str) -> SafetyError:
    """Return the error of a result that is not written."""
    return SafetyError(
        f"the safety net refused the result: {why}",
        path=path,
        hint="the file is untouched; this is a bug of migrate-cache, please report it",
    )


def _directives(tree: Dockerfile) -> list[tuple[str, str]]:
    return [(directive.name, directive.value) for directive in tree.directives]


def _reads_as_planned(before: Instruction, after: Instruction, planned: _Planned) -> bool:
    if (
        before.keyword != after.keyword
        or before.arguments != after.arguments
        or _heredocs(before) != _heredocs(after)
        or len(before.flag_nodes) != len(after.flag_nodes)
        or (before.trigger is None) != (after.trigger is None)
    ):
        return False
    return all(
        _is_as_planned(old, new, planned[old])
        if isinstance(old, Mount) and isinstance(new, Mount) and old in planned
        else old.word == new.word
        for old, new in zip(before.flag_nodes, after.flag_nodes, strict=True)
    )


def _heredocs(instruction: Instruction) -> list[tuple[str, bool, bool, str]]:
    return [(h.name, h.expand, h.chomp, h.body) for h in instruction.heredocs]


def _is_as_planned(old: Mount, new: Mount, planned: Mapping[str, str | None]) -> bool:
    def others(mount: Mount) -> list[tuple[str, str | None]]:
        return [(o.name, o.value) for o in mount.options if o.name not in planned]

    options = {name: new.option(name) for name in planned}
    values = {name: option.value if option else None for name, option in options.items()}
    return new.error is None and others(old) == others(new) and values == planned
