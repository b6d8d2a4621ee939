"""Whole small repositories, before and after: what the tool makes of them, byte for byte.

A case is a folder of ``fixtures``: ``before`` and ``after``; without ``after`` nothing may
change. Settings stand in the case's own ``before/migrate-cache.toml``. The ending of the
folder's name adds options: ``--no-cargo-lock`` and the like.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from migrate_cache.cli.app import app

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = sorted(path.name for path in FIXTURES.iterdir() if (path / "before").is_dir())


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


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files_of(FIXTURES / case / "before")
    wanted = FIXTURES / case / "after"
    after = files_of(wanted) if wanted.is_dir() else before
    # The folder's name is the last evidence for a service.
    root = tmp_path / "shop"
    root.mkdir()
    (root / ".git").mkdir()
    write(root, before)
    monkeypatch.chdir(root)
    options = ["--quiet", *("--" + option for option in case.split("--")[1:])]
    assert run_here(*options) == 0
    assert files_of(root) == after
    # What was written is final: a second run finds nothing to do.
    assert run_here("--check", *options) == 0
