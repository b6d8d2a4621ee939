"""Counted steps: what hostile input costs, the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps(function: Callable[..., object], *arguments: object) -> int:
    """Call a function and return how many lines of Python it runs.

    Time within one C function, such as a regular expression, is not seen.
    """
    count = 0

    def trace(_frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return count


def assert_linear(make: Callable[[int], Callable[[], object]], size: int) -> None:
    """Fail where input of twice the size takes much more than twice the steps.

    `make` returns the call to count for a size. It is called once before, so that what is
    made at first use, such as a parser, does not count.
    """
    make(1)()
    once, twice = steps(make(size)), steps(make(2 * size))
    assert twice <= 2.2 * once + 200, f"{once} steps for {size}, {twice} for {2 * size}"
