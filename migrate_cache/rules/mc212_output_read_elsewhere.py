"""MC212: warn of a build output that is read without its mount."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrate_cache.caches.cache_mount import is_cache
from migrate_cache.dockerfile.tree import Instruction, Run
from migrate_cache.rules.rule import Example, Note, rule

if TYPE_CHECKING:
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
    """Warn where files are taken from a cache mount's directory, which is not in the image."""
    outputs = [
        mount
        for mount in context.mounts(tree)
        if mount.kind == "output" and mount.target.text is not None
    ]
    if not outputs:
        return
    file = outputs[0].run.file
    for instruction in (each for stage in tree.stages for each in stage.instructions):
        for source, word in _sources(instruction):
            if source not in file.stage_indexes:
                continue
            written = file.resolved.scopes[instruction.start].expand(word).pattern
            # Not "//": POSIX lets two leading slashes stand.
            path = posixpath.normpath("/" + written.lstrip("/"))
            mount = _mount_at(path, file.resolved.chain(file.stage_indexes[source]), outputs)
            if mount:
                place = tree.source.place(instruction.start)
                yield Note(
                    tree.path,
                    place.line,
                    place.column,
                    f"{word} lies in the cache mount {mount.directory} of {mount.place}, which is "
                    "not part of the image: copy it out within that RUN",
                )


def _sources(instruction: Instruction) -> Iterator[tuple[str, str]]:
    """Yield what an instruction takes from stages: a stage's name or index, and a path."""
    if instruction.keyword == "COPY" and instruction.flag("from"):
        words = instruction.exec_form or instruction.arguments.split()
        yield from ((instruction.flag("from").lower(), word) for word in words[:-1])
    if isinstance(instruction, Run):
        for node in instruction.mounts:
            if node.type == "bind" and node.from_ and node.source:
                yield node.from_.lower(), node.source


def _mount_at(path: str, chain: Sequence[int], outputs: Sequence[CacheMount]) -> CacheMount | None:
    """Return the mount that holds `path` in the first of the stages that has such a mount."""
    for index in chain:
        for mount in outputs:
            holds = mount.stage.index == index and path.startswith(mount.directory + "/")
            if holds and not _is_filled_in_image(mount, chain):
                return mount
    return None


def _is_filled_in_image(mount: CacheMount, chain: Sequence[int]) -> bool:
    """Whether a RUN of the stages also fills the directory without a cache mount."""
    return mount.entry is not None and any(
        run.stage.index in chain
        and run.instruction.trigger is None
        and not any(map(is_cache, run.node.mounts))
        and mount.entry.is_filled_by(run.commands)
        for run in mount.run.file.runs
    )
