"""What is generated is current, and what documents show is what the tool says."""

from __future__ import annotations

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


def test_first_command_stands_before_line_20() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert any("make demo" in line for line in lines[:20])
