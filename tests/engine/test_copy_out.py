"""A RUN that only copies out of a cache: renames are dangerous, the tool's output builds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .engine import BUILDAHS, DOCKERS, Build, Engine
from .events import read_events
from .standin import migrate, naive, stand_in

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Proved

pytestmark = pytest.mark.engine

#: Whether the tool finds something to change in the repository.
CASES = {"copyout": False, "copyout-stage": False, "copyout-cargo": True, "copyout-twins": True}


def service(repo: Path, name: str) -> Build:
    output = repo / f"out-{name}"
    if (repo / f"Dockerfile.{name}").exists():
        return Build(repo, f"Dockerfile.{name}", output=output)
    return Build(repo, args={"SERVICE": name}, output=output)


def build(engine: Engine, repo: Path, name: str) -> None:
    built = engine.build(service(repo, name))
    assert built.ok, built.log
    assert (repo / f"out-{name}" / "shop").read_text().endswith(f"echo shop-{name}\n")


def dockerfiles(repo: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(repo.glob("Dockerfile*"))]


def change_the_copy(repo: Path) -> None:
    """Change the RUN that copies, so that it is not served from the layer cache."""
    naive(repo, "cp target/", "cp -f target/")


def test_a_rename_alone(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    """Where the id is not in the key, the compile step is not run, and the new cache is empty."""
    repo = stand_in("copyout", tmp_path)
    build(any_engine, repo, "api")
    naive(repo, "target=/build/target,sharing=locked", "target=/build/target,id=target-api")
    # Nothing fails before the RUN that copies runs again, too.
    unchanged = any_engine.build(service(repo, "api"))
    assert unchanged.ok, unchanged.log
    change_the_copy(repo)
    built = any_engine.build(service(repo, "api"))
    compiled = len(read_events(any_engine, tmp_path).names("begin", "build"))

    assert built.ok is not any_engine.key_leaves_out_mounts, built.log
    assert compiled == (1 if any_engine.key_leaves_out_mounts else 2)
    proved(
        "danger: a new id for a cache that a later RUN only copies out of",
        "builds: the compile step runs again"
        if built.ok
        else "fails: the compile step comes from the layer cache, the new cache is empty",
    )


def test_a_rename_by_stage(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    """An id with the stage's name in it parts the one that compiles from the one that copies."""
    repo = stand_in("copyout-stage", tmp_path)
    build(any_engine, repo, "api")
    dockerfile = repo / "Dockerfile"
    stages = re.split(r"(?=^FROM )", dockerfile.read_text(), flags=re.MULTILINE)
    for number, stage in enumerate(stages):
        name = re.match(r"FROM \S+ AS (\S+)", stage)
        if name:
            stages[number] = stage.replace("sharing=locked", f"id=target-{name[1]}-api")
    dockerfile.write_text("".join(stages))
    change_the_copy(repo)

    built = any_engine.build(service(repo, "api"))
    assert not built.ok
    assert "release/shop-api': No such file" in built.log
    proved(
        "danger: ids by stage, where one stage compiles and another one only copies out",
        "fails: the second stage's cache is empty",
    )


@pytest.mark.parametrize(
    ("any_engine", "case"),
    [(name, case) for name in DOCKERS for case in CASES]
    # Here, the key of a RUN is its text: one case stands for all.
    + [(name, "copyout-cargo") for name in BUILDAHS],
    indirect=["any_engine"],
)
def test_what_the_tool_writes(
    any_engine: Engine, tmp_path: Path, proved: Proved, case: str
) -> None:
    """It builds for this service, for another one, and for this one again."""
    repo = stand_in(case, tmp_path)
    before = dockerfiles(repo)
    build(any_engine, repo, "api")
    migrate(repo)
    assert (dockerfiles(repo) != before) is CASES[case]
    change_the_copy(repo)
    for name in ("api", "web", "api"):
        build(any_engine, repo, name)
    if case == "copyout-cargo":
        proved(
            "a copy out of a cache after the rewrite, for this service and another one", "builds"
        )
