"""Continuations, directives, heredocs and the length of lines, as BuildKit reads them.

BuildKit's source (``frontend/dockerfile/parser``) says what each corner means; what other
parsers can tell of them is compared in ``test_differential.py``.
"""

from __future__ import annotations

import pytest

from migrate_cache.text.errors import ParseError
from tests.reading import CACHE, read, readings, run_of, tree_of

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


def test_a_comment_that_looks_like_an_instruction() -> None:
    tree = tree_of(f"FROM a\n# RUN {CACHE} x \\\n  #RUN y\nRUN z # not a comment\n")
    assert [i.line.text for i in tree.instructions[1:]] == ["RUN z # not a comment"]


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


# -- sizes -------------------------------------------------------------------------------


def test_a_line_may_hold_65535_bytes() -> None:
    assert tree_of("FROM a\nRUN " + "x" * 65531 + "\n").errors == ()
    assert isinstance(read("FROM a\nRUN " + "x" * 65532 + "y\n"), ParseError)
    assert isinstance(read("FROM a\nRUN " + "x" * 1_000_000 + "\n"), ParseError)


def test_a_megabyte_in_one_instruction() -> None:
    line = "x" * 50_000 + " \\\n"
    assert len(run_of(f"RUN {CACHE} " + line * 20 + "y\n").arguments) > 1_000_000


@pytest.mark.parametrize("data", ["", "\n", "# a\n", "\ufeff", "  \n#x"])
def test_a_file_without_instructions_is_an_error(data: str) -> None:
    assert isinstance(read(data), ParseError)
