"""Warnings about what the plan leaves behind: MC203, MC205, MC206 and MC212."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.dockerfile.tree import Instruction, Run
from migrate_cache.dockerfile.words import variables
from migrate_cache.rules.context import Context, Decision, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrate_cache.caches.graph import File, Use


def review(context: Context) -> Iterator[Remark]:
    """Yield remarks about the project as it will be after the plan."""
    yield from _mixed_modes(context)
    yield from _out_of_scope(context)
    yield from _old_frontend(context)
    yield from _read_elsewhere(context)


def _remark(use: Use, rule: str, reason: str) -> Remark:
    return Remark(use.path, use.line, use.column, rule, reason)


def _mixed_modes(context: Context) -> Iterator[Remark]:
    after: dict[tuple[object, ...], list[tuple[Use, Decision]]] = {}
    for use in context.graph.uses:
        decision = context.decisions[id(use)]
        if decision.id is not None:
            cache: tuple[object, ...] = (decision.id, *use.key[1:])
        else:
            cache = (id(context.graph.group_of[id(use)]),)
        after.setdefault(cache, []).append((use, decision))
    for members in after.values():
        modes: dict[str, Use] = {}
        for use, decision in members:
            modes.setdefault(decision.sharing_after or "shared", use)
        if len(modes) < 2:
            continue
        where = ", ".join(f"{mode} at {use.place}" for mode, use in sorted(modes.items()))
        for use, decision in members:
            if decision.rule != "MC203":
                yield _remark(
                    use,
                    "MC203",
                    f"cache {decision.id_after} is used in different modes ({where}): BuildKit "
                    "forks it, so that a user of one mode gets an empty directory while one of "
                    "the other holds the cache",
                )


def _out_of_scope(context: Context) -> Iterator[Remark]:
    for use in context.graph.uses:
        if context.decisions[id(use)].rule in ("MC205", "MC210"):
            continue
        for option in ("id", "target"):
            names = use.scope.expand(use.mount.get(option)).undeclared
            for name in sorted(names):
                yield _remark(use, "MC205", _undeclared(use, option, name))


def _undeclared(use: Use, option: str, name: str) -> str:
    global_names = {w.partition("=")[0] for arg in use.tree.global_args for w in arg.words}
    if name in global_names:
        way_out = f"the ARG above the first FROM is not in scope; repeat ARG {name} in the stage"
    elif name in ("HOME", "USER", "PWD"):
        way_out = "BuildKit does not know it unless ENV or ARG sets it; write the path out"
    else:
        way_out = f"declare ARG {name} in the stage, above this RUN"
    return f"{name} in the {option} is not in scope at this RUN and expands to nothing: {way_out}"


def _old_frontend(context: Context) -> Iterator[Remark]:
    told: set[str] = set()
    for use in context.graph.uses:
        decision = context.decisions[id(use)]
        if use.path in told or "$" not in decision.id_after or not variables(decision.id_after):
            continue
        if use.tree.directive("syntax"):
            continue
        told.add(use.path)
        yield _remark(
            use,
            "MC206",
            f"the id {decision.id_after} needs Dockerfile frontend 1.3 (Docker 23, BuildKit 0.9); "
            "an older engine takes it literally unless the file begins with "
            "`# syntax=docker/dockerfile:1`",
        )


def _read_elsewhere(context: Context) -> Iterator[Remark]:
    """Find what is copied out of a cache mount without mounting it: it is not in the image."""
    for file in context.graph.files:
        outputs: dict[int, list[Use]] = {}
        for use in context.graph.uses_in_file.get(file.path, ()):
            if use.kind == "output" and use.target.text is not None:
                outputs.setdefault(use.stage.index, []).append(use)
        if outputs:
            for stage in file.tree.stages:
                for instruction in stage.instructions:
                    yield from _missing(file, instruction, outputs)


def _missing(
    file: File, instruction: Instruction, outputs: Mapping[int, list[Use]]
) -> Iterator[Remark]:
    names = {known.name: known.index for known in file.tree.stages if known.name}
    for source, paths in _sources(instruction):
        index = int(source) if source.isdigit() else names.get(source, -1)
        if index < 0 or index >= len(file.tree.stages):
            continue
        for word in paths:
            written = file.resolved.scopes[instruction.start].expand(word).pattern
            # Not "//": POSIX lets two leading slashes stand.
            path = posixpath.normpath("/" + written.lstrip("/"))
            for use in _mounted_at(path, file, index, outputs):
                place = file.tree.source.place(instruction.start)
                yield Remark(
                    file.path,
                    place.line,
                    place.column,
                    "MC212",
                    f"{word} lies in the cache mount {use.directory} of {use.place}, which is "
                    "not part of the image: copy it out within that RUN",
                )
                break


def _sources(instruction: Instruction) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the stages that an instruction takes files from, with the files."""
    if instruction.keyword == "COPY" and instruction.flag("from"):
        words = instruction.exec_form or instruction.arguments.split()
        yield instruction.flag("from").lower(), words[:-1]
    if isinstance(instruction, Run):
        for mount in instruction.mounts:
            if mount.type == "bind" and mount.from_ and mount.source:
                yield mount.from_.lower(), (mount.source,)


def _mounted_at(
    path: str, file: File, index: int, outputs: Mapping[int, list[Use]]
) -> Iterator[Use]:
    """Yield the mounts of a stage, or of those it is built FROM, that a path lies in."""
    for stage in file.resolved.chain(index):
        for use in outputs.get(stage, ()):
            if path.startswith(use.directory + "/") and not _filled_in_image(use, file, index):
                yield use


def _filled_in_image(use: Use, file: File, index: int) -> bool:
    """Whether a RUN of the stage also fills the directory without the mount."""
    mounting = {id(other.run) for other in use.mounted_beside}
    cache = use.match.cache
    return cache is not None and any(
        isinstance(instruction, Run)
        and id(instruction) not in mounting
        and not any(mount.type == "cache" for mount in instruction.mounts)
        and cache.is_filled_by(shell.parse_commands(instruction.script))
        for stage in file.resolved.chain(index)
        for instruction in file.tree.stages[stage].instructions
    )
