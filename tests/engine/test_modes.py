"""Behind the warnings: mixed modes on one id, and a variable that is not in scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .engine import Build, Engine
from .events import read_events
from .standin import meet, migrate, stand_in

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Proved

pytestmark = pytest.mark.engine


def test_mixed_modes_fork_a_cache(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    """Behind MC203: a shared user does not wait for a locked one, and does not see its cache."""
    repo = stand_in("mixed", tmp_path)
    fork(any_engine, repo)
    events = read_events(any_engine, tmp_path)

    assert events.most_at_once("npm") == 2
    # The locked one finds what the first build left.
    assert "admin" in events.names("warm", "npm")
    forked = events.names("cold", "npm") == ["admin", "site"]
    assert forked is any_engine.forks_mixed_modes
    if any_engine.lists_caches:
        records = [cache for cache in any_engine.caches() if cache.target == "/root/.npm"]
        assert len(records) == (2 if forked else 1)
    proved(
        "a shared user of an id comes while a locked one holds it (MC203)",
        "does not wait; gets a new, empty directory" if forked else "does not wait; same directory",
    )


def test_after_a_fork_locks_do_not_exclude(
    any_engine: Engine, tmp_path: Path, proved: Proved
) -> None:
    """Two locked users of one id get a directory each, and hold their locks at the same time."""
    repo = stand_in("mixed", tmp_path)
    fork(any_engine, repo)
    # Three have come before.
    meet(repo, expect=5, patience=60 if any_engine.forks_mixed_modes else 1.5)
    names = ("one", "two")
    for built in any_engine.build_all(
        [Build(repo, "Dockerfile.admin", args={"SERVICE": name}) for name in names]
    ):
        assert built.ok, built.log
    events = read_events(any_engine, tmp_path)
    at_once = events.most_at_once("npm", names)
    assert at_once == (2 if any_engine.forks_mixed_modes else 1)
    proved(
        "two locked users of an id that a shared one used while it was locked",
        "hold it at the same time" if at_once == 2 else "wait for each other",
    )


def fork(engine: Engine, repo: Path) -> None:
    """Let a shared user of a cache come while a locked one holds it."""
    site, admin = (Build(repo, f"Dockerfile.{name}") for name in ("site", "admin"))
    before = (repo / site.file).read_bytes()
    first = engine.build(admin)
    assert first.ok, first.log
    # One of the two users is not to be touched, so the tool changes neither.
    assert "MC203" in migrate(repo)
    assert (repo / site.file).read_bytes() == before

    (repo / site.file).write_bytes(before.replace(b"sharing=locked", b"sharing=shared"))
    # The locked one is there first, and waits for the third step of this kind.
    meet(repo, expect=3, patience=60)
    with engine.threads(1) as pool:
        locked = pool.submit(engine.build, admin)
        while read_events(engine, repo).names("begin", "npm") != ["admin"] * 2:
            assert not locked.done(), locked.result().log
        shared = engine.build(site)
        assert shared.ok, shared.log
        assert locked.result().ok


def test_a_lock_ends_with_its_run(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    """Else a lock that stays holds up the whole of the other build, not only this step."""
    repo = stand_in("locks", tmp_path, expect=2, patience=3)
    for built in any_engine.build_all(
        [Build(repo, args={"SERVICE": name}) for name in ("api", "web")]
    ):
        assert built.ok, built.log
    events = read_events(any_engine, tmp_path)

    assert events.most_at_once("apt-install") == 1
    assert events.most_at_once("build") == (2 if any_engine.frees_locks else 1)
    proved(
        "a RUN with two locked caches, and a RUN without after it",
        "the locks are freed between them"
        if any_engine.frees_locks
        else "this engine keeps one of them until the whole build ends",
    )


def test_an_undeclared_variable_merges_caches(
    any_engine: Engine, tmp_path: Path, proved: Proved
) -> None:
    """Behind MC205: the variable expands to nothing, so all services have one cache."""
    repo = stand_in("undeclared", tmp_path)
    before = (repo / "Dockerfile").read_bytes()
    assert "MC205" in migrate(repo)
    assert (repo / "Dockerfile").read_bytes() == before

    for name in ("api", "web"):
        args = {"SERVICE": name, "NAME": name}
        built = any_engine.build(Build(repo, args=args, output=repo / f"out-{name}"))
        assert built.ok, built.log
    found = sorted(path.name for path in (repo / "out-web").iterdir())
    merged = found == ["shop-api", "shop-web"]
    assert merged or found == ["shop-web"]
    assert merged is any_engine.hides_global_arguments
    proved(
        "`id=target-${SERVICE}` where only an ARG before the first FROM declares it (MC205)",
        "builds without an error, and all services have one cache"
        if merged
        else "the variable is in scope on this engine",
    )
