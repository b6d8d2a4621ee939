"""Diffs: exact, accepted by git, fast, and safe to show."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate_cache.plan.model import ChangeResult, FileResult
from migrate_cache.report.diff import git_path, unified
from migrate_cache.text.edit import Edit, apply_edits
from migrate_cache.text.source import Span, decode, encode
from tests.report_samples import HOSTILE, HOSTILE_FILE, PROJECT, planned, rust_file
from tests.steps import assert_linear

ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=data,
        capture_output=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(folder: Path, files: tuple[FileResult, ...]) -> None:
    for file in files:
        path = os.path.join(os.fsencode(folder), encode(file.path))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(encode(file.before))


def read(folder: Path, file: FileResult) -> bytes:
    return Path(os.fsdecode(os.path.join(os.fsencode(folder), encode(file.path)))).read_bytes()


def test_diff_of_a_file(snapshot):
    assert unified(rust_file("api")) == snapshot


def test_nothing_changed_is_no_diff():
    assert unified(FileResult("Dockerfile", "FROM a\n", "FROM a\n")) == ""


CASES = {
    "plain": planned("Dockerfile", "FROM a\nRUN x locked\n", ("locked", "shared", "MC101")),
    "last line without newline": planned("d", "FROM a\nRUN locked", ("locked", "shared", "MC101")),
    "newline added at the end": planned("d", "FROM a\nRUN x", ("RUN x", "RUN x\n", "MC101")),
    "newline taken at the end": planned("d", "FROM a\nRUN x\n", ("x\n", "x", "MC101")),
    "crlf": planned("d", "FROM a\r\nRUN b locked\r\nRUN c\r\n", ("locked", "shared", "MC101")),
    "mixed endings": planned("d", "FROM a\r\nRUN b locked\nX\rY\r\n", ("locked", "s", "MC101")),
    "byte order mark": planned("d", "\ufeffFROM a\nRUN locked\n", ("FROM", "from", "MC101")),
    "any bytes": planned("d", "# \udcff\udc80\nRUN locked\n# \udcfe\n", ("locked", "s", "MC101")),
    "form feed and unicode separators": planned(
        "d", "# a\x0cb\u2028c\x85d\nRUN locked\n\x0c\n", ("locked", "s", "MC101")
    ),
    "insertion above the first line": planned("d", "RUN a\n", ("RUN a", "# x\nRUN a", "MC104")),
    "insertion at the end": planned("d", "RUN a\n", ("a\n", "a\nRUN b\n", "MC104")),
    "insertion at the end without newline": planned("d", "RUN a", ("a", "a\nRUN b", "MC104")),
    "into an empty file": FileResult("d", "", "RUN a\n"),
    "to an empty file": FileResult("d", "RUN a\n", ""),
    "deleted line": planned("d", "A\nB\nC\n", ("B\n", "", "MC101")),
    "joined lines": planned("d", "A\nB\nC\n", ("A\nB", "A B", "MC101")),
    "neighbours": planned("d", "a1\na2\nx\n", ("a1", "b1", "MC101"), ("a2", "b2", "MC101")),
    "near": planned("d", "a1\n" + "x\n" * 6 + "a2\n", ("a1", "b1", "MC101"), ("a2", "b", "MC101")),
    "far": planned(
        "d", "a1\n" + "x\n" * 7 + "a2\n" + "y\n" * 9 + "a3",
        ("a1", "n\nb1", "MC104"), ("a2", "b2", "MC101"), ("a3", "b3", "MC101"),
    ),
    "edits that do not explain it": FileResult(
        "d", "a\nb\nc\nd\ne\n" * 9, ("a\nb\nc\nd\ne\n" * 9).replace("c", "C", 4)
    ),
    "blank in the name": planned("my files/a b", "RUN locked\n", ("locked", "s", "MC101")),
    "quotes in the name": planned('a "b"\\c', "RUN locked\n", ("locked", "s", "MC101")),
    "letters in the name": planned("zoë/日本", "RUN locked\n", ("locked", "s", "MC101")),
    "control characters": planned("a\tb\nc\x1bd\x7f", "RUN locked\n", ("locked", "s", "MC101")),
    "bytes in the name": planned("a\udcff b", "RUN locked\n", ("locked", "s", "MC101")),
    "dash in the name": planned("-R", "RUN locked\n", ("locked", "s", "MC101")),
    "everything": HOSTILE_FILE,
}  # fmt: skip


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q")
    return folder


@pytest.mark.parametrize("name", CASES)
def test_git_applies_it_byte_for_byte(name, repository):
    file = CASES[name]
    write(repository, (file,))
    git(repository, "apply", "--check", "-", data=encode(unified(file)))
    git(repository, "apply", "--whitespace=nowarn", "-", data=encode(unified(file)))
    assert read(repository, file) == encode(file.after)


def test_git_applies_a_patch_of_many_files_and_takes_it_back(tmp_path):
    git(tmp_path, "init", "-q")
    files = (*(file for file in PROJECT.files if file.changed), HOSTILE_FILE)
    write(tmp_path, files)
    text = "".join(map(unified, files))
    git(tmp_path, "apply", "--whitespace=nowarn", "-", data=encode(text))
    assert [read(tmp_path, file) for file in files] == [encode(file.after) for file in files]
    git(tmp_path, "apply", "-R", "--whitespace=nowarn", "-", data=encode(text))
    assert [read(tmp_path, file) for file in files] == [encode(file.before) for file in files]


@pytest.mark.parametrize(
    "name",
    ["plain", "far", "near", "neighbours", "crlf", "control characters", "blank in the name"],
)
def test_it_is_what_git_itself_writes(name, tmp_path):
    file = CASES[name]
    git(tmp_path, "init", "-q")
    write(tmp_path, (file,))
    git(tmp_path, "add", ".")
    Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), encode(file.path)))).write_bytes(
        encode(file.after)
    )
    lines = git(tmp_path, "diff", "--no-color").split(b"\n")
    # git adds the blobs' names, and a line of context behind the second @@.
    theirs = [
        line[: line.index(b"@@", 2) + 2] if line.startswith(b"@@") else line
        for line in lines
        if not line.startswith(b"index ")
    ]
    assert encode(unified(file)) == b"\n".join(theirs)


texts = st.text(st.sampled_from("ab\n\r\udcff\x0c"), max_size=40)


@settings(max_examples=150, deadline=None)
@given(texts, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6), texts), max_size=4))
def test_any_edits_give_a_diff_that_leads_to_the_result(before, raw):
    edits, position = [], 0
    for at, length, text in sorted(raw):
        start = min(max(at, position), len(before))
        position = min(start + length, len(before))
        # Two insertions at one place have no order, and are refused.
        if not edits or edits[-1].span != (start, position):
            edits.append(Edit(Span(start, position), text))
    after = apply_edits(before, edits)
    file = FileResult("d", before, after, (ChangeResult("MC101", 1, 1, "", tuple(edits)),))
    for plan in (file, FileResult("d", before, after)):
        assert applied(before, unified(plan)) == after


def applied(before: str, diff: str) -> str:
    """Apply a diff as strictly as the format allows."""
    if not diff:
        return before
    old, new, position = before.split("\n"), [], 0
    old = [line + "\n" for line in old[:-1]] + ([old[-1]] if old[-1] else [])
    lines = diff.split("\n")[3:-1]
    lines = [line + "\n" for line in lines]
    index = 0
    while index < len(lines):
        line = lines[index]
        assert line.startswith("@@ -"), line
        ranges = line.split(" ")
        start, _, length = ranges[1][1:].partition(",")
        at = int(start) - (length != "0")
        new += old[position:at]
        position = at
        index += 1
        while index < len(lines) and not lines[index].startswith("@@"):
            sign, text = lines[index][0], lines[index][1:]
            index += 1
            if index < len(lines) and lines[index].startswith("\\"):
                text = text[:-1]
                index += 1
            if sign in " -":
                assert old[position] == text
                position += 1
            if sign in " +":
                new.append(text)
    return "".join([*new, *old[position:]])


def large(lines: int) -> FileResult:
    """A file in which every hundredth line changes, and some lines more."""
    before = "".join(
        f"RUN --mount=type=cache,target=/c{n},sharing=locked x\n" for n in range(lines)
    )
    edits = tuple(
        Edit(Span(at, at + 6), "shared")
        for at in (
            before.index(f"/c{n},sharing=") + len(f"/c{n},sharing=") for n in range(0, lines, 97)
        )
    )
    return FileResult(
        "d", before, apply_edits(before, edits), (ChangeResult("MC101", 1, 1, "", edits),)
    )


@pytest.mark.parametrize("explained", [True, False])
def test_a_large_file_takes_a_step_a_line(explained):
    def make(size):
        file = large(size * 97)
        file = file if explained else FileResult("d", file.before, file.after)
        return lambda: unified(file)

    assert_linear(make, 100)


def test_a_large_file_is_never_compared_line_by_line():
    file = large(100_000)
    diff = unified(file)
    unknown = unified(FileResult("d", file.before, file.after))
    assert diff.count("@@ -") == 1031
    assert unknown.count("@@ -") == 1
    assert applied(file.before, diff) == applied(file.before, unknown) == file.after


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("Dockerfile", "a/Dockerfile"),
        ("a b", "a/a b"),
        ('a"b', r'"a/a\"b"'),
        ("ä", r'"a/\303\244"'),
        ("\udcff\n\x01", r'"a/\377\n\001"'),
        ("/srv/app/Dockerfile", "a/srv/app/Dockerfile"),
    ],
)
def test_names_are_quoted_as_git_does(path, quoted):
    assert git_path("a", path) == quoted


def test_a_name_with_a_blank_ends_with_a_tab():
    assert unified(CASES["blank in the name"]).split("\n")[1:3] == [
        "--- a/my files/a b\t",
        "+++ b/my files/a b\t",
    ]


def test_colours(snapshot):
    assert unified(CASES["far"], color=True) == snapshot


def test_a_terminal_gets_no_control_characters_and_no_news_of_carriage_returns():
    shown = unified(HOSTILE_FILE, terminal=True)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert r"+RUN --mount=type=cache,target=/c\x1b[2J,sharing=shared" in shown
    assert "\\r" not in unified(CASES["crlf"], terminal=True)
    assert "-RUN b locked\n" in unified(CASES["mixed endings"], terminal=True)
    assert " FROM a\\r\n" in unified(CASES["mixed endings"], terminal=True)
    coloured = unified(HOSTILE_FILE, color=True)
    for code in ("\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == shown


def test_the_diff_is_not_shown_as_bytes_by_accident():
    assert decode(encode(unified(HOSTILE_FILE))) == unified(HOSTILE_FILE)
    assert HOSTILE not in unified(HOSTILE_FILE)
