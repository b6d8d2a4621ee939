"""MC201: a cache whose tool needs exclusive access stays locked."""

from __future__ import annotations

import pytest

from migrate_cache import migrate
from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

DEBIAN = "FROM debian:13\n"
APT = "--mount=type=cache,target=/var/cache/apt<> "
NPM = "--mount=type=cache,target=/root/.npm<> "
GET = "apt-get update\n"


@pytest.mark.parametrize(
    ("mount", "command"),
    [
        pytest.param(APT, "apt-get update", id="apt"),
        pytest.param(APT, "ls", id="whatever runs"),
        pytest.param("--mount=type=cache,target=/root/.m2<> ", "mvn package", id="Maven"),
        pytest.param("--mount=type=cache,target=/root/.gradle<> ", "gradle build", id="Gradle"),
        pytest.param("--mount=type=cache,id=a,target=/var/lib/apt<> ", "apt update", id="an id"),
    ],
)
def test_stays_locked(mount: str, command: str) -> None:
    text = filled(f"{DEBIAN}RUN {mount}{command}\n", LOCKED)
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC201"]
    assert result.reasons[0].startswith("stays locked: ")


def test_a_decision_names_its_source() -> None:
    (outcome,) = migrate({"Dockerfile": filled(f"{DEBIAN}RUN {APT}{GET}", LOCKED)}).mounts
    assert len(outcome.evidence) == 1
    known = {"target": "/x", "kind": "exclusive", "slug": "x"}
    text = filled(f"{DEBIAN}RUN --mount=type=cache,target=/x<> make-x\n", LOCKED)
    result = migrated(text, caches=(known,))
    assert result == text
    assert result.codes == ["MC201"]
    assert "as the configuration says" in result.reasons[0]


@pytest.mark.parametrize(
    ("second", "codes", "reason"),
    [
        pytest.param("/root/.npm<> npm ci", ["MC201", "MC201"], "2 uses the id", id="a safe tool"),
        pytest.param("/srv/x<> fetch-x", ["MC201", "MC201"], "2 uses the id", id="an unknown one"),
        pytest.param("/srv/x<> cp -r /srv/x /y", ["MC201"] * 2, "2 uses the id", id="a copy"),
        pytest.param(
            "/b/target<> cargo build", ["MC202", "MC202"], "different kinds", id="an output"
        ),
        pytest.param(
            "/usr/local/cargo/registry<> cargo fetch",
            ["MC202", "MC202"],
            "different kinds",
            id="Cargo's registry",
        ),
    ],
)
def test_the_strictest_user_of_an_id_decides(second: str, codes: list[str], reason: str) -> None:
    text = f"{DEBIAN}RUN --mount=type=cache,id=x,target=/var/cache/apt<> {GET}"
    text = filled(f"{text}RUN --mount=type=cache,id=x,target={second}\n", LOCKED)
    result = migrated(text, root_name="shop")
    assert result == text
    assert result.codes == codes
    assert reason in result.reasons[1]


def test_of_two_strict_tools_each_says_why() -> None:
    text = filled(
        f"{DEBIAN}RUN --mount=type=cache,id=x,target=/var/cache/apt<> {GET}"
        "RUN --mount=type=cache,id=x,target=/root/.m2<> mvn package\n",
        LOCKED,
    )
    result = migrated(text)
    assert result.codes == ["MC201", "MC201"]
    assert not any("uses the id" in reason for reason in result.reasons)
    assert result.reasons[0] != result.reasons[1]


def test_runs_that_only_copy_decide_where_there_are_no_others() -> None:
    text = filled(f"{DEBIAN}RUN {APT}cp -r /var/cache/apt /x\n", LOCKED)
    assert migrated(text).codes == ["MC201"]


# -- one lock that keeps a whole RUN serial -------------------------------------------------------


@pytest.mark.parametrize(
    ("beside", "alone"),
    [
        pytest.param("", False, id="nothing beside it"),
        pytest.param(f"{NPM.replace('<>', ',sharing=locked')}", True, id="one that is unlocked"),
        pytest.param(f"{NPM.replace('<>', '')}", True, id="one that is not locked"),
        pytest.param(
            "--mount=type=cache,target=/var/lib/apt,sharing=locked ", False, id="one that is locked"
        ),
        pytest.param(
            f"{NPM.replace('<>', '')}--mount=type=cache,target=/var/lib/apt,sharing=locked ",
            False,
            id="one of each",
        ),
        pytest.param("--mount=type=tmpfs,target=/tmp ", False, id="a mount that is no cache"),
    ],
)
def test_a_lock_that_alone_makes_a_run_wait(beside: str, alone: bool) -> None:
    result = migrated(filled(f"{DEBIAN}RUN {APT}{beside}apt-get update && npm ci\n", LOCKED))
    assert result.codes[0] == "MC201"
    assert ("this lock alone still makes parallel builds" in result.reasons[0]) is alone
