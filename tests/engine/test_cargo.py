"""The real cargo: services that fetch the same packages at once, into an empty shared cache."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from .crates import add_cargo, cargo_and_rustc, registry, workspace
from .engine import Build, Built, Engine
from .standin import meet, migrate, naive, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Proved

pytestmark = pytest.mark.engine

SERVICES = ("api", "auth", "feed", "mail", "web", "worker")
CRATES = 80
MOST_TRIALS = 8
#: One build opens, unpacks or reads what another one is just unpacking.
RACE = re.compile(r"File exists \(os error 17\)|failed to (unpack|parse manifest|open|read)")


@dataclass(frozen=True)
class Repos:
    """One repository in two forms, and the version of the cargo in its images."""

    naive: Path
    migrated: Path
    cargo: str


@pytest.fixture(scope="module")
def repos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repos]:
    if cargo_and_rustc() is None:
        pytest.skip("this machine has no cargo and rustc")
    place = tmp_path_factory.mktemp("cargo")
    made = []
    with registry(CRATES) as (index, names):
        for form in ("naive", "migrated"):
            scratch = place / form / "scratch"
            scratch.mkdir(parents=True)
            repo = stand_in("cargo", place / form, expect=len(SERVICES))
            workspace(repo / "workspace", names)
            workspace(repo / "small", names[:1])
            version = add_cargo(repo / "stand-in", index, scratch)
            made.append(repo)
        naive(made[0], "sharing=locked", "sharing=shared")
        migrate(made[1])
        yield Repos(made[0], made[1], version)


def build_cold(engine: Engine, repo: Path, target: str) -> list[Built]:
    """Build all services side by side from nothing."""
    meet(repo, expect=len(SERVICES))
    engine.reset()
    # What all of them begin with is made once, so that they do not race for that already.
    assert engine.build(Build(repo, target="base")).ok
    return engine.build_all(
        [Build(repo, args={"SERVICE": name}, target=target, loopback=True) for name in SERVICES]
    )


def trials(engine: Engine) -> int:
    return 1 if engine.name == "buildah" else 3


def test_the_naive_form_fails(any_engine: Engine, repos: Repos, proved: Proved) -> None:
    built: list[Built] = []
    failed: list[Built] = []
    # It is a race: where every build happens to win, it is run again.
    while len(built) < trials(any_engine) * len(SERVICES) or (
        not failed and len(built) < MOST_TRIALS * len(SERVICES)
    ):
        built += build_cold(any_engine, repos.naive, "plain")
        failed = [one for one in built if not one.ok]
    assert failed, f"none of {len(built)} builds failed"
    for one in failed:
        assert RACE.search(one.log), one.log
    proved(
        "Cargo's caches made shared and nothing else: cold builds side by side",
        f"{len(failed)} of {len(built)} builds fail (cargo {repos.cargo})",
    )


@pytest.mark.parametrize("target", ["plain", "inheriting"])
def test_the_form_with_the_link_builds(
    any_engine: Engine, repos: Repos, proved: Proved, target: str
) -> None:
    built = [
        one
        for _ in range(trials(any_engine))
        for one in build_cold(any_engine, repos.migrated, target)
    ]
    for one in built:
        assert one.ok, one.log
    where = "" if target == "plain" else ", in a stage that inherits it"
    proved(
        f"Cargo's caches shared with the lock link{where}: cold builds side by side",
        f"0 of {len(built)} builds fail (cargo {repos.cargo})",
    )


@pytest.mark.parametrize("target", ["without-mount", "other-user"])
def test_a_later_run(any_engine: Engine, repos: Repos, proved: Proved, target: str) -> None:
    """The links lead into the image's own folder then, which must be there."""
    meet(repos.migrated, expect=1)
    one = any_engine.build(
        Build(repos.migrated, args={"SERVICE": "api"}, target=target, loopback=True)
    )
    assert one.ok is any_engine.keeps_mount_points, one.log
    assert one.ok or "failed to acquire package cache lock" in one.log
    who = {"without-mount": "root", "other-user": "user 1000"}[target]
    proved(
        f"Cargo in a later RUN without the mounts, as {who}",
        f"builds (cargo {repos.cargo})"
        if one.ok
        else "fails: this engine deletes a mount's folder from the image, whatever was in it",
    )
