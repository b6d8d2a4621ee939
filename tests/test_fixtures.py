"""Whole small repositories, before and after: what the tool makes of them, byte for byte.

A case is a folder of ``fixtures``: ``before`` and ``after``; without ``after`` nothing may
change. Settings stand in the case's own ``before/migrate-cache.toml``. The ending of the
folder's name adds options: ``--no-cargo-lock`` and the like.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "migrate_cache", *options], cwd=folder, capture_output=True
    )


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, tmp_path: Path) -> None:
    before = files_of(FIXTURES / case / "before")
    wanted = FIXTURES / case / "after"
    after = files_of(wanted) if wanted.is_dir() else before
    # The folder's name is the last evidence for a service.
    root = tmp_path / "shop"
    root.mkdir()
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    write(root, before)
    options = ["--" + option for option in case.split("--")[1:]]
    result = run(root, "--quiet", *options)
    assert result.returncode == 0, result.stderr.decode()
    found = {name: data for name, data in files_of(root).items() if not name.startswith(".git/")}
    assert found == after
    # What was written is final: a second run finds nothing to do.
    assert run(root, "--check", "--quiet", *options).returncode == 0
