"""JSON and JSON lines against their schema."""

from __future__ import annotations

import base64
import copy
import json
from importlib.resources import files

import jsonschema
import pytest

from migrate_cache.report import FORMATS, render
from migrate_cache.report.machine import as_data, as_json, as_jsonl
from migrate_cache.text.source import encode
from tests.report_samples import EMPTY, HOSTILE, HOSTILE_PROJECT, NOTHING, PROJECT

PROJECTS = {"project": PROJECT, "hostile": HOSTILE_PROJECT, "nothing": NOTHING, "empty": EMPTY}


def strict(definition):
    """Refuse keys that the schema does not describe; users are to accept them."""
    if isinstance(definition, dict):
        if "properties" in definition:
            definition["additionalProperties"] = False
        for value in definition.values():
            strict(value)
    elif isinstance(definition, list):
        for value in definition:
            strict(value)
    return definition


SCHEMA = json.loads(files("migrate_cache.report").joinpath("output.schema.json").read_text("utf-8"))
STRICT = strict(copy.deepcopy(SCHEMA))
DOCUMENT = jsonschema.Draft202012Validator(STRICT)
LINE = jsonschema.Draft202012Validator({**STRICT["$defs"]["line"], "$defs": STRICT["$defs"]})


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("mode", ["write", "dry-run", "check"])
@pytest.mark.parametrize("name", PROJECTS)
def test_output_is_what_the_schema_says(name, mode):
    text = as_json(PROJECTS[name], mode=mode)
    DOCUMENT.validate(json.loads(text))
    lines = as_jsonl(PROJECTS[name], mode=mode).splitlines()
    for line in lines:
        LINE.validate(json.loads(line))
    assert text.isascii()
    assert text.endswith("}\n")


def test_the_schema_refuses_something():
    data = as_data(PROJECT)
    data["files"][1]["changes"][0]["line"] = "4"
    with pytest.raises(jsonschema.ValidationError):
        DOCUMENT.validate(data)


def test_json(snapshot):
    assert as_json(PROJECT, mode="check") == snapshot


def test_lines_hold_what_the_document_holds():
    data = as_data(PROJECT, mode="check")
    lines = [json.loads(line) for line in as_jsonl(PROJECT, mode="check").splitlines()]
    for key, kind in (("files", "file"), ("mounts", "mount"), ("caches", "cache")):
        assert [{**item, "type": kind} for item in data[key]] == [
            line for line in lines if line["type"] == kind
        ]
    assert lines[0]["type"] == "run"
    assert lines[-1] == {"type": "summary", **data["summary"]}


@pytest.mark.parametrize("name", PROJECTS)
def test_edits_lead_from_the_old_text_to_the_new_one(name):
    project = PROJECTS[name]
    for file, data in zip(project.files, as_data(project)["files"], strict=True):
        edits = [edit for change in data["changes"] for edit in change["edits"]]
        text = file.before
        for edit in sorted(edits, key=lambda edit: edit["start"], reverse=True):
            lines = text[: edit["start"]].split("\n")
            assert (len(lines), len(lines[-1]) + 1) == (edit["start_line"], edit["start_column"])
            text = text[: edit["start"]] + edit["text"] + text[edit["end"] :]
        assert text == file.after


def test_names_that_are_not_utf_8_come_back_by_their_bytes():
    data = as_data(HOSTILE_PROJECT)["files"]
    assert base64.b64decode(data[0]["path_base64"]) == encode(HOSTILE)
    assert "\\xff" in data[0]["path"]
    assert "path_base64" not in data[1]


def test_no_lone_surrogate_is_left():
    for text in (as_json(HOSTILE_PROJECT), as_jsonl(HOSTILE_PROJECT)):
        for line in text.splitlines() if "\n{" in text else [text]:
            json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", PROJECTS)
def test_every_format_renders_everything_twice_the_same(kind, name):
    first = render(kind, PROJECTS[name], mode="check")
    assert first == render(kind, PROJECTS[name], mode="check")
    encode(first)
