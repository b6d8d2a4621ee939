"""MC204: warn of a build-output id that different services use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate_cache.caches.outputs import services_of
from migrate_cache.rules.mc102_own_output_cache import output_of
from migrate_cache.rules.rule import Example, Note, note_at, rule

if TYPE_CHECKING:
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

BEFORE = """\
FROM rust:1.95 AS source
WORKDIR /build
COPY . .

FROM source AS api
# migrate-cache: ignore[MC102] until the next release
RUN --mount=type=cache,id=shop-target,target=/build/target \\
    cargo build --release --bin api && cp target/release/api /usr/local/bin/

FROM source AS worker
# migrate-cache: ignore[MC102] until the next release
RUN --mount=type=cache,id=shop-target,target=/build/target \\
    cargo build --release --bin worker && cp target/release/worker /usr/local/bin/
"""


@rule(
    code="MC204",
    name="output-shared-by-services",
    severity="warning",
    phase="review",
    summary="one build-output id is used by different services",
    explanation="""
Services that compile into one directory overwrite each other's files, and one can copy out what
another has just written. Usually each gets an id of its own (MC102). The warning says that it
could not be done here, and why: the id is prescribed by a hosting platform (`s/...`), a RUN only
reads the directory, the place is ignored, or the services cannot be told apart.
""",
    sources=(
        "https://github.com/0xMiden/node/pull/2365",
        "https://github.com/0xMiden/node/pull/2386",
    ),
    examples=(Example(BEFORE, path="Dockerfile"),),
)
def output_shared_by_services(cache: Cache, context: Context) -> Iterator[Note]:
    """Name the services that go on using one id."""
    output = output_of(cache, context)
    if output is None or not (output.blocked or output.needs_ids):
        return
    kept = [own for own in output.coupled if output.blocked or own in output.keeping]
    services = services_of(kept)
    if len(services) > 1:
        for coupled in kept:
            if coupled.explicit_id:
                yield note_at(
                    coupled.first,
                    f"the id {coupled.explicit_id} is used by different services: "
                    f"{', '.join(sorted(services))}",
                )
