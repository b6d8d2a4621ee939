"""SARIF 2.1.0, for code scanning and editors: a result per change, note, warning and error.

Regions are those of the text that the file holds when the log is read: of the old text
where nothing was written, with a fix for every pending change; after a run that wrote,
changes are plain notes at the lines where they now stand.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from migrate_cache import __version__
from migrate_cache.plan.model import Change, FileResult, Note, ProjectResult
from migrate_cache.report.rule_pages import explanation
from migrate_cache.report.summary import Mode, Places, error_code, pending, rule_kind
from migrate_cache.rules.registry import all_rules, load_rule, rule_names
from migrate_cache.text.escape import json_safe
from migrate_cache.text.source import Source, Span, encode

if TYPE_CHECKING:
    from migrate_cache.rules.rule import Example, Rule
    from migrate_cache.text.edit import Edit
    from migrate_cache.text.errors import MigrateError, Warn

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "SRCROOT"
_LEVELS = {"rewrite": "warning", "note": "note", "warning": "warning", "error": "error"}
_BOM = "\ufeff"
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_PLAIN = "/-._~"

Data = dict[str, Any]


def as_sarif(result: ProjectResult, *, mode: Mode = "write") -> str:
    """Return the result as a SARIF log in ASCII."""
    codes = list(rule_names())
    results = [item for file in result.files for item in _File(file, mode).results()]
    for item in results:
        item["ruleIndex"] = codes.index(item["ruleId"])
    notifications = [_notification(warn.message, "warning", warn) for warn in result.warnings]
    notifications += [
        _notification(file.error.message, "error", file.error)
        for file in result.files
        if file.error is not None and not error_code(file.error)
    ]
    invocation: Data = {"executionSuccessful": all(file.error is None for file in result.files)}
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    driver = {
        "name": "migrate-cache",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in all_rules()],
    }
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "invocations": [invocation],
                "originalUriBaseIds": {_ROOT: _root(result.root)},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def path_uri(path: str) -> str:
    """Return a path as a URI reference: every byte that is not plain is percent-encoded."""
    if _DRIVE.match(path):
        rest = quote(encode(path[2:].replace("\\", "/")), safe=_PLAIN)
        return f"file:///{path[:2]}{rest}"
    # A colon in the first part would read as a scheme: it is encoded like all others.
    text = quote(encode(path), safe=_PLAIN)
    return f"file://{text}" if path.startswith("/") else text


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or _DRIVE.match(path) is not None


def _root(root: str) -> Data:
    about = {"description": {"text": "The root of the project."}}
    if not _is_absolute(root):
        return about
    return {"uri": path_uri(root.rstrip("/\\") + "/"), **about}


def _rule(rule: Rule) -> Data:
    text = explanation(rule)
    markdown = text + "\n" + "".join(map(_example, rule.examples))
    sources = "\n".join(f"- <{source}>" for source in rule.sources)
    data: Data = {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": f"{markdown}\n{sources}".rstrip() + "\n"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["docker", "cache", rule.severity]},
    }
    if rule.sources:
        data["helpUri"] = rule.sources[0]
    return data


def _example(example: Example) -> str:
    text = f"\nIn `{example.path}`:\n\n```dockerfile\n{example.before}```\n"
    if example.after:
        text += f"\nbecomes\n\n```dockerfile\n{example.after}```\n"
    return text


def _artifact(path: str) -> Data:
    return {"uri": path_uri(path), **({} if _is_absolute(path) else {"uriBaseId": _ROOT})}


def _location(path: str, line: int, column: int) -> Data:
    location: Data = {"artifactLocation": _artifact(path)}
    if line:
        location["region"] = {"startLine": line, **({"startColumn": column} if column else {})}
    return {"physicalLocation": location}


class _File:
    def __init__(self, file: FileResult, mode: Mode) -> None:
        self._file = file
        self._source = Source(file.before, file.path)
        self._places = Places(file, mode)
        self._pending = pending(mode)
        # A byte order mark is no part of a text's characters.
        self._mark = int(file.before.startswith(_BOM))

    def results(self) -> list[Data]:
        found = [self._change(change) for change in self._file.changes]
        notes = [note for note in self._file.notes if note.rule in rule_names()]
        found += (self._result(note, _LEVELS[rule_kind(note.rule)]) for note in notes)
        error = self._file.error
        if error is not None and error_code(error):
            note = Note(error_code(error), error.line, error.column, error.message)
            found.append(self._result(note, "error"))
        return found

    def _change(self, change: Change) -> Data:
        if not self._pending:
            return self._result(change, "note")
        data = self._result(change, _LEVELS[rule_kind(change.rule)])
        # What cannot be spelled in JSON cannot be a fix.
        if all(json_safe(edit.text) == edit.text for edit in change.edits):
            fixed = {
                "artifactLocation": _artifact(self._file.path),
                "replacements": [self._replacement(edit) for edit in change.edits],
            }
            about = {"text": json_safe(change.reason) or change.rule}
            data["fixes"] = [{"description": about, "artifactChanges": [fixed]}]
        if change.edits:
            spans = [edit.span for edit in change.edits]
            region = self._region(Span(min(spans).start, max(span.end for span in spans)))
            data["locations"][0]["physicalLocation"]["region"] = region
        return data

    def _result(self, item: Change | Note, level: str) -> Data:
        column = max(0, item.column - (self._mark if item.line == 1 else 0))
        data: Data = {
            "ruleId": item.rule,
            "level": level,
            "message": {"text": json_safe(item.reason) or load_rule(item.rule).summary},
            "locations": [_location(self._file.path, self._places.of(item), column)],
        }
        if item.evidence:
            data["properties"] = {"evidence": [json_safe(fact) for fact in item.evidence]}
        return data

    def _replacement(self, edit: Edit) -> Data:
        data: Data = {"deletedRegion": self._region(edit.span)}
        if edit.text:
            data["insertedContent"] = {"text": edit.text}
        return data

    def _region(self, span: Span) -> Data:
        start, end = self._source.place(span.start), self._source.place(span.end)
        return {
            "startLine": start.line,
            "startColumn": start.column - (self._mark if start.line == 1 else 0),
            "endLine": end.line,
            "endColumn": end.column - (self._mark if end.line == 1 else 0),
            "charOffset": span.start - self._mark,
            "charLength": span.end - span.start,
        }


def _notification(message: str, level: str, at: Warn | MigrateError) -> Data:
    data: Data = {"level": level, "message": {"text": json_safe(message)}}
    if at.path:
        data["locations"] = [_location(at.path, at.line, at.column)]
    return data
