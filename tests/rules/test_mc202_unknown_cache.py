"""MC202: a cache of which nothing is known is left alone."""

from __future__ import annotations

import pytest

from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

DEBIAN = "FROM debian:13\n"
MOUNT = "RUN --mount=type=cache,target={}<> {}\n"


@pytest.mark.parametrize("mode", ["", "sharing=shared", LOCKED])
@pytest.mark.parametrize(
    ("target", "command", "reason"),
    [
        pytest.param("/srv/x", "fetch-x", "no tool is known", id="a directory of no tool"),
        pytest.param("/b/node_modules", "npm ci", "what one project installed", id="node_modules"),
        pytest.param("~/.npm", "npm ci", "`~` is not expanded", id="a tilde"),
    ],
)
def test_left_alone(target: str, command: str, reason: str, mode: str) -> None:
    text = filled(DEBIAN + MOUNT.format(target, command), mode)
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC202"]
    assert reason in result.reasons[0]


@pytest.mark.parametrize(
    ("first", "second", "codes", "reason"),
    [
        pytest.param(
            MOUNT.format("/srv/x,id=x", "fetch-x"),
            MOUNT.format("/root/.npm,id=x", "npm ci"),
            ["MC202", "MC202"],
            "Dockerfile:2 uses the id for a directory that is not known",
            id="an unknown one and a safe one",
        ),
        pytest.param(
            MOUNT.format("/b/target,id=x", "cargo build"),
            MOUNT.format("/root/.npm,id=x", "npm ci"),
            ["MC202", "MC202"],
            "different kinds",
            id="an output and a safe one",
        ),
        pytest.param(
            MOUNT.format("/usr/local/cargo/registry,id=x", "cargo build"),
            MOUNT.format("/root/.npm,id=x", "npm ci"),
            ["MC202", "MC202"],
            "different kinds",
            id="Cargo's registry and a safe one",
        ),
        pytest.param(
            MOUNT.format("/b/target,id=x", "cargo build"),
            MOUNT.format("/srv/x,id=x", "fetch-x"),
            ["MC202", "MC202"],
            "no tool is known",
            id="an output and an unknown one",
        ),
        pytest.param(
            MOUNT.format("/root/.cache/go-build,id=x", "go build"),
            MOUNT.format("/root/.npm,id=x", "npm ci"),
            ["MC101", "MC101"],
            "",
            id="two safe ones",
        ),
    ],
)
def test_an_id_that_stands_for_different_directories(
    first: str, second: str, codes: list[str], reason: str
) -> None:
    text = filled(DEBIAN + first + second, LOCKED)
    result = migrated(text, root_name="shop")
    assert (result == text) is (codes[0] == "MC202")
    assert result.codes == codes
    assert reason in result.reasons[1]


def test_what_the_configuration_knows() -> None:
    text = filled(DEBIAN + MOUNT.format("/srv/x", "fetch-x"), LOCKED)
    known = {"target": "/srv/x", "kind": "shared", "reason": "it renames into place"}
    result = migrated(text, caches=(known,))
    assert result == filled(DEBIAN + MOUNT.format("/srv/x", "fetch-x"), "sharing=shared")
    assert result.codes == ["MC101"]
    assert result.reasons == ["it renames into place"]


def test_a_run_that_only_copies_follows_one_that_is_not_known() -> None:
    text = filled(
        DEBIAN
        + MOUNT.format("/root/.npm,id=x", "cp -r /root/.npm /y")
        + MOUNT.format("/srv/x,id=x", "fetch-x"),
        LOCKED,
    )
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC202", "MC202"]
