"""Which mounts use one cache, and which values the variables in a mount have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .engine import Build, Engine
from .standin import stand_in

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Proved

pytestmark = pytest.mark.engine

#: Variables by how the stage declares them, and their values: by default, and where every build
#: argument is given.
OWN_STAGE = {
    "ARG_LAST": ("arg", "given"),
    "ENV_LAST": ("env", "env"),
    "NO_VALUE": ("env", "given"),
    "ARG_ALONE": ("arg", "given"),
    "ENV_ALONE": ("env", "env"),
    "GLOBAL": ("unset", "unset"),
}
ENV_WINS = {"ARG_LAST": ("env", "env"), "NO_VALUE": ("env", "env")}
LOST_ARGUMENT = {"ARG_ALONE": ("unset", "unset")}


def test_which_mounts_use_one_cache(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    repo = stand_in("identity", tmp_path)
    output = repo / "out"
    built = any_engine.build(Build(repo, target="seen", output=output))
    assert built.ok, built.log
    different = {path.name for path in output.iterdir() if not (path / "found").exists()}
    assert {path.name for path in output.iterdir()} >= {"target", "uid", "gid", "mode", "id"}
    assert different == {"id", *any_engine.separating}
    mode = (output / "mode" / "mode").read_text().strip()
    assert mode == ("755" if any_engine.masks_modes else "777")
    proved("the directory of a cache with `mode=0777`", f"has mode {mode}")
    proved(
        "what makes a mount use another cache than one with its id or target",
        ", ".join(sorted(any_engine.separating)) or "nothing",
    )


def test_a_relative_target(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    repo = stand_in("identity", tmp_path)
    built = any_engine.build(Build(repo, target="seen-relative", output=repo / "out"))
    assert built.ok is (any_engine.relative_target != "refused"), built.log
    seen = "refused"
    if built.ok:
        found = (repo / "out" / "workdir" / "found").exists()
        seen = "one cache" if found else "two caches"
    assert seen == any_engine.relative_target
    proved("one relative target below two WORKDIRs", seen)


def test_a_namespace_separates(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    """BUILDKIT_CACHE_MOUNT_NS is a build argument that no ARG has to declare."""
    repo = stand_in("namespace", tmp_path)
    found = []
    for turn, namespace in [("first", "a"), ("second", "b"), ("third", "a"), ("fourth", None)]:
        args = {"TURN": turn} | ({"BUILDKIT_CACHE_MOUNT_NS": namespace} if namespace else {})
        built = any_engine.build(Build(repo, args=args, output=repo / turn))
        assert built.ok, built.log
        found.append(set((repo / turn / "seen").read_text().split()))
    if any_engine.knows_namespaces:
        assert found == [set(), set(), {"first"}, set()]
    else:
        assert found == [set(), {"first"}, {"first", "second"}, {"first", "second", "third"}]
    proved(
        "builds with different BUILDKIT_CACHE_MOUNT_NS",
        "have different caches" if any_engine.knows_namespaces else "have one cache",
    )


def test_which_declaration_wins(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    """In the values that a RUN sees, and in the target of its mount."""
    repo = stand_in("variables", tmp_path)
    seen: dict[str, list[dict[str, str]]] = {"own": [], "inherited": []}
    for args in ({}, dict.fromkeys(OWN_STAGE, "given")):
        built = any_engine.build(Build(repo, args=args, output=repo / "out"))
        assert built.ok, built.log
        for stage, values in seen.items():
            files = (repo / "out" / stage).iterdir()
            values.append({path.name: path.read_text().strip() for path in files})

    own = OWN_STAGE if any_engine.arguments_may_win else OWN_STAGE | ENV_WINS
    inherited = own | ENV_WINS | ({} if any_engine.inherits_arguments else LOST_ARGUMENT)
    for stage, expected in (("own", own), ("inherited", inherited)):
        for turn, values in enumerate(seen[stage]):
            target = values.pop("target")
            assert values == {name: pair[turn] for name, pair in expected.items()}
            assert target == (values["ARG_LAST"] if any_engine.expands_ids else "${ARG_LAST}")
    proved(
        "ENV, and below it ARG of the same name: the value in this stage, and in a stage FROM it",
        "ARG's; ENV's" if any_engine.arguments_may_win else "ENV's; ENV's",
    )
