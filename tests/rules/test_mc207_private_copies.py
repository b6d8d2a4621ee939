"""MC207: a private cache is left alone."""

from __future__ import annotations

import pytest

from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled


@pytest.mark.parametrize(
    ("target", "command"),
    [
        pytest.param("/root/.npm", "npm ci", id="a safe cache"),
        pytest.param("/var/cache/apt", "apt-get update", id="an exclusive one"),
        pytest.param("/b/target", "cargo build", id="a build output"),
        pytest.param("/usr/local/cargo/registry", "cargo fetch", id="Cargo's registry"),
        pytest.param("/srv/x", "fetch-x", id="an unknown one"),
    ],
)
@pytest.mark.parametrize("mode", ["private", "Private"])
def test_left_alone(target: str, command: str, mode: str) -> None:
    text = f"FROM rust\nRUN --mount=type=cache,target={target},sharing={mode} {command}\n"
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC207"]
    assert "a copy of its own" in result.reasons[0]


def test_a_mount_whose_target_is_not_known_says_that_first() -> None:
    text = "FROM node\nARG A\nRUN --mount=type=cache,target=$A,sharing=private npm ci\n"
    assert migrated(text).codes == ["MC209"]


def test_a_private_output_is_no_part_of_what_gets_an_id() -> None:
    text = (
        "FROM rust\nWORKDIR /b\nRUN --mount=type=cache,target=/b/target<> cargo build\n"
        "RUN --mount=type=cache,target=/b/target<> cp target/debug/x /\n"
    )
    result = migrated(filled(text, (LOCKED, "sharing=private")), root_name="shop")
    assert result == filled(text, ("id=target-shop", "sharing=private"))
    assert result.codes == ["MC102", "MC207"]
