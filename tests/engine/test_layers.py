"""What a rewrite costs: is the RUN served from the layer cache, or does it run again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .engine import BUILDAHS, DOCKERS, Build, Engine
from .events import read_events
from .standin import migrate, stand_in

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Proved

pytestmark = pytest.mark.engine

SERVED, AGAIN = "served from the cache", "run once more"

#: Repository, its step, before, after, and what an engine does that leaves id and mode out of the
#: key. All others run it again.
ROWS = [
    ("row-named-to-shared", "npm", "id=npm,sharing=locked", "id=npm,sharing=shared", SERVED),
    ("row-locked-to-id", "build", "sharing=locked", "id=target-...", SERVED),
    ("row-locked-to-shared", "npm", "sharing=locked", "sharing=shared", AGAIN),
    ("row-plain-to-id", "build", "nothing", "id=target-...", AGAIN),
]


@pytest.mark.parametrize(
    ("any_engine", "case", "step", "old", "new", "expected"),
    # To buildah, a RUN's text is its key: one row stands for all.
    [(name, *row) for name in DOCKERS for row in ROWS] + [(name, *ROWS[0]) for name in BUILDAHS],
    indirect=["any_engine"],
)
def test_a_rewritten_run(
    any_engine: Engine,
    tmp_path: Path,
    proved: Proved,
    case: str,
    step: str,
    old: str,
    new: str,
    expected: str,
) -> None:
    repo = stand_in(case, tmp_path)
    file = min(path.name for path in repo.glob("Dockerfile*"))
    before = (repo / file).read_text()

    def runs() -> int:
        built = any_engine.build(Build(repo, file))
        assert built.ok, built.log
        return len(read_events(any_engine, tmp_path).names("begin", step))

    assert [runs(), runs()] == [1, 1]
    migrate(repo)
    assert (repo / file).read_text() != before
    seen = {1: SERVED, 2: AGAIN}[runs()]

    assert seen == (expected if any_engine.key_leaves_out_mounts else AGAIN)
    proved(f"a RUN after its mount changed from `{old}` to `{new}`", seen)
