"""The demo, whole: eight services built at once, as `docker compose build` does it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from .docker import Docker
from .engine import Build, Engine
from .meeting import Meeting
from .standin import PROJECT, migrate, stand_in_root

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Proved

pytestmark = pytest.mark.engine

BASES = ("rust:1.90-slim", "debian:bookworm-slim", "python:3.13-slim", "node:24-slim")
SHOP = ("api", "checkout", "mailer")
WORKERS = ("worker-shell", "worker-python", "worker-node", "worker-media")
#: Who takes a step. The four workers build one program, once.
STEPS = {"chef-prepare": 3, "chef-cook": 3, "build": 5, "apt-install": 2}
ALONE, MEET = 1.5, 60


def builds(repo: Path) -> list[Build]:
    made = [Build(repo, args={"SERVICE": name}, loopback=True) for name in SHOP]
    made += [Build(repo, "Dockerfile.worker", target=name, loopback=True) for name in WORKERS]
    made += [Build(repo, f"Dockerfile.{n}", loopback=True) for n in ("toolbox", "pack-binaries")]
    return made


def build_everything(engine: Docker, repo: Path, place: Path, patience: float) -> dict[str, int]:
    """Return how many builds were at each step at the same time."""
    engine.reset()
    # What keeps its lock has nobody to meet.
    meeting = Meeting(STEPS, dict.fromkeys(STEPS, patience) | {"apt-install": ALONE})
    with meeting.open():
        root = stand_in_root(place / "bases" / "stand-in", meeting=meeting.address)
        for base in BASES:
            environment = (
                "PATH=/usr/local/cargo/bin:/usr/local/bin:/bin CARGO_HOME=/usr/local/cargo"
            )
            (root.parent / "Dockerfile").write_text(
                f"FROM scratch\nCOPY stand-in/ /\nENV {environment}\n"
            )
            engine.provide(base, root.parent)
        for built in engine.build_all(builds(repo)):
            assert built.ok, built.log
        shutil.rmtree(root.parent)
    return {step: meeting.events.most_at_once(step) for step in STEPS}


def test_the_demo(engine: Engine, tmp_path: Path, proved: Proved) -> None:
    if not isinstance(engine, Docker):
        pytest.skip("the demo's base images need an engine that keeps images")
    repo = tmp_path / "demo"
    shutil.copytree(PROJECT / "fixtures" / "demo" / "before", repo)
    for path in repo.glob("Dockerfile*"):
        # Else the engine would ask a registry for the newest frontend.
        path.write_text(path.read_text().replace("# syntax=docker/dockerfile:1\n", ""))

    before = build_everything(engine, repo, tmp_path, ALONE)
    migrate(repo)
    after = build_everything(engine, repo, tmp_path, MEET)

    assert before == dict.fromkeys(STEPS, 1)
    assert after == STEPS | {"apt-install": 1}
    proved(
        "the demo, all its services at once: steps at the same time before and after",
        ", ".join(f"{step} {before[step]} → {after[step]}" for step in STEPS),
    )
