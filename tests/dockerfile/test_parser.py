"""Keywords, blanks, flags and arguments of instructions, and the kinds of nodes and tokens."""

from __future__ import annotations

import re

import pytest

from migrate_cache.dockerfile.parser import grammar
from migrate_cache.text.errors import ParseError
from tests.reading import CACHE, mounts_of, nodes_of, read, run_of, tree_of

# -- keywords and blanks -----------------------------------------------------------------


def test_run_alone() -> None:
    run = run_of("RUN\n")
    assert (run.flags, run.arguments, run.error) == ((), "", None)


@pytest.mark.parametrize("blank", [" ", "\t", "\f", "\v", "\r", " \t\f"])
def test_blanks_between_keyword_flags_and_arguments(blank: str) -> None:
    run = run_of(f"RUN{blank}{CACHE}{blank}make\n")
    assert (run.flags, run.arguments) == ((CACHE,), "make")


def test_a_non_breaking_space_belongs_to_the_keyword() -> None:
    tree = tree_of(f"FROM a\nRUN\xa0{CACHE} x\n")
    assert tree.instructions[1].keyword == f"RUN\xa0{CACHE}"
    assert tree.instructions[1].error is not None


def test_a_non_breaking_space_before_a_flag_makes_it_an_argument() -> None:
    # BuildKit looks for flags byte by byte, and the first byte of U+00A0 is no blank.
    run = run_of(f"RUN \xa0{CACHE} x\n")
    assert (run.flags, run.arguments) == ((), f"{CACHE} x")


def test_outer_blanks_of_all_kinds_are_no_part_of_an_instruction() -> None:
    run = run_of(f"\u3000\xa0 RUN {CACHE} x \u3000\n")
    assert (run.flags, run.arguments) == ((CACHE,), "x")


def test_control_characters_that_are_no_blanks_are_text() -> None:
    assert run_of("RUN --network=a\x1cb x\n").flags == ("--network=a\x1cb",)
    assert tree_of("FROM a\n\x1cRUN x\n").instructions[1].error is not None


def test_letters_that_only_look_like_a_keyword_make_none() -> None:
    for keyword in ("U\u017fER", "ONBU\u0131LD RUN"):
        assert tree_of(f"FROM a\n{keyword} x\n").instructions[1].error is not None


@pytest.mark.parametrize("keyword", ["FROM", "RUN", "ARG", "ENV", "USER", "CMD", "ONBUILD", "x"])
@pytest.mark.parametrize(
    "end", [b"\xa0", b" \xa0", b" \x85 a", b" a \xa0", b" --a\xa0", b" --\x85--b"]
)
def test_bytes_that_are_blanks_where_flags_are_looked_for(keyword: str, end: bytes) -> None:
    tree_of(b"FROM a\n" + keyword.encode() + end + b"\n")


# -- flags -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "flags", "arguments"),
    [
        (f"RUN -- {CACHE} x", (), f"{CACHE} x"),
        (f"RUN {CACHE} -- --mount=x y", (CACHE,), "--mount=x y"),
        ("RUN --", (), ""),
        ('RUN --"" x', (), "x"),
        ("RUN --'' -- x", (), "-- x"),
        (f"RUN x {CACHE}", (), f"x {CACHE}"),
        (f'RUN "{CACHE}" x', (), f'"{CACHE}" x'),
        ("RUN - x", (), "- x"),
        (
            f"RUN --network=none {CACHE} --security=insecure x",
            ("--network=none", CACHE, "--security=insecure"),
            "x",
        ),
        (f"RUN {CACHE}", (CACHE,), ""),
        ("RUN --mount=type=cache,target=/c\\\\\\", ("--mount=type=cache,target=/c\\",), ""),
    ],
)
def test_flags_end_at_the_first_other_word(
    text: str, flags: tuple[str, ...], arguments: str
) -> None:
    run = run_of(text + "\n")
    assert (run.flags, run.arguments) == (flags, arguments)


def test_flags_know_letter_case_but_keywords_keys_and_modes_do_not() -> None:
    run = run_of("rUn --mount=TYPE=Cache,Target=/c,SHARING=Locked x\n")
    assert (run.mounts[0].type, run.mounts[0].target, run.mounts[0].sharing) == (
        "cache",
        "/c",
        "locked",
    )
    assert run.error is None
    assert run_of("RUN --MOUNT=type=cache,target=/c x\n").mounts == ()
    assert run_of("RUN --MOUNT=type=cache,target=/c x\n").error is not None


# -- arguments ---------------------------------------------------------------------------


def test_the_instruction_within_an_onbuild() -> None:
    tree = tree_of(f"FROM a\nONBUILD RUN {CACHE},sharing=locked make\n")
    onbuild = tree.instructions[1]
    assert (onbuild.keyword, onbuild.flags, onbuild.error) == ("ONBUILD", (), None)
    assert onbuild.trigger is not None
    (mount,) = mounts_of(onbuild.trigger)
    assert (mount.sharing, onbuild.trigger.arguments) == ("locked", "make")
    assert mount.text == f"{CACHE},sharing=locked"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('["a", "b c"]', ("a", "b c")),
        ('[ "a"\t, "\\u00e9\\n\\\\" ]', ("a", "é\n\\")),
        ('["\\ud83d\\ude00\\ud800"]', ("😀\ufffd",)),
        ("[]", ()),
        ("[a]", None),
        ('["a",]', None),
        ('["a"] b', None),
        ("['a']", None),
        ('["a\tb"]', None),
        ("[" * 20_000, None),
        ("[" * 20_000 + "]" * 20_000, None),
        ("[1e999]", None),
    ],
)
def test_the_exec_form_is_a_json_array_of_strings(text: str, words: tuple[str, ...] | None) -> None:
    run = run_of(f"RUN {text}\n")
    assert (run.exec_form, run.error) == (words, None)


def test_only_some_instructions_take_an_array() -> None:
    tree = tree_of('FROM a\nEXPOSE []\nUSER ["a"]\nHEALTHCHECK CMD ["a"]\n')
    assert [i.exec_form for i in tree.instructions[1:]] == [None, None, None]
    assert tree.errors == ()


def test_words_of_arg_env_and_label_keep_their_quotes() -> None:
    tree = tree_of("FROM a\nENV a=b\\ c d=\"e f\" g='h\\' i=j\\\\\n")
    assert tree.instructions[1].words == ("a=b\\ c", 'd="e f"', "g='h\\'", "i=j\\\\")


# -- bytes -------------------------------------------------------------------------------


def test_nul_bytes_are_text_but_not_in_the_first_keyword() -> None:
    assert tree_of("FROM a\nRUN a\0b\n").errors == ()
    assert isinstance(read(b"F\0R\0O\0M\0 \0a\0"), ParseError)
    assert isinstance(read("FROM a\n".encode("utf-16")), ParseError)


def test_other_encodings_stay() -> None:
    data = "FROM a\nRUN caf\xe9\n".encode("latin-1")
    assert tree_of(data).text.encode("utf-8", "surrogateescape") == data


def test_half_a_surrogate_pair_is_an_error() -> None:
    assert isinstance(read("FROM a\nRUN \ud800\n"), ParseError)


def test_many_instructions() -> None:
    assert len(tree_of("FROM a\n" + "RUN x\n" * 5_000).instructions) == 5_001


# -- the grammar -------------------------------------------------------------------------


def test_one_rule_is_one_node() -> None:
    rules = set(re.findall(r"^([a-z]\w*):", grammar(), re.MULTILINE))
    text = (
        "ARG a\nFROM a\nENV a=b\nLABEL a=b\nCOPY --from=b c d\nUSER e\nCMD f\n"
        f"ONBUILD RUN {CACHE} x\nRUN <<E\nE\n"
    )
    kinds = {node.kind for node in nodes_of(tree_of(text))}
    assert kinds == rules | {"dockerfile", "heredoc"}


def test_every_terminal_is_described_by_a_kind_of_its_own() -> None:
    terminals = set(re.findall(r"^([A-Z]\w*)(?:\.\d)?:", grammar(), re.MULTILINE))
    text = (
        "ARG a\nFROM --platform=p a AS b\nENV a=b c=d\nLABEL a=b\nCOPY b c\nADD b c\n"
        'USER e\nCMD ["f"]\n'
        "ONBUILD RUN --mount='type=cache,\"target=/c\"' -- \xa0x\n"
    )
    kinds = {token.kind for token in tree_of(text).tokens()}
    # The escape character is a part of other terminals, and a flag is read once more.
    assert terminals - kinds == {"ESCAPE", "FLAG"}
