"""MC204: different services go on using one build-output id."""

from __future__ import annotations

import pytest

from migrate_cache import migrate
from migrate_cache.testing import migrated
from tests.rules.mounts import filled

RUST = "FROM rust:1.95\nWORKDIR /b\n"
MOUNT = "RUN --mount=type=cache,target=/b/target<> "
IGNORE = "# migrate-cache: ignore[MC102] soon\n"
API, WEB = f"{MOUNT}cargo build --bin api\n", f"{MOUNT}cargo build --bin web\n"
READ = f"{MOUNT}cp target/debug/api /\n"


@pytest.mark.parametrize(
    ("files", "option", "notes"),
    [
        pytest.param(
            {"a": RUST + IGNORE + API, "w": RUST + IGNORE + WEB}, "id=t", 2, id="both are ignored"
        ),
        pytest.param(
            {"a": RUST + IGNORE + API, "w": RUST + IGNORE + WEB}, "", 0, id="they have no id"
        ),
        pytest.param({"a": RUST + IGNORE + API, "w": RUST + WEB}, "id=t", 0, id="one gets an id"),
        pytest.param(
            {"a": RUST + IGNORE + API, "b": RUST + IGNORE + API, "w": RUST + WEB},
            "id=t",
            0,
            id="those that stay are one service",
        ),
        pytest.param(
            {"a": RUST + API, "w": RUST + WEB}, "id=s/1-t", 2, id="the platform prescribes the id"
        ),
        pytest.param(
            {"a": RUST + API, "b": RUST + API}, "id=s/1-t", 0, id="which one service uses"
        ),
        pytest.param(
            {"a": RUST + API + READ, "w": RUST + WEB + READ}, "id=t", 2, id="both have readers"
        ),
        pytest.param(
            {"a": RUST + API, "w": f"{RUST}ARG A\n{MOUNT}cargo build --bin $A\n"},
            "id=s/1-t",
            2,
            id="one of them is an argument",
        ),
    ],
)
def test_services_that_go_on_using_one_id(files: dict[str, str], option: str, notes: int) -> None:
    result = migrated(filled(files, option))
    assert [code for code in result.notes if code == "MC204"] == ["MC204"] * notes


def test_services_that_are_not_known_are_none() -> None:
    unknown = f"{RUST}ARG A\nARG B\nARG C\n{MOUNT}cargo b --bin $A --bin $B --bin $C\n"
    files = {"a": unknown, "b": RUST + IGNORE + API, "w": RUST + WEB}
    result = migrated(filled(files, "id=t"))
    assert result.codes == ["MC208", "MC102", "MC102"]
    assert result.notes == []


def test_the_warning_names_the_id_and_the_services_once_for_each() -> None:
    files = filled({"a": RUST + IGNORE + API + API, "w": RUST + IGNORE + WEB}, "id=t")
    result = migrate(files)
    found = [(note.line, note.reason) for file in result.files for note in file.notes]
    assert found == [
        (4, "the id t is used by different services: api, web"),
        (4, "the id t is used by different services: api, web"),
    ]
