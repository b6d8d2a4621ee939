"""Warnings about what the plan leaves behind: MC203, MC205, MC206 and MC212."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from migrate_cache.codemods.context import Context, Decision, Remark
from migrate_cache.graph import Use
from migrate_cache.words import variables


def review(context: Context) -> Iterator[Remark]:
    """Yield remarks about the project as it will be after the plan."""
    yield from _mixed_modes(context)
    yield from _out_of_scope(context)
    yield from _old_frontend(context)
    yield from _read_elsewhere(context)


def _remark(use: Use, rule: str, reason: str) -> Remark:
    return Remark(use.path, use.line, use.column, rule, reason)


def _mixed_modes(context: Context) -> Iterator[Remark]:
    after: dict[tuple[str, ...], list[tuple[Use, Decision]]] = {}
    for use in context.graph.uses:
        decision = context.decisions[id(use)]
        cache_id = decision.id if decision.id is not None else use.key.id
        after.setdefault((cache_id, *use.key[1:]), []).append((use, decision))
    for (cache_id, *_), members in after.items():
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
                    f"cache {cache_id} is used in different modes ({where}): BuildKit gives a "
                    "shared user a new, empty cache while a locked one holds it",
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
    """Find COPY --from of paths that lie in a cache mount: they are not in the image."""
    for file in context.graph.files:
        outputs: dict[int, list[Use]] = {}
        for use in context.graph.uses:
            if use.path == file.path and use.kind == "output" and use.target.text is not None:
                outputs.setdefault(use.stage.index, []).append(use)
        if not outputs:
            continue
        names = {stage.name: stage.index for stage in file.tree.stages if stage.name}
        for stage in file.tree.stages:
            for instruction in stage.instructions:
                source = instruction.flag("from").lower()
                if instruction.keyword != "COPY" or not source:
                    continue
                index = int(source) if source.isdigit() else names.get(source, -1)
                for path in instruction.arguments.split()[:-1]:
                    for use in outputs.get(index, ()):
                        if posixpath.normpath("/" + path.lstrip("/")).startswith(use.directory + "/"):
                            place = file.tree.source.place(instruction.start)
                            yield Remark(
                                file.path,
                                place.line,
                                place.column,
                                "MC212",
                                f"{path} lies in the cache mount {use.directory} of {use.place}, "
                                "which is not part of the image: copy it out within that RUN",
                            )
