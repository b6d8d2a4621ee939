"""Nothing is silent: each cache mount has one decision, with a rule and a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate_cache import migrate
from migrate_cache.files.discovery import is_dockerfile
from tests.projects import check_one_outcome_per_mount

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.mark.parametrize("case", sorted(path.name for path in FIXTURES.iterdir()))
def test_every_mount_has_one_outcome(case: str) -> None:
    folder = FIXTURES / case / "before"
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and is_dockerfile(path.name)
    }
    check_one_outcome_per_mount(files, migrate(files, root_name="shop"))
