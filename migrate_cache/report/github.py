"""Annotations for GitHub Actions: one workflow command a line.

What is still to do is a warning, so that it stands beside the diff of a pull request;
what was done and what is left alone is a notice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.plan.model import Change, FileResult, Note, ProjectResult
from migrate_cache.report.summary import Mode, Places, error_code, pending, rule_kind
from migrate_cache.rules.registry import rule_names
from migrate_cache.text.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMANDS = {"rewrite": "warning", "note": "notice", "warning": "warning", "error": "error"}
_PIECES = re.compile(r"([\r\n])")


def workflow_commands(result: ProjectResult, *, mode: Mode = "write") -> str:
    """Return the workflow commands for everything that is to be said about `result`."""
    lines: list[str] = []
    for file in result.files:
        lines += _file(file, mode)
    for warn in result.warnings:
        lines.append(_command("warning", warn.path, warn.line, warn.column, "", warn.message))
    return "".join(line + "\n" for line in lines)


def _file(file: FileResult, mode: Mode) -> Iterator[str]:
    places = Places(file, mode)
    items: list[Change | Note] = [*file.changes, *file.notes]
    for item in items:
        command = _COMMANDS[rule_kind(item.rule)]
        if isinstance(item, Change) and not pending(mode):
            command = "notice"
        yield _command(command, file.path, places.of(item), item.column, item.rule, item.reason)
    if file.error is not None:
        error = file.error
        message = error.message + (f"\n{error.source_line}" if error.source_line else "")
        yield _command("error", file.path, error.line, error.column, error_code(error), message)


def _command(command: str, path: str, line: int, column: int, rule: str, message: str) -> str:
    """Return a command; its title is `rule` with its name, or the tool's where there is none."""
    properties = [f"file={_property(path)}"] if path else []
    if line:
        properties.append(f"line={line}")
        if column:
            properties.append(f"col={column}")
    title = f"{rule} {rule_names().get(rule, '')}".strip() or "migrate-cache"
    properties.append(f"title={_property(title)}")
    return f"::{command} {','.join(properties)}::{_data(message)}"


def _data(text: str) -> str:
    """Escape a message as the runner reads it: percent signs and line breaks."""
    # Only line breaks have a spelling of their own here.
    parts = (part if part in "\r\n" else printable(part) for part in _PIECES.split(text))
    return "".join(parts).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
