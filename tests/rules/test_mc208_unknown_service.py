"""MC208: no id is made up where the service cannot be told."""

from __future__ import annotations

import pytest

from migrate_cache.settings import Override
from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

ARGS = "ARG A\nARG B\nARG C\n"
MOUNT = "RUN --mount=type=cache,target=/b/target<> "
UNKNOWN = f"FROM rust AS builder\nWORKDIR /b\n{ARGS}{MOUNT}cargo b --bin $A --bin $B --bin $C\n"


@pytest.mark.parametrize(
    ("option", "code"),
    [
        pytest.param(LOCKED, "MC208", id="locked"),
        pytest.param("", "MC102", id="nothing waits"),
        pytest.param("id=t", "MC103", id="an id"),
        pytest.param(f"id=t,{LOCKED}", "MC103", id="an id and a lock"),
    ],
)
def test_one_unknown_service(option: str, code: str) -> None:
    text = filled(UNKNOWN, option)
    result = migrated(text, root_name="shop")
    assert result == text
    assert result.codes == [code]


def test_the_reason_lists_what_was_considered() -> None:
    (reason,) = migrated(filled(UNKNOWN, LOCKED), root_name="shop").reasons
    assert reason.startswith("kept: the service cannot be told: ")
    assert "A, B and C" in reason


@pytest.mark.parametrize(
    ("settings", "new_id"),
    [
        pytest.param({"service": "x"}, "target-builder-x", id="the service"),
        pytest.param(
            {"overrides": (Override(("*",), service="x"),)}, "target-builder-x", id="of a file"
        ),
        pytest.param({"overrides": (Override(("*",), id="x"),)}, "x", id="the whole id"),
        pytest.param({"id_template": "{kind}"}, "", id="a template tells no service"),
        pytest.param(
            {"overrides": (Override(("*",), id_template="x"),)}, "", id="nor does its own"
        ),
    ],
)
def test_the_configuration_decides(settings: dict[str, object], new_id: str) -> None:
    result = migrated(filled(UNKNOWN, LOCKED), root_name="shop", **settings)
    assert result == filled(UNKNOWN, f"id={new_id}" if new_id else LOCKED)
    assert result.codes == ["MC102" if new_id else "MC208"]


def test_another_service_of_the_cache_gets_its_id() -> None:
    files = {"a": UNKNOWN, "w/Dockerfile": f"FROM rust AS builder\nWORKDIR /b\n{MOUNT}cargo b\n"}
    result = migrated(filled(files, LOCKED))
    assert result == filled(files, (LOCKED, "id=target-builder-w"))
    assert result.codes == ["MC208", "MC102"]


def test_without_any_evidence() -> None:
    text = filled(f"FROM rust AS builder\nWORKDIR /b\n{MOUNT}cargo build\n", LOCKED)
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC208"]
    assert "neither build arguments nor names tell it" in result.reasons[0]
