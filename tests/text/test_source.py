"""Bytes, text and places in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_cache.text.source import Place, Source, decode, encode, split_lines


@given(st.binary())
def test_bytes_come_back(data: bytes) -> None:
    assert encode(decode(data)) == data


@given(st.text(st.sampled_from("ab\n\r\x0b\x0c\x1c\x85\u2028")))
def test_lines_end_at_line_feeds_alone(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert all(line.find("\n") in (-1, len(line) - 1) for line in lines)
    assert all(line.endswith("\n") for line in lines[:-1])
    assert "" not in lines


def test_places_count_lines_and_characters_from_1() -> None:
    source = Source("é\r\n\nab")
    places = [source.place(offset) for offset in range(len(source.text))]
    assert places == [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2)]
    assert source.place(6) == Place(3, 3)
    assert [source.line_text(line) for line in (1, 2, 3)] == ["é", "", "ab"]


@pytest.mark.parametrize(
    ("text", "newline"),
    [("", "\n"), ("a", "\n"), ("a\nb\r\n", "\n"), ("a\r\nb\n", "\r\n"), ("\n", "\n")],
)
def test_inserted_lines_end_as_the_first_does(text: str, newline: str) -> None:
    assert Source(text).newline == newline
