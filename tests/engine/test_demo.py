"""The demo, whole: all its images at once, with the commands that people build them with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .docker import Docker
from .engine import Build, Engine
from .meeting import Meeting
from .standin import PROJECT, migrate, stand_in_root

if TYPE_CHECKING:
    from .conftest import Proved

pytestmark = pytest.mark.engine

BASES = ("rust:1.90-slim", "debian:bookworm-slim", "python:3.13-slim", "node:24-slim")
SHOP = ("api", "checkout", "mailer")
WORKERS = ("worker-shell", "worker-python", "worker-node", "worker-media")
SERVICES = (*SHOP, *WORKERS, "toolbox")
#: The one image that the compose file does not name.
OTHER = "pack-binaries"
#: How many builds take a step. The four workers build one program, once.
STEPS = {"chef-prepare": 3, "chef-cook": 3, "build": 5, "apt-install": 2}
#: Seconds. A step that should be alone waits so long for others; where all meet, nobody waits.
ALONE, MEET = 1.5, 60

#: What builds everything in a folder, and returns the log where that fails.
Command = Callable[[Docker, Path], str | None]


def docker_build(engine: Docker, repo: Path) -> str | None:
    builds = [Build(repo, args={"SERVICE": name}, loopback=True) for name in SHOP]
    builds += [Build(repo, "Dockerfile.worker", target=name, loopback=True) for name in WORKERS]
    builds += [Build(repo, f"Dockerfile.{name}", loopback=True) for name in ("toolbox", OTHER)]
    return next((built.log for built in engine.build_all(builds) if not built.ok), None)


def compose_build(engine: Docker, repo: Path) -> str | None:
    more = services({"build": {"network": "host"}})
    more[OTHER] = {"build": {"context": ".", "dockerfile": f"Dockerfile.{OTHER}"}}
    more[OTHER]["build"]["network"] = "host"
    return run_with(engine, repo, {"services": more}, "compose", "build")


def buildx_bake(engine: Docker, repo: Path) -> str | None:
    more = services({"network": "host"})
    more[OTHER] = {"context": ".", "dockerfile": f"Dockerfile.{OTHER}", "network": "host"}
    allow = ("--allow=network.host", f"--allow=fs.read={repo.parent}")
    return run_with(engine, repo, {"target": more}, "buildx", "bake", *allow, *more)


def services(addition: dict[str, object]) -> dict[str, dict[str, object]]:
    return {name: dict(addition) for name in SERVICES}


def run_with(engine: Docker, repo: Path, addition: dict[str, object], *words: str) -> str | None:
    """Run the command on the demo's own compose file, with network for the meeting place."""
    more = repo.parent / "network.json"
    more.write_text(json.dumps(addition))
    files = ("-f", "compose.yaml", "-f", str(more))
    # `docker compose` takes files before its subcommand.
    words = (words[0], *files, *words[1:]) if words[0] == "compose" else (*words, *files)
    built = engine.command(*words, folder=repo)
    return None if built.ok else built.log


COMMANDS = {
    "docker build": docker_build,
    "docker compose build": compose_build,
    "docker buildx bake": buildx_bake,
}


def build_everything(
    engine: Docker, command: Command, repo: Path, place: Path, patience: float
) -> dict[str, int]:
    """Return how many builds were at each step at the same time."""
    engine.reset()
    # What keeps its lock has nobody to meet.
    meeting = Meeting(STEPS, dict.fromkeys(STEPS, patience) | {"apt-install": ALONE})
    with meeting.open():
        root = stand_in_root(place / "bases" / "stand-in", meeting=meeting.address)
        environment = "PATH=/usr/local/cargo/bin:/usr/local/bin:/bin CARGO_HOME=/usr/local/cargo"
        (root.parent / "Dockerfile").write_text(
            f"FROM scratch\nCOPY stand-in/ /\nENV {environment}\n"
        )
        for base in BASES:
            engine.provide(base, root.parent)
        failed = command(engine, repo)
        assert failed is None, failed
        shutil.rmtree(root.parent)
    return {step: meeting.events.most_at_once(step) for step in STEPS}


def shipped(engine: Docker, repo: Path, service: str) -> str:
    """Return the program in a service's image."""
    copy = repo.parent / service
    for words in (
        ("create", f"--name={service}", f"shop-{service}"),
        ("cp", f"{service}:/usr/local/bin/service", str(copy)),
        ("rm", service),
    ):
        done = engine.command(*words, folder=repo)
        assert done.ok, done.log
    return copy.read_text()


@pytest.mark.parametrize(
    ("any_engine", "words"),
    [
        ("docker", "docker build"),
        ("modern_docker", "docker compose build"),
        ("modern_docker", "docker buildx bake"),
    ],
    indirect=["any_engine"],
)
def test_the_demo(any_engine: Engine, tmp_path: Path, proved: Proved, words: str) -> None:
    if not isinstance(any_engine, Docker):
        pytest.skip("the demo's base images need an engine that keeps images")
    repo = tmp_path / "demo"
    shutil.copytree(PROJECT / "fixtures" / "demo" / "before", repo)
    for path in repo.glob("Dockerfile*"):
        # The engine would ask a registry for the newest frontend.
        path.write_text(path.read_text().replace("# syntax=docker/dockerfile:1\n", ""))

    command = COMMANDS[words]
    before = build_everything(any_engine, command, repo, tmp_path, ALONE)
    migrate(repo)
    after = build_everything(any_engine, command, repo, tmp_path, MEET)

    assert before == dict.fromkeys(STEPS, 1)
    assert after == STEPS | {"apt-install": 1}
    if command is compose_build:
        assert {name: shipped(any_engine, repo, name) for name in SHOP} == {
            name: f"#!/bin/sh\necho shop-{name}\n" for name in SHOP
        }
    proved(
        f"the demo by `{words}`, all its images at once: steps at the same time before and after",
        ", ".join(f"{step} {before[step]} → {after[step]}" for step in STEPS),
    )
