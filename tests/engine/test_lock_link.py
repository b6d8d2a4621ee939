"""MC104's link: with it, all builds lock one file; without it, each locks a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from migrate_cache.testing import migrated

from .engine import BUILDAHS, DOCKERS, Build, Engine
from .events import read_events
from .standin import meet, stand_in_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .conftest import Proved

pytestmark = pytest.mark.engine

SERVICES = ("api", "web")
ALONE, MEET = 1.0, 60


class Variant(NamedTuple):
    """A mount of the registry, and who uses it."""

    options: str
    user: str


#: root comes last: without the link, the file that it makes is none of the user's.
VARIANTS = {
    "user-uid": Variant(",uid=1000", "1000"),
    "user-mode": Variant(",uid=1000,mode=0700", "1000"),
    "root-uid": Variant(",uid=1000", "root"),
    "root": Variant("", "root"),
}


def link() -> str:
    """Return the instruction that the tool inserts."""
    before = (
        "FROM rust:1.90\n"
        "RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked cargo fetch\n"
    )
    after = migrated(before)["Dockerfile"]
    (line,) = [line for line in after.splitlines() if " ln -sf " in line]
    return f"{line}\n"


def dockerfile(variants: Mapping[str, Variant], *before: str) -> str:
    """Return a file in which each variant takes the lock, after all builds have come to it."""
    events = "--mount=type=cache,id=events,target=/events"
    text = (
        "FROM scratch\nCOPY stand-in/ /\n"
        "ENV PATH=/usr/local/cargo/bin:/bin CARGO_HOME=/usr/local/cargo\n"
        f"{''.join(before)}ARG SERVICE\n"
    )
    for name, variant in variants.items():
        registry = f"id={name},target=/usr/local/cargo/registry{variant.options}"
        text += (
            f"USER root\nRUN {events} chmod 777 /events && ready {name} $SERVICE && "
            f"chmod 666 /events/log\nUSER {variant.user}\n"
            f"RUN {events} --mount=type=cache,{registry} hold {name} $SERVICE\n"
        )
    return text


def holders(engine: Engine, place: Path, text: str, patience: float) -> dict[str, int]:
    """Return how many builds held the lock at the same time, for each variant."""
    place.mkdir()
    stand_in_root(place / "stand-in")
    meet(place, expect=len(SERVICES), patience=patience)
    (place / "Dockerfile").write_text(text)
    engine.reset()
    for built in engine.build_all([Build(place, args={"SERVICE": name}) for name in SERVICES]):
        assert built.ok, built.log
    events = read_events(engine, place)
    names = [name for name in VARIANTS if events.names("begin", name)]
    for name in names:
        assert sorted(events.names("begin", name)) == sorted(SERVICES)
    return {name: events.most_at_once(name) for name in names}


@pytest.mark.parametrize(
    ("any_engine", "variants", "links"),
    [(name, tuple(VARIANTS), (0, 1, 2)) for name in DOCKERS]
    + [(name, ("user-uid", "root"), (0, 1)) for name in BUILDAHS],
    indirect=["any_engine"],
)
def test_the_link_makes_one_lock(
    any_engine: Engine,
    tmp_path: Path,
    proved: Proved,
    variants: tuple[str, ...],
    links: tuple[int, ...],
) -> None:
    chosen = {name: VARIANTS[name] for name in variants}
    for count in links:
        text = dockerfile(chosen, *[link()] * count)
        found = holders(any_engine, tmp_path / str(count), text, ALONE if count else MEET)
        assert found == dict.fromkeys(chosen, 1 if count else len(SERVICES))
    proved(
        "Cargo's package lock, as root and as user 1000: builds that hold it at once without the "
        "link, and with it",
        f"{len(SERVICES)}, 1",
    )
