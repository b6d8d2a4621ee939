"""Real Dockerfiles with bytes flipped, deleted and doubled: a tree or an error, nothing else.

Seeded and short by default; ``--fuzz-seconds N`` goes on. What comes out is compared with
two parsers made from BuildKit's, where they are installed: ``dockerfile`` (its older Go
parser) and ``e2b-dockerfile-utils`` (a port of a newer one to Python).
"""

from __future__ import annotations

import random
import re
import time
from typing import TYPE_CHECKING

import pytest

from migrate_cache.dockerfile.tree import Dockerfile
from migrate_cache.dockerfile.words import SPACES
from tests.reading import Reading, as_bytes_are_read, read, readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEED = 20_240
SHORT = 1.5

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
    dockerfile = pytest.importorskip("dockerfile", reason="dockerfile is not installed")
    try:
        commands = dockerfile.parse_string(text)
    except dockerfile.GoParseError:
        return None
    return [((c.cmd or "").upper(), tuple(c.flags), c.start_line, c.end_line) for c in commands]


def e2b_readings(text: str) -> list[Reading] | None:
    """Read with ``e2b-dockerfile-utils``; None where it refuses."""
    e2b = pytest.importorskip(
        "e2b_dockerfile_utils", reason="e2b-dockerfile-utils is not installed"
    )
    try:
        tree = e2b.parse_dockerfile_ast(text)
    except e2b.DockerfileSyntaxError:
        return None
    return [(i.name, tuple(i.flags), i.start_line, i.end_line) for i in tree.instructions]


def disagreement(
    text: str,
    tree: Dockerfile,
    other: Callable[[str], list[Reading] | None],
    differs: dict[str, Callable[[str], object]],
) -> str:
    """Return what another parser reads otherwise in a file that both take, ``""`` if nothing."""
    if any(question(text) for question in differs.values()) or has_torn_character(tree):
        return ""
    theirs = other(text)
    if theirs is None:
        # Both refuse an instruction then; they stop there, and we go on.
        return "" if tree.errors else f"only they refuse\n{text}"
    ours = [
        (keyword.upper(), tuple(map(as_bytes_are_read, flags)), first, last)
        for keyword, flags, first, last in readings(tree)
    ]
    for mine, their in zip(ours, theirs, strict=False):
        if mine != their:
            return f"{mine} here\n{their} there\n{text}"
    return "" if len(ours) == len(theirs) else f"{len(ours)} here, {len(theirs)} there\n{text}"


def has_torn_character(tree: Dockerfile) -> bool:
    """Whether BuildKit cuts a character of a flag in two; that is an error here."""
    flags = (flag for instruction in tree.instructions for flag in instruction.flag_nodes)
    return any(flag.error and "cuts this character" in flag.error.message for flag in flags)


# -- mutations -----------------------------------------------------------------------------

# Bytes that mean something, and so find more than random ones.
TELLING = [bytes([b]) for b in b"\"'\\`,=-#<$ \t\r\n\0[]{}|&\x0b\x0c\x1b\x85\xa0\xff"]
TELLING += [
    b"\\\n",
    b"\r\n",
    b"--",
    b"--mount=",
    b"<<EOF",
    b"\xc2\xa0",
    b"\xef\xbb\xbf",
    b"ONBUILD ",
]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return `data` with a few bytes flipped, deleted, doubled, moved or put in."""
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(mutant))
        end = min(len(mutant), at + chance.choice((1, 1, 1, 2, 8, 40)))
        kind = chance.randint(0, 5)
        if kind == 0 and at < len(mutant):
            mutant[at] ^= 1 << chance.randint(0, 7)
        elif kind == 1:
            del mutant[at:end]
        elif kind == 2:
            mutant[at:at] = mutant[at:end]
        elif kind == 3:
            mutant[at:at] = chance.choice(TELLING)
        elif kind == 4:
            mutant[at:end] = chance.choice(TELLING)
        else:
            del mutant[at:]
    return bytes(mutant)


def mutants(folder: Path, seconds: float) -> Iterator[bytes]:
    """Yield mutants of the corpus, short files more often, until the time is over."""
    chance = random.Random(SEED if seconds == 0 else None)
    paths = sorted(
        path
        for path in folder.joinpath("files").rglob("*ockerfile*")
        if path.is_file() and path.stat().st_size < 6_000
    )
    assert paths
    chance.shuffle(paths)
    end = time.monotonic() + (seconds or SHORT)
    while time.monotonic() < end:
        yield mutated(chance.choice(paths).read_bytes(), chance)


def test_a_mutant_is_read_or_refused(corpus: Path, fuzz_seconds: float) -> None:
    for data in mutants(corpus, fuzz_seconds):
        try:
            tree = read(data)
        except Exception as error:
            raise AssertionError(f"{data!r}") from error
        if isinstance(tree, Dockerfile):
            assert tree.text.encode("utf-8", "surrogateescape") == data


@pytest.mark.parametrize(
    ("other", "differs"),
    [(go_readings, GO_DIFFERS), (e2b_readings, E2B_DIFFERS)],
    ids=["dockerfile", "e2b-dockerfile-utils"],
)
def test_a_mutant_is_read_as_other_parsers_read_it(
    corpus: Path,
    fuzz_seconds: float,
    other: Callable[[str], list[Reading] | None],
    differs: dict[str, Callable[[str], object]],
) -> None:
    other("FROM a\n")
    for data in mutants(corpus, fuzz_seconds):
        tree = read(data)
        if isinstance(tree, Dockerfile):
            difference = disagreement(tree.text, tree, other, differs)
            assert not difference, difference


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
    e2b = pytest.importorskip(
        "e2b_dockerfile_utils", reason="e2b-dockerfile-utils is not installed"
    )
    assert {char for char in map(chr, range(0x11000)) if e2b.is_space(char)} == set(SPACES)
