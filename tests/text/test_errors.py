"""What an error says, and that it survives pickling."""

from __future__ import annotations

import pickle

import pytest

from migrate_cache.text.errors import (
    ConfigError,
    MigrateError,
    ParseError,
    SafetyError,
    WriteError,
)
from tests.reading import CACHE, error_of


def test_the_text_of_an_error() -> None:
    error = error_of("FROM a\nRUN \\\n\t--mount=type=cahe x\n")
    assert str(error) == (
        'Dockerfile:3:15: unsupported mount type "cahe"\n'
        "     --mount=type=cahe x\n"
        "                  ^\n"
        "  hint: did you mean cache?"
    )


def test_the_path_stands_first() -> None:
    with pytest.raises(ParseError, match=r"^a/b:1:1: file with no instructions"):
        raise ParseError("file with no instructions", path="a/b", line=1, column=1)


@pytest.mark.parametrize("kind", [ParseError, ConfigError, SafetyError, WriteError, MigrateError])
def test_errors_can_be_pickled(kind: type[MigrateError]) -> None:
    error = kind("m", path="p", line=1, column=2, source_line="abc", hint="h")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.__dict__, copy.args, str(copy)) == (error.__dict__, error.args, str(error))


def test_an_error_is_safe_to_print() -> None:
    error = error_of(b"FROM a\nRUN --\x1b[31m\xff\xe2\x80\xae=x \x07\tend\n")
    shown = str(error)
    assert all(char.isprintable() or char == "\n" for char in shown)
    shown.encode()
    assert "\\x1b[31m\\xff\\u202e" in shown


def test_the_caret_minds_wide_and_combining_characters() -> None:
    line, caret = str(error_of("FROM a\nRUN --network='漢e\u0301' --x=1 y\n")).splitlines()[1:3]
    # One character more than columns for the wide one, one less for the accent.
    assert caret.index("^") == line.index("--x") + 1 - 1


def test_a_long_line_is_cut_around_the_caret() -> None:
    error = error_of(f"FROM a\nRUN {CACHE},id={'x' * 200},bad=1 y\n")
    line, caret = str(error).splitlines()[1:3]
    assert line[caret.index("^") :].startswith("bad=1")
