"""Whole small repositories, before and after: what the tool makes of them, byte for byte.

A case is a folder of ``fixtures``: ``before`` and ``after``; without ``after`` nothing may
change. A case with ``after`` has a ``twin``, too: ``before`` with one fact changed, the one that
decides, so that nothing may change. Settings stand in the case's own ``migrate-cache.toml``. The
ending of the folder's name adds options: ``--no-cargo-lock`` and the like.
"""

from __future__ import annotations

from difflib import ndiff
from pathlib import Path

import pytest
from typer.testing import CliRunner

from migrate_cache.cli.app import app

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = sorted(path.name for path in FIXTURES.iterdir() if (path / "before").is_dir())
REWRITING = sorted(path.parent.name for path in FIXTURES.glob("*/after"))
# A twin that differs in more lines, counted on both sides, differs in more than one fact.
MOST_LINES = 8


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def run_here(*arguments: str) -> int:
    """Run the command in this process; test_cli.py runs it as one of its own."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code in (0, 1), result.output
    return result.exit_code


def options_of(case: str) -> list[str]:
    return ["--quiet", *("--" + option for option in case.split("--")[1:])]


def migrate_here(case: str, files: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    """Migrate a case's files in `folder`, the current one; return what is there then."""
    (folder / ".git").mkdir()
    write(folder, files)
    assert run_here(*options_of(case)) == 0
    return files_of(folder)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty; its name is the last evidence for a service."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, shop: Path) -> None:
    before = files_of(FIXTURES / case / "before")
    wanted = files_of(FIXTURES / case / "after") or before
    assert migrate_here(case, before, shop) == wanted
    # What was written is final: a second run finds nothing to do.
    assert run_here("--check", *options_of(case)) == 0


@pytest.mark.parametrize("case", REWRITING)
def test_the_twin_stays(case: str, shop: Path) -> None:
    twin = files_of(FIXTURES / case / "twin")
    assert migrate_here(case, twin, shop) == twin


@pytest.mark.parametrize("case", REWRITING)
def test_the_twin_is_a_near_miss(case: str) -> None:
    """It has every cache mount of the case, and differs in a few lines only."""
    before, after, twin = (files_of(FIXTURES / case / part) for part in ("before", "after", "twin"))
    assert before != after
    changed = [
        line
        for name in before.keys() | twin.keys()
        for line in ndiff(lines_of(before, name), lines_of(twin, name))
        if line[0] in "+-"
    ]
    assert 1 <= len(changed) <= MOST_LINES, changed
    assert cache_mounts(twin) >= cache_mounts(before)


def lines_of(files: dict[str, bytes], name: str) -> list[str]:
    return files.get(name, b"").decode("utf-8", "surrogateescape").split("\n")


def cache_mounts(files: dict[str, bytes]) -> int:
    return sum(data.lower().count(b"type=cache") for data in files.values())


def test_only_a_case_that_changes_has_a_twin() -> None:
    assert sorted(path.parent.name for path in FIXTURES.glob("*/twin")) == REWRITING
