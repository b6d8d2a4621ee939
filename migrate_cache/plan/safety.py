"""The safety net: nothing is written that does not read exactly as it was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.tree import ALIASES, Dockerfile, Instruction, Mount
from migrate_cache.text.errors import SafetyError

if TYPE_CHECKING:
    from migrate_cache.rules.context import Decision, Insertion

_Options = list[tuple[str, str | None]]


def check_result(
    before: Dockerfile,
    after: Dockerfile,
    decisions: Mapping[int, Decision],
    insertions: Sequence[Insertion],
) -> None:
    """Compare the tree of the new text with the old one and the plan.

    `decisions` are those about the file, by the identity of their mount.

    Raises:
        SafetyError: where anything but the planned changes differs in what BuildKit reads.

    """
    if after.escape != before.escape or _directives(after) != _directives(before):
        raise _refused(before, "the result has other parser directives")
    inserted = {(insertion.before.start, insertion.text): insertion for insertion in insertions}
    remaining = list(after.instructions)
    for instruction in before.instructions:
        for start, text in list(inserted):
            if start == instruction.start:
                if not remaining or remaining[0].line.text.strip() != text:
                    raise _refused(before, "an inserted instruction does not read as planned")
                remaining.pop(0)
                del inserted[start, text]
        if not remaining:
            raise _refused(before, "the result has too few instructions")
        _compare(before, instruction, remaining.pop(0), decisions)
    if remaining or inserted:
        raise _refused(before, "the result has too many instructions")
    if len(after.errors) != len(before.errors):
        raise _refused(before, "BuildKit would reject more of the result than of the original")


def _refused(tree: Dockerfile, why: str) -> SafetyError:
    return SafetyError(
        f"the safety net refused the result: {why}",
        path=tree.path,
        hint="the file is untouched; this is a bug of migrate-cache, please report it",
    )


def _directives(tree: Dockerfile) -> list[tuple[str, str]]:
    return [(directive.name, directive.value) for directive in tree.directives]


def _compare(
    tree: Dockerfile,
    before: Instruction,
    after: Instruction,
    decisions: Mapping[int, Decision],
) -> None:
    same = (
        before.keyword == after.keyword
        and before.arguments == after.arguments
        and [(h.name, h.expand, h.chomp, h.body) for h in before.heredocs]
        == [(h.name, h.expand, h.chomp, h.body) for h in after.heredocs]
        and len(before.flag_nodes) == len(after.flag_nodes)
        and (before.trigger is None) == (after.trigger is None)
    )
    if same:
        for old, new in zip(before.flag_nodes, after.flag_nodes, strict=True):
            decision = decisions.get(id(old))
            if decision is None or not decision.changes:
                same = same and old.word == new.word
            else:
                assert isinstance(old, Mount)
                same = same and isinstance(new, Mount) and _as_planned(old, new, decision)
    if not same:
        raise _refused(tree, f"the instruction in line {before.start_line} reads differently")


def _as_planned(old: Mount, new: Mount, decision: Decision) -> bool:
    kept = [option for option in _options(old) if option[0] not in ("id", "sharing")]
    return (
        kept == [option for option in _options(new) if option[0] not in ("id", "sharing")]
        and new.id == (decision.id if decision.id is not None else old.id)
        and (new.sharing or "") == (decision.sharing_after or "")
        and new.error is None
    )


def _options(mount: Mount) -> _Options:
    return [(ALIASES.get(option.key, option.key), option.value) for option in mount.options]
