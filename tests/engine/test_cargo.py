"""The real cargo: services that fetch the same packages at once, into an empty shared cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
TRIALS = 3


@dataclass(frozen=True)
class Repos:
    """One repository in two forms, and the version of cargo in its images."""

    naive: Path
    migrated: Path
    cargo: str


@pytest.fixture(scope="module")
def repos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repos]:
    place = tmp_path_factory.mktemp("cargo")
    with registry(CRATES) as (index, names):
        forms = [place / "naive", place / "migrated"]
        for form in forms:
            form.mkdir()
            repo = stand_in("cargo", form)
            workspace(repo / "workspace", names)
            workspace(repo / "small", names[:1])
            scratch = form / "scratch"
            scratch.mkdir()
            version = add_cargo(repo / "stand-in", index, scratch)
        made = Repos(forms[0] / "cargo", forms[1] / "cargo", version)
        naive(made.naive, "sharing=locked", "sharing=shared")
        migrate(made.migrated)
        yield made


def fetch_at_once(engine: Engine, repo: Path, target: str) -> list[Built]:
    """Build all services side by side; nothing is cached yet."""
    engine.reset()
    builds = [
        Build(repo, args={"SERVICE": name}, target=target, loopback=True) for name in SERVICES
    ]
    return engine.build_all(builds)


def test_the_naive_form_fails(docker: Engine, repos: Repos, proved: Proved) -> None:
    built = [one for _ in range(TRIALS) for one in fetch_at_once(docker, repos.naive, "plain")]
    failed = [one for one in built if not one.ok]
    assert failed, f"none of {len(built)} builds failed"
    raced = [one for one in failed if "failed to unpack" in one.log or "File exists" in one.log]
    assert raced, failed[0].log
    proved(
        "Cargo's caches made shared and nothing else: cold builds side by side",
        f"{len(failed)} of {len(built)} builds fail ({len(raced)} unpacking; cargo {repos.cargo})",
    )


@pytest.mark.parametrize("target", ["plain", "inheriting"])
def test_the_form_with_the_link_builds(
    docker: Engine, repos: Repos, proved: Proved, target: str
) -> None:
    built = [one for _ in range(TRIALS) for one in fetch_at_once(docker, repos.migrated, target)]
    for one in built:
        assert one.ok, one.log
    where = "" if target == "plain" else ", in a stage that inherits it"
    proved(
        f"Cargo's caches shared with the lock link{where}: cold builds side by side",
        f"0 of {len(built)} builds fail (cargo {repos.cargo})",
    )


@pytest.mark.parametrize("target", ["without-mount", "other-user"])
def test_a_later_run(docker: Engine, repos: Repos, proved: Proved, target: str) -> None:
    docker.reset()
    build = Build(repos.migrated, args={"SERVICE": "api"}, target=target, loopback=True)
    one = docker.build(build)
    assert one.ok, one.log
    who = {"without-mount": "root", "other-user": "user 1000"}[target]
    proved(f"a later RUN without the mounts, as {who}", "fetches into the image's own folder")
