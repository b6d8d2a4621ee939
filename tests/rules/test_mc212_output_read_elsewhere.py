"""MC212: what lies in a cache mount is taken for a part of the image."""

from __future__ import annotations

import pytest

from migrate_cache import migrate

MOUNT = "RUN --mount=type=cache,target=/b/target "
BUILDER = f"FROM rust AS builder\nWORKDIR /b\n{MOUNT}cargo build\n"
COPY = "COPY --from=builder /b/target/debug/api /api\n"


def warned(text: str) -> list[int]:
    """Return the lines at which MC212 speaks."""
    (file,) = migrate({"Dockerfile": text}).files
    return [note.line for note in file.notes if note.rule == "MC212"]


@pytest.mark.parametrize(
    ("line", "is_lost"),
    [
        ("COPY --from=builder /b/target/debug/api /api", True),
        ("COPY --from=BUILDER /b/target/debug/api /api", True),
        ("COPY --from=0 /b/target/debug/api /api", True),
        ("COPY --from=builder b/target/debug/api /api", True),
        ("COPY --from=builder //b/./target/debug/api /api", True),
        ("COPY --from=builder $D/target/debug/api /api", True),
        ("COPY --from=builder /x /b/target/debug/api /api/", True),
        ("COPY --chown=1 --from=builder /b/target/debug/api /api", True),
        ('COPY --from=builder ["/b/target/debug/api", "/api"]', True),
        ("RUN --mount=type=bind,from=builder,source=/b/target/debug,target=/r ls /r", True),
        ("RUN --mount=from=builder,source=/b/target/debug,target=/r ls /r", True),
        ("COPY --from=builder /usr/local/bin/api /api", False),
        ("COPY --from=builder /b/targets/api /api", False),
        ("COPY --from=builder /b/target /api", False),
        ("COPY --from=builder /x /b/target/debug/api", False),
        ("COPY --from=elsewhere /b/target/debug/api /api", False),
        ("COPY --from=1 /b/target/debug/api /api", False),
        ("COPY --from=7 /b/target/debug/api /api", False),
        ("COPY /b/target/debug/api /api", False),
        ("ADD /b/target/debug/api /api", False),
        ("ADD --from=builder /b/target/debug/api /api", False),
        ("RUN --mount=type=bind,source=/b/target/debug,target=/r ls /r", False),
        ("RUN --mount=type=bind,from=builder,target=/r ls /r", False),
        ("RUN --mount=type=cache,from=builder,source=/b/target/debug,target=/r ls /r", False),
        ("RUN ls /b/target/debug/api", False),
    ],
)
def test_another_stage(line: str, is_lost: bool) -> None:
    text = f"{BUILDER}FROM debian\nENV D=/b\n{line}\n"
    assert warned(text) == ([6] if is_lost else [])


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(f"{BUILDER}FROM debian\n{COPY}{COPY}", [5, 6], id="each time"),
        pytest.param(
            f"{BUILDER}FROM builder AS later\nFROM debian\n{COPY.replace('builder', 'later')}",
            [6],
            id="a stage that is built FROM it",
        ),
        pytest.param(
            f"FROM rust AS base\nFROM base AS x\nWORKDIR /b\n{MOUNT}cargo build\n"
            f"FROM debian\n{COPY.replace('builder', 'base')}",
            [],
            id="the stage that it is built FROM",
        ),
        pytest.param(
            f"{BUILDER}{MOUNT}cargo test\nFROM debian\n{COPY}", [6], id="two mounts, one warning"
        ),
        pytest.param(
            f"FROM debian\n{BUILDER.replace(' AS builder', '')}FROM debian\n"
            f"{COPY.replace('builder', '1')}",
            [6],
            id="a stage without a name",
        ),
        pytest.param(
            "FROM debian AS builder\nRUN --mount=type=cache,target=/b/out make-x\n"
            f"FROM debian\n{COPY.replace('target', 'out')}",
            [],
            id="a cache of which nothing is known",
        ),
        pytest.param(
            "FROM node AS builder\nRUN --mount=type=cache,target=/root/.npm npm ci\n"
            "FROM debian\nCOPY --from=builder /root/.npm/x /x\n",
            [],
            id="a download cache",
        ),
        pytest.param(
            f"FROM rust AS builder\nARG D\nRUN --mount=type=cache,target=/$D/target cargo b\n"
            f"FROM debian\n{COPY.replace('/b/', '/$D/')}",
            [],
            id="a directory that is not known",
        ),
    ],
)
def test_stages(text: str, lines: list[int]) -> None:
    assert warned(text) == lines


@pytest.mark.parametrize(
    ("line", "is_lost"),
    [
        pytest.param("RUN cargo build", False, id="a RUN without the mount"),
        pytest.param("RUN --mount=type=bind,target=/src cargo build", False, id="another mount"),
        pytest.param("RUN --mount=type=cache,target=/x cargo build", True, id="another cache"),
        pytest.param(f"{MOUNT}cargo test", True, id="a RUN with the mount"),
        pytest.param("RUN cargo fetch", True, id="a RUN that does not fill it"),
        pytest.param("COPY target /b/target", True, id="no RUN"),
    ],
)
def test_a_directory_that_is_filled_in_the_image_too(line: str, is_lost: bool) -> None:
    assert warned(f"{BUILDER}{line}\nFROM debian\n{COPY}") == ([6] if is_lost else [])


def test_a_directory_that_another_stage_fills_is_lost() -> None:
    text = f"{BUILDER}FROM rust\nRUN cargo build\nFROM debian\n{COPY}"
    assert warned(text) == [7]


def test_a_directory_that_the_stage_below_fills() -> None:
    text = f"FROM rust AS base\nWORKDIR /b\nRUN cargo build\nFROM base AS builder\n{MOUNT}cargo t\n"
    assert warned(f"{text}FROM debian\n{COPY}") == []


def test_the_warning_names_path_and_mount() -> None:
    (file,) = migrate({"Dockerfile": f"{BUILDER}FROM debian\n{COPY}"}).files
    (reason,) = [note.reason for note in file.notes if note.rule == "MC212"]
    assert reason.startswith(
        "/b/target/debug/api lies in the cache mount /b/target of Dockerfile:3"
    )
