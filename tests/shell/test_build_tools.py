from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from importlib.resources import files

import pytest

from migrate_cache.shell.build_tools import (
    BuildTool,
    build_tool,
    build_tools,
    builds_of_program,
    is_whole,
)

TEXT = files("migrate_cache.shell").joinpath("build_tools.toml").read_text("utf-8")
CARGO = build_tools()["cargo"]
(GO,) = build_tools()["go"]
(BAZEL,) = build_tools()["bazel"]


def test_keys_of_the_file_are_documented_in_it() -> None:
    used = {key for table in tomllib.loads(TEXT)["tool"] for key in table}
    assert used == {field.name for field in fields(BuildTool)}
    assert used == set(re.findall(r"^# ([a-z]+) {2,}", TEXT, re.MULTILINE))


@pytest.mark.parametrize(
    ("program", "arguments", "index"),
    [
        ("cargo", "build --bin a", 0),
        ("cargo", "chef cook --bin a", 0),
        ("cargo", "install --path a", 1),
        ("cargo", "chef prepare", None),
        ("cargo", "chef", None),
        ("cargo", "", None),
        ("nx", "run-many", 0),
        ("nx", "build a", 1),
        ("mvn", "", 0),
        ("make", "build", None),
    ],
)
def test_the_first_table_that_fits(program: str, arguments: str, index: int | None) -> None:
    expected = None if index is None else build_tools()[program][index]
    assert build_tool(program, tuple(arguments.split())) is expected


def test_subcommands_of_all_tables() -> None:
    builds = builds_of_program("cargo")
    assert ("chef", "cook") in builds
    assert builds[-1] == ("install",)
    assert builds_of_program("make") == ()


@pytest.mark.parametrize(
    ("tool", "place", "arguments", "values"),
    [
        (CARGO[0], "--bin", "build --bin a --bin=b", "a b"),
        (CARGO[0], "-p|--package|-p*", "build --package a -p b -pc", "a b c"),
        (CARGO[0], "-p|--package", "build -pc", ""),
        (CARGO[0], "-p*", "build -p", ""),
        (CARGO[0], "words", "chef cook a --b c", "a --b c"),
        (GO, "words", "build -o out -v ./a -tags -o ./b", "-o -v ./a -tags ./b"),
        (BAZEL, "words", "build //a", "build //a"),
    ],
)
def test_values_at_a_place(tool: BuildTool, place: str, arguments: str, values: str) -> None:
    assert " ".join(tool.values_at(place, tuple(arguments.split()))) == values


@pytest.mark.parametrize(
    ("program", "arguments", "whole"),
    [
        ("cargo", "build --workspace", True),
        ("cargo", "fetch --all", True),
        ("cargo", "build --release", False),
        ("nx", "run-many", True),
        ("nx", "build", False),
        ("make", "--all", False),
    ],
)
def test_the_whole_workspace(program: str, arguments: str, *, whole: bool) -> None:
    assert is_whole(program, tuple(arguments.split())) is whole
