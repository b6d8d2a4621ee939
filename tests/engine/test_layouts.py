"""A new id must not part the RUN that fills a directory from the RUN that needs it.

Each layout is built, rewritten by the tool, changed between its two RUNs and built again, so that
BuildKit serves the first RUN from its layer cache and runs the second one alone.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from migrate_cache.testing import migrated

from .layouts import FILLER, Layout, all_layouts, copying_layouts
from .standin import meet, stand_in_root

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Proved
    from .docker import Docker

pytestmark = pytest.mark.engine

#: So many builds go into one bake: an engine refuses sessions when hundreds begin at once.
BATCH = 12
OPTIONS = {"fresh_ids": True, "keep_lock": True, "cargo_lock": False}

DEFAULT = "the mount is no default of BuildKit's, so the RUN that fills is served from the cache"
LINK = "the lock link stands below the RUN that prepares, which is served from the cache"
#: Rewrites of today that break a build, and why.
FAILING = {
    "same-stage-relative-open": DEFAULT,
    "same-stage-slash-open": DEFAULT,
    "same-stage-unclean-open": DEFAULT,
    "other-stage-relative-open": DEFAULT,
    "other-stage-slash-open": DEFAULT,
    "other-stage-unclean-open": DEFAULT,
    "child-stage-relative-open": DEFAULT,
    "child-stage-slash-open": DEFAULT,
    "child-stage-unclean-open": DEFAULT,
    "prepared-relative-open": DEFAULT,
    "prepared-slash-open": DEFAULT,
    "prepared-unclean-open": DEFAULT,
    "prepared-relative-open-registry": DEFAULT,
    "prepared-slash-open-registry": DEFAULT,
    "prepared-unclean-open-registry": DEFAULT,
    "prepared-absolute-locked-registry": LINK,
    "prepared-relative-locked-registry": LINK,
    "prepared-slash-locked-registry": LINK,
    "prepared-unclean-locked-registry": LINK,
    "prepared-id-locked-registry": LINK,
    "prepared-variable-locked-registry": LINK,
    "prepared-in-parent-relative-open": DEFAULT,
    "prepared-in-parent-slash-open": DEFAULT,
    "prepared-in-parent-unclean-open": DEFAULT,
    "prepared-in-parent-relative-open-registry": DEFAULT,
    "prepared-in-parent-slash-open-registry": DEFAULT,
    "prepared-in-parent-unclean-open-registry": DEFAULT,
    "prepared-in-parent-absolute-locked-registry": LINK,
    "prepared-in-parent-relative-locked-registry": LINK,
    "prepared-in-parent-slash-locked-registry": LINK,
    "prepared-in-parent-unclean-locked-registry": LINK,
    "prepared-in-parent-id-locked-registry": LINK,
    "prepared-in-parent-variable-locked-registry": LINK,
}


@dataclass(frozen=True)
class Case:
    """A layout, and the settings that the tool is run with."""

    layout: Layout
    settings: Mapping[str, bool] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([str(self.layout), *self.settings])

    def after(self) -> Mapping[str, str]:
        """Return the files as the tool writes them."""
        return migrated(
            self.layout.files,
            build_files=self.layout.build_files,
            root_name="shop",
            **self.settings,
        )


def marked(layout: Layout) -> object:
    reason = FAILING.get(str(layout))
    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
    return pytest.param(Case(layout), id=str(layout), marks=marks)


def settings() -> list[dict[str, bool]]:
    """Return every combination of options but that of none."""
    return [
        dict(chosen)
        for count in range(1, len(OPTIONS) + 1)
        for chosen in itertools.combinations(OPTIONS.items(), count)
    ]


class Projects:
    """Projects side by side in one folder, each with a namespace of its own for its caches."""

    def __init__(self, engine: Docker, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        root = stand_in_root(folder / "base" / "stand-in")
        (root / "events").mkdir()
        (root / "events" / "log").touch()
        meet(folder / "base", expect=1)
        (folder / "base" / "Dockerfile").write_text(
            "FROM scratch\nCOPY stand-in/ /\n"
            "ENV PATH=/usr/local/cargo/bin:/bin CARGO_HOME=/usr/local/cargo\n"
        )
        engine.provide("rust:1.90-slim", folder / "base")

    def write(self, case: Case, files: Mapping[str, str], change: str) -> None:
        """Write a project; `change` is the text of the file between its two RUNs."""
        project = self.folder / str(case)
        project.mkdir(exist_ok=True)
        for path, text in files.items():
            (project / path).write_text(text)
        # No two projects have a layer in common.
        (project / "project").write_text(str(case))
        (project / "change").write_text(change)

    def build(self, cases: Iterable[Case], phase: str, failing: Collection[str] = ()) -> set[str]:
        """Build projects; return the names of those that build. Some are expected to fail."""
        cases = list(cases)
        for batch in _batches([case for case in cases if FILLER in case.layout.files]):
            self._bake(batch, f"{phase}-fill", FILLER)
        good = [case for case in cases if str(case) not in failing]
        # A bake ends with the first target that fails, so what may fail is built alone.
        alone = [case for case in cases if str(case) in failing]
        for batch in _batches(good):
            if not self._bake(batch, phase):
                alone += batch
        with self.engine.threads(3) as pool:
            list(pool.map(lambda case: self._bake([case], phase), alone))
        return {str(case) for case in cases if self._result(case, phase)}

    def _bake(self, cases: list[Case], phase: str, file: str | None = None) -> bool:
        targets = {}
        for case in cases:
            folder = self.folder / str(case)
            targets[str(case)] = {
                "context": str(folder),
                "dockerfile": file or max(case.layout.files),
                "args": {"SERVICE": "api", "BUILDKIT_CACHE_MOUNT_NS": str(case)},
                "network": "none",
                "output": [f"type=local,dest={folder / phase}"],
            }
        bake = self.folder / f"{cases[0]}-{phase}.json"
        bake.write_text(json.dumps({"target": targets}))
        return self.engine.command(
            *("buildx", "bake", f"--file={bake}", *targets), folder=self.folder
        ).ok

    def _result(self, case: Case, phase: str) -> bool:
        shop = self.folder / str(case) / phase / "shop"
        return shop.exists() and shop.read_text().endswith("echo shop-api\n")


def _batches(cases: list[Case]) -> Iterable[list[Case]]:
    return (cases[start : start + BATCH] for start in range(0, len(cases), BATCH))


@dataclass(frozen=True)
class Outcome:
    """The names of the layouts that build before and after the rewrite."""

    before: set[str]
    after: set[str]


def build_before_and_after(projects: Projects, cases: list[Case]) -> Outcome:
    for case in cases:
        projects.write(case, case.layout.files, change="1")
    before = projects.build(cases, "before")
    for case in cases:
        projects.write(case, case.after(), change="2")
    return Outcome(before, projects.build(cases, "after", FAILING))


@pytest.fixture(scope="module")
def projects(modern_docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Projects]:
    """Projects on an engine of their own: its folder goes faster than its thousand layers."""
    with closing(modern_docker.another()) as engine:
        yield Projects(engine, tmp_path_factory.mktemp("layouts"))


@pytest.fixture(scope="module")
def outcome(projects: Projects, request: pytest.FixtureRequest) -> Outcome:
    """The outcomes of the layouts whose tests were selected."""
    found = [getattr(item, "callspec", None) for item in request.session.items]
    cases = [spec.params["case"] for spec in found if spec and "case" in spec.params]
    return build_before_and_after(projects, [case for case in cases if isinstance(case, Case)])


@pytest.mark.parametrize("case", [marked(layout) for layout in all_layouts()])
def test_a_later_run_finds_what_an_earlier_one_left(outcome: Outcome, case: Case) -> None:
    assert str(case) in outcome.before
    assert str(case) in outcome.after


def test_with_every_option(projects: Projects) -> None:
    """Options make other rewrites of the layouts; what they write alike is built once."""
    cases = []
    for layout in copying_layouts():
        written = [Case(layout).after(), layout.files]
        for chosen in settings():
            case = Case(layout, chosen)
            if case.after() not in written:
                written.append(case.after())
                cases.append(case)
    assert len(cases) > len(OPTIONS)
    outcome = build_before_and_after(projects, cases)
    assert outcome.before == outcome.after == {str(case) for case in cases}


def test_the_table(outcome: Outcome, modern_docker: Docker, proved: Proved) -> None:
    assert outcome.before
    assert modern_docker.key_leaves_out_mounts
    proved(
        "a RUN fills a directory, a later one needs it, and only the later one runs again: layouts "
        "that build after the rewrite",
        f"{len(outcome.after)} of {len(outcome.before)}",
    )
