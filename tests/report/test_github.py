"""Workflow commands, read as the runner reads them."""

from __future__ import annotations

import re

import pytest

from migrate_cache.report.github import workflow_commands
from tests.report_samples import EMPTY, HOSTILE_PROJECT, PROJECT

COMMAND = re.compile(r"::(notice|warning|error) ([^:]*)::(.*)")


def read(text: str) -> list[tuple[str, dict[str, str], str]]:
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match, line
        pairs = (pair.split("=", 1) for pair in match[2].split(","))
        found.append((match[1], {key: unescape(value) for key, value in pairs}, unescape(match[3])))
    return found


def unescape(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


@pytest.mark.parametrize("mode", ["write", "check"])
def test_annotations(mode, snapshot):
    assert workflow_commands(PROJECT, mode=mode) == snapshot


def test_pending_changes_are_warnings_and_made_ones_notices():
    def levels(mode):
        found = read(workflow_commands(PROJECT, mode=mode))
        return {level for level, at, _ in found if at["title"].startswith("MC10")}

    assert levels("check") == levels("dry-run") == {"warning"}
    assert levels("write") == {"notice"}


def test_nothing_breaks_out_of_a_command():
    shown = workflow_commands(HOSTILE_PROJECT, mode="check")
    assert all(line.isprintable() for line in shown.split("\n"))
    commands = read(shown)
    assert [level for level, _, _ in commands] == ["warning", "warning", "error", "warning"]
    change = commands[0]
    assert change[1]["file"] == '-we ird\n\\x1b[31m"q",`b`|<b>@me:%\\xff\\u202e.Dockerfile'
    assert change[1]["line"] == "2"
    assert change[2] == "100% safe: `x`\n::error::<b>\\x1b[31m\\xff, @you"


def test_nothing_to_say():
    assert workflow_commands(EMPTY) == ""
