"""What BuildKit rejects, in its words and at its place.

`test_corpus.py` compares the words with BuildKit's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_cache.dockerfile.tree import Dockerfile
from tests.reading import CACHE, error_of, read, run_of, tree_of

if TYPE_CHECKING:
    from migrate_cache.text.errors import ParseError

FROM = "FROM a\n"


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


def pointed_at(error: ParseError) -> str:
    """Return what stands at the caret, up to the next blank."""
    assert error.source_line[error.column - 1 :], error
    line, caret = str(error).splitlines()[1:3]
    assert line[len(caret) - 1] == error.source_line[error.column - 1]
    return error.source_line[error.column - 1 :].split()[0]


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


def test_an_error_of_one_instruction_leaves_the_others() -> None:
    tree = read(f"FROM a\nRUM x\nRUN {CACHE},sharing=x y\nRUN {CACHE} z\n")
    assert isinstance(tree, Dockerfile)
    assert [bool(i.error) for i in tree.instructions] == [False, True, True, False]
    assert [error.line for error in tree.errors] == [2, 3]


def test_an_instruction_before_the_first_from() -> None:
    error = error_of("ARG a\nRUN x\nFROM b\n")
    assert (error.line, error.column) == (2, 1)
    assert "no build stage in current context" in error.message


def test_chained_onbuilds_and_a_wrong_trigger() -> None:
    for inner in ("ONBUILD RUN x", "FROM b", "MAINTAINER c"):
        assert tree_of(f"FROM a\nONBUILD {inner}\n").instructions[1].error is not None
    # A trigger is read in full only when an image is built FROM this one.
    onbuild = tree_of("FROM a\nONBUILD RUN --bad x\n").instructions[1]
    assert onbuild.error is None
    assert onbuild.trigger is not None
    assert onbuild.trigger.error is not None


@pytest.mark.parametrize("text", ["[1]", '["a", null]', '[["a"]]', '[{"a": [true]}]', "[-1.5e3]"])
def test_a_json_array_of_anything_else_is_rejected(text: str) -> None:
    assert run_of(f"RUN {text}\n").error is not None
    assert tree_of(f"FROM a\nHEALTHCHECK CMD {text}\n").errors


REJECTED = [
    ("ADD --unpack=x a b", "expecting boolean value for flag --unpack, not: x"),
    ("COPY --link= a b", "missing a value on flag: --link"),
    ("FROM --platform a", "missing a value on flag: --platform"),
    ("ARG", "ARG requires at least one argument"),
    ("ENV", "ENV requires at least one argument"),
    ("ENV =a", "ENV names can not be blank"),
    ("LABEL a", "LABEL must have two arguments"),
    ("LABEL --x=y a=b", "unknown flag: --x"),
    ("CMD --x y", "unknown flag: --x"),
    ("ENTRYPOINT --x y", "unknown flag: --x"),
    ("EXPOSE --x 80", "unknown flag: --x"),
    ("MAINTAINER", "MAINTAINER requires exactly one argument"),
    ("STOPSIGNAL", "STOPSIGNAL requires exactly one argument"),
    ("WORKDIR", "WORKDIR requires exactly one argument"),
    ("WORKDIR --x y", "unknown flag: --x"),
    ("ADD a", "ADD requires at least two arguments, but only 1 was provided"),
    ("ADD a <<E\nE", "ADD cannot accept a heredoc as a destination"),
    ("SHELL []", "SHELL requires at least one argument"),
    ("VOLUME", "VOLUME requires at least one argument"),
    ('VOLUME ["a", " "]', "VOLUME specified can not be an empty string"),
    ("VOLUME --x /a", "unknown flag: --x"),
    ("ONBUILD --x RUN y", "unknown flag: --x"),
    ("ONBUILD MAINTAINER a", "MAINTAINER isn't allowed as an ONBUILD trigger"),
    ("ONBUILD ENV a", "ENV must have two arguments"),
    ("ONBUILD CMD [1]", "arrays must be comprised of strings only"),
    ("HEALTHCHECK", "HEALTHCHECK requires at least one argument"),
    ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
    ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
    ("HEALTHCHECK CMD [ ]", "Missing command after HEALTHCHECK CMD"),
    ("HEALTHCHECK --x=1 CMD y", "unknown flag: --x"),
    ("HEALTHCHECK --retries=x CMD y", "invalid number of retries: x"),
    ("HEALTHCHECK --timeout=-1ns CMD y", 'Interval "timeout" cannot be less than 1ms'),
    ("HEALTHCHECK --timeout=9999999h CMD y", 'time: invalid duration "9999999h"'),
]
REJECTED_MOUNTS = [
    ("type=bind,target=/c,uid=1", 'uid not allowed for "bind" type mounts'),
    ("target=/c,mode=1", 'mode not allowed for "bind" type mounts'),
    ("type=tmpfs,target=/c,gid=1", 'gid not allowed for "tmpfs" type mounts'),
    ("type=tmpfs,target=/c,size=1x", "invalid value for size: 1x"),
    ("size=1,type=tmpfs,target=/c", "unexpected key 'size' for mount type 'bind'"),
    ("type=cache,target=/c,required", "unexpected key 'required' for mount type 'cache'"),
    ("type=secret,id=a,required=maybe", "invalid value for required: maybe"),
    ("type=cache,target=/c,env=X", "unexpected key 'env' for mount type 'cache'"),
    ("type=secret", "invalid secret mount. one of source, target required"),
    ("type=secret,id=a,from=b", "secret mount should not have a from"),
    ("type=secret,id=a,sharing=shared", "secret mount should not define sharing"),
    ("type=secret,id=a,source=b", "both source and id can't be set"),
    ("type=ssh,sharing=shared", "invalid cache sharing set for ssh mount"),
    ("type=cache,target=/c,gid=4294967296", "invalid value 4294967296 for gid"),
    ("type=cache,target=/c,mode=0o7", "invalid value 0o7 for mode"),
    ("type=cache,target=/c,readonly=yes", "invalid value for readonly: yes"),
    ("type=cache,target=/c,=x", "unexpected key '' in '=x'"),
]


@pytest.mark.parametrize(("text", "message"), REJECTED)
def test_what_an_instruction_may_not_say(text: str, message: str) -> None:
    assert message in error_of(f"FROM a\n{text}\n").message


@pytest.mark.parametrize(("mount", "message"), REJECTED_MOUNTS)
def test_what_a_mount_may_not_say(mount: str, message: str) -> None:
    assert error_of(f"FROM a\nRUN --mount={mount} x\n").message == message


@pytest.mark.parametrize(
    "text",
    [
        "ARG --x a",
        "ADD --chown=a --exclude=b --exclude=c --link --unpack=False d e",
        "COPY --link=TRUE --parents a b",
        "ENV a b c",
        'LABEL a="b c" d=',
        'SHELL ["a"]',
        'VOLUME ["/a"]',
        "HEALTHCHECK NONE",
        "HEALTHCHECK --interval=0 --timeout=1m30.5s --retries=+3 CMD x",
        "ONBUILD COPY a",
        "CMD [" + "0" * 5_000 + "]",
        "CMD [1e999]",
        "CMD [NaN]",
        "CMD " + "[" * 50_000,
        "RUN --mount=type=tmpfs,target=/t,size=1.5GiB x",
        "RUN --mount=type=secret,id=a,required,env=X x",
        "RUN --mount=type=secret,source=a,required=F x",
        "RUN --mount=type=ssh,required=1,mode=0600,uid=0,gid=00042 x",
        "RUN --mount=type=$T,size=1,env=y,target=/c x",
        "RUN --mount=type=cache,target=/c,uid=$U,mode=$M,sharing=$S x",
        "RUN --mount=type=cache,target=/c,from=a$ x",
    ],
)
def test_what_buildkit_takes(text: str) -> None:
    assert tree_of(f"FROM a\n{text}\n").errors == ()
