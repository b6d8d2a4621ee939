"""Write everything that is generated: the schema of the configuration, and parts of documents.

``make generate`` runs it. With ``--check`` nothing is written: the exit code is 1 where a file
differs from what would be written. Each file or part is a function of the code and data of the
tree that this script stands in; see `FILES` and `PARTS`.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

ROOT = Path(__file__).resolve().parent.parent
# The package of this tree, whichever is installed.
sys.path.insert(0, str(ROOT))

from migrate_cache.caches.entry import CacheEntry, load_entries  # noqa: E402 - found by the line above
from migrate_cache.rules.registry import all_rules  # noqa: E402
from migrate_cache.settings import Option, Override, Settings, Shape, options_of  # noqa: E402

Schema = dict[str, Any]

_PIPE = r"\|"  # in a cell of a markdown table


# The schema of the configuration.


def config_schema() -> str:
    """Return the JSON schema of the configuration."""
    definitions: Schema = {}
    settings = _table(Settings, definitions)
    settings["properties"]["overrides"]["items"] = _table(Override, definitions)
    settings["properties"]["caches"]["items"] = _cache(definitions)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "migrate-cache/config.schema.json",
        "title": "Configuration of migrate-cache",
        "description": "migrate-cache.toml or .migrate-cache.toml at the project's root, or "
        "[tool.migrate-cache] in pyproject.toml",
        **settings,
        "$defs": definitions,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _table(table: type, definitions: Schema) -> Schema:
    """Return the schema of a table whose keys `table` declares; shapes go into `definitions`."""
    properties: Schema = {}
    opposites: list[list[str]] = []
    for option in options_of(table):
        properties[option.key] = _value(option, definitions)
        if option.type is bool:
            opposite = f"no-{option.key}"
            description = f"The opposite of {option.key}."
            properties[opposite] = {"description": description, "type": "boolean"}
            opposites.append([option.key, opposite])
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [option.key for option in options_of(table) if option.required],
        "properties": properties,
        "not": {"anyOf": [{"required": pair} for pair in opposites]},
    }


def _value(option: Option, definitions: Schema) -> Schema:
    about: Schema = {"description": option.help}
    if option.is_table:
        return {"type": "array", **about}
    if not option.required:
        about["default"] = option.default
    if option.choices:
        return {"enum": option.choices, **about}
    text: Schema = {"type": "string"}
    if option.shape:
        name = option.shape.metavar.lower()
        shape = _shape(option.shape)
        assert definitions.setdefault(name, shape) == shape, f"two shapes are called {name}"
        text = {"$ref": f"#/$defs/{name}"}
    if option.is_list:
        return {"type": "array", "items": text, "minItems": int(option.required), **about}
    kinds: dict[object, Schema] = {
        str: text,
        bool: {"type": "boolean"},
        int: {"type": "integer"},
    }
    return {**kinds[option.type], **about}


def _shape(shape: Shape) -> Schema:
    schema: Schema = {"type": "string"}
    if shape.pattern:
        schema["pattern"] = f"^(?:{shape.pattern})$"
    if shape.forbidden:
        schema["not"] = {"pattern": shape.forbidden}
    return schema


def _cache(definitions: Schema) -> Schema:
    """Return the schema of ``[[caches]]``: an entry of the catalogue, in which little is needed."""
    text: Schema = {"type": "string", "minLength": 1}
    definitions["texts"] = {"anyOf": [text, {"type": "array", "items": text}]}
    schemas: dict[object, Schema] = {
        str: text,
        bool: {"type": "boolean"},
        tuple[str, ...]: {"$ref": "#/$defs/texts"},
    }
    types = {"target": tuple[str, ...], **get_type_hints(CacheEntry)}
    del types["custom"]  # tells the user's entries from the built-in ones
    descriptions = _catalog_keys()
    descriptions["target"] = descriptions["targets"]
    properties: Schema = {}
    for name, kind in types.items():
        key = name.replace("_", "-")
        values = schemas.get(kind) or {"enum": get_args(kind)}
        properties[key] = {**values, "description": descriptions[key]}
    properties["slug"]["pattern"] = "^[a-z0-9.-]+$"
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _catalog_keys() -> dict[str, str]:
    """Return what the head of the catalogue says about each key."""
    text = (ROOT / "migrate_cache" / "caches" / "catalog.toml").read_text("utf-8")
    keys: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        found = re.fullmatch(r"# ([a-z-]+)  +(.+)", line)
        more = re.fullmatch(r"#   +(.+)", line)
        if found:
            keys[found[1]] = [found[2]]
        elif more:
            keys[list(keys)[-1]].append(more[1])
    return {key: " ".join(lines) for key, lines in keys.items()}


# Parts of documents.


def help_text() -> str:
    """Return the help of the command, as on a terminal of 80 columns."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "migrate_cache", "--help"],
        capture_output=True,
        env={**environment, "TERM": "dumb"},
        check=True,
    )
    lines = done.stdout.decode().strip().splitlines()
    return "```text\n" + "\n".join(line.rstrip() for line in lines) + "\n```\n"


def options_table() -> str:
    """Return the keys of the configuration as a markdown table."""
    rows = []
    for option in options_of(Settings):
        rows.append(_key(option, f"[[{option.key}]]" if option.is_table else option.key))
        if option.name == "overrides":
            rows += [_key(inner, f"{option.key}.{inner.key}") for inner in options_of(Override)]
    return _markdown("key", "value", "default", "what", rows=rows)


def _key(option: Option, name: str) -> tuple[str, ...]:
    default = "" if option.required or option.is_table else f"`{_toml(option.default)}`"
    return f"`{name}`", option.words, default, option.help


def rules_table() -> str:
    """Return all rules as a markdown table."""
    rows = [(rule.code, rule.name, rule.severity, rule.summary) for rule in all_rules()]
    return _markdown("code", "name", "kind", "what", rows=rows)


def caches_table() -> str:
    """Return the known caches as a markdown table."""
    meaning = {
        "shared": "shared",
        "cargo-subdir": "shared, with Cargo's lock linked in",
        "output": "an id per service",
        "exclusive": "stays locked",
    }
    rows = [
        (cache.name, meaning[cache.kind], cache.reason, cache.evidence) for cache in load_entries()
    ]
    return _markdown("cache", "becomes", "why", "evidence", rows=rows)


def _markdown(*head: str, rows: Iterable[Sequence[str]]) -> str:
    first, *others = (
        f"| {' | '.join(cell.replace('|', _PIPE) for cell in row)} |\n" for row in (head, *rows)
    )
    return first + "|---" * len(head) + "|\n" + "".join(others)


def example_keys() -> str:
    """Return the keys of the configuration, each with its default, as comments of a TOML file."""
    blocks = [
        "\n".join(
            [
                *textwrap.wrap(option.help, 98, initial_indent="# ", subsequent_indent="# "),
                f"# {option.key} = {_toml(option.default)}",
            ]
        )
        for option in options_of(Settings)
        if not option.is_table
    ]
    return "\n\n".join(blocks) + "\n"


def _toml(value: object) -> str:
    """Return a value as TOML writes it; JSON's strings, numbers and lists are TOML's too."""
    return json.dumps(value, ensure_ascii=False)


# A whole file by path, and parts of files by path and name: a part stands between two lines
# with `NAME:begin` and `NAME:end`.
FILES: dict[str, Callable[[], str]] = {
    "migrate_cache/files/config.schema.json": config_schema,
}
PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("README.md", "help"): help_text,
    ("README.md", "options"): options_table,
    ("README.md", "rules"): rules_table,
    ("README.md", "caches"): caches_table,
    ("examples/migrate-cache.toml", "options"): example_keys,
}


def generated() -> Iterator[tuple[Path, str, str]]:
    """Yield each file that has generated text, with its text now and as it should be."""
    texts: dict[str, str] = {path: make() for path, make in FILES.items()}
    for (path, name), make in PARTS.items():
        if path not in texts:
            texts[path] = (ROOT / path).read_text("utf-8")
        texts[path] = _with_part(texts[path], name, make())
    for path, wanted in texts.items():
        place = ROOT / path
        yield place, place.read_text("utf-8") if place.exists() else "", wanted


def _with_part(text: str, name: str, part: str) -> str:
    marks = rf"([^\n]*\b{name}:begin\b[^\n]*\n)(.*?)([^\n]*\b{name}:end\b)"
    found = re.search(marks, text, re.DOTALL)
    if found is None:
        raise SystemExit(f"no part {name!r}: it stands between {name}:begin and {name}:end")
    return text[: found.start(2)] + part + text[found.end(2) :]


def main(arguments: list[str]) -> int:
    """Write what differs, or with ``--check`` show it."""
    check = arguments == ["--check"]
    if arguments and not check:
        raise SystemExit("usage: generate.py [--check]")
    differ = [(path, now, wanted) for path, now, wanted in generated() if now != wanted]
    for path, now, wanted in differ:
        name = path.relative_to(ROOT).as_posix()
        if check:
            diff = difflib.unified_diff(
                now.splitlines(True), wanted.splitlines(True), name, f"{name}, generated"
            )
            sys.stdout.writelines(diff)
        else:
            path.write_text(wanted, "utf-8", newline="\n")
            sys.stdout.write(f"wrote {name}\n")
    if check and differ:
        sys.stderr.write("not current: run make generate\n")
    return int(check and bool(differ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
