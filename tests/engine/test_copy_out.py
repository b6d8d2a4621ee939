"""A RUN that only copies out of a cache: the rename is dangerous, the tool's output builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Proved
from .engine import Build, Engine
from .events import read_events
from .standin import migrate, naive, stand_in

pytestmark = pytest.mark.engine

CASES = ("copyout", "copyout-cargo", "copyout-stage")
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
    return Build(repo, args={"SERVICE": name}, output=repo / f"out-{name}")


def build(engine: Engine, repo: Path, name: str) -> None:
    built = engine.build(service(repo, name))
    assert built.ok, built.log
    assert (repo / f"out-{name}" / "shop").read_text() == f"shop-{name}\n"


@pytest.mark.parametrize("case", ["copyout", "copyout-stage"])
def test_the_naive_rename(any_engine: Engine, tmp_path: Path, proved: Proved, case: str) -> None:
    """The compile step is served from the layer cache, and the new cache is empty."""
    repo = stand_in(case, tmp_path)
    build(any_engine, repo, "api")
    naive(repo, "target=/build/target,sharing=locked", "target=/build/target,id=target-api")
    built = any_engine.build(service(repo, "api"))
    compiled = len(read_events(any_engine, tmp_path).names("begin", "build"))

    assert built.ok is not any_engine.key_leaves_out_mounts, built.log
    assert compiled == (1 if any_engine.key_leaves_out_mounts else 2)
    where = "stage" if case == "copyout-stage" else "RUN"
    proved(
        f"the naive rename of a cache that a later {where} only copies out of",
        "builds, since the compile step runs again" if built.ok else "fails: the cache is empty",
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_what_the_tool_writes(
    engine: Engine, tmp_path: Path, proved: Proved, case: str, options: tuple[str, ...]
) -> None:
    repo = stand_in(case, tmp_path)
    build(engine, repo, "api")
    migrate(repo, *options)
    build(engine, repo, "api")
    build(engine, repo, "web")
    build(engine, repo, "api")
    if case == CASES[-1] and options == OPTIONS[-1]:
        proved(
            "a copy out of a cache after the rewrite, also for the next service",
            f"builds: {len(CASES)} repositories, {len(OPTIONS)} combinations of options",
        )


@pytest.mark.parametrize("case", CASES)
def test_what_the_tool_writes_on_buildah(buildah: Engine, tmp_path: Path, case: str) -> None:
    buildah.reset()
    test_what_the_tool_writes(buildah, tmp_path, lambda _claim, _seen: None, case, ())
