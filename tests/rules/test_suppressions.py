"""Comments that tell this tool to leave something alone; MC214 says which do nothing."""

from __future__ import annotations

import pytest

from migrate_cache import migrate

MOUNT = "RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked"


def ignored(text: str) -> tuple[bool, list[str]]:
    """Return whether the only mount is left alone, and what is reported as without effect."""
    (result,) = migrate({"Dockerfile": text}).files
    unused = [note.reason for note in result.notes if note.rule == "MC214"]
    return not result.changed, unused


@pytest.mark.parametrize(
    ("comment", "left_alone"),
    [
        ("# migrate-cache: ignore", True),
        ("# migrate-cache: ignore why not", True),
        ("# migrate-cache: ignore[MC101] why", True),
        ("# migrate-cache: ignore [ mc101 , MC9 ]", True),
        ("# migrate-cache: ignore[MC102 MC101]", True),
        ("# migrate-cache: ignore[MC102,MC101]", True),
        ("# migrate-cache: ignore[]", True),
        ("#migrate-cache:ignore[MC1]", True),
        ("#  MIGRATE-CACHE:  Ignore", True),
        ("# migrate-cache: ignore-file", True),
        ("# migrate-cache: Ignore-File[mc101]", True),
        ("# migrate-cache: ignore-file[MC102]", False),
        ("# migrate-cache: ignore[MC102]", False),
        ("# migrate-cache: ignore[MC10]", True),
        ("# migrate-cache: ignore[MC1011]", False),
        ("# migrate-cache: ignored", False),
        ("# migrate-cache ignore", False),
        ("# please migrate-cache: ignore", False),
    ],
)
@pytest.mark.parametrize("between", [False, True])
def test_comment(comment: str, left_alone: bool, between: bool) -> None:
    text = f"{MOUNT} \\\n  {comment}\n  go build" if between else f"{comment}\n{MOUNT} go build"
    assert ignored(f"FROM golang\n{text}\n")[0] is left_alone


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# migrate-cache: ignore\n# another\n{mount} go build\n", id="two comments"),
        pytest.param("# another\n# migrate-cache: ignore\n{mount} go build\n", id="the second"),
        pytest.param("  # migrate-cache: ignore\n{mount} go build\n", id="indented"),
        pytest.param(
            "# migrate-cache: ignore\n  # another\n{mount} go build\n", id="another, indented"
        ),
        pytest.param("{mount} go build\n# migrate-cache: ignore-file\n", id="the file, below"),
        pytest.param("# migrate-cache: ignore-file\n\n{mount} go build\n", id="the file, above"),
        pytest.param("{mount} \\\n# migrate-cache: ignore\n\n  go build\n", id="between lines"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_places_that_count(text: str, ending: str) -> None:
    text = ("FROM golang\n" + text.format(mount=MOUNT)).replace("\n", ending)
    assert ignored(text) == (True, [])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# migrate-cache: ignore\n\n{mount} go build\n", id="a blank line"),
        pytest.param("# migrate-cache: ignore\n \t\n{mount} go build\n", id="a line of blanks"),
        pytest.param("# migrate-cache: ignore\nENV A=1\n{mount} go build\n", id="an instruction"),
        pytest.param("{mount} go build\n# migrate-cache: ignore\n", id="below"),
        pytest.param("# migrate-cache: ignore[MC102]\n{mount} go build\n", id="another rule"),
        pytest.param("# migrate-cache: ignore-file[MC102]\n{mount} go build\n", id="in the file"),
        pytest.param("# migrate-cache: ignore[]x\nENV A=1\n{mount} go build\n", id="no rule"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_comments_that_do_nothing_are_reported(text: str, ending: str) -> None:
    text = ("FROM golang\n" + text.format(mount=MOUNT)).replace("\n", ending)
    left_alone, unused = ignored(text)
    assert not left_alone
    assert len(unused) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{mount} <<EOF\n# migrate-cache: ignore\ngo build\nEOF\n", id="a heredoc"),
        pytest.param("{mount} go build # migrate-cache: ignore\n", id="the command"),
        pytest.param("LABEL a='# migrate-cache: ignore'\n{mount} go build\n", id="a label"),
    ],
)
def test_text_is_no_comment(text: str) -> None:
    assert ignored("FROM golang\n" + text.format(mount=MOUNT)) == (False, [])


@pytest.mark.parametrize(
    ("codes", "silent"),
    [("[MC201]", True), ("[MC2]", True), ("", True), ("[MC202]", False), ("[MC101]", False)],
)
def test_a_note_can_be_ignored(codes: str, silent: bool) -> None:
    text = f"FROM debian\n# migrate-cache: ignore{codes}\n"
    text += "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get update\n"
    (result,) = migrate({"Dockerfile": text}).files
    assert ("MC201" not in [note.rule for note in result.notes]) is silent


def test_a_comment_counts_for_its_instruction_only() -> None:
    apt = "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get update\n"
    text = f"FROM debian\n# migrate-cache: ignore\n{apt}{apt}"
    (result,) = migrate({"Dockerfile": text}).files
    assert [(note.rule, note.line) for note in result.notes] == [("MC201", 4)]


def test_a_comment_counts_for_all_lines_of_its_instruction() -> None:
    text = (
        "FROM debian\n# migrate-cache: ignore[MC201]\nRUN true && \\\n  true\n"
        "# migrate-cache: ignore[MC201]\nRUN \\\n  --mount=type=cache,target=/var/cache/apt,"
        "sharing=locked \\\n  apt-get update\n"
    )
    (result,) = migrate({"Dockerfile": text}).files
    assert [(note.rule, note.line) for note in result.notes] == [("MC214", 2)]


def test_place_and_text_of_a_comment() -> None:
    text = f"FROM golang\n  # migrate-cache: ignore[MC102,mc103] because\n{MOUNT} go build\n"
    (result,) = migrate({"Dockerfile": text}).files
    (note,) = [note for note in result.notes if note.rule == "MC214"]
    assert (note.line, note.column) == (2, 3)
    assert note.reason.startswith("`# migrate-cache: ignore[MC102,mc103]` does nothing")
