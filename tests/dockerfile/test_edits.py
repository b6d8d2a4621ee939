"""Edits of a file, compared as bytes."""

from __future__ import annotations

import pytest

from migrate_cache.dockerfile.edits import insert_before, mount_edits
from migrate_cache.text.edit import apply_edits
from tests.reading import tree_of

# -- lines above an instruction -------------------------------------------------------------

INSERT = [
    pytest.param("FROM a\n|RUN here\n", id="plain"),
    pytest.param("FROM a\n\n|RUN here\n", id="below a blank line"),
    pytest.param("FROM a\n|# why\n# more\nRUN here\n", id="comments belong to it"),
    pytest.param("FROM a\n# not\n\n|# why\nRUN here\n", id="up to a blank line"),
    pytest.param("FROM a\n# not\n  \t\n|RUN here\n", id="up to a line of blanks"),
    pytest.param("FROM a\n|  # why\n  RUN here\n", id="indented"),
    pytest.param("FROM a\nRUN x \\\n# within\n y\n|RUN here\n", id="below a continued one"),
    pytest.param("FROM a\nRUN <<E\n# body\nE\n|# why\nRUN here\n", id="below a heredoc"),
    pytest.param("FROM a\n|RUN \\\n# within\nhere\n", id="continued itself"),
    pytest.param("|FROM here", id="the first, without a line ending"),
    pytest.param("# syntax=x\n|# why\nFROM here\n", id="below a directive"),
    pytest.param("# escape=`\n|FROM here\nRUN a `\n b\n", id="below the escape directive"),
    pytest.param("\ufeff|FROM here\n", id="below a byte order mark"),
]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("text", INSERT)
def test_lines_stand_above_an_instruction_and_its_comments(text: str, end: str) -> None:
    text = text.replace("\n", end)
    before, after = text.replace("|", ""), text.replace("|", f"# new{end}USER b{end}")
    if end not in before:
        after = text.replace("|", "# new\nUSER b\n")
    tree = tree_of(before)
    (here,) = (item for item in tree.instructions if item.arguments.strip() == "here")
    assert apply_edits(tree.source.text, [insert_before(tree, here, "USER b", "# new")]) == after


# -- the id and the mode of a cache -----------------------------------------------------------

LOCKED = "type=cache,target=/c,sharing=locked"


@pytest.mark.parametrize(
    ("mount", "new_id", "sharing", "expected"),
    [
        (LOCKED, None, None, LOCKED),
        (LOCKED, None, "shared", "type=cache,target=/c,sharing=shared"),
        (LOCKED, "x", None, "type=cache,target=/c,id=x,sharing=locked"),
        (LOCKED, "x", "shared", "type=cache,target=/c,id=x,sharing=shared"),
        (LOCKED, None, "", "type=cache,target=/c"),
        (LOCKED, "x", "", "type=cache,target=/c,id=x"),
        (LOCKED + ",id=y", "x", "", "type=cache,target=/c,id=x"),
        ("id=y,sharing=locked,target=/c", "x", "", "id=x,target=/c"),
        ("sharing=locked,id=,target=/c", "x", "", "id=x,target=/c"),
        ('target=/c,"sharing=locked"', None, "", 'target=/c,"sharing=shared"'),
        ("target=/c,sharing=lo\\\ncked,id=y", "x", "", "target=/c,sharing=\\\nshared,id=x"),
        ("id=y,target=/c", "x", None, "id=x,target=/c"),
        ("type=cache,target=/c", "x", None, "type=cache,target=/c,id=x"),
    ],
)
def test_the_id_and_the_mode_of_a_cache(
    mount: str, new_id: str | None, sharing: str | None, expected: str
) -> None:
    text = "FROM a\nRUN --mount={} make\n"
    tree = tree_of(text.format(mount))
    (node,) = tree.mounts()
    assert apply_edits(tree.source.text, mount_edits(node, new_id, sharing)) == text.format(
        expected
    )


def test_an_insertion_names_its_instruction() -> None:
    tree = tree_of("FROM a\nRUN here\n")
    assert insert_before(tree, tree.instructions[1], "USER b", "# c").instruction == "USER b"


# -- edits together ---------------------------------------------------------------------------

TWO = "FROM a\nRUN --mount=target=/a,sharing=locked --mount=target=/b,id= make\n"


def test_the_order_of_edits_does_not_matter() -> None:
    tree = tree_of(TWO)
    first, second = tree.mounts()
    edits = [
        *second.set("id", "y"),
        insert_before(tree, tree.instructions[1], "USER b", "# why"),
        *first.set("sharing", "shared"),
        *first.add("id", "x", after="target"),
    ]
    expected = TWO.replace("RUN", "# why\nUSER b\nRUN").replace("locked", "shared")
    expected = expected.replace("/a,", "/a,id=x,").replace("id= ", "id=y ")
    assert (
        apply_edits(tree.source.text, edits)
        == apply_edits(tree.source.text, edits[::-1])
        == expected
    )


@pytest.mark.parametrize(
    ("which", "one", "other"),
    [
        (0, ("set", "sharing", "a"), ("set", "sharing", "b")),
        (0, ("set", "sharing", "a"), ("set", "sharing", "a")),
        (0, ("set", "sharing", "a"), ("remove", "sharing")),
        (0, ("set", "sharing", "a"), ("replace", "sharing", "id", "x")),
        (0, ("add", "id", "x"), ("add", "uid", "1")),
        (1, ("set", "id", "x"), ("set", "id", "y")),
    ],
    ids=["two values", "a value twice", "set, remove", "set, replace", "two added", "no value"],
)
def test_two_edits_of_one_option_or_place_are_refused(
    which: int, one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    tree = tree_of(TWO)
    mount = list(tree.mounts())[which]
    edits = []
    for method, *args in (one, other):
        names = {"after": "target"} if method == "add" else {}
        edits.append(getattr(mount, method)(*args, **names))
        apply_edits(tree.source.text, edits[-1])
    with pytest.raises(ValueError, match="at offset"):
        apply_edits(tree.source.text, (*edits[0], *edits[1]))


def test_two_insertions_above_one_instruction_are_refused() -> None:
    tree = tree_of(TWO)
    edits = [
        insert_before(tree, tree.instructions[1], line, "# c") for line in ("USER a", "USER b")
    ]
    with pytest.raises(ValueError, match="two edits of one place"):
        apply_edits(tree.source.text, edits)
