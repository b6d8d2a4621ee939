"""MC208: make up no id where the service cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Example, rule

if TYPE_CHECKING:
    from migrate_cache.services.model import NoService

BEFORE = """\
# syntax=docker/dockerfile:1
FROM rust:1.95 AS builder
ARG SERVER
ARG WORKER
ARG CLI
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/build/target,sharing=locked \\
    cargo build --release --bin ${SERVER} --bin ${WORKER} --bin ${CLI} && \\
    cp target/release/${SERVER} target/release/${WORKER} target/release/${CLI} /usr/local/bin/
"""


@rule(
    code="MC208",
    name="unknown-service",
    severity="note",
    summary="the service cannot be told, so no id is made up",
    explanation="""
An id has to tell apart the builds whose output differs, and nothing else. The service is taken
from the configuration, from build arguments that the RUN uses, from compose and bake files,
from the command, and from the names of the file and its folder, in this order. Two equally good
answers are none: a wrong guess would mix two services or split one. The note lists what was
considered.

To decide, use `--service NAME`, or `[[overrides]]` with `files` and `service` or `id` in the
configuration.
""",
    examples=(Example(BEFORE, path="Dockerfile"),),
)
def unknown_service(answer: NoService) -> str:
    """Say why the service cannot be told."""
    return f"the service cannot be told: {answer.considered}"
