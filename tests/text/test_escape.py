"""What a terminal, a log and a JSON reader are shown of any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_cache.text.escape import cells, json_safe, point_at, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本 text", "plain é 日本 text"),
        ("\x1b[0m\x00\x7f", r"\x1b[0m\x00\x7f"),
        ("a\tb\nc\rd", r"a\tb\nc\rd"),
        ("\udcff\ud800", r"\xff\ud800"),
        ("\x9b\u202e\u2028\ufeff\U000e0001", r"\u009b\u202e\u2028\ufeff\U000e0001"),
        ("", ""),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text).isprintable()


def test_printable_keeps_tabs_where_asked_to() -> None:
    assert printable("a\tb\n", tabs=True) == "a\tb\\n"


def test_json_safe() -> None:
    assert json_safe("a\x1bé\udcff\ud83d") == "a\x1bé\\xff\\ud83d"


@given(st.text(st.characters()))
def test_nothing_unprintable_is_left(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    json_safe(text).encode()


@pytest.mark.parametrize(
    ("line", "column", "shown"),
    [
        ("RUN x", 1, "    RUN x\n    ^"),
        ("RUN x", 6, "    RUN x\n         ^"),
        ("\t\tx", 3, "      x\n      ^"),
        ("a\x1b\udcff!", 4, "    a\\x1b\\xff!\n             ^"),
        ("\u202e!", 2, "    \\u202e!\n          ^"),
        ("日e\u0301!", 4, "    日e\u0301!\n       ^"),
    ],
)
def test_the_caret_stands_below_its_character(line: str, column: int, shown: str) -> None:
    assert point_at(line, column) == shown


@pytest.mark.parametrize("char", ["x", "\x1b", "日", "e\u0301"])
def test_a_long_line_is_cut_around_the_caret(char: str) -> None:
    line, caret = point_at(char * 150 + "!" + char * 150, len(char) * 150 + 1).split("\n")
    before, found, _ = line.partition("!")
    assert found
    assert cells(before) == caret.index("^")
    assert line.startswith("    …")
    assert line.endswith("…")
    assert len(line) < 120
