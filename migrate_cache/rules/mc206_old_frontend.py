"""MC206: warn of a variable in an id that an old frontend takes literally."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.words import variables
from migrate_cache.rules.rule import Example, Note, note_at, rule

if TYPE_CHECKING:
    from migrate_cache.dockerfile.tree import Dockerfile
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM rust:1.95 AS builder
ARG SERVICE
WORKDIR /build
COPY . .
RUN --mount=type=cache,id=target-builder-${SERVICE},target=/build/target \\
    cargo build --release --bin ${SERVICE} && cp target/release/${SERVICE} /usr/local/bin/
"""


@rule(
    code="MC206",
    name="old-frontend",
    severity="warning",
    phase="review",
    summary="a variable in an id needs Dockerfile frontend 1.3, and the file has no `# "
    "syntax=` line",
    explanation="""
Docker 20.10 and BuildKit before 0.9 use `${SERVICE}` in an id as it is written, so that all
services share one cache by that name. Engines since then expand it. A first line `#
syntax=docker/dockerfile:1` makes every engine use a frontend that does.

It is only a warning, because most engines are newer, and because the line makes builds fetch
the frontend from a registry. Nothing adds it for you.
""",
    sources=(
        "https://github.com/moby/buildkit/pull/2089",
        "https://github.com/moby/buildkit/issues/1154",
        "https://docs.docker.com/reference/dockerfile/#syntax",
    ),
    examples=(Example(BEFORE),),
)
def old_frontend(tree: Dockerfile, context: Context) -> Iterator[Note]:
    """Warn at the first id with a variable, which an old frontend takes literally."""
    if tree.directive("syntax"):
        return
    for mount in context.mounts(tree):
        cache_id = context.decisions.cache_id_after(mount)
        if "$" in cache_id and variables(cache_id):
            yield note_at(
                mount,
                f"the id {cache_id} needs Dockerfile frontend 1.3 (Docker 23, BuildKit 0.9); "
                "an older engine takes it literally unless the file begins with "
                "`# syntax=docker/dockerfile:1`",
            )
            return
