"""What a plan looks like to people and to programs: one module a format, loaded when used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate_cache.plan.model import ProjectResult
    from migrate_cache.report.summary import Mode

__all__ = ["FORMATS", "render"]

# The module and the function of each format.
FORMATS = {
    "text": ("text", "report"),
    "json": ("machine", "as_json"),
    "jsonl": ("machine", "as_jsonl"),
    "sarif": ("sarif", "as_sarif"),
    "github": ("github", "workflow_commands"),
    "patch": ("diff", "patch"),
    "markdown": ("markdown", "as_markdown"),
}


def render(format: str, result: ProjectResult, *, mode: Mode = "write", **more: Any) -> str:  # noqa: A002 - the option's own name
    """Return `result` in one of the `FORMATS`; all but ``text`` belong on standard output.

    A patch is to be encoded by `migrate_cache.text.source.encode`: it may hold any bytes.
    `more` are the parameters that only ``text`` has.
    """
    if format not in FORMATS:
        raise ValueError(f"unknown format: {format!r}")
    module, function = FORMATS[format]
    text: str = getattr(import_module(f"{__name__}.{module}"), function)(result, mode=mode, **more)
    return text
