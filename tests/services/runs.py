"""Dockerfiles of one RUN that fills a build output, and the service that it is told to be for."""

from __future__ import annotations

import re

from migrate_cache.testing import Migrated, migrated

RUN = "RUN --mount=type=cache,target=/b/target,sharing=locked "


def dockerfile(run: str, before: str = "") -> str:
    """Return a Dockerfile whose stage is called ``builder``; `before` are lines above the RUN."""
    before = f"{before}\n" if before else ""
    return f"FROM rust AS builder\nWORKDIR /b\n{before}COPY . .\n{RUN}{run}\n"


def told(result: Migrated) -> str:
    """Return the service in the new id of the only mount, ``""`` where the id stays."""
    (text,) = result.values()
    found = re.search(r",id=[a-z-]+-builder-([^ ,]+)", text)
    return found[1] if found else ""


def decided(
    run: str,
    before: str = "",
    *,
    path: str = "Dockerfile",
    compose: str = "",
    root_name: str = "shop",
    build_files: dict[str, str] | None = None,
    **settings: object,
) -> Migrated:
    """Return the migration of a Dockerfile with one RUN."""
    files = {"compose.yaml": compose} if compose else {}
    return migrated(
        {path: dockerfile(run, before)},
        build_files={**files, **(build_files or {})},
        root_name=root_name,
        **settings,
    )


def service(run: str, before: str = "", **options: object) -> str:
    """Return the service that a RUN is told to be for; the options are those of `decided`."""
    return told(decided(run, before, **options))  # type: ignore[arg-type]


def compose(**services: str) -> str:
    """Return a compose file: of each service its arguments, as ``A=1 B=2``."""
    lines = ["services:"]
    for name, arguments in services.items():
        lines += [f"  {name}:", "    build:", "      context: .", "      args:"]
        lines += [f"        - {word}" for word in arguments.split()]
    return "\n".join(lines)


TWO = compose(till="SERVICE=till", stock="SERVICE=stock")
