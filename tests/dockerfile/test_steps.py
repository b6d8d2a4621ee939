"""The work of reading grows as the file does, whatever its shape.

Work is counted in calls, of functions in Python and in C, so that no clock decides; the times
are in ``benchmarks/reading.py``.
"""

from __future__ import annotations

import sys

import pytest

from migrate_cache.dockerfile.parser import parse
from migrate_cache.text.errors import ParseError
from tests.dockerfile.shapes import FROM, SHAPES


def calls(text: str) -> int:
    """Return how many calls reading a text takes."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        parse(text)
    except ParseError:
        pass
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("shape", SHAPES)
def test_work_grows_with_the_size(shape: str) -> None:
    make, large = SHAPES[shape]
    size = min(max(2, large // 100), 200)
    # The parsers are built once.
    parse(FROM + "RUN --mount=type=cache,target=/c x\n")
    fixed = calls(FROM)
    once, twice = calls(make(size)) - fixed, calls(make(2 * size)) - fixed
    assert twice <= 2.1 * once + 100, (size, once, twice)
