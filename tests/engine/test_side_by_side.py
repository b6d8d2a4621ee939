"""Services built side by side: they queue before, and meet after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .engine import DOCKERS, ENGINES, Build, Engine
from .events import Events, peek, read_events
from .standin import meet, migrate, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .conftest import Proved

pytestmark = pytest.mark.engine

#: Seconds. Long enough for anyone who may come in; a build that comes alone stays so long.
ALONE = 1.5
#: Where all are to meet, nobody has to wait out the time.
MEET = 60

SHOP = ("api", "mail", "web", "worker")
FLEET = ("api", "web", "worker")
FETCH = ("api", "mail", "web", "worker")


def build_shop(engine: Engine, repo: Path) -> Events:
    """Build the services of one file, told apart by a build argument."""
    return build_side_by_side(
        engine,
        repo,
        [Build(repo, args={"SERVICE": name}, output=repo / f"out-{name}") for name in SHOP],
    )


def build_files(engine: Engine, repo: Path, names: Iterable[str]) -> Events:
    """Build services that have a file each."""
    return build_side_by_side(
        engine,
        repo,
        [Build(repo, f"Dockerfile.{name}", output=repo / f"out-{name}") for name in names],
    )


def build_side_by_side(engine: Engine, repo: Path, builds: list[Build]) -> Events:
    for built in engine.build_all(builds):
        assert built.ok, built.log
    return read_events(engine, repo)


def at_once(events: Events, *steps: str) -> list[int]:
    return [events.most_at_once(step) for step in steps]


@pytest.mark.parametrize("options", [(), ("--fresh-ids",), ("--no-cargo-lock",)], ids=" ".join)
def test_one_file_for_all_services(
    engine: Engine, tmp_path: Path, proved: Proved, options: tuple[str, ...]
) -> None:
    repo = stand_in("shop", tmp_path, expect=len(SHOP), patience=ALONE)
    if not options:
        assert at_once(build_shop(engine, repo), "check", "build") == [1, 1]
        engine.reset()

    migrate(repo, *options)
    meet(repo, expect=len(SHOP), patience=MEET)
    after = build_shop(engine, repo)

    assert at_once(after, "check", "build") == [len(SHOP), len(SHOP)]
    for name in SHOP:
        assert (repo / f"out-{name}" / "shop").read_text().endswith(f"echo shop-{name}\n")
    if not options:
        proved(
            "the services of one file (`${SERVICE}`): compile steps queue before, all meet after",
            f"at once: 1 of {len(SHOP)} before, {len(SHOP)} of {len(SHOP)} after",
        )


@pytest.mark.parametrize(
    ("any_engine", "options"),
    [
        *((name, ()) for name in ENGINES),
        *((name, ("--keep-lock",)) for name in DOCKERS),
    ],
    indirect=["any_engine"],
)
def test_a_file_for_each_service(
    any_engine: Engine, tmp_path: Path, proved: Proved, options: tuple[str, ...]
) -> None:
    repo = stand_in("fleet", tmp_path, expect=len(FLEET), patience=ALONE)
    if not options:
        assert at_once(build_files(any_engine, repo, FLEET), "build") == [1]
        any_engine.reset()

    migrate(repo, *options)
    meet(repo, expect=len(FLEET), patience=MEET)
    after = build_files(any_engine, repo, FLEET)

    assert at_once(after, "build") == [len(FLEET)]
    said = f"at once: 1 of {len(FLEET)} before, {len(FLEET)} of {len(FLEET)} after"
    if options:
        said = f"at once: {len(FLEET)} of {len(FLEET)}"
    proved(
        "services with a file each: compile steps queue before, all meet after"
        if not options
        else "`--keep-lock`: a lock beside an id of its own holds no other service up",
        said,
    )


def test_the_caches_are_those_that_were_planned(
    any_engine: Engine, tmp_path: Path, proved: Proved
) -> None:
    repo = stand_in("fleet", tmp_path)
    migrate(repo)
    build_files(any_engine, repo, FLEET)

    seen = "each id holds its own service's output"
    if any_engine.lists_caches:
        caches = any_engine.caches()
        planned = [("/build/target", f"target-builder-{name}") for name in FLEET]
        planned += [
            ("/events", "events"),
            ("/usr/local/cargo/registry", "/usr/local/cargo/registry"),
        ]
        assert [cache.target for cache in caches] == [target for target, _ in planned]
        told = [(cache.target, cache.id) for cache in caches if cache.id is not None]
        assert told in ([], planned)
        seen = f"{len(caches)} caches{' with these ids' if told else ''}; {seen}"
    outputs = peek(any_engine, [f"target-builder-{name}" for name in FLEET], tmp_path)
    for name, output in zip(FLEET, outputs, strict=True):
        assert [path.name for path in (output / "release").iterdir()] == [f"fleet-{name}"]
    proved("the engine's caches are the planned ones, `target-builder-api` and so on", seen)


def test_a_variable_in_an_id_needs_a_new_frontend(
    any_engine: Engine, tmp_path: Path, proved: Proved
) -> None:
    """Behind MC206: an old frontend takes the text for the id."""
    repo = stand_in("shop", tmp_path)
    said = migrate(repo)
    assert "MC206" in said
    build_shop(any_engine, repo)

    ids = [f"target-builder-{name}" for name in SHOP]
    if not any_engine.expands_ids:
        ids = ["target-builder-${SERVICE}"]
    if any_engine.lists_caches:
        # Two stages have such a cache.
        targets = [cache for cache in any_engine.caches() if cache.target == "/build/target"]
        assert len(targets) == 2 * len(ids)
    found = [
        sorted(path.name for path in (output / "release").iterdir())
        for output in peek(any_engine, ids, tmp_path)
    ]
    binaries = [f"shop-{name}" for name in SHOP]
    assert found == ([[name] for name in binaries] if any_engine.expands_ids else [binaries])
    proved(
        "`${SERVICE}` in an id: one cache each on a new frontend, one literal id on an old one",
        f"{len(ids)} cache{'s' if len(ids) > 1 else ''} for {len(SHOP)} services",
    )


def test_what_needs_exclusive_access_still_has_it(
    engine: Engine, tmp_path: Path, proved: Proved
) -> None:
    names = ("api", "web")
    repo = stand_in("apt", tmp_path, expect=len(names), patience=ALONE)
    before = build_files(engine, repo, names)
    assert at_once(before, "apt-install", "build") == [1, 1]

    said = migrate(repo)
    assert "MC201" in said
    engine.reset()
    after = build_files(engine, repo, names)
    assert at_once(after, "apt-install", "build") == [1, 2]
    proved(
        "apt keeps its lock: its steps never overlap, while the compile steps do",
        "apt 1 at once, compile 2 at once",
    )


def test_cargo_lock_is_one_for_all_builds(engine: Engine, tmp_path: Path, proved: Proved) -> None:
    """MC104: without the link, everyone holds a lock of his own on one package cache."""
    plain = stand_in("fetch", tmp_path, expect=len(FETCH), patience=MEET)
    plain.rename(tmp_path / "naive")
    repo = stand_in("fetch", tmp_path, expect=len(FETCH), patience=ALONE)

    for path in (tmp_path / "naive").glob("Dockerfile*"):
        path.write_text(path.read_text().replace("sharing=locked", "sharing=shared"))
    danger = build_files(engine, tmp_path / "naive", FETCH)
    assert danger.most_at_once("lock") == len(FETCH)

    migrate(repo)
    engine.reset()
    after = build_files(engine, repo, FETCH)
    assert sorted(after.names("begin", "lock")) == sorted(FETCH)
    assert at_once(after, "lock", "fetch") == [1, len(FETCH)]
    proved(
        "the package-cache lock: the naive form has one in each container, the link makes it one",
        f"holders at once: naive {len(FETCH)}, linked 1 (with {len(FETCH)} builds in the step)",
    )
