"""The laws of the tree, its stages and its mounts."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_cache.dockerfile.parser import parse
from migrate_cache.dockerfile.tree import Dockerfile
from migrate_cache.text.errors import ParseError
from tests.dockerfile.strategies import FEW, dockerfile
from tests.reading import (
    CACHE,
    check_law,
    mounts_of,
    nodes_of,
    options_of,
    read,
    readings,
    run_of,
    tree_of,
)


@FEW
@given(dockerfile())
def test_the_law_of_the_tree_holds(text: str) -> None:
    tree = read(text)
    assert isinstance(tree, ParseError) or tree.text == text


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read(b"FROM a\nRUN --mount=" + data)
    tree = read(data)
    if isinstance(tree, Dockerfile):
        assert tree.text.encode("utf-8", "surrogateescape") == data


@FEW
@given(st.text(st.characters(), max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    read(text)
    read(f"FROM a\nRUN --mount=type=cache,{text}\nENV {text}")


@FEW
@given(dockerfile())
def test_trees_and_errors_survive_pickling(text: str) -> None:
    tree = read(text)
    copy = pickle.loads(pickle.dumps(tree))
    if isinstance(tree, Dockerfile):
        check_law(copy)
        assert list(copy.tokens()) == list(tree.tokens())
        assert facts(copy) == facts(tree)
        assert list(map(str, copy.errors)) == list(map(str, tree.errors))
        assert [stage.label for stage in copy.stages] == [stage.label for stage in tree.stages]
    else:
        assert str(copy) == str(tree)


def facts(tree: Dockerfile, lines_above: int = 0) -> list[object]:
    found: list[object] = []
    for (keyword, flags, first, last), node in zip(readings(tree), tree.instructions, strict=True):
        place = (first - lines_above, last - lines_above)
        mounts = [options_of(mount) for mount in mounts_of(node)]
        bodies = [(h.name, h.body) for h in node.heredocs]
        error = node.error.message if node.error else None
        found.append((keyword, flags, place, node.line.text, mounts, bodies, node.words, error))
    return found


@FEW
@given(dockerfile(), dockerfile())
def test_files_one_after_the_other_are_read_as_each_alone(above: str, below: str) -> None:
    if not above.endswith("\n") or below.startswith("\ufeff"):
        return
    first = read(above)
    # Directives count at the top only: behind an instruction they are comments.
    second = read("#\n" + below)
    if isinstance(first, ParseError) or isinstance(second, ParseError) or first.escape != "\\":
        return
    last = first.instructions[-1]
    if last.line.heredocs == () and last.line.span.end == len(above):
        # The last line may go on: a continuation that nothing ends.
        ends = last.line.pieces[-1].end
        if above[ends : ends + 1] == "\\":
            return
    whole = parse(above + "#\n" + below)
    count = above.count("\n")
    assert facts(whole) == facts(first) + facts(second, -count)


def test_stages() -> None:
    tree = tree_of("ARG v\nFROM --platform=p a:${v} aS Build\nRUN x\nFROM build\n")
    assert [(s.name, s.base, s.platform, s.label) for s in tree.stages] == [
        ("build", "a:${v}", "p", "build"),
        ("", "build", "", "1"),
    ]
    assert [i.keyword for i in tree.global_args] == ["ARG"]


MOUNTS = f"""\
FROM a
RUN {CACHE}1 --mount=target=/b --network=none x
COPY --from=b c d
ONBUILD RUN {CACHE}2 --mount=type=$T,target=/t x
FROM b
RUN --mount=type=Cache,target=/c3 x
ONBUILD COPY --from=b c d
"""


def test_the_mounts_of_all_runs_those_of_onbuild_too() -> None:
    tree = tree_of(MOUNTS)
    assert [mount.target for mount in tree.mounts()] == ["/c1", "/b", "/c2", "/t", "/c3"]
    assert [mount.target for mount in tree.mounts(type="cache")] == ["/c1", "/c2", "/c3"]
    assert [mount.target for mount in tree.mounts(type="bind")] == ["/b"]
    assert [mount.target for mount in tree.mounts(type="secret")] == []


def test_a_mount_of_a_copy_is_none_of_a_run() -> None:
    tree = tree_of(f"FROM a\nCOPY {CACHE} c d\n")
    assert list(tree.mounts()) == []
    assert tree.errors


def test_nodes_cannot_be_changed() -> None:
    for node in nodes_of(tree_of(f"FROM a\nRUN {CACHE} <<E\nE\n")):
        for name in ("kind", "children", "error"):
            with pytest.raises(FrozenInstanceError):
                setattr(node, name, None)


def test_a_node_is_equal_to_itself_alone() -> None:
    first, second = tree_of("FROM a\nRUN x\nRUN x\n"), tree_of("FROM a\nRUN x\nRUN x\n")
    assert first != second
    assert len({first, second, *first.instructions, *second.instructions}) == 8


def test_the_error_of_a_mount_is_the_error_of_its_run_and_of_the_file() -> None:
    tree = tree_of("FROM a\nRUN --mount=type=cache,sharing=x --mount=type=y z\n")
    run = tree.instructions[1]
    assert run.error is not None
    assert [mount.error is None for mount in mounts_of(run)] == [False, False]
    assert run.error is mounts_of(run)[0].error
    assert tree.errors == (run.error,)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("RUN make all\n", "make all"),
        ('RUN ["make"]\n', ""),
        ("RUN <<E\nmake\nE\n", "make\n"),
        ("RUN <<-E cat\n\tx\n\tE\n", "<<-E cat\n\tx\nE"),
        ("RUN <<E\n#!/bin/bash -e\nmake\nE\n", "#!/bin/bash -e\nmake\n"),
        (
            "RUN <<E\n#!/usr/bin/env python3\nx\nE\n",
            "/usr/bin/env python3 - <<'E'\n#!/usr/bin/env python3\nx\nE",
        ),
    ],
)
def test_the_script_of_a_run(text: str, script: str) -> None:
    assert run_of(text).script == script
