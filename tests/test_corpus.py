"""Real Dockerfiles are read as BuildKit reads them (``--corpus DIR``).

The folder holds ``buildkit.jsonl``: a line for each file with what BuildKit's own parser
makes of it. Nothing of the folder is copied here.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from migrate_cache.dockerfile.parser import parse
from migrate_cache.text.errors import ParseError, SafetyError
from migrate_cache.text.source import encode
from tests.projects import check_one_outcome_per_mount, git_apply, projects
from tests.reading import as_bytes_are_read, check_law, mounts_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrate_cache.dockerfile.tree import Dockerfile, Instruction

# Where we do not say what the oracle says, and why: its words, as a pattern.
DIFFERENCES = {
    r"invalid value \S*\$\S* for (uid|gid|mode)": "the oracle expands no variables; a build does, "
    "and finds a number",
}
PARTS = 8

Record = dict[str, Any]


@cache
def records(folder: Path) -> tuple[Record, ...]:
    lines = (folder / "buildkit.jsonl").read_text("utf-8").splitlines()
    return tuple(map(json.loads, lines))


def explained(oracle: str) -> bool:
    return any(re.fullmatch(pattern, oracle) for pattern in DIFFERENCES)


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
        for difference in instruction_differences(instruction, expected):
            yield f"{path}:{expected['start']}: {expected['cmd']}: {difference}"


def file_error(tree: Dockerfile, record: Record) -> Iterator[str]:
    messages = [without_suggestion(error.message) for error in tree.errors]
    if not any(message in record["error"] for message in messages):
        yield f"{record['path']}: only BuildKit refuses the file: {record['error']}; {messages}"


def instruction_differences(ours: Instruction, theirs: Record) -> Iterator[str]:
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
    if not explained(oracle):
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


# -- the migration of whole repositories ------------------------------------------------


@pytest.mark.parametrize("part", range(PARTS))
def test_repositories_migrate(corpus: Path, part: int, tmp_path: Path) -> None:
    """No exception, an outcome for each mount, safe, final, and diffs that git takes."""
    found = []
    repositories = projects(corpus, (record["path"] for record in records(corpus)))[part::PARTS]
    for number, project in enumerate(repositories):
        result = project.plan()
        found += [
            f"{project.name}: {file.path}: {file.error}"
            for file in result.files
            if isinstance(file.error, SafetyError)
        ]
        check_one_outcome_per_mount(project.dockerfiles, result)
        if not any(file.changed for file in result.files):
            continue
        again = project.plan({file.path: encode(file.after) for file in result.files})
        found += [
            f"{project.name}: {file.path}: changes again"
            for file in again.files
            if file.changed or file.changes
        ]
        wrong = git_apply(project, result, tmp_path / str(number))
        found += [f"{project.name}: git apply: {wrong}"] if wrong else []
    assert not found, f"{len(found)} faults, the first:\n" + "\n".join(found[:20])
