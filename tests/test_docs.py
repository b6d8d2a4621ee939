"""What is generated is current, and what documents show is what the tool says."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.checkout


def test_what_is_generated_is_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    head = 0
    for line in (ROOT / "README.md").read_text("utf-8").splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not head or not cells or cells == head, line
        head = cells


def test_first_command_stands_before_line_20() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert any("make demo" in line for line in lines[:20])
