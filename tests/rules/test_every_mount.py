"""Nothing is silent: each cache mount has one decision, and each cache names its users."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import pytest

from migrate_cache import migrate
from migrate_cache.files.discovery import is_dockerfile
from tests.projects import check_one_outcome_per_mount

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.mark.parametrize("case", sorted(path.name for path in FIXTURES.iterdir()))
def test_every_mount_has_one_outcome(case: str) -> None:
    folder = FIXTURES / case / "before"
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and is_dockerfile(path.name)
    }
    check_one_outcome_per_mount(files, migrate(files, root_name="shop"))


PROJECT = {
    "api/Dockerfile": (
        "FROM rust:1.95 AS builder\nWORKDIR /b\n"
        "RUN --mount=type=cache,target=target,sharing=locked cargo build --bin api\n"
        "FROM node:24\nRUN --mount=type=cache,target=/root/.npm \\\n"
        "    --mount=type=cache,id=x,target=/srv/x,sharing=locked npm ci\n"
    ),
    "web/Dockerfile": (
        "FROM rust:1.95 AS builder\nWORKDIR /b\n"
        "RUN --mount=type=cache,target=target,sharing=locked cargo build --bin $A --bin $B\n"
        "FROM node:24\nRUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\n"
    ),
}


def test_outcomes_say_what_was_and_what_becomes() -> None:
    result = migrate(PROJECT)
    assert [astuple(outcome)[:13] for outcome in result.mounts] == [
        (
            *("api/Dockerfile", 3, 5, "builder", "target", "/b/target"),
            *("Cargo target directory", "output", "target", "target-builder-api", "locked", ""),
            "MC102",
        ),
        (
            *("api/Dockerfile", 5, 5, "1", "/root/.npm", "/root/.npm"),
            *("npm", "shared", "/root/.npm", "/root/.npm", "", "", "MC101"),
        ),
        (
            *("api/Dockerfile", 6, 5, "1", "/srv/x", "/srv/x"),
            *("", "unknown", "x", "x", "locked", "locked", "MC202"),
        ),
        (
            *("web/Dockerfile", 3, 5, "builder", "target", "/b/target"),
            *("Cargo target directory", "output", "target", "target-builder-web", "locked", ""),
            "MC102",
        ),
        (
            *("web/Dockerfile", 5, 5, "1", "/root/.npm", "/root/.npm"),
            *("npm", "shared", "/root/.npm", "/root/.npm", "locked", "shared", "MC101"),
        ),
    ]


def test_caches_name_their_users() -> None:
    result = migrate(PROJECT)
    assert [astuple(cache) for cache in result.caches] == [
        (
            *("target", "output", "Cargo target directory", ("/b/target",)),
            (
                ("api/Dockerfile", 3, "builder", "api", "locked", "shared", "target-builder-api"),
                ("web/Dockerfile", 3, "builder", "web", "locked", "shared", "target-builder-web"),
            ),
        ),
        (
            *("/root/.npm", "shared", "npm", ("/root/.npm",)),
            (
                ("api/Dockerfile", 5, "1", "api", "shared", "shared", "/root/.npm"),
                ("web/Dockerfile", 5, "1", "web", "locked", "shared", "/root/.npm"),
            ),
        ),
        (
            *("x", "unknown", "", ("/srv/x",)),
            (("api/Dockerfile", 6, "1", "api", "locked", "locked", "x"),),
        ),
    ]


def test_a_cache_of_two_directories_names_each_once() -> None:
    run = "RUN --mount=type=cache,id=x,target=%s,sharing=locked fetch-x\n"
    result = migrate({"Dockerfile": "FROM debian\n" + run % "/a" + run % "/b" + run % "/a"})
    assert [cache.directories for cache in result.caches] == [("/a", "/b")]


def test_a_service_that_is_not_known_has_no_name() -> None:
    run = "RUN --mount=type=cache,target=/root/.npm npm ci\n"
    (cache,) = migrate({"Dockerfile": f"FROM node\n{run}"}).caches
    assert cache.users[0].service == ""
