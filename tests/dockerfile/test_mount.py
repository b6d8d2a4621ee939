"""What a mount says, and its edits, compared as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate_cache.dockerfile.mount import clean_path
from migrate_cache.dockerfile.parser import parse
from migrate_cache.text.edit import apply_edits
from tests.dockerfile.strategies import FEW, written_mount
from tests.reading import mount_of, mounts_of, options_of, readings, tree_of

if TYPE_CHECKING:
    from migrate_cache.dockerfile.mount import Mount
    from migrate_cache.dockerfile.tree import Dockerfile, Instruction
    from migrate_cache.text.edit import OptionEdit

# -- options -------------------------------------------------------------------------------


def test_a_csv_quote_in_the_middle_of_a_field_is_an_error() -> None:
    mount = mount_of("RUN --mount='type=cache,target=/\"c' x\n")
    assert mount.error is not None
    assert mount.error.message.startswith("failed to parse csv mounts")
    assert mount.options == ()


def test_the_last_of_two_equal_options_wins() -> None:
    mount = mount_of("RUN --mount=type=cache,target=/a,dst=/b,id=x,id=y z\n")
    assert (mount.target, mount.id) == ("/b", "y")
    assert mount.repeated("target")
    assert mount.repeated("sharing", "id")
    assert not mount.repeated("sharing", "type")


def test_names_of_options() -> None:
    mount = mount_of("RUN --mount=type=cache,destination=/a//b/../c,src=s,from=f,ro x\n")
    assert (mount.target, mount.source, mount.from_) == ("/a//b/../c", "s", "f")
    assert mount.cache_id == "/a/c"
    assert mount.option("readonly") is not None
    assert mount.options[0].name == "type"


@pytest.mark.parametrize(
    ("path", "cleaned"),
    [("", "."), ("/", "/"), ("//a//b/", "/a/b"), ("/a/../..", "/"), ("a/./b", "a/b")],
)
def test_paths_are_cleaned_as_go_does(path: str, cleaned: str) -> None:
    assert clean_path(path) == cleaned


# -- edits: every way to write a mount -----------------------------------------------------

SET = [
    pytest.param("type=cache,sharing=locked", "type=cache,sharing=shared", id="plain"),
    pytest.param("SHARING=LOCKED", "SHARING=shared", id="letter case of the key stays"),
    pytest.param("sharing=", "sharing=shared", id="an empty value"),
    pytest.param('"sharing=locked"', '"sharing=shared"', id="double quotes"),
    pytest.param(
        "'\"sharing=locked\",target=/a'", "'\"sharing=shared\",target=/a'", id="a CSV field"
    ),
    pytest.param("sharing='locked'", "sharing='shared'", id="quotes around the value"),
    pytest.param('sharing=lo"ck"ed', 'sharing=""shared', id="quotes within the value"),
    pytest.param("sharing=l\\ocked", "sharing=shared", id="an escape"),
    pytest.param("sharing=lo\\\ncked", "sharing=\\\nshared", id="a continuation"),
    pytest.param("sharing=lo\\\n# c\n\ncked", "sharing=\\\n# c\n\nshared", id="a comment"),
    pytest.param("sharing=x,sharing=locked", "sharing=x,sharing=shared", id="the last of two"),
    pytest.param(
        "sharing=locked \\\n --network=none", "sharing=shared \\\n --network=none", id="flags"
    ),
]


def edited(text: str, edit: str, *args: str, **names: str) -> str:
    """Return a file with one edit of its only mount."""
    tree = tree_of(text)
    (mount,) = tree.mounts()
    return apply_edits(tree.source.text, getattr(mount, edit)(*args, **names))


def run_with(mount: str, end: str = "\n", escape: str = "\\") -> str:
    """Return a file whose RUN has a mount that is written so."""
    text = f"FROM a\n\nRUN --mount={mount} make\nUSER b\n"
    if escape != "\\":
        text = f"# escape={escape}\n" + text.replace("\\", escape)
    return text.replace("\n", end)


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("escape", ["\\", "`"], ids=["backslash", "backtick"])
@pytest.mark.parametrize(("before", "after"), SET)
def test_set(before: str, after: str, end: str, escape: str) -> None:
    result = edited(run_with(before, end, escape), "set", "sharing", "shared")
    assert result == run_with(after, end, escape)


REPLACE = [
    pytest.param("target=/c,sharing=locked", "target=/c,id=x", id="plain"),
    pytest.param('"sharing=locked",target=/c', '"id=x",target=/c', id="quotes"),
    pytest.param("'\"sharing=locked\",target=/c'", "'\"id=x\",target=/c'", id="a CSV field"),
    pytest.param("shar\\\ning=lo\\\ncked", "\\\nid=\\\nx", id="continuations"),
]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("escape", ["\\", "`"], ids=["backslash", "backtick"])
@pytest.mark.parametrize(("before", "after"), REPLACE)
def test_replace(before: str, after: str, end: str, escape: str) -> None:
    result = edited(run_with(before, end, escape), "replace", "sharing", "id", "x")
    assert result == run_with(after, end, escape)


ADD = [
    pytest.param("target=/c", "target=/c,id=x", id="at the end"),
    pytest.param("dst=/c,ro", "dst=/c,id=x,ro", id="after an alias"),
    pytest.param('"type=cache,target=/c"', '"type=cache,target=/c,id=x"', id="quotes around all"),
    pytest.param('target="/c"', 'target="/c",id=x', id="quotes around the value"),
    pytest.param('"target=/c",ro', '"target=/c,id=x",ro', id="quotes around the option"),
    pytest.param("'\"target=/a,b\"'", "'\"target=/a,b\",id=x'", id="a CSV field"),
    pytest.param("target=/a\\ b", "target=/a\\ b,id=x", id="an escape"),
    pytest.param("target=/\\\nc,\\\nro", "target=/\\\nc,id=x,\\\nro", id="continuations"),
    pytest.param("target=/c,\\\n# c\nro", "target=/c,id=x,\\\n# c\nro", id="a comment"),
]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("escape", ["\\", "`"], ids=["backslash", "backtick"])
@pytest.mark.parametrize(("before", "after"), ADD)
def test_add(before: str, after: str, end: str, escape: str) -> None:
    result = edited(run_with(before, end, escape), "add", "id", "x", after="target")
    assert result == run_with(after, end, escape)


REMOVE = [
    pytest.param("target=/c,sharing=locked", "target=/c", id="the last"),
    pytest.param("sharing=locked,target=/c", "target=/c", id="the first"),
    pytest.param("target=/c,sharing=locked,id=x", "target=/c,id=x", id="in the middle"),
    pytest.param(
        "target=/c,\\\nsharing=locked,id=x", "target=/c,\\\nid=x", id="after a line break"
    ),
    pytest.param(
        "target=/c,sharing=locked,\\\n# c\nid=x", "target=/c,\\\n# c\nid=x", id="before one"
    ),
    pytest.param("target=/c,sharing=l\\ocked", "target=/c", id="an escape"),
    pytest.param('"target=/c,sharing=locked"', '"target=/c"', id="quotes around all"),
]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("escape", ["\\", "`"], ids=["backslash", "backtick"])
@pytest.mark.parametrize(("before", "after"), REMOVE)
def test_remove(before: str, after: str, end: str, escape: str) -> None:
    result = edited(run_with(before, end, escape), "remove", "sharing")
    assert result == run_with(after, end, escape)


@pytest.mark.parametrize(
    "mount",
    [
        "target=/c",
        "sharing=locked",
        "target=/c,sharing=lo\\\ncked",
        "target=/c,sharing='locked'",
        'target=/c,"sharing=locked"',
        "'target=/c,\"sharing=locked\"'",
        "target=/c,\\\nsharing=locked\\\n,id=x",
        "sharing=x,sharing=locked",
    ],
)
def test_remove_refuses_what_it_cannot_take_out_cleanly(mount: str) -> None:
    with pytest.raises(ValueError, match="the mount"):
        mount_of(f"RUN --mount={mount} x\n").remove("sharing")


def test_edits_name_the_option_and_its_new_value() -> None:
    mount = mount_of("RUN --mount=dst=/c,sharing=lo\\\ncked,ro=1 x\n")

    def names(edits: tuple[OptionEdit, ...]) -> list[tuple[str, str | None]]:
        return [(edit.option, edit.value) for edit in edits]

    assert names(mount.set("sharing", "x")) == [("sharing", "x"), ("sharing", "x")]
    assert names(mount.set("target", "/x")) == [("target", "/x")]
    assert names(mount.replace("readonly", "id", "x")) == [("readonly", None), ("id", "x")]
    assert names(mount.add("src", "/x", after="target")) == [("source", "/x")]
    assert names(mount.remove("readonly")) == [("readonly", None)]


@pytest.mark.parametrize("value", ["a b", "a,b", 'a"b', "a'b", "a\\b", "a`b", "#a", "a\n", "é"])
def test_a_value_that_would_need_quotes_is_refused(value: str) -> None:
    mount = mount_of("RUN --mount=target=/c,sharing=locked x\n")
    for edit in (
        lambda: mount.set("sharing", value),
        lambda: mount.replace("sharing", "id", value),
        lambda: mount.replace("sharing", value, "x"),
        lambda: mount.add("id", value, after="target"),
        lambda: mount.add(value, "x", after="target"),
    ):
        with pytest.raises(ValueError, match="without quotes"):
            edit()


def test_an_edit_needs_the_option_that_it_is_about() -> None:
    mount = mount_of("RUN --mount=target=/c,readonly,id=x x\n")
    for edit in (
        lambda: mount.set("sharing", "shared"),
        lambda: mount.replace("sharing", "uid", "1"),
        lambda: mount.add("uid", "1", after="sharing"),
        lambda: mount.remove("sharing"),
    ):
        with pytest.raises(ValueError, match="the mount has no sharing"):
            edit()
    with pytest.raises(ValueError, match="readonly has no value"):
        mount.set("readonly", "true")


def test_an_option_is_not_given_twice() -> None:
    mount = mount_of("RUN --mount=target=/c,id=x,sharing=locked x\n")
    for edit in (
        lambda: mount.add("id", "y", after="target"),
        lambda: mount.add("dst", "y", after="target"),
        lambda: mount.replace("sharing", "id", "y"),
    ):
        with pytest.raises(ValueError, match="already"):
            edit()


# -- edits: mounts made up ------------------------------------------------------------------


def first_run(text: str) -> tuple[Dockerfile, Instruction, Mount]:
    tree = parse(text)
    run = tree.instructions[1]
    (found,) = mounts_of(run)
    return tree, run, found


@settings(FEW, max_examples=300)
@given(
    written_mount(),
    st.sampled_from(["set", "replace", "add"]),
    st.sampled_from(["type", "target", "sharing"]),
)
def test_edits_are_read_as_planned_and_change_nothing_else(
    written: tuple[str, str], edit: str, name: str
) -> None:
    text = "".join(written)
    tree, run, old = first_run(text)
    if run.error is not None:
        return
    if edit != "set" and old.option("id") is not None:
        return
    value = "target-b-${SERVICE:-x}"
    expected = [(o.key, o.value) for o in old.options]
    index = max(i for i, o in enumerate(old.options) if o.name == name)
    if edit == "set":
        edits = old.set(name, value)
        expected[index] = (expected[index][0], value)
    elif edit == "replace":
        edits = old.replace(name, "id", value)
        expected[index] = ("id", value)
    else:
        edits = old.add("id", value, after=name)
        expected.insert(index + 1, ("id", value))
    after, changed, new = first_run(apply_edits(tree.source.text, edits))
    assert options_of(new) == expected
    assert readings(after)[2:] == readings(tree)[2:]
    assert (changed.arguments, changed.start_line, changed.end_line) == (
        run.arguments,
        run.start_line,
        run.end_line,
    )
    assert after.escape == tree.escape
    start, end = old.span
    assert all(start <= edit.span.start <= edit.span.end <= end for edit in edits)
