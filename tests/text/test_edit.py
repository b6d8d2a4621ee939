"""Edits of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_cache.text.edit import Edit, apply_edits
from migrate_cache.text.source import Span


def edit(start: int, end: int, text: str = "X") -> Edit:
    return Edit(Span(start, end), text)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([], "abcdef"),
        ([edit(0, 1)], "Xbcdef"),
        ([edit(5, 6), edit(0, 0, "Y")], "YabcdeX"),
        ([edit(6, 6)], "abcdefX"),
        ([edit(0, 6, "")], ""),
        # An insertion may touch what is replaced before and behind it.
        ([edit(1, 3), edit(3, 3, "Y"), edit(3, 4, "Z")], "aXYZef"),
        ([edit(3, 4, "Z"), edit(3, 3, "Y"), edit(1, 3)], "aXYZef"),
    ],
)
def test_edits_are_made_in_the_order_of_the_text(edits: list[Edit], expected: str) -> None:
    assert apply_edits("abcdef", edits) == expected


@pytest.mark.parametrize(
    "edits",
    [
        [edit(1, 3), edit(2, 4)],
        [edit(1, 4), edit(2, 3)],
        [edit(1, 3), edit(1, 3)],
        [edit(1, 3), edit(2, 2)],
        [edit(2, 2), edit(2, 2, "Y")],
        [edit(5, 7)],
        [edit(7, 7)],
        [edit(-1, 2)],
        [edit(3, 2)],
    ],
)
def test_edits_that_overlap_meet_or_leave_the_text_are_refused(edits: list[Edit]) -> None:
    for given_so in (edits, edits[::-1]):
        with pytest.raises(ValueError, match="at offset"):
            apply_edits("abcdef", given_so)


@given(st.text(), st.text(), st.text(), st.text())
def test_what_no_edit_names_is_copied(before: str, old: str, new: str, after: str) -> None:
    text = before + old + after
    here = Span(len(before), len(before) + len(old))
    assert apply_edits(text, [Edit(here, new)]) == before + new + after
