"""Errors say where, what was expected, and which word may have been meant."""

from __future__ import annotations

import pickle

import pytest

from migrate_cache.dockerfile.tree import Dockerfile
from migrate_cache.text.errors import (
    ConfigError,
    MigrateError,
    ParseError,
    SafetyError,
    WriteError,
)
from tests.reading import read


def error_of(text: str | bytes) -> ParseError:
    """Return the first error of a file, whether it stops the reading or not."""
    tree = read(text)
    if isinstance(tree, Dockerfile):
        assert tree.errors, text
        return tree.errors[0]
    return tree


def pointed_at(error: ParseError) -> str:
    """Return what stands at the caret, up to the next blank."""
    assert error.source_line[error.column - 1 :], error
    line, caret = str(error).splitlines()[1:3]
    assert line[len(caret) - 1] == error.source_line[error.column - 1]
    return error.source_line[error.column - 1 :].split()[0]


FROM = "FROM a\n"
CACHE = "--mount=type=cache,target=/c"

CASES = [
    # text below a FROM, line, column, what the caret points at, message, hint
    ("RUM x", 2, 1, "RUM", "unknown instruction: RUM", "did you mean RUN?"),
    ("RU\\\nM x", 2, 1, "RU\\", "unknown instruction: RUM", "did you mean RUN?"),
    ("  COPPY a b", 2, 3, "COPPY", "unknown instruction: COPPY", "did you mean COPY?"),
    ("qqqqq x", 2, 1, "qqqqq", "unknown instruction: qqqqq", "expected one of ADD, "),
    (f"RUN {CACHE} --mout=x y", 2, 34, "--mout=x", "unknown flag: --mout", "did you mean mount?"),
    ("COPY --chwn=1 a b", 2, 6, "--chwn=1", "unknown flag: --chwn", "did you mean chown?"),
    ("USER --x y", 2, 6, "--x", "unknown flag: --x", "USER takes no flags"),
    ("RUN --mount x", 2, 5, "--mount", "missing a value on flag: --mount", "--mount=VALUE"),
    (
        "COPY --link=yes a b",
        2,
        6,
        "--link=yes",
        "expecting boolean value for flag --link, not: yes",
        "expected true or false",
    ),
    (
        "COPY --from=a --from=b c d",
        2,
        15,
        "--from=b",
        "duplicate flag specified: --from",
        "remove one",
    ),
    ("RUN --mount= x", 2, 13, "x", "failed to parse csv mounts: EOF", "expected type="),
    (
        "RUN --mount=type=cach,target=/c x",
        2,
        18,
        "cach,target=/c",
        'unsupported mount type "cach"',
        "did you mean cache?",
    ),
    (
        f"RUN \\\n  {CACHE},sharing=lock x",
        3,
        40,
        "lock",
        'unsupported sharing value "lock"',
        "did you mean locked?",
    ),
    (
        f"RUN {CACHE},sharing=\\\nq x",
        3,
        1,
        "q",
        'unsupported sharing value "q"',
        "expected one of shared, private, locked",
    ),
    (
        f"RUN {CACHE},sharin=locked x",
        2,
        34,
        "sharin=locked",
        "unexpected key 'sharin' in 'sharin=locked'",
        "did you mean sharing?",
    ),
    (
        f"RUN {CACHE}, sharing=locked x",
        2,
        34,
        "sharing=locked",
        "invalid field '' must be a key=value pair",
        "remove the comma",
    ),
    (
        f"RUN {CACHE},Id x",
        2,
        34,
        "Id",
        "invalid field 'Id' must be a key=value pair",
        "write Id=VALUE",
    ),
    (
        f"RUN {CACHE},from=$x y",
        2,
        39,
        "$x",
        "'from' doesn't support variable expansion, define alias stage instead",
        "name a stage",
    ),
    (f"RUN {CACHE},uid=x y", 2, 38, "x", "invalid value x for uid", "expected a number"),
    (f"RUN {CACHE},mode=8 y", 2, 39, "8", "invalid value 8 for mode", "expected an octal number"),
    (f"RUN {CACHE},ro=maybe y", 2, 37, "maybe", "invalid value for ro: maybe", "true or false"),
    (
        f"RUN {CACHE},size=1 y",
        2,
        34,
        "size=1",
        "unexpected key 'size' for mount type 'cache'",
        "type=tmpfs",
    ),
    (
        "RUN --mount=type=bind,target=/c,sharing=locked x",
        2,
        33,
        "sharing=locked",
        "invalid cache sharing set for bind mount",
        "sharing goes with type=cache",
    ),
    (
        "RUN --mount=type=tmpfs,target=/c,mode=755 x",
        2,
        34,
        "mode=755",
        'mode not allowed for "tmpfs" type mounts',
        "remove mode",
    ),
    (
        "RUN --mount='type=cache,target=/\"c' x",
        2,
        33,
        "\"c'",
        'failed to parse csv mounts: a quote (") stands in the middle of a field',
        "double a quote",
    ),
    (
        f"RUN {CACHE}/à x",
        2,
        34,
        "à",
        "BuildKit cuts this character in two: it reads a part of it as a blank",
        "quotes",
    ),
    (
        "RUN [1]",
        2,
        5,
        "[1]",
        "when using JSON array syntax, arrays must be comprised of strings only",
        "double quotes",
    ),
    ("ENV a=b \\\n c", 3, 2, "c", 'Syntax error - can\'t find = in "c"', "in quotes"),
    ("ENV a", 2, 5, "a", "ENV must have two arguments", "name=value"),
    ("ARG a =b", 2, 7, "=b", "ARG names can not be blank", "before the ="),
    ("COPY a", 2, 1, "COPY", "COPY requires at least two arguments, but only 1 was", "DESTINATION"),
    ("SHELL a", 2, 7, "a", "SHELL requires the arguments to be in JSON form", "for example"),
    ("EXPOSE", 2, 1, "EXPOSE", "EXPOSE requires at least one argument", "write EXPOSE"),
    ("USER", 2, 1, "USER", "USER requires exactly one argument", "write USER"),
    ("FROM a b", 2, 1, "FROM", "FROM requires either one or three arguments", "FROM image AS"),
    ("FROM a AS 1b", 2, 11, "1b", 'invalid name for build stage: "1b"', "expected letters"),
    ("HEALTHCHECK CMDS x", 2, 13, "CMDS", 'Unknown type "CMDS" in HEALTHCHECK', "CMD?"),
    (
        "HEALTHCHECK --interval=5 CMD x",
        2,
        13,
        "--interval=5",
        'time: invalid duration "5"',
        "1m30s",
    ),
    ("HEALTHCHECK --interval=1us CMD x", 2, 13, "--interval=1us", "Interval", "1ms"),
    ("HEALTHCHECK --retries=-1 CMD x", 2, 13, "--retries=-1", "--retries cannot", "0 or more"),
    ("ONBUILD", 2, 1, "ONBUILD", "ONBUILD requires at least one argument", "an instruction"),
    ("ONBUILD FROM a", 2, 9, "FROM", "FROM isn't allowed as an ONBUILD trigger", "any other"),
    ("ONBUILD ONBUILD RUN x", 2, 9, "ONBUILD", "Chaining ONBUILD via", "remove one"),
    ("COPY a <<EOF\nEOF", 2, 6, "a", "COPY cannot accept a heredoc as a destination", "last word"),
    (
        "RUN cat <<-'EOF'\nx\n",
        2,
        9,
        "<<-'EOF'",
        "unterminated heredoc: no line with EOF alone ends it",
        "a line that holds only EOF",
    ),
]


@pytest.mark.parametrize(("text", "line", "column", "at", "message", "hint"), CASES)
def test_place_and_words(
    text: str, line: int, column: int, at: str, message: str, hint: str
) -> None:
    error = error_of(FROM + text + "\n")
    assert (error.line, error.column) == (line, column)
    assert pointed_at(error) == at
    assert message in error.message
    assert hint in error.hint
    assert "\n" not in error.message + error.hint
    # The grammar's names are no user's business.
    assert not {"COMMAND", "KEYWORD", "BLANK", "VALUE", "$END"} & set(error.message.split())


def test_the_text_of_an_error() -> None:
    error = error_of("FROM a\nRUN \\\n\t--mount=type=cahe x\n")
    assert str(error) == (
        'Dockerfile:3:15: unsupported mount type "cahe"\n'
        "     --mount=type=cahe x\n"
        "                  ^\n"
        "  hint: did you mean cache?"
    )


def test_an_error_of_one_instruction_leaves_the_others() -> None:
    tree = read(f"FROM a\nRUM x\nRUN {CACHE},sharing=x y\nRUN {CACHE} z\n")
    assert isinstance(tree, Dockerfile)
    assert [bool(i.error) for i in tree.instructions] == [False, True, True, False]
    assert [error.line for error in tree.errors] == [2, 3]


def test_an_instruction_before_the_first_from() -> None:
    error = error_of("ARG a\nRUN x\nFROM b\n")
    assert (error.line, error.column) == (2, 1)
    assert "no build stage in current context" in error.message


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
