"""The project that the command is run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import APT, GO, PLAIN, RUST


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    for name, text in (("go", GO), ("rust", RUST), ("apt", APT), ("plain", PLAIN)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_bytes(text.encode())
    return tmp_path
