r"""JSON and JSON lines, for other programs; ``output.schema.json`` describes both.

Only ASCII is written. Bytes that are not UTF-8 appear as ``\xff`` in every text (a
backslash, an x, two digits); a file with such a name also has ``path_base64``, the bytes
of its name. Offsets and columns count characters of the old text, where each such byte is
one character; lines and columns count from 1, offsets from 0.
"""

from __future__ import annotations

import base64
import json
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any

from migrate_cache import __version__
from migrate_cache.report.queues import queue_after, queue_before
from migrate_cache.report.summary import Mode, error_code, rule_kind, summarize
from migrate_cache.text.escape import json_safe
from migrate_cache.text.source import Source, encode

if TYPE_CHECKING:
    from migrate_cache.plan.model import (
        CacheInfo,
        CacheUser,
        Change,
        FileResult,
        Note,
        Outcome,
        ProjectResult,
    )
    from migrate_cache.text.edit import Edit
    from migrate_cache.text.errors import MigrateError, Warn

__all__ = ["VERSION", "as_data", "as_json", "as_jsonl", "schema"]

VERSION = 1

# What json makes of these values has no shape that a checker could use.
Data = dict[str, Any]


def schema() -> Data:
    """Return the JSON Schema of the output; ``$defs/line`` is that of a JSON line."""
    text = package_files("migrate_cache.report").joinpath("output.schema.json").read_text("utf-8")
    loaded: Data = json.loads(text)
    return loaded


def as_json(result: ProjectResult, *, mode: Mode = "write") -> str:
    """Return the whole result as one JSON document."""
    return json.dumps(as_data(result, mode=mode), indent=2) + "\n"


def as_jsonl(result: ProjectResult, *, mode: Mode = "write") -> str:
    """Return the result as JSON lines; ``type`` names what each line is."""
    data = as_data(result, mode=mode)
    lines: list[Data] = [
        {"type": "run", **{key: data[key] for key in ("version", "tool", "mode", "root")}}
    ]
    parts = {"files": "file", "mounts": "mount", "caches": "cache", "warnings": "warning"}
    for key, kind in parts.items():
        lines += ({"type": kind, **item} for item in data[key])
    lines.append({"type": "summary", **data["summary"]})
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def as_data(result: ProjectResult, *, mode: Mode = "write") -> Data:
    """Return the result as plain dictionaries and lists, in a fixed order."""
    total = summarize(result)
    return {
        "version": VERSION,
        "tool": {"name": "migrate-cache", "version": __version__},
        "mode": mode,
        "root": json_safe(result.root),
        "files": [_file(file) for file in result.files],
        "mounts": [_mount(outcome) for outcome in result.outcomes],
        "caches": [_cache(cache) for cache in result.caches],
        "warnings": [_warn(warn) for warn in result.warnings],
        "summary": {
            "files": total.files,
            "files_changed": total.files_changed,
            "mounts": total.mounts,
            "mounts_changed": total.mounts_changed,
            "changes": dict(total.changes),
            "kept": {code or "in-order": number for code, number in total.kept},
            "warnings": total.warnings,
            "notes": total.notes,
            "errors": total.errors,
        },
    }


def _file(file: FileResult) -> Data:
    source = Source(file.before, file.path)
    return {
        **_path(file.path),
        "changed": file.changed,
        "changes": [_change(change, source) for change in file.changes],
        "notes": [_note(note) for note in file.notes],
        "error": None if file.error is None else _error(file.error),
    }


def _path(path: str) -> Data:
    safe = json_safe(path)
    if safe == path:
        return {"path": path}
    return {"path": safe, "path_base64": base64.b64encode(encode(path)).decode("ascii")}


def _change(change: Change, source: Source) -> Data:
    return {**_note(change), "edits": [_edit(edit, source) for edit in change.edits]}


def _edit(edit: Edit, source: Source) -> Data:
    start, end = source.place(edit.span.start), source.place(edit.span.end)
    return {
        "start": edit.span.start,
        "end": edit.span.end,
        "start_line": start.line,
        "start_column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "text": json_safe(edit.text),
    }


def _note(note: Note | Change) -> Data:
    return {
        "rule": note.rule,
        "severity": rule_kind(note.rule),
        "line": note.line,
        "column": note.column,
        "reason": json_safe(note.reason),
        "evidence": [json_safe(fact) for fact in note.evidence],
    }


def _error(error: MigrateError) -> Data:
    return {
        "rule": error_code(error) or None,
        "message": json_safe(error.message),
        "line": error.line,
        "column": error.column,
        "source_line": json_safe(error.source_line),
        "hint": json_safe(error.hint),
    }


def _mount(outcome: Outcome) -> Data:
    return {
        "path": json_safe(outcome.path),
        "line": outcome.line,
        "column": outcome.column,
        "stage": json_safe(outcome.stage),
        "target": json_safe(outcome.target),
        "directory": json_safe(outcome.directory),
        "tool": json_safe(outcome.tool),
        "kind": outcome.kind,
        "id_before": json_safe(outcome.id_before),
        "id_after": json_safe(outcome.id_after),
        "sharing_before": json_safe(outcome.sharing_before),
        "sharing_after": json_safe(outcome.sharing_after),
        "changed": outcome.changed,
        "rule": outcome.rule,
        "reason": json_safe(outcome.reason),
        "evidence": [json_safe(fact) for fact in outcome.evidence],
    }


def _cache(cache: CacheInfo) -> Data:
    return {
        "id": json_safe(cache.id),
        "kind": cache.kind,
        "tool": json_safe(cache.tool),
        "directories": [json_safe(directory) for directory in cache.directories],
        "queue_before": queue_before(cache).size,
        "queue_after": queue_after(cache).size,
        "users": [_user(user) for user in cache.users],
    }


def _user(user: CacheUser) -> Data:
    return {
        "path": json_safe(user.path),
        "line": user.line,
        "stage": json_safe(user.stage),
        "service": json_safe(user.service),
        "mode_before": user.mode_before,
        "mode_after": user.mode_after,
        "id_after": json_safe(user.id_after),
    }


def _warn(warn: Warn) -> Data:
    return {
        "path": json_safe(warn.path),
        "line": warn.line,
        "column": warn.column,
        "message": json_safe(warn.message),
    }
