"""The real cargo: services that fetch the same packages at once, into an empty shared cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import Proved
from .crates import add_cargo, cargo_and_rustc, registry, workspace
from .engine import Build, Built, Engine
from .standin import migrate, naive, stand_in

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(cargo_and_rustc() is None, reason="this machine has no cargo and rustc"),
]

SERVICES = ("api", "auth", "feed", "mail", "web", "worker")
CRATES = 80


@dataclass(frozen=True)
class Repos:
    """One repository in two forms, and the version of the cargo in its images."""

    naive: Path
    migrated: Path
    cargo: str


@pytest.fixture(scope="module")
def repos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repos]:
    place = tmp_path_factory.mktemp("cargo")
    made = []
    with registry(CRATES) as (index, names):
        for form in ("naive", "migrated"):
            scratch = place / form / "scratch"
            scratch.mkdir(parents=True)
            repo = stand_in("cargo", place / form)
            workspace(repo / "workspace", names)
            workspace(repo / "small", names[:1])
            version = add_cargo(repo / "stand-in", index, scratch)
            made.append(repo)
        naive(made[0], "sharing=locked", "sharing=shared")
        migrate(made[1])
        yield Repos(made[0], made[1], version)


def trials(engine: Engine, repo: Path, target: str) -> list[Built]:
    """Build all services side by side from nothing, several times."""
    builds = [
        Build(repo, args={"SERVICE": name}, target=target, loopback=True) for name in SERVICES
    ]
    built = []
    for _ in range(1 if engine.name == "buildah" else 3):
        engine.reset()
        built += engine.build_all(builds)
    return built


def test_the_naive_form_fails(any_engine: Engine, repos: Repos, proved: Proved) -> None:
    built = trials(any_engine, repos.naive, "plain")
    failed = [one for one in built if not one.ok]
    assert failed, f"none of {len(built)} builds failed"
    # One build opens, unpacks and reads what another one is just unpacking.
    raced = [one for one in failed if "File exists (os error 17)" in one.log]
    assert raced, failed[0].log
    proved(
        "Cargo's caches made shared and nothing else: cold builds side by side",
        f"{len(failed)} of {len(built)} builds fail (cargo {repos.cargo})",
    )


@pytest.mark.parametrize("target", ["plain", "inheriting"])
def test_the_form_with_the_link_builds(
    any_engine: Engine, repos: Repos, proved: Proved, target: str
) -> None:
    built = trials(any_engine, repos.migrated, target)
    for one in built:
        assert one.ok, one.log
    where = "" if target == "plain" else ", in a stage that inherits it"
    proved(
        f"Cargo's caches shared with the lock link{where}: cold builds side by side",
        f"0 of {len(built)} builds fail (cargo {repos.cargo})",
    )


@pytest.mark.parametrize("target", ["without-mount", "other-user"])
def test_a_later_run(any_engine: Engine, repos: Repos, proved: Proved, target: str) -> None:
    one = any_engine.build(
        Build(repos.migrated, args={"SERVICE": "api"}, target=target, loopback=True)
    )
    assert one.ok, one.log
    who = {"without-mount": "root", "other-user": "user 1000"}[target]
    proved(
        f"a later RUN without the mounts, as {who}",
        f"builds: fetches into the image's own folder (cargo {repos.cargo})",
    )
