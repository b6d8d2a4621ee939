"""MC103: a build output that has an id of its own loses a lock that protects nothing."""

from __future__ import annotations

import pytest

from migrate_cache.settings import Override
from migrate_cache.testing import migrated
from tests.rules.mounts import filled

RUST = "FROM rust:1.95 AS builder\nWORKDIR /b\n"
MOUNT = "RUN --mount=type=cache,target=/b/target<> "
API = f"{RUST}{MOUNT}cargo build --bin api\n"
LOCKED, FREE = "id=t,sharing=locked", "id=t"
UNKNOWN = f"{RUST}ARG A B C\n{MOUNT}cargo build --bin $A --bin $B --bin $C\n"
READ = f"{MOUNT}cp target/debug/api /\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("target=/b/target,id=t,sharing=locked", "target=/b/target,id=t", id="last"),
        pytest.param("id=t,sharing=locked,target=/b/target", "id=t,target=/b/target", id="between"),
        pytest.param(
            "target=/b/target,id=t,SHARING=Locked,uid=1", "target=/b/target,id=t,uid=1", id="case"
        ),
        pytest.param("target=/b/target,id=t", "target=/b/target,id=t", id="no lock"),
        pytest.param(
            "target=/b/target,id=t,sharing=shared",
            "target=/b/target,id=t,sharing=shared",
            id="shared",
        ),
    ],
)
def test_unlocks(before: str, after: str) -> None:
    result = migrated(API.replace("target=/b/target<>", before))
    assert result == API.replace("target=/b/target<>", after)
    assert result.codes == ["MC103"]
    assert ("only service api uses the id" in result.reasons[0]) is (before != after)


@pytest.mark.parametrize(
    ("files", "before", "reason"),
    [
        pytest.param(
            {"api/Dockerfile": API, "tests/Dockerfile.api": API},
            LOCKED,
            "2 files use the id",
            id="two files",
        ),
        pytest.param(
            {"Dockerfile": f"{RUST}{MOUNT}cargo build\n{READ}"},
            LOCKED,
            "Dockerfile:4 reads what another RUN put into",
            id="a RUN that reads",
        ),
        pytest.param(
            {"Dockerfile": UNKNOWN},
            LOCKED,
            "the service cannot be told",
            id="a service that is not known",
        ),
        pytest.param(
            {"Dockerfile": API.replace("RUN", "# migrate-cache: ignore[MC103] x\nRUN")},
            LOCKED,
            "ignored by the comment in line 3",
            id="an ignore comment",
        ),
        pytest.param(
            {"Dockerfile": f"{RUST}{MOUNT}make\n"},
            LOCKED,
            "cannot be told what the command runs",
            id="an unknown command",
        ),
        pytest.param(
            {"Dockerfile": "FROM maven\nWORKDIR /b\n" + f"{MOUNT}mvn package\n"},
            LOCKED,
            "has no lock of its own",
            id="a tool that does not lock",
        ),
    ],
)
def test_keeps_the_lock(files: dict[str, str], before: str, reason: str) -> None:
    result = migrated(filled(files, before), root_name="shop")
    assert result == filled(files, before)
    assert set(result.codes) == {"MC103"}
    assert all(found.startswith("keeps its id and its lock: ") for found in result.reasons)
    assert all(reason in found for found in result.reasons)


def test_several_runs_of_one_file_lose_the_lock_together() -> None:
    text = f"{API}{MOUNT}cargo test --bin api\n"
    result = migrated(filled(text, LOCKED))
    assert result == filled(text, FREE)
    assert result.codes == ["MC103", "MC103"]


def test_a_mount_without_a_lock_stays_beside_one_that_loses_it() -> None:
    text = f"{API}{MOUNT}cargo test --bin api\n"
    result = migrated(filled(text, (LOCKED, FREE)))
    assert result == filled(text, FREE)
    assert result.codes == ["MC103", "MC103"]
    assert result.reasons[1] == "kept: the id is used by one service"


def test_stages_of_one_service_lose_the_lock_together() -> None:
    text = f"{API}FROM rust AS tests\nWORKDIR /b\n{MOUNT}cargo test --bin api\n"
    for before in (LOCKED, (LOCKED, FREE), (FREE, LOCKED)):
        assert migrated(filled(text, before)) == filled(text, FREE)


@pytest.mark.parametrize(
    ("comment", "codes", "changes"),
    [
        pytest.param("ignore[MC103]", ["MC203", "MC103"], False, id="this rule"),
        pytest.param("ignore", ["MC203", "MC103"], False, id="every rule"),
        pytest.param("ignore[MC102]", ["MC103", "MC103"], True, id="the rule of new ids"),
    ],
)
def test_a_mount_that_must_stay_locked_holds_the_others_back(
    comment: str, codes: list[str], changes: bool
) -> None:
    text = f"{API}# migrate-cache: {comment}\n{MOUNT}cargo test --bin api\n"
    result = migrated(filled(text, LOCKED))
    assert result == filled(text, FREE if changes else LOCKED)
    assert result.codes == codes
    assert ("Dockerfile:5 stays locked" in result.reasons[0]) is not changes


def test_an_ignored_mount_without_a_lock_holds_nothing_back() -> None:
    text = f"{API}# migrate-cache: ignore[MC103]\n{MOUNT}cargo test --bin api\n"
    result = migrated(filled(text, (LOCKED, FREE)))
    assert result == filled(text, FREE)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        pytest.param({"select": ("MC103",)}, True, id="selected"),
        pytest.param({"select": ("MC102",)}, False, id="not selected"),
        pytest.param({"ignore": ("MC103",)}, False, id="ignored"),
        pytest.param({"ignore": ("MC102", "MC101")}, True, id="others ignored"),
        pytest.param({"keep_lock": True}, False, id="locks are kept"),
        pytest.param({"overrides": (Override(("Dockerfile",), skip=True),)}, False, id="skipped"),
        pytest.param({"service": "x"}, True, id="the service is configured"),
    ],
)
def test_settings(settings: dict[str, object], changes: bool) -> None:
    result = migrated(filled(API, LOCKED), **settings)
    assert result == filled(API, FREE if changes else LOCKED)
    assert result.codes == ["MC103"]


def test_a_reader_is_safe_where_what_fills_the_directory_runs_again() -> None:
    registry = "--mount=type=cache,target=/usr/local/cargo/registry,sharing=locked "
    text = f"{RUST}RUN {registry}{MOUNT[4:]}cargo build\n{READ}"
    result = migrated(filled(text, LOCKED), root_name="shop")
    assert result.codes == ["MC101", "MC103", "MC103"]
    assert result["Dockerfile"].endswith(filled(f"{MOUNT[4:]}cargo build\n{READ}", FREE))


def test_another_file_that_reads_keeps_the_id_and_the_lock() -> None:
    files = {"Dockerfile": API, "pack.Dockerfile": f"{RUST}{MOUNT}cp target/debug/api /\n"}
    result = migrated(filled(files, LOCKED))
    assert result == filled(files, LOCKED)
    assert "reads the directory that another file fills" in result.reasons[0]
