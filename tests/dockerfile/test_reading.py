"""The corners of the syntax, each with what BuildKit does.

What a parser made from BuildKit's can tell of them is compared in ``test_mutations.py``; the
rest follows its source (``frontend/dockerfile``).
"""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_cache.dockerfile.nodes import Node
from migrate_cache.dockerfile.parser import grammar, parse
from migrate_cache.dockerfile.tree import Dockerfile, Mount, Run
from migrate_cache.dockerfile.words import WordError, expand, variables
from migrate_cache.report.tree import format_tree
from migrate_cache.text.errors import ParseError
from tests.reading import mounts_of, options_of, read, readings


def tree_of(text: str | bytes) -> Dockerfile:
    tree = read(text)
    assert isinstance(tree, Dockerfile), tree
    return tree


def run_of(text: str, before: str = "FROM a\n") -> Run:
    """Read a file whose first RUN is under test."""
    run = next(i for i in tree_of(before + text).instructions if i.keyword == "RUN")
    assert isinstance(run, Run)
    return run


def mount_of(text: str, before: str = "FROM a\n") -> Mount:
    (mount,) = run_of(text, before).mounts
    return mount


CACHE = "--mount=type=cache,target=/c"


# -- quotes ------------------------------------------------------------------------------


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


def test_a_csv_quote_in_the_middle_of_a_field_is_an_error() -> None:
    mount = mount_of("RUN --mount='type=cache,target=/\"c' x\n")
    assert mount.error is not None
    assert mount.error.message.startswith("failed to parse csv mounts")
    assert mount.options == ()


# -- continuations -----------------------------------------------------------------------


def test_a_word_and_a_value_may_be_split_by_continuations_comments_and_empty_lines() -> None:
    run = run_of(
        "RU\\\nN --mo\\\n# a comment\n\n  # another\nunt=type=cache,target=/\\  \t\nc\\\n make\n"
    )
    assert run.flags == (CACHE,)
    assert run.line.text == f"RUN {CACHE} make"
    assert (run.start_line, run.end_line) == (2, 9)


def test_leading_blanks_of_a_continued_line_stay_in_the_joined_line() -> None:
    assert run_of("RUN a \\\n   b\n").line.text == "RUN a    b"
    assert run_of("RUN --mount=type=cache,\\\n target=/c x\n").arguments == "target=/c x"


def test_a_continuation_at_the_end_of_the_file_ends_the_instruction() -> None:
    for end in ("\\", "\\\n", "\\ \t", "\\\n\n# c\n\n"):
        run = run_of(f"RUN {CACHE} a {end}")
        assert (run.flags, run.arguments, run.error) == ((CACHE,), "a", None)


def test_a_lone_escape_character_is_an_instruction_without_a_name() -> None:
    tree = tree_of("FROM a\n\\")
    assert [i.keyword for i in tree.instructions] == ["FROM", ""]
    assert tree.instructions[1].error is not None


def test_a_doubled_backslash_does_not_continue() -> None:
    tree = tree_of("FROM a\nRUN a\\\\\nRUN b\n")
    assert [i.line.text for i in tree.instructions[1:]] == ["RUN a\\\\", "RUN b"]


def test_only_blanks_and_tabs_may_follow_the_continuation() -> None:
    tree = tree_of("FROM a\nRUN a\\\f\nRUN b\n")
    assert len(tree.instructions) == 3


def test_empty_lines_do_not_end_a_continued_instruction() -> None:
    tree = tree_of("FROM a\nRUN a \\\n\n\n  \n b\nUSER c\n")
    assert readings(tree)[1:] == [("RUN", (), 2, 6), ("USER", (), 7, 7)]


def test_carriage_returns_belong_to_the_line_ending() -> None:
    run = run_of(f"RUN {CACHE} \\\r\n  make\r\n")
    assert run.line.text == f"RUN {CACHE}   make"
    assert run_of("RUN a\rb\n").line.text == "RUN a\rb"


def test_ten_thousand_continuation_lines() -> None:
    run = run_of(f"RUN {CACHE}" + " \\\n # c\n a" * 10_000)
    assert (run.end_line, len(run.mounts)) == (20_002, 1)
    assert run.arguments.count("a") == 10_000


# -- directives --------------------------------------------------------------------------


def test_the_backtick_escapes_and_continues_where_the_directive_says_so() -> None:
    run = run_of("RUN --mount=type=cache,target=C:\\c`,x \\ `\n y\n", "# escape=`\nFROM a\n")
    assert run.mounts[0].target == "C:\\c"
    assert run.line.text.endswith("\\  y")


@pytest.mark.parametrize(
    ("top", "escape"),
    [
        ("# escape=`\n", "`"),
        ("#escape=`\n", "`"),
        ("  # ESCAPE = `  \n", "`"),
        ("# syntax=x\n# escape=`\n", "`"),
        ("# check=skip=all\n# syntax=x\n# escape=`\n", "`"),
        ("\ufeff# escape=`\n", "`"),
        ("\ufeff  # escape=`\n", "`"),
        ("#\xa0escape=`\n", "`"),
        ("# a comment\n# escape=`\n", "\\"),
        ("\n# escape=`\n", "\\"),
        ("# unknown=1\n# escape=`\n", "\\"),
        ("#!/usr/bin/env x\n# escape=`\n", "\\"),
        ("FROM b\n# escape=`\n", "\\"),
        ("# escape\xa0=`\n", "\\"),
    ],
)
def test_directives_stand_at_the_very_top_in_any_order(top: str, escape: str) -> None:
    assert tree_of(top + "FROM a\n").escape == escape


def test_syntax_is_read_behind_a_shebang_line_but_not_when_indented() -> None:
    assert tree_of("#!/x\n# syntax=a b\nFROM a\n").directive("syntax") == "a b"
    assert tree_of(" # syntax=a\nFROM a\n").directive("syntax") == ""
    assert tree_of("\ufeff# syntax=a\nFROM a\n").directive("syntax") == "a"


@pytest.mark.parametrize("top", ["# escape=\\\n# escape=\\\n", "# syntax=a\n# Syntax=a\n"])
def test_a_doubled_directive_is_an_error_of_the_file(top: str) -> None:
    error = read(top + "FROM a\n")
    assert isinstance(error, ParseError)
    assert (error.line, "only one" in error.message) == (2, True)


def test_a_wrong_escape_character_is_an_error_of_the_file() -> None:
    assert isinstance(read("# escape=x\nFROM a\n"), ParseError)


# -- blanks ------------------------------------------------------------------------------


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


@pytest.mark.parametrize("char", ["\xa0", "\x85", "à", "Å", "\u2005"])
def test_a_character_that_buildkit_cuts_in_two_is_an_error(char: str) -> None:
    assert run_of(f"RUN {CACHE}{char}d x\n").error is not None
    assert run_of(f"RUN {CACHE}\\{char}d x\n").error is not None
    assert run_of(f'RUN {CACHE}"{char}" x\n').error is None
    assert run_of(f"RUN {CACHE} {char}\n").error is None


def test_outer_blanks_of_all_kinds_are_no_part_of_an_instruction() -> None:
    run = run_of(f"\u3000\xa0 RUN {CACHE} x \u3000\n")
    assert (run.flags, run.arguments) == ((CACHE,), "x")


def test_control_characters_that_are_no_blanks_are_text() -> None:
    assert run_of("RUN --network=a\x1cb x\n").flags == ("--network=a\x1cb",)
    assert tree_of("FROM a\n\x1cRUN x\n").instructions[1].error is not None


# -- flags -------------------------------------------------------------------------------


def test_run_alone() -> None:
    run = run_of("RUN\n")
    assert (run.flags, run.arguments, run.error) == ((), "", None)


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


def test_letters_that_only_look_like_a_keyword_make_none() -> None:
    for keyword in ("U\u017fER", "ONBU\u0131LD RUN"):
        assert tree_of(f"FROM a\n{keyword} x\n").instructions[1].error is not None


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


# -- heredocs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "name", "expands", "chomp"),
    [
        ("<<EOF", "EOF", True, False),
        ("<<-EOF", "EOF", True, True),
        ("<< EOF", "EOF", True, False),
        ("<< -EOF", "-EOF", True, False),
        ("3<<EOF", "EOF", True, False),
        ("<<'EOF'", "EOF", False, False),
        ('<<-"EOF"', "EOF", False, True),
        ("<<E'O'F", "EOF", False, False),
        ("<<eo\\'f", "eo'f", True, False),
        ("<<'e'o\\'f", "eo'f", False, False),
        ("<<'one two'", "one two", False, False),
        ("<<$EOF", "$EOF", True, False),
        ("<<file.txt", "file.txt", True, False),
        ("<<a,b=c", "a,b=c", True, False),
        ("${x:0:2} <<EOF", "EOF", True, False),
        ("${x:-${y:-<}} <<EOF", "EOF", True, False),
        ("'' \"\" <<EOF", "EOF", True, False),
    ],
)
def test_words_that_announce_a_heredoc(word: str, name: str, expands: bool, chomp: bool) -> None:
    tree = tree_of(f"FROM a\nRUN {word}\n\tbody\n{name}\nUSER b\n")
    (heredoc,) = tree.instructions[1].heredocs
    assert (heredoc.name, heredoc.expand, heredoc.chomp) == (name, expands, chomp)
    assert heredoc.body == "\tbody\n"
    assert tree.instructions[2].keyword == "USER"


@pytest.mark.parametrize(
    "text",
    [
        'RUN "<<EOF"',
        "RUN '<<EOF'",
        "RUN \\<<EOF",
        "RUN <<<EOF",
        "RUN <EOF",
        "RUN <<",
        "RUN <<-",
        "RUN <<- EOF",
        'RUN <<""',
        "RUN cat << ''",
        "RUN a<<EOF",
        "RUN ${x^^} <<EOF",
        "RUN it's <<EOF",
        'RUN ["<<EOF"]',
        'RUN ["a", "<<EOF"]',
        "USER <<EOF",
        "ENV a=<<EOF",
        "ONBUILD USER <<EOF",
        'ONBUILD RUN ["<<EOF"]',
    ],
)
def test_words_that_announce_none(text: str) -> None:
    tree = tree_of(f"FROM a\n{text}\nUSER b\n")
    assert tree.instructions[1].heredocs == ()
    assert [i.keyword for i in tree.instructions[2:]] == ["USER"]


def test_several_heredocs_in_one_instruction() -> None:
    tree = tree_of("FROM a\nCOPY <<X <<-'Y' /d\nY\nX\n\tX\n\tY\nUSER b\n")
    bodies = [(h.name, h.body, h.expand, h.chomp) for h in tree.instructions[1].heredocs]
    assert bodies == [("X", "Y\n", True, False), ("Y", "\tX\n", False, True)]
    assert readings(tree)[1:] == [("COPY", (), 2, 6), ("USER", (), 7, 7)]


def test_the_delimiter_must_stand_alone_on_its_line() -> None:
    tree = tree_of("FROM a\nRUN <<EOF\n EOF\nEOF x\nxEOF\n\tEOF\n\nEOF\n")
    assert tree.instructions[1].heredocs[0].body == " EOF\nEOF x\nxEOF\n\tEOF\n\n"


def test_the_delimiter_may_end_the_file_or_a_line_with_a_carriage_return() -> None:
    assert tree_of("FROM a\r\nRUN <<EOF\r\nx\r\nEOF").instructions[1].heredocs[0].body == "x\r\n"


def test_a_body_is_no_dockerfile() -> None:
    body = f"RUN {CACHE} x\n# a comment \\\nFROM b\n<<EOF2\n\n"
    tree = tree_of(f"FROM a\nRUN <<EOF\n{body}EOF\nUSER b\n")
    assert [i.keyword for i in tree.instructions] == ["FROM", "RUN", "USER"]
    assert tree.instructions[1].heredocs[0].body == body


def test_heredocs_in_copy_add_and_onbuild() -> None:
    for keyword in ("COPY", "ADD", "ONBUILD RUN", "ONBUILD COPY", "onbuild add"):
        tree = tree_of(f"FROM a\n{keyword} <<EOF /x\nUSER c\nEOF\nUSER b\n")
        assert [h.body for h in tree.instructions[1].heredocs] == ["USER c\n"]
        assert len(tree.instructions) == 3


def test_the_backslash_escapes_in_heredoc_words_whatever_the_directive_says() -> None:
    tree = tree_of("# escape=`\nFROM a\nRUN <<eo\\'f\nx\neo'f\n")
    assert tree.instructions[1].heredocs[0].name == "eo'f"


def test_mounts_before_a_heredoc() -> None:
    run = run_of(f"RUN {CACHE} <<-EOF bash -x\n\techo\n\tEOF\n")
    assert (run.flags, run.script) == ((CACHE,), "<<-EOF bash -x\n\techo\nEOF")


def test_an_unterminated_heredoc_is_an_error_of_the_file() -> None:
    error = read("FROM a\nRUN x <<EOF\nEOF x\n")
    assert isinstance(error, ParseError)
    assert (error.line, error.column) == (2, 7)


# -- instructions ------------------------------------------------------------------------


def test_the_instruction_within_an_onbuild() -> None:
    tree = tree_of(f"FROM a\nONBUILD RUN {CACHE},sharing=locked make\n")
    onbuild = tree.instructions[1]
    assert (onbuild.keyword, onbuild.flags, onbuild.error) == ("ONBUILD", (), None)
    assert onbuild.trigger is not None
    (mount,) = mounts_of(onbuild.trigger)
    assert (mount.sharing, onbuild.trigger.arguments) == ("locked", "make")
    assert mount.text == f"{CACHE},sharing=locked"


def test_chained_onbuilds_and_a_wrong_trigger() -> None:
    for inner in ("ONBUILD RUN x", "FROM b", "MAINTAINER c"):
        assert tree_of(f"FROM a\nONBUILD {inner}\n").instructions[1].error is not None
    # A trigger is read in full only when an image is built FROM this one.
    onbuild = tree_of("FROM a\nONBUILD RUN --bad x\n").instructions[1]
    assert onbuild.error is None
    assert onbuild.trigger is not None
    assert onbuild.trigger.error is not None


def test_a_comment_that_looks_like_an_instruction() -> None:
    tree = tree_of(f"FROM a\n# RUN {CACHE} x \\\n  #RUN y\nRUN z # not a comment\n")
    assert [i.line.text for i in tree.instructions[1:]] == ["RUN z # not a comment"]


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


@pytest.mark.parametrize("text", ["[1]", '["a", null]', '[["a"]]', '[{"a": [true]}]', "[-1.5e3]"])
def test_a_json_array_of_anything_else_is_rejected(text: str) -> None:
    assert run_of(f"RUN {text}\n").error is not None
    assert tree_of(f"FROM a\nHEALTHCHECK CMD {text}\n").errors


def test_only_some_instructions_take_an_array() -> None:
    tree = tree_of('FROM a\nEXPOSE []\nUSER ["a"]\nHEALTHCHECK CMD ["a"]\n')
    assert [i.exec_form for i in tree.instructions[1:]] == [None, None, None]
    assert tree.errors == ()


def test_stages() -> None:
    tree = tree_of("ARG v\nFROM --platform=p a:${v} aS Build\nRUN x\nFROM build\n")
    assert [(s.name, s.base, s.platform, s.label) for s in tree.stages] == [
        ("build", "a:${v}", "p", "build"),
        ("", "build", "", "1"),
    ]
    assert [i.keyword for i in tree.global_args] == ["ARG"]


def test_words_of_arg_env_and_label_keep_their_quotes() -> None:
    tree = tree_of("FROM a\nENV a=b\\ c d=\"e f\" g='h\\' i=j\\\\\n")
    assert tree.instructions[1].words == ("a=b\\ c", 'd="e f"', "g='h\\'", "i=j\\\\")


# -- bytes -------------------------------------------------------------------------------


def test_nul_bytes_are_text_but_not_in_the_first_keyword() -> None:
    assert tree_of("FROM a\nRUN a\0b\n").errors == ()
    assert isinstance(read(b"F\0R\0O\0M\0 \0a\0"), ParseError)
    assert isinstance(read("FROM a\n".encode("utf-16")), ParseError)


@pytest.mark.parametrize("keyword", ["FROM", "RUN", "ARG", "ENV", "USER", "CMD", "ONBUILD", "x"])
@pytest.mark.parametrize(
    "end", [b"\xa0", b" \xa0", b" \x85 a", b" a \xa0", b" --a\xa0", b" --\x85--b"]
)
def test_bytes_that_are_blanks_where_flags_are_looked_for(keyword: str, end: bytes) -> None:
    tree_of(b"FROM a\n" + keyword.encode() + end + b"\n")


def test_other_encodings_stay() -> None:
    data = "FROM a\nRUN caf\xe9\n".encode("latin-1")
    assert tree_of(data).text.encode("utf-8", "surrogateescape") == data


def test_a_line_may_hold_65535_bytes() -> None:
    assert tree_of("FROM a\nRUN " + "x" * 65531 + "\n").errors == ()
    assert isinstance(read("FROM a\nRUN " + "x" * 65532 + "y\n"), ParseError)
    assert isinstance(read("FROM a\nRUN " + "x" * 1_000_000 + "\n"), ParseError)


def test_a_megabyte_in_one_instruction() -> None:
    line = "x" * 50_000 + " \\\n"
    assert len(run_of(f"RUN {CACHE} " + line * 20 + "y\n").arguments) > 1_000_000


def test_many_instructions() -> None:
    assert len(tree_of("FROM a\n" + "RUN x\n" * 5_000).instructions) == 5_001


@pytest.mark.parametrize("data", ["", "\n", "# a\n", "\ufeff", "  \n#x"])
def test_a_file_without_instructions_is_an_error(data: str) -> None:
    assert isinstance(read(data), ParseError)


def test_half_a_surrogate_pair_is_an_error() -> None:
    assert isinstance(read("FROM a\nRUN \ud800\n"), ParseError)


# -- words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a$b", "a1"),
        ("${b}x", "1x"),
        ("$bc", ""),
        ("${c:-$b}", "1"),
        ("${e:-d}${e-d}", "d"),
        ("${b:+d}${c:+d}", "d"),
        ("'$b'\"$b\"", "$b1"),
        ("\\$b", "$b"),
        ("${c:-${c:-x}y}", "xy"),
        ("a${c:-'}'}", "a}"),
    ],
)
def test_variables_are_expanded(word: str, expected: str) -> None:
    assert expand(word, {"b": "1", "e": ""}).text == expected


@pytest.mark.parametrize("word", ["${", "${}", "${a", "'", '"', "${a^}", "${c:?}", "${b:1}"])
def test_words_that_the_lexer_refuses(word: str) -> None:
    with pytest.raises(WordError):
        expand(word, {"b": "1"})


def test_names_of_variables() -> None:
    assert variables("$a${b}${c:-$d}\\$e'$f'${") >= {"a", "b", "c", "d"}
    assert variables("$a${b:-$c}") == {"a", "b", "c"}


@given(st.text(alphabet="${}:-+?#%/\\'\"<ab1 ", max_size=30))
def test_any_word_is_expanded_or_refused(word: str) -> None:
    with suppress(WordError):
        expand(word, {"a": "1"})
    variables(word)


# -- the grammar and the tree --------------------------------------------------------------


def test_one_rule_is_one_node() -> None:
    rules = set(re.findall(r"^([a-z]\w*):", grammar(), re.MULTILINE))
    text = (
        "ARG a\nFROM a\nENV a=b\nLABEL a=b\nCOPY --from=b c d\nUSER e\nCMD f\n"
        f"ONBUILD RUN {CACHE} x\nRUN <<E\nE\n"
    )
    kinds = {node.kind for node in tree_of(text).nodes() if isinstance(node, Node)}
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


def test_the_tree_as_text(snapshot: object) -> None:
    text = (
        "\ufeff# syntax=docker/dockerfile:1\n# a comment\n"
        "FROM --platform=$BUILDPLATFORM rust AS build\r\n"
        'RUN --mount=type=cache,"target=/a b" \\\n'
        "   # why\n\n"
        "    --mount=type=cache,target=/c,sharing=lo\\\ncked,ro --bad <<-EOF cargo\n"
        "\techo \x1b[31m\u202e\nEOF\n"
        "ONBUILD RUN --mount='\"type=cache\",id=' x\n"
        'CMD ["a", "b"]'
    )
    assert format_tree(parse(text)) == snapshot


def test_the_tree_as_text_prints_nothing_raw() -> None:
    shown = format_tree(
        parse(b"FROM a\nRUN \x00\x1b\x7f\xff \xc2\x9b \xe2\x80\xae\x0b" + b"x" * 99)
    )
    assert all(char.isprintable() or char == "\n" for char in shown)
