"""BuildKit's lexer: variables in words.

Heredocs in words are tested with whole files, in ``test_lines.py``.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_cache.dockerfile.words import WordError, expand, variables


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
    assert expand(word, {"b": "1", "e": ""}) == expected


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
