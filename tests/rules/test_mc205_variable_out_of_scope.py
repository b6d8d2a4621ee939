"""MC205: a variable in an id or a target expands to nothing."""

from __future__ import annotations

import pytest

from migrate_cache import migrate
from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

NODE = "FROM node:24\n"


def notes(text: str) -> list[str]:
    """Return what MC205 says beside the decisions about mounts."""
    result = migrate({"Dockerfile": text})
    decided = [outcome.reason for outcome in result.mounts]
    (file,) = result.files
    return [n.reason for n in file.notes if n.rule == "MC205" and n.reason not in decided]


@pytest.mark.parametrize(
    ("before", "option", "after"),
    [
        pytest.param("ARG A\n", "id=x-$A", "", id="declared"),
        pytest.param("", "id=x-$A", "declare ARG A in the stage, above", id="not declared"),
        pytest.param("", "id=x-$A,sharing=locked", "declare ARG A in the stage", id="a safe cache"),
        pytest.param("", "id=x-${A:-y}", "", id="with a default"),
        pytest.param("", "id=x-${A:-y}-$A", "declare ARG A", id="with and without a default"),
        pytest.param("", "id=x-$HOME", "write the path out", id="HOME"),
        pytest.param("", "id=x-$USER", "write the path out", id="USER"),
        pytest.param("", "id=x-$PWD", "write the path out", id="PWD"),
        pytest.param("ENV HOME=/x\n", "id=x-$HOME", "", id="HOME from ENV"),
        pytest.param("", "id=x-$TARGETARCH", "declare ARG TARGETARCH", id="a platform's name"),
    ],
)
def test_a_variable_in_an_id(before: str, option: str, after: str) -> None:
    found = notes(f"{NODE}{before}RUN --mount=type=cache,target=/root/.npm,{option} npm ci\n")
    assert len(found) == bool(after)
    assert all("in the id is not in scope at this RUN" in reason for reason in found)
    assert all(after in reason for reason in found)


def test_a_variable_in_a_target() -> None:
    (found,) = notes(f"{NODE}RUN --mount=type=cache,target=$A/.npm npm ci\n")
    assert found.startswith("A in the target is not in scope at this RUN")


def test_each_variable_is_named() -> None:
    found = notes(f"{NODE}RUN --mount=type=cache,target=/$C,id=x-$B-$A npm ci\n")
    assert [reason[0] for reason in found] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("head", "says"),
    [
        pytest.param("ARG A\nFROM node\n", "repeat ARG A in the stage", id="above FROM"),
        pytest.param("ARG A=1\nFROM node\n", "repeat ARG A in the stage", id="with a default"),
        pytest.param("ARG B A\nFROM node\n", "repeat ARG A in the stage", id="with another"),
        pytest.param("ARG AA\nFROM node\n", "declare ARG A", id="a longer name"),
        pytest.param("FROM node\nARG A\nFROM node\n", "declare ARG A", id="in another stage"),
        pytest.param("ARG A\nFROM node\nARG A\n", "", id="repeated"),
    ],
)
def test_where_it_is_declared(head: str, says: str) -> None:
    found = notes(f"{head}RUN --mount=type=cache,target=/root/.npm,id=x-$A npm ci\n")
    assert len(found) == bool(says)
    assert all(says in reason for reason in found)


def test_it_is_not_in_scope_yet() -> None:
    text = f"{NODE}RUN --mount=type=cache,target=/root/.npm,id=x-$A npm ci\nARG A\n"
    (found,) = notes(text)
    assert "above this RUN" in found


def test_a_mount_that_is_rejected_is_not_told_again() -> None:
    text = f"{NODE}RUN --mount=type=cache,target=/root/.npm,id=x-$A,sharing=x npm ci\n"
    result = migrated(text)
    assert result.codes == ["MC210"]
    assert "MC205" not in result.notes


# -- build outputs --------------------------------------------------------------------------------

RUST = "FROM rust:1.95 AS builder\nWORKDIR /b\n"
MOUNT = "RUN --mount=type=cache,target=/b/target<> "


def test_an_output_keeps_id_and_lock() -> None:
    text = filled(f"ARG SERVICE\n{RUST}{MOUNT}cargo build\n", f"id=t-$SERVICE,{LOCKED}")
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC205"]
    assert "MC205" not in result.notes


def test_all_users_of_the_id_keep_it() -> None:
    text = f"{RUST}{MOUNT}cargo build\nARG SERVICE\n{MOUNT}cargo test\n"
    files = filled({"a": text, "b": text}, f"id=t-$SERVICE,{LOCKED}")
    result = migrated(files)
    assert result == files
    assert [code for code in result.codes if code == "MC205"]


@pytest.mark.parametrize(
    ("head", "command", "warned"),
    [
        pytest.param("ARG SERVICE\n", "cargo build --bin $SERVICE", True, id="it is used"),
        pytest.param("ARG SERVICE\n", "cargo build --bin x", False, id="it is not used"),
        pytest.param("ARG BIN_NAME=x\n", "cargo build --bin $BIN_NAME", True, id="another name"),
        pytest.param("ARG FLAGS\n", "cargo build $FLAGS", False, id="it names no service"),
        pytest.param("", "cargo build --bin $SERVICE", False, id="it is not declared at all"),
        pytest.param("ARG X\n", "SERVICE=x; cargo build --bin $SERVICE", False, id="of the shell"),
    ],
)
def test_an_argument_that_the_run_uses(head: str, command: str, warned: bool) -> None:
    text = f"{head}{RUST}{MOUNT}{command}\n"
    result = migrated(filled(text, LOCKED), root_name="shop")
    assert result.codes == ["MC102"]
    assert result.notes == (["MC205"] if warned else [])
    assert result["Dockerfile"].startswith(f"{head}{RUST}")


def test_an_argument_that_the_stage_repeats() -> None:
    text = f"ARG SERVICE\n{RUST}ARG SERVICE\n{MOUNT}cargo build --bin $SERVICE\n"
    result = migrated(filled(text, LOCKED))
    assert "MC205" not in result.notes


def test_only_build_outputs_need_the_argument() -> None:
    text = f"ARG SERVICE\n{NODE}RUN --mount=type=cache,target=/root/.npm npm run $SERVICE\n"
    assert migrated(text).notes == []
