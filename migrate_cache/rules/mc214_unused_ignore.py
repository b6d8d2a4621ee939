"""MC214: report an ignore comment that does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Example, Note, rule

if TYPE_CHECKING:
    from migrate_cache.dockerfile.tree import Dockerfile
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM golang:1.26
WORKDIR /src
COPY . .
# migrate-cache: ignore[MC101] waits for the next release
RUN --mount=type=cache,target=/go/pkg/mod,sharing=shared \\
    go build -o /usr/local/bin/api ./cmd/api
"""


@rule(
    code="MC214",
    name="unused-ignore",
    severity="note",
    phase="review",
    ignorable=False,
    summary="an ignore comment that no longer does anything",
    explanation="""
No rule that the comment names would say or do anything here any more, so the comment can go. One
that stays around would hide the next finding at the same place, and nobody would know that it
was never looked at.
""",
    examples=(Example(BEFORE),),
)
def unused_ignore(tree: Dockerfile, context: Context) -> Iterator[Note]:
    """Name the ignore comments that keep no rule from saying or doing anything."""
    suppressions = context.suppressions.get(tree.path, ())
    said = context.said_unsuppressed().get(tree.path, ()) if suppressions else ()
    for suppression in suppressions:
        if not any(suppression.covers(code, start) for code, start in said):
            reason = f"`{suppression.written}` does nothing any more: remove it"
            yield Note(tree.path, suppression.line, suppression.column, reason)
