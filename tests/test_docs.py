"""What the README shows is what the tool says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from migrate_cache.report import rule_pages as rules

README = Path(__file__).parent.parent / "README.md"


def help_text() -> str:
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    result = subprocess.run(
        [sys.executable, "-m", "migrate_cache", "--help"],
        capture_output=True,
        env=environment,
        check=True,
    )
    text = result.stdout.decode()
    return "```text\n" + "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n```"


PARTS = {"help": help_text, "rules": rules.rules_table, "caches": rules.caches_table}


def part(text: str, name: str) -> re.Match[str]:
    match = re.search(f"(<!-- {name}:begin -->\n)(.*?)(<!-- {name}:end -->)", text, re.DOTALL)
    assert match
    return match


@pytest.mark.parametrize("name", PARTS)
def test_readme_is_current(name: str, update_docs: bool) -> None:
    text = README.read_text("utf-8")
    wanted = PARTS[name]().strip() + "\n"
    match = part(text, name)
    if update_docs:
        README.write_text(text[: match.start(2)] + wanted + text[match.end(2) :], "utf-8")
        return
    assert match[2] == wanted, (
        "the README is not current: run pytest tests/test_docs.py --update-docs"
    )


def test_first_command_stands_before_line_20() -> None:
    lines = README.read_text("utf-8").splitlines()
    assert any("make demo" in line for line in lines[:20])
