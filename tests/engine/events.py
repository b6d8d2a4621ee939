"""What builds told about themselves, in the order in which they did."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

from .engine import Build, Engine
from .standin import add_busybox

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

__all__ = ["Events", "peek", "read_events"]

_PEEK = """\
FROM scratch AS look
COPY stand-in/ /
ARG TURN
RUN {mounts} mkdir /seen && cp -R /caches/. /seen/ && : $TURN
FROM scratch
COPY --from=look /seen/ /
"""
_turns = itertools.count()


class Events:
    """The steps of builds: (what, step, name) in order."""

    def __init__(self, text: str) -> None:
        self.lines = [line.split(" ", 2) for line in text.splitlines()]

    def names(self, what: str, step: str) -> list[str]:
        """Return who said that."""
        return [name for said, at, name in self.lines if (said, at) == (what, step)]

    def most_at_once(self, step: str, among: Collection[str] | None = None) -> int:
        """Return the highest number of builds that were at this step at the same time.

        `among` are the names of the builds that count.
        """
        present: set[str] = set()
        most = 0
        for said, at, name in self.lines:
            if among is not None and name not in among:
                continue
            if at == step and said == "begin":
                present.add(name)
                most = max(most, len(present))
            elif at == step and said == "end":
                present.discard(name)
        return most


def peek(engine: Engine, cache_ids: Sequence[str], place: Path) -> list[Path]:
    """Copy the contents of caches out of the engine, without changing them."""
    turn = place / f"peek-{next(_turns)}"
    add_busybox(turn / "stand-in")
    mounts = " ".join(
        f"--mount=type=cache,id={cache_id},target=/caches/{number}"
        for number, cache_id in enumerate(cache_ids)
    )
    (turn / "Dockerfile").write_text(_PEEK.format(mounts=mounts))
    built = engine.build(Build(turn, args={"TURN": turn.name}, output=turn / "seen"))
    assert built.ok, built.log
    shutil.rmtree(turn / "stand-in")
    return [turn / "seen" / str(number) for number in range(len(cache_ids))]


def read_events(engine: Engine, place: Path) -> Events:
    """Return what was told since the engine was reset."""
    (seen,) = peek(engine, ["events"], place)
    log = seen / "log"
    return Events(log.read_text() if log.exists() else "")
