"""MC206: a variable in an id needs a frontend that expands it."""

from __future__ import annotations

import pytest

from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

NPM = "RUN --mount=type=cache,target=/root/.npm,id=npm-{} npm ci\n"


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        pytest.param("FROM node\nARG A\n" + NPM.format("$A"), True, id="a variable"),
        pytest.param("FROM node\nARG A\n" + NPM.format("${A}"), True, id="in braces"),
        pytest.param("FROM node\nENV A=x\n" + NPM.format("$A"), True, id="of ENV"),
        pytest.param("FROM node\n" + NPM.format("x"), False, id="none"),
        pytest.param("FROM node\n" + NPM.format("$"), False, id="a dollar sign"),
        pytest.param("FROM node\n" + NPM.format("'$A'"), True, id="in quotes that BuildKit drops"),
        pytest.param(
            "# syntax=docker/dockerfile:1\nFROM node\nARG A\n" + NPM.format("$A"),
            False,
            id="the file chooses its frontend",
        ),
        pytest.param(
            "# check=skip=all\nFROM node\nARG A\n" + NPM.format("$A"), True, id="another directive"
        ),
        pytest.param(
            "FROM node\n# syntax=docker/dockerfile:1\nARG A\n" + NPM.format("$A"),
            True,
            id="a comment is no directive",
        ),
        pytest.param(
            "FROM node\nARG A\nRUN --mount=type=cache,target=/x-$A,id=y npm ci\n",
            False,
            id="a variable in the target",
        ),
    ],
)
def test_warns(text: str, warned: bool) -> None:
    result = migrated(text)
    assert ("MC206" in result.notes) is warned


def test_once_for_each_file() -> None:
    text = "FROM node\nARG A\nARG B\n" + NPM.format("$A") + NPM.format("$B")
    result = migrated({"a": text, "b": text})
    assert result.notes == ["MC206", "MC206"]


def test_an_id_that_is_new_counts() -> None:
    mount = "RUN --mount=type=cache,target=/b/target<> "
    text = f"FROM rust AS builder\nWORKDIR /b\nARG SERVICE\n{mount}cargo build --bin $SERVICE\n"
    result = migrated(filled(text, LOCKED))
    assert result == filled(text, "id=target-builder-${SERVICE}")
    assert result.notes == ["MC206"]


def test_an_id_that_goes_does_not_count() -> None:
    mount = "RUN --mount=type=cache,target=/b/target<> "
    files = {
        f"{name}/Dockerfile": f"FROM rust AS x\nWORKDIR /b\nENV A=a\n{mount}cargo build\n"
        for name in ("api", "web")
    }
    result = migrated(filled(files, f"id=target-$A,{LOCKED}"))
    assert result == filled(files, ("id=target-x-api", "id=target-x-web"))
    assert result.notes == []
