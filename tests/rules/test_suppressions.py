from __future__ import annotations

import pytest

from migrate_cache.dockerfile.parser import parse
from migrate_cache.plan.api import migrate
from migrate_cache.rules.suppressions import read_suppressions

MOUNT = "RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked"


def ignored(text: str) -> tuple[bool, list[str]]:
    """Return whether the first mount is left alone, and what is reported as without effect."""
    (result,) = migrate({"Dockerfile": text}).files
    unused = [note.reason for note in result.notes if note.rule == "MC214"]
    return not result.changed, unused


@pytest.mark.parametrize(
    ("comment", "left_alone"),
    [
        ("# migrate-cache: ignore", True),
        ("# migrate-cache: ignore[MC101] why", True),
        ("# migrate-cache: ignore [ mc101 , MC9 ]", True),
        ("# migrate-cache: ignore[MC102 MC101]", True),
        ("#migrate-cache:ignore[MC1]", True),
        ("#  MIGRATE-CACHE:  Ignore", True),
        ("# migrate-cache: ignore-file", True),
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
        "# migrate-cache: ignore\n# another\n{mount} go build\n",
        "{mount} go build\n# migrate-cache: ignore-file\n",
        "{mount} \\\n# migrate-cache: ignore\n\n  go build\n",
    ],
)
def test_places_that_count(text: str) -> None:
    assert ignored("FROM golang\n" + text.format(mount=MOUNT)) == (True, [])


@pytest.mark.parametrize(
    "text",
    [
        "# migrate-cache: ignore\n\n{mount} go build\n",
        "# migrate-cache: ignore\nENV A=1\n{mount} go build\n",
        "{mount} go build\n# migrate-cache: ignore\n",
        "# migrate-cache: ignore[MC102]\n{mount} go build\n",
        "# migrate-cache: ignore-file[MC102]\n{mount} go build\n",
        "# migrate-cache: ignore[]x\nENV A=1\n{mount} go build\n",
    ],
)
def test_comments_that_do_nothing_are_reported(text: str) -> None:
    left_alone, unused = ignored("FROM golang\n" + text.format(mount=MOUNT))
    assert not left_alone
    assert len(unused) == 1


@pytest.mark.parametrize(
    "text",
    [
        "{mount} <<EOF\n# migrate-cache: ignore\ngo build\nEOF\n",
        "{mount} go build # migrate-cache: ignore\n",
        "LABEL a='# migrate-cache: ignore'\n{mount} go build\n",
    ],
)
def test_text_is_no_comment(text: str) -> None:
    assert ignored("FROM golang\n" + text.format(mount=MOUNT)) == (False, [])


def test_a_note_can_be_ignored() -> None:
    text = "FROM debian\n# migrate-cache: ignore[MC201]\n"
    text += "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get update\n"
    (result,) = migrate({"Dockerfile": text}).files
    assert not result.notes


def test_places_and_codes() -> None:
    tree = parse("FROM a\n  # migrate-cache: ignore[MC1,mc2] x\nRUN b\n", "Dockerfile")
    (ignore,) = read_suppressions(tree)
    assert (ignore.line, ignore.column, ignore.codes) == (2, 3, ("MC1", "MC2"))
    assert ignore.written == "# migrate-cache: ignore[MC1,mc2]"
