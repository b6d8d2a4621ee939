r"""JSON and JSON lines, for other programs; ``output.schema.json`` describes both.

Only ASCII is written. Bytes that are not UTF-8 appear as ``\xff`` in every text (a
backslash, an x, two digits); a file with such a name also has ``path_base64``, the bytes
of its name. Offsets and columns count characters of the old text, where each such byte is
one character; lines and columns count from 1, offsets from 0.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from migrate_cache import __version__
from migrate_cache.report.queues import queue_after, queue_before
from migrate_cache.report.summary import Mode, error_code, rule_kind, summarize
from migrate_cache.text.escape import json_safe
from migrate_cache.text.source import Source, encode

if TYPE_CHECKING:
    from migrate_cache.plan.model import CacheInfo, Change, FileResult, Note, ProjectResult
    from migrate_cache.text.edit import Edit
    from migrate_cache.text.errors import MigrateError

VERSION = 1

# What json makes of these values has no shape that a checker could use.
Data = dict[str, Any]


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
    summary = asdict(summarize(result))
    summary["changes"] = dict(summary["changes"])
    summary["kept"] = {code or "in-order": number for code, number in summary["kept"]}
    data: Data = _safe(
        {
            "version": VERSION,
            "tool": {"name": "migrate-cache", "version": __version__},
            "mode": mode,
            "root": result.root,
            "files": [_file(file) for file in result.files],
            "mounts": [{**asdict(mount), "changed": mount.changed} for mount in result.outcomes],
            "caches": [_cache(cache) for cache in result.caches],
            "warnings": [asdict(warn) for warn in result.warnings],
            "summary": summary,
        }
    )
    return data


def _safe(value: Any) -> Any:
    """Return `value` with every text in it as JSON can spell it."""
    if isinstance(value, str):
        return json_safe(value)
    if isinstance(value, dict):
        return {key: _safe(item) for key, item in value.items()}
    return [_safe(item) for item in value] if isinstance(value, list | tuple) else value


def _file(file: FileResult) -> Data:
    source = Source(file.before, file.path)
    data: Data = {"path": file.path}
    if json_safe(file.path) != file.path:
        data["path_base64"] = base64.b64encode(encode(file.path)).decode("ascii")
    return data | {
        "changed": file.changed,
        "changes": [
            {**_note(change), "edits": [_edit(edit, source) for edit in change.edits]}
            for change in file.changes
        ],
        "notes": [_note(note) for note in file.notes],
        "error": None if file.error is None else _error(file.error),
    }


def _edit(edit: Edit, source: Source) -> Data:
    start, end = source.place(edit.span.start), source.place(edit.span.end)
    return {
        "start": edit.span.start,
        "end": edit.span.end,
        "start_line": start.line,
        "start_column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "text": edit.text,
    }


def _note(note: Note | Change) -> Data:
    return {
        "rule": note.rule,
        "severity": rule_kind(note.rule),
        "line": note.line,
        "column": note.column,
        "reason": note.reason,
        "evidence": note.evidence,
    }


def _error(error: MigrateError) -> Data:
    return {
        "rule": error_code(error) or None,
        "message": error.message,
        "line": error.line,
        "column": error.column,
        "source_line": error.source_line,
        "hint": error.hint,
    }


def _cache(cache: CacheInfo) -> Data:
    queues = {"queue_before": queue_before(cache).size, "queue_after": queue_after(cache).size}
    return {**asdict(cache), **queues}
