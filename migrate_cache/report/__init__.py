"""What a plan looks like to people and to programs: one module a format, loaded when used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate_cache.plan.model import ProjectResult
    from migrate_cache.report.summary import Mode

__all__ = ["FORMATS", "render"]

FORMATS = ("text", "json", "jsonl", "sarif", "github", "patch", "markdown")


def render(
    format: str,  # noqa: A002  # the option's own name
    result: ProjectResult,
    *,
    mode: Mode = "write",
    color: bool = False,
    verbose: bool = False,
    quiet: bool = False,
) -> str:
    """Return `result` in one of the `FORMATS`; all but ``text`` belong on standard output.

    A patch is to be encoded by `migrate_cache.text.source.encode`: it may hold any bytes. The
    last three options mean something to ``text`` only.
    """
    match format:
        case "text":
            from migrate_cache.report.text import report

            return report(result, mode=mode, color=color, verbose=verbose, quiet=quiet)
        case "json":
            from migrate_cache.report.machine import as_json

            return as_json(result, mode=mode)
        case "jsonl":
            from migrate_cache.report.machine import as_jsonl

            return as_jsonl(result, mode=mode)
        case "sarif":
            from migrate_cache.report.sarif import as_sarif

            return as_sarif(result, mode=mode)
        case "github":
            from migrate_cache.report.github import workflow_commands

            return workflow_commands(result, mode=mode)
        case "patch":
            from migrate_cache.report.diff import patch

            return patch(result.files)
        case "markdown":
            from migrate_cache.report.markdown import as_markdown

            return as_markdown(result, mode=mode)
    raise ValueError(f"unknown format: {format!r}")
