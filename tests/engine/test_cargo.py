"""The real cargo: services that fetch the same packages at once, into an empty shared cache."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from .crates import find_cargo, registry, workspace
from .engine import DOCKERS, ENGINES, Build, Built, Engine
from .standin import meet, migrate, naive, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Proved
    from .roots import Root

pytestmark = pytest.mark.engine

SERVICES = ("api", "auth", "feed", "mail", "web", "worker")
CRATES = 60
#: Whether builds that race fail is a matter of luck; all of six winning this often is not.
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
def repos(tmp_path_factory: pytest.TempPathFactory, debian: Root | None) -> Iterator[Repos]:
    cargo = find_cargo(debian)
    if cargo is None:
        pytest.skip("neither Debian's cargo nor one of this machine is to be had")
    place = tmp_path_factory.mktemp("cargo")
    made = []
    with registry(CRATES) as (index, names):
        for form in ("naive", "migrated"):
            repo = stand_in("cargo", place / form, expect=len(SERVICES), debian=cargo.debian)
            workspace(repo / "workspace", names)
            workspace(repo / "small", names[:1])
            cargo.add_to(repo / "stand-in", index)
            made.append(repo)
        naive(made[0], "sharing=locked", "sharing=shared")
        migrate(made[1])
        yield Repos(made[0], made[1], cargo.version)


def build_cold(engine: Engine, repo: Path, target: str) -> list[Built]:
    """Build all services side by side from nothing."""
    meet(repo, expect=len(SERVICES))
    engine.reset()
    # What all of them begin with is made once, so that they do not race for that already.
    assert engine.build(Build(repo, target="base")).ok
    return engine.build_all(
        [Build(repo, args={"SERVICE": name}, target=target, loopback=True) for name in SERVICES]
    )


def test_the_naive_form_fails(any_engine: Engine, repos: Repos, proved: Proved) -> None:
    for _ in range(MOST_TRIALS):
        failed = [one for one in build_cold(any_engine, repos.naive, "plain") if not one.ok]
        if failed:
            break
    assert failed, f"none of {MOST_TRIALS * len(SERVICES)} builds failed"
    for one in failed:
        assert RACE.search(one.log), one.log
    proved(
        f"Cargo's caches made shared and nothing else: {len(SERVICES)} cold builds side by side",
        "some fail",
    )


@pytest.mark.parametrize(
    ("any_engine", "target"),
    [(name, "plain") for name in ENGINES] + [(name, "inheriting") for name in DOCKERS],
    indirect=["any_engine"],
)
def test_the_form_with_the_link_builds(
    any_engine: Engine, repos: Repos, proved: Proved, target: str
) -> None:
    for one in build_cold(any_engine, repos.migrated, target):
        assert one.ok, one.log
    where = "" if target == "plain" else ", in a stage that inherits it"
    proved(
        f"Cargo's caches shared with the lock link{where}: {len(SERVICES)} cold builds side by "
        "side",
        "all build",
    )


@pytest.mark.parametrize(
    ("any_engine", "target"),
    [(name, "without-mount") for name in ENGINES] + [(name, "other-user") for name in DOCKERS],
    indirect=["any_engine"],
)
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
        "builds"
        if one.ok
        else "fails: this engine deletes a mount's folder from the image, whatever was in it",
    )
