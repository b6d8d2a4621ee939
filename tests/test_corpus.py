"""Real Dockerfiles are read as BuildKit reads them (``--corpus DIR``).

The folder holds ``buildkit.jsonl``: a line for each file with what BuildKit's own parser
makes of it. Nothing of the folder is copied here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reading import as_bytes_are_read, check_law, mounts_of

from migrate_cache.errors import ParseError
from migrate_cache.parse import parse

if TYPE_CHECKING:
    from migrate_cache.cst import Dockerfile, Instruction

# Where we do not say what the oracle says, and why. The key is the end of the path and the
# oracle's words.
DIFFERENCES = {
    ("ArchiveBox/Dockerfile", "invalid value $DEFAULT_PUID for uid"): "the oracle expands no "
    "variables; a build does, and finds a number",
    ("2c314654/Dockerfile", "invalid value $DEFAULT_PUID for uid"): "the same, an older version",
}
PARTS = 8

Record = dict[str, Any]


@cache
def records(folder: Path) -> tuple[Record, ...]:
    lines = (folder / "buildkit.jsonl").read_text("utf-8").splitlines()
    return tuple(map(json.loads, lines))


def explained(path: str, oracle: str) -> bool:
    return any(path.endswith(end) and oracle == words for end, words in DIFFERENCES)


def without_suggestion(message: str) -> str:
    """Leave out BuildKit's suggestion: ours is a hint beside the message, and may differ."""
    return re.sub(r" \(did you mean .*\?\)$", "", message)


def differences(folder: Path, record: Record) -> Iterator[str]:
    """Yield what is read otherwise, each with its place."""
    path = record["path"]
    data = (folder / path).read_bytes()
    try:
        tree = parse(data, path)
    except ParseError as error:
        if not record["error"]:
            yield f"{path}: only we refuse the file: {error}"
        return
    check_law(tree)
    if tree.text.encode("utf-8", "surrogateescape") != data:
        yield f"{path}: the tokens do not make up the file"
    if record["error"]:
        yield from file_error(tree, record)
        return
    if tree.escape != record["escape"]:
        yield f"{path}: escape character {tree.escape!r}, not {record['escape']!r}"
    ours, theirs = tree.instructions, record["instructions"]
    if len(ours) != len(theirs):
        yield f"{path}: {len(ours)} instructions, not {len(theirs)}"
    for instruction, expected in zip(ours, theirs, strict=False):
        for difference in instruction_differences(path, instruction, expected):
            yield f"{path}:{expected['start']}: {expected['cmd']}: {difference}"


def file_error(tree: Dockerfile, record: Record) -> Iterator[str]:
    messages = [without_suggestion(error.message) for error in tree.errors]
    if not any(message in record["error"] for message in messages):
        yield f"{record['path']}: only BuildKit refuses the file: {record['error']}; {messages}"


def instruction_differences(path: str, ours: Instruction, theirs: Record) -> Iterator[str]:
    facts = [
        ("keyword", ours.keyword.upper(), theirs["cmd"].upper()),
        ("flags", [*map(as_bytes_are_read, ours.flags)], theirs["flags"]),
        ("line", ours.line.text, theirs["line"]),
        ("lines", [ours.start_line, ours.end_line], [theirs["start"], theirs["end"]]),
        ("heredocs", heredocs(ours), theirs.get("heredocs") or []),
    ]
    if theirs.get("onbuild"):
        trigger, inner = ours.trigger, theirs["onbuild"]
        facts += [
            ("trigger", trigger and trigger.keyword.upper(), inner["cmd"].upper()),
            ("its flags", trigger and list(trigger.flags), inner["flags"]),
            ("its mounts", mounts(trigger), inner.get("mounts") or []),
        ]
    error, oracle = ours.error, theirs.get("error") or ""
    if not explained(path, oracle):
        expected = without_suggestion(oracle)
        facts.append(("error", without_suggestion(error.message) if error else "", expected))
        if not oracle:
            facts.append(("mounts", mounts(ours), theirs.get("mounts") or []))
    for what, mine, expected in facts:
        if mine != expected:
            yield f"{what}: {mine!r}, not {expected!r}"


def heredocs(instruction: Instruction) -> list[Record]:
    return [
        {"name": h.name, "expand": h.expand, "chomp": h.chomp, "body": h.body}
        for h in instruction.heredocs
    ]


def mounts(instruction: Instruction | None) -> list[Record]:
    found = []
    for mount in mounts_of(instruction):
        facts = {"type": mount.type, "target": mount.target, "id": mount.id}
        facts |= {"sharing": mount.sharing}
        facts |= {"source": mount.source} if mount.source else {}
        facts |= {"from": mount.from_} if mount.from_ else {}
        found.append(facts)
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_files_are_read_as_buildkit_reads_them(corpus: Path, part: int) -> None:
    found = [
        difference
        for record in records(corpus)[part::PARTS]
        for difference in differences(corpus, record)
    ]
    assert not found, f"{len(found)} differences, the first:\n" + "\n".join(found[:20])


# -- project-level checks ---------------------------------------------------------------
# No traceback, a second run plans nothing, `git apply --check` takes every diff: these are
# in test_corpus_migrate.py.
