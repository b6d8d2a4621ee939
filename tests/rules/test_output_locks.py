"""Whether a build output keeps its lock beside a new id (MC102) or the one it has (MC103)."""

from __future__ import annotations

import pytest

from migrate_cache.settings import Override
from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

RUST = "FROM rust:1.95 AS builder\nWORKDIR /b\n"
MOUNT = "RUN --mount=type=cache,target=/b/target<> "
BUILD = f"{MOUNT}cargo build\n"
ARCH = "ARG TARGETARCH\n"


def compose(*platforms: str) -> str:
    """Return a compose file of one service for each text: its platforms."""
    return "services:\n" + "".join(
        f"  shop{number}: {{build: {{context: ., platforms: [{text}]}}}}\n"
        for number, text in enumerate(platforms)
    )


@pytest.mark.parametrize(
    ("text", "settings", "reason"),
    [
        pytest.param(f"{RUST}{BUILD}", {}, "", id="Cargo locks inside"),
        pytest.param(f"{RUST}{BUILD}", {"keep_lock": True}, "keep-lock", id="the settings"),
        pytest.param(f"{RUST}{MOUNT}make\n", {}, "what the command runs", id="an unknown command"),
        pytest.param(f"{RUST}{MOUNT}./x.sh && cargo build\n", {}, "", id="which also compiles"),
        pytest.param(f"{RUST}{BUILD}{MOUNT}cargo build && make\n", {}, "", id="of two RUNs"),
        pytest.param(
            f"{RUST}{MOUNT}cargo xtask dist && cargo tree\n",
            {},
            "what the command runs",
            id="one that Cargo runs",
        ),
        pytest.param(
            "FROM maven AS builder\nWORKDIR /b\n" + f"{MOUNT}mvn package\n",
            {},
            "Maven target directory has no lock of its own",
            id="Maven does not lock",
        ),
        pytest.param(
            f"{RUST}ENV CARGO_TARGET_DIR=/b\n{BUILD}", {}, "", id="one folder below the output"
        ),
        pytest.param(
            f"{RUST}ENV CARGO_TARGET_DIR=/\n{BUILD}",
            {},
            "has no lock of its own inside",
            id="two folders below the output",
        ),
    ],
)
def test_the_lock_beside_a_new_id(text: str, settings: dict[str, object], reason: str) -> None:
    result = migrated(filled(text, LOCKED), service="shop", **settings)
    kept = f",{LOCKED}" if reason else ""
    assert result["Dockerfile"].count(f"-builder-shop{kept} ") == text.count("<>")
    assert set(result.codes) == {"MC102"}
    assert all(("; the lock stays: " in found) is bool(reason) for found in result.reasons)
    assert all(reason in found for found in result.reasons)


def test_a_mount_without_a_lock_gets_none() -> None:
    text = f"{RUST}{MOUNT}cargo build\n{MOUNT}cargo test\n"
    result = migrated(filled(text, (LOCKED, "")), keep_lock=True, service="shop")
    assert result == filled(
        text, ("id=target-builder-shop,sharing=locked", "id=target-builder-shop")
    )
    assert ["lock stays" in reason for reason in result.reasons] == [True, False]


def test_a_directory_of_which_nothing_is_known_beside_the_output() -> None:
    registry = "RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked "
    text = f"{RUST}{registry}{MOUNT[4:]}cargo build\n"
    text = text.replace("/b/target<>", "/b/target,id=t<>")
    text += "RUN --mount=type=cache,target=/x,id=t<> cp /x/debug/api /\n"
    result = migrated(filled(text, LOCKED), service="shop")
    assert result.codes == ["MC101", "MC103", "MC103"]
    assert "the tool has no lock of its own inside the directory" in result.reasons[1]


@pytest.mark.parametrize(
    ("user", "kept"),
    [pytest.param("root", False, id="its home"), pytest.param("app", True, id="another home")],
)
def test_little_that_says_whose_directory_it_is(user: str, kept: bool) -> None:
    known = {"target": "~/work", "kind": "output", "tools": ["cargo"], "fills": ["cargo build"]}
    text = f"{RUST}USER {user}\nRUN --mount=type=cache,target=/root/work<> cargo build\n"
    result = migrated(
        filled(text, LOCKED), caches=({**known, "locks-inside": True},), service="shop"
    )
    new_id = "id=work-builder-shop"
    assert result == filled(text, f"{new_id},{LOCKED}" if kept else new_id)
    assert ("little says" in result.reasons[0]) is kept


def test_one_run_that_says_whose_directory_it_is_is_enough() -> None:
    known = {"target": "~/work", "kind": "output", "tools": ["cargo"], "fills": ["cargo build"]}
    mount = "RUN --mount=type=cache,target=/root/work<> cargo build\n"
    text = f"{RUST}{mount}USER app\n{mount}"
    result = migrated(
        filled(text, LOCKED), caches=({**known, "locks-inside": True},), service="shop"
    )
    assert result == filled(text, "id=work-builder-shop")


# -- several platforms ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "new_id", "kept"),
    [
        pytest.param(f"{RUST}{ARCH}{BUILD}", "t-${TARGETARCH}", False, id="the id names it"),
        pytest.param(
            f"{RUST}{BUILD}{ARCH}RUN echo $TARGETARCH\n", "t", True, id="it is used after the RUN"
        ),
        pytest.param(f"{RUST}{BUILD}# TARGETARCH\n", "t", True, id="anywhere in the file"),
        pytest.param(f"{RUST}{BUILD}# TARGETPLATFORM\n", "t", True, id="the whole platform"),
        pytest.param(f"{RUST}{BUILD}# TARGETARCHS\n", "t", False, id="another word"),
        pytest.param(f"{RUST}{BUILD}# MY_TARGETARCH\n", "t", False, id="another word's end"),
        pytest.param(f"{RUST}{BUILD}# TARGETOS\n", "t", False, id="another variable"),
        pytest.param(
            f"{RUST}{ARCH}{MOUNT}cargo build --target $(cat /t)\n",
            "t",
            False,
            id="the command puts the platforms apart",
        ),
        pytest.param(
            f"{RUST}{ARCH}{MOUNT}cargo build --target $(cat /t)\n{MOUNT}cargo test\n",
            "t-${TARGETARCH}",
            False,
            id="only one of two commands does",
        ),
        pytest.param(
            f"{RUST}{MOUNT}cargo build --target $(cat /t)\n{MOUNT}cargo test\n# TARGETARCH\n",
            "t",
            True,
            id="and no id can name it",
        ),
        pytest.param(
            f"{RUST}{MOUNT}cargo build --target $(cat /t)\n{MOUNT}cargo fetch\n# TARGETARCH\n",
            "t",
            False,
            id="what does not compile does not count",
        ),
    ],
)
def test_platforms_in_the_file(text: str, new_id: str, kept: bool) -> None:
    settings = {"service": "x", "id_template": "t"}
    result = migrated(filled(text, LOCKED), **settings)
    assert result == filled(text, f"id={new_id},{LOCKED}" if kept else f"id={new_id}")
    assert all(("several platforms" in reason) is kept for reason in result.reasons)


@pytest.mark.parametrize(
    ("builds", "reason"),
    [
        pytest.param(compose("linux/amd64"), "", id="one platform"),
        pytest.param(compose("linux/amd64", "linux/amd64"), "", id="the same one twice"),
        pytest.param(compose(""), "", id="none"),
        pytest.param(
            compose("linux/amd64, linux/arm64"),
            "compose.yaml builds it for several platforms at once",
            id="several of one service",
        ),
        pytest.param(
            compose("", "linux/amd64, linux/arm64"),
            "compose.yaml builds it for several",
            id="one service of two",
        ),
        pytest.param(
            compose("linux/amd64", "linux/arm64"),
            "it is built for different platforms",
            id="two services, two platforms",
        ),
        pytest.param(compose("$P"), "for several platforms at once", id="what is not known"),
    ],
)
def test_platforms_of_declared_builds(builds: str, reason: str) -> None:
    text = f"{RUST}{BUILD}"
    result = migrated(filled(text, LOCKED), build_files={"compose.yaml": builds}, service="x")
    new_id = "id=target-builder-x"
    assert result == filled(text, f"{new_id},{LOCKED}" if reason else new_id)
    assert reason in result.reasons[0]
    assert ("lock stays" in result.reasons[0]) is bool(reason)


def test_builds_that_name_the_platform_in_the_id_need_no_lock() -> None:
    text = f"{RUST}{ARCH}{BUILD}"
    builds = {"compose.yaml": compose("linux/amd64, linux/arm64")}
    result = migrated(filled(text, LOCKED), build_files=builds, service="x")
    assert result == filled(text, "id=target-builder-x-${TARGETARCH}")


def test_the_files_that_declare_builds_without_platforms_are_not_named() -> None:
    builds = {
        "compose.yaml": compose(""),
        "docker-bake.json": '{"target": {"x": {"platforms": ["linux/amd64", "linux/arm64"]}}}',
    }
    result = migrated(filled(f"{RUST}{BUILD}", LOCKED), build_files=builds, service="x")
    assert "stays: docker-bake.json builds" in result.reasons[0]


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        pytest.param(("t-$TARGETARCH", "t-$TARGETARCH"), False, id="it names the platform"),
        pytest.param(("t-${TARGETARCH}", "t-${TARGETARCH}"), False, id="with braces"),
        pytest.param(("t-${TARGETPLATFORM}", "t-${TARGETPLATFORM}"), False, id="all of it"),
        pytest.param(("t-${TARGETARCH:-x}", "t-${TARGETARCH:-x}"), False, id="with a default"),
        pytest.param(("t-$TARGETOS", "t-$TARGETOS"), True, id="it names something else"),
        pytest.param(("t-$TARGETARCHS", "t-$TARGETARCHS"), True, id="a longer name"),
        pytest.param(("t", "t"), True, id="it names nothing"),
    ],
)
def test_an_id_that_stays(ids: tuple[str, str], kept: bool) -> None:
    declared = "ARG TARGETARCH\nARG TARGETPLATFORM\nARG TARGETOS\nARG TARGETARCHS\n"
    text = f"{RUST}{declared}{MOUNT}cargo build --bin x\n{MOUNT}cargo test --bin x\n"
    before = [f"id={name},{LOCKED}" for name in ids]
    result = migrated(filled(text, before))
    assert result == filled(text, before if kept else [f"id={name}" for name in ids])
    assert result.codes == ["MC103", "MC103"]


def test_an_id_that_names_the_platform_at_one_of_two_runs() -> None:
    text = f"{RUST}ARG TARGETARCH=arm64\n{MOUNT}cargo build --bin x\n{MOUNT}cargo t --bin x\n"
    before = (f"id=t-$TARGETARCH,{LOCKED}", f"id=t-arm64,{LOCKED}")
    result = migrated(filled(text, before))
    assert result == filled(text, before)
    assert result.codes == ["MC103", "MC103"]
    assert "does not name one" in result.reasons[0]


def test_a_service_that_is_configured_for_one_file_only() -> None:
    files = {"a/Dockerfile": f"{RUST}{BUILD}", "w/Dockerfile": f"{RUST}{BUILD}"}
    overrides = (Override(("a/*",), service="api"),)
    result = migrated(filled(files, LOCKED), overrides=overrides)
    assert result == filled(files, ("id=target-builder-api", "id=target-builder-w"))
