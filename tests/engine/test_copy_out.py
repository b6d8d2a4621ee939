"""A RUN that only copies out of a cache: renames are dangerous, the tool's output builds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .engine import Build, Engine
from .events import read_events
from .standin import migrate, naive, stand_in

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Proved

pytestmark = pytest.mark.engine

#: Whether a plain run of the tool finds something to change in it.
CASES = {"copyout": False, "copyout-stage": False, "copyout-cargo": True, "copyout-twins": True}
OPTIONS = [
    (),
    ("--fresh-ids",),
    ("--keep-lock",),
    ("--no-cargo-lock",),
    ("--fresh-ids", "--keep-lock"),
    ("--fresh-ids", "--no-cargo-lock"),
    ("--keep-lock", "--no-cargo-lock"),
    ("--fresh-ids", "--keep-lock", "--no-cargo-lock"),
]


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


def test_a_rename_alone(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    """Where the id is not in the key, the compile step is not run, and the new cache is empty."""
    repo = stand_in("copyout", tmp_path)
    build(any_engine, repo, "api")
    naive(repo, "target=/build/target,sharing=locked", "target=/build/target,id=target-api")
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

    built = any_engine.build(service(repo, "api"))
    assert not built.ok
    assert "release/shop-api': No such file" in built.log
    proved(
        "danger: ids by stage, where one stage compiles and another one only copies out",
        "fails: the second stage's cache is empty",
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_what_the_tool_writes(
    engine: Engine, tmp_path: Path, proved: Proved, case: str, options: tuple[str, ...]
) -> None:
    builds_before_and_after(engine, tmp_path, case, options)
    if case == list(CASES)[-1] and options == OPTIONS[-1]:
        proved(
            "a copy out of a cache after the rewrite, for this service and for the next one",
            f"builds: {len(CASES)} repositories, {len(OPTIONS)} combinations of options",
        )


@pytest.mark.parametrize("case", [case for case, changes in CASES.items() if changes])
def test_what_the_tool_writes_on_buildah(buildah: Engine, tmp_path: Path, case: str) -> None:
    buildah.reset()
    builds_before_and_after(buildah, tmp_path, case, ())


def builds_before_and_after(
    engine: Engine, place: Path, case: str, options: tuple[str, ...]
) -> None:
    repo = stand_in(case, place)
    before = dockerfiles(repo)
    build(engine, repo, "api")
    migrate(repo, *options)
    assert (dockerfiles(repo) != before) is CASES[case]
    if CASES[case]:
        for name in ("api", "web", "api"):
            build(engine, repo, name)
