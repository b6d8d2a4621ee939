"""Quotes and escapes in flags, and characters that BuildKit cuts in two."""

from __future__ import annotations

import pytest

from tests.reading import CACHE, mount_of, options_of, run_of


@pytest.mark.parametrize(
    "written",
    [
        "--mount=type=cache,target=/c",
        '--mount="type=cache,target=/c"',
        "--mount='type=cache,target=/c'",
        '"--mount=type=cache,target=/c"'[1:-1],
        '--mount=type="cache",target=/c',
        "--mount=type=cache,'target'=/c",
        '--mount=ty"pe=ca"che,target=/c',
        '--"mount"=type=cache,target=/c',
        "--mount=\"type=cache\"','target=/c",
        '--mount=type=cache,target=/c""',
        "--mount=type=cache,target=\\/c",
        '--mount=type=cache,target="/\\c"',
        '--mount=\'"type=cache","target=/c"\'',
        '--mount="\\"type=cache\\",target=/c"',
        '--mount=type=cache,\\"target=/c\\"',
    ],
)
def test_quotes_and_escapes_of_both_kinds_vanish(written: str) -> None:
    mount = mount_of(f"RUN {written} make\n")
    assert options_of(mount) == [("type", "cache"), ("target", "/c")]
    assert mount.error is None


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ('--mount="type=cache,target=/a b"', "/a b"),
        ("--mount=type=cache,target='/a b'", "/a b"),
        ("--mount=type=cache,target=/a\\ b", "/a b"),
        ("--mount='type=cache,\"target=/a,b\"'", "/a,b"),
        ('--mount="type=cache,\\"target=/a,b\\""', "/a,b"),
        ('--mount=\'type=cache,"target=/a""b"\'', '/a"b'),
        ('--mount=type=cache,target="it\'s"', "it's"),
        ("--mount='type=cache,target=/a\\'b'", "/a'b"),
    ],
)
def test_blanks_commas_and_quotes_stand_inside_quotes(written: str, target: str) -> None:
    run = run_of(f"RUN {written} make\n")
    assert (run.mounts[0].target, run.arguments) == (target, "make")


def test_a_comma_in_shell_quotes_still_separates() -> None:
    mount = mount_of('RUN --mount=type=cache,"target=/a,b" x\n')
    assert options_of(mount) == [("type", "cache"), ("target", "/a"), ("b", None)]
    assert mount.error is not None


def test_a_quote_that_is_never_closed_runs_to_the_end() -> None:
    run = run_of('RUN --mount="type=cache,target=/c make all\n')
    assert (run.mounts[0].target, run.arguments) == ("/c make all", "")


@pytest.mark.parametrize("char", ["\xa0", "\x85", "à", "Å", "\u2005"])
def test_a_character_that_buildkit_cuts_in_two_is_an_error(char: str) -> None:
    assert run_of(f"RUN {CACHE}{char}d x\n").error is not None
    assert run_of(f"RUN {CACHE}\\{char}d x\n").error is not None
    assert run_of(f'RUN {CACHE}"{char}" x\n').error is None
    assert run_of(f"RUN {CACHE} {char}\n").error is None
