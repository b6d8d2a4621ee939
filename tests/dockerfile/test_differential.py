"""Two other parsers made from BuildKit's read what we read.

``dockerfile`` is BuildKit's older parser in Go, ``e2b-dockerfile-utils`` a port of a newer one
to Python. They read mutants of real files, and corners of the syntax.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path

import e2b_dockerfile_utils
import pytest

from migrate_cache.dockerfile.tree import Dockerfile
from migrate_cache.dockerfile.words import SPACES
from tests.dockerfile.mutations import mutants
from tests.reading import Reading, as_bytes_are_read, read, readings

needs_go = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="dockerfile is installed where pyproject.toml says so",
)

# What each of the two does otherwise than today's BuildKit, as a question about the text, and
# the reason. Such texts are read, but not compared.
GO_DIFFERS: dict[str, Callable[[str], object]] = {
    "it takes bytes that are not UTF-8 for others": re.compile("[\ud800-\udfff]").search,
    "a C string ends at a NUL": lambda text: "\0" in text,
    "the backslash is its escape character in flags, whatever the directive says": re.compile(
        r"^\s*#\s*escape", re.IGNORECASE | re.MULTILINE
    ).search,
    "it knows no check directive, and does not end the directives alike": re.compile(
        r"^\W*#\s*(check|syntax)", re.IGNORECASE
    ).search,
    "it takes no blank between << and the word": re.compile(r"<<-?\s").search,
    "its words end at a < of another kind": re.compile(r"[^\s]<").search,
    "its lexer has fewer modifiers": re.compile(r"\$\{[^}]*[#%/?:]").search,
}
E2B_DIFFERS: dict[str, Callable[[str], object]] = {
    "it reads characters where BuildKit reads bytes": lambda text: not text.isascii(),
    "it strips what Python takes for blanks": re.compile(r"[\x1c-\x1f]").search,
    "it looks for no heredoc in ONBUILD": re.compile(
        r"o\\?\s*n\\?\s*b\\?\s*u\\?\s*i\\?\s*l\\?\s*d", re.IGNORECASE
    ).search,
    "it does not know how long a line may be": lambda text: (
        max(map(len, text.split("\n"))) > 60_000
    ),
    "empty quotes are a heredoc's word to it": re.compile(r"<<-?\s*(\"\"|'')").search,
    "its JSON is Python's": re.compile(r"NaN|Infinity|[0-9]e[0-9]").search,
}


def go_readings(text: str) -> list[Reading] | None:
    """Read with ``dockerfile``; None where it refuses."""
    import dockerfile

    try:
        commands = dockerfile.parse_string(text)
    except dockerfile.GoParseError:
        return None
    return [((c.cmd or "").upper(), tuple(c.flags), c.start_line, c.end_line) for c in commands]


def e2b_readings(text: str) -> list[Reading] | None:
    """Read with ``e2b-dockerfile-utils``; None where it refuses."""
    try:
        tree = e2b_dockerfile_utils.parse_dockerfile_ast(text)
    except e2b_dockerfile_utils.DockerfileSyntaxError:
        return None
    return [(i.name, tuple(i.flags), i.start_line, i.end_line) for i in tree.instructions]


def disagreement(tree: Dockerfile, other: Callable[[str], list[Reading] | None]) -> str:
    """Return what another parser reads otherwise in a file that both take, ``""`` if nothing."""
    theirs = other(tree.text)
    if theirs is None:
        # Both refuse an instruction then; they stop there, and we go on.
        return "" if tree.errors else f"only they refuse\n{tree.text}"
    ours = [
        (keyword.upper(), tuple(map(as_bytes_are_read, flags)), first, last)
        for keyword, flags, first, last in readings(tree)
    ]
    for mine, their in zip(ours, theirs, strict=False):
        if mine != their:
            return f"{mine} here\n{their} there\n{tree.text}"
    if len(ours) != len(theirs):
        return f"{len(ours)} here, {len(theirs)} there\n{tree.text}"
    return ""


def is_comparable(tree: Dockerfile, differs: dict[str, Callable[[str], object]]) -> bool:
    text = tree.text
    return not any(question(text) for question in differs.values()) and not has_torn_character(tree)


def has_torn_character(tree: Dockerfile) -> bool:
    """Whether BuildKit cuts a character of a flag in two; that is an error here."""
    flags = (flag for instruction in tree.instructions for flag in instruction.flag_nodes)
    return any(flag.error and "cuts this character" in flag.error.message for flag in flags)


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        pytest.param(go_readings, GO_DIFFERS, marks=needs_go, id="dockerfile"),
        pytest.param(e2b_readings, E2B_DIFFERS, id="e2b-dockerfile-utils"),
    ],
)
def test_a_mutant_is_read_as_other_parsers_read_it(
    corpus: Path,
    fuzz_seconds: float,
    other: Callable[[str], list[Reading] | None],
    differs: dict[str, Callable[[str], object]],
) -> None:
    compared = 0
    for data in mutants(corpus, fuzz_seconds):
        tree = read(data)
        if isinstance(tree, Dockerfile) and is_comparable(tree, differs):
            difference = disagreement(tree, other)
            assert not difference, difference
            compared += 1
    assert compared > 50


# Corners that both know; the backtick, for one, only the newer one does.
CORNERS = [
    "RUN --mount='type=cache,\"target=/a,b\"' x",
    "RUN --mount=a\\ b --c='d\\'e' f",
    'RUN --mount="a b c',
    "RU\\\nN --mo\\\n# c\n\n  # d\nunt=a\\  \t\nb x",
    "RUN -- --a",
    "RUN --a -- --b c",
    "RUN --''  x",
    "RUN --a=b\\\\\\",
    "RUN a\\\\\nRUN b",
    "RUN a\\\fb\nRUN c",
    "RUN a \\",
    "RUN a \\\n\n\n#c\n",
    "RUN --a\x1cb c",
    "RUN --a\vb\f--c\rd",
    "RUN",
    "RUN <<A <<-'B' c\nB\nA\n\tB\nUSER d",
    "RUN <<E\n E\nE e\nRUN --mount=x y\nE\nUSER d",
    'RUN "<<E"\nUSER d',
    "RUN <<<E\nUSER d",
    'RUN ["<<E"]\nUSER d',
    "RUN <<-\nUSER d",
    "RUN <<eo\\'f\nx\neo'f\nUSER d",
    "COPY <<a.txt <<b /c\na.txt\nb\nUSER d",
    "USER <<E\nUSER d",
    "# RUN a \\\nRUN b # c",
]
# The port takes empty quotes for a word; no version in Go does.
GO_CORNERS = ['RUN <<""\nUSER d', "RUN <<-''\nUSER d"]
NEWER_CORNERS = [
    "RUN <<- E\nUSER d",
    "RUN << E\nx\nE\nUSER d",
    "RUN << -E\nx\n-E\nUSER d",
    "RUN ${x:0:2} <<E\nx\nE\nUSER d",
    "RUN ${x^^} <<E\nUSER d",
    "RUN ${x:-${y:-<}} <<E\nx\nE\nUSER d",
    "RUN it's <<E\nUSER d",
    "RUN a<<E\nUSER d",
]
BACKTICK_CORNERS = ["RUN --mount=type=cache,target=C:\\c x `\n y\nRUN z \\\nUSER d"]


@needs_go
@pytest.mark.parametrize("text", CORNERS + GO_CORNERS)
def test_a_corner_is_read_as_the_go_parser_reads_it(text: str) -> None:
    tree = read(f"FROM a\n{text}\n")
    assert isinstance(tree, Dockerfile)
    assert readings(tree) == go_readings(tree.text)


@pytest.mark.parametrize("text", CORNERS + NEWER_CORNERS)
def test_a_corner_is_read_as_the_newer_parser_reads_it(text: str) -> None:
    tree = read(f"FROM a\n{text}\n")
    assert isinstance(tree, Dockerfile)
    assert readings(tree) == e2b_readings(tree.text)


@pytest.mark.parametrize("text", BACKTICK_CORNERS)
def test_a_corner_with_a_backtick(text: str) -> None:
    tree = read(f"# escape=`\nFROM a\n{text}\n")
    assert isinstance(tree, Dockerfile)
    assert readings(tree) == e2b_readings(tree.text)


def test_blanks_are_those_of_go() -> None:
    blanks = filter(e2b_dockerfile_utils.is_space, map(chr, range(0x11000)))
    assert set(blanks) == set(SPACES)
