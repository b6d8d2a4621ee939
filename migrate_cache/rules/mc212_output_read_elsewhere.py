"""MC212: warn of a build output that is read without its mount."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.tree import Instruction, Run
from migrate_cache.rules.rule import Example, Note, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_cache.builds.runs import FileContext
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.dockerfile.tree import Dockerfile
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/build/target \\
    cargo build --release --bin api

FROM debian:13-slim
COPY --from=builder /build/target/release/api /usr/local/bin/api
"""


@rule(
    code="MC212",
    name="output-read-elsewhere",
    severity="warning",
    phase="review",
    summary="a build output is read by a later stage that does not mount it",
    explanation="""
What a RUN writes into a cache mount is not part of the image: a `COPY --from` of such a path, or
a later RUN that reads it without the mount, finds nothing, or an old file. Copy the result out
of the cache in the same RUN that makes it.
""",
    sources=("https://docs.docker.com/reference/dockerfile/#run---mounttypecache",),
    examples=(Example(BEFORE),),
)
def output_read_elsewhere(tree: Dockerfile, context: Context) -> Iterator[Note]:
    """Find what is copied out of a cache mount without mounting it: it is not in the image."""
    outputs = [
        mount
        for mount in context.mounts(tree)
        if mount.kind == "output" and mount.target.text is not None
    ]
    if outputs:
        file = context.files[tree]
        for stage in tree.stages:
            for instruction in stage.instructions:
                yield from _missing(file, instruction, outputs, context)


def _missing(
    file: FileContext, instruction: Instruction, outputs: Sequence[CacheMount], context: Context
) -> Iterator[Note]:
    names = {known.name: known.index for known in file.tree.stages if known.name}
    for source, paths in _sources(instruction):
        index = int(source) if source.isdigit() else names.get(source, -1)
        if index < 0 or index >= len(file.tree.stages):
            continue
        for word in paths:
            written = file.resolved.scopes[instruction.start].expand(word).pattern
            # Not "//": POSIX lets two leading slashes stand.
            path = posixpath.normpath("/" + written.lstrip("/"))
            mount = next(_mounted_at(path, file, index, outputs, context), None)
            if mount:
                place = file.tree.source.place(instruction.start)
                yield Note(
                    file.path,
                    place.line,
                    place.column,
                    f"{word} lies in the cache mount {mount.directory} of {mount.place}, which is "
                    "not part of the image: copy it out within that RUN",
                )


def _sources(instruction: Instruction) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the stages that an instruction takes files from, with the files."""
    if instruction.keyword == "COPY" and instruction.flag("from"):
        words = instruction.exec_form or instruction.arguments.split()
        yield instruction.flag("from").lower(), words[:-1]
    if isinstance(instruction, Run):
        for node in instruction.mounts:
            if node.type == "bind" and node.from_ and node.source:
                yield node.from_.lower(), (node.source,)


def _mounted_at(
    path: str,
    file: FileContext,
    index: int,
    outputs: Sequence[CacheMount],
    context: Context,
) -> Iterator[CacheMount]:
    """Yield the mounts of a stage, or of those it is built FROM, that a path lies in."""
    for stage in file.resolved.chain(index):
        for mount in outputs:
            below = mount.stage.index == stage and path.startswith(mount.directory + "/")
            if below and not _is_filled_in_image(mount, file, index, context):
                yield mount


def _is_filled_in_image(mount: CacheMount, file: FileContext, index: int, context: Context) -> bool:
    """Whether a RUN of the stage also fills the directory without a cache mount."""
    chain = file.resolved.chain(index)
    return mount.entry is not None and any(
        run.stage.index in chain
        and run.instruction.trigger is None
        and not any(node.type == "cache" for node in run.node.mounts)
        and not context.project.graph.mounts_of(run)
        and mount.entry.is_filled_by(run.commands)
        for run in file.runs
    )
