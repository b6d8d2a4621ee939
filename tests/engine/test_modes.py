"""Behind the warnings: mixed modes on one id, and a variable that is not in scope."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Proved
from .engine import Build, Engine
from .events import read_events
from .standin import meet, migrate, stand_in

pytestmark = pytest.mark.engine


def test_mixed_modes_fork_a_cache(any_engine: Engine, tmp_path: Path, proved: Proved) -> None:
    """Behind MC203: a shared user does not wait for a locked one, and does not see its cache."""
    repo = stand_in("mixed", tmp_path)
    site, admin = (Build(repo, f"Dockerfile.{name}") for name in ("site", "admin"))
    before = (repo / site.file).read_bytes()
    assert any_engine.build(admin).ok
    # One of the two users is not to be touched, so the tool changes neither.
    assert "MC203" in migrate(repo)
    assert (repo / site.file).read_bytes() == before

    (repo / site.file).write_bytes(before.replace(b"sharing=locked", b"sharing=shared"))
    meet(repo, expect=2, patience=60)
    for built in any_engine.build_all([site, admin]):
        assert built.ok, built.log
    events = read_events(any_engine, tmp_path)
    # The first build found it empty; of the other two, one more does where the cache is forked.
    cold = len(events.names("cold", "npm"))

    assert events.most_at_once("npm") == 2
    assert cold == (2 if any_engine.forks_mixed_modes else 1)
    if any_engine.lists_caches:
        records = [cache for cache in any_engine.caches() if cache.target == "/root/.npm"]
        assert len(records) == (2 if any_engine.forks_mixed_modes else 1)
    proved(
        "a shared and a locked user of one id at the same time (MC203)",
        "the second one gets a new, empty directory" if cold == 2 else "one directory, no waiting",
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
    assert found == ["shop-api", "shop-web"]
    proved(
        "`id=target-${SERVICE}` where SERVICE is not in scope (MC205)",
        "builds without an error, and both services have one cache",
    )
