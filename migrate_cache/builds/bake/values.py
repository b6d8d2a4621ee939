"""The values of bake expressions.

Values are what JSON has: text, numbers, truth values, None, lists and dictionaries;
`UNKNOWN` may stand in a list or a dictionary for what could not be evaluated.
"""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Unknown(Enum):
    UNKNOWN = 0


UNKNOWN = _Unknown.UNKNOWN
Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | _Unknown | None"

MAX_ITEMS = 10_000
_MAX_NUMBER = 10**30


class UnknownError(Exception):
    """A value that cannot be told from the files alone."""


def text_of(value: Value) -> str:
    """Return `value` as text, as a template shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value) and abs(value) < 1e15:
        return str(int(value)) if value == int(value) else repr(value)
    raise UnknownError


def number_of(value: Value) -> int | float:
    """Return `value` as a number."""
    if isinstance(value, str) and len(value) < 40:
        try:
            value = int(value) if re.fullmatch(r"-?[0-9]+", value) else float(value)
        except ValueError:
            raise UnknownError from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnknownError
    if not math.isfinite(value) or abs(value) > _MAX_NUMBER:
        raise UnknownError
    return int(value) if isinstance(value, float) and value == int(value) else value


def truth_of(value: Value) -> bool:
    """Return `value` as a truth value."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise UnknownError


def list_of(value: Value) -> list[Value]:
    """Return `value` where it is a list."""
    if isinstance(value, list):
        return value
    raise UnknownError


def object_of(value: Value) -> dict[str, Value]:
    """Return `value` where it is an object."""
    if isinstance(value, dict):
        return value
    raise UnknownError


def equal(left: Value, right: Value) -> bool:
    """Compare as HCL does: values of different types differ."""
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        if any(each is UNKNOWN or isinstance(each, bool) for each in walk([left, right])):
            raise UnknownError
    elif left is UNKNOWN or right is UNKNOWN:
        raise UnknownError
    elif isinstance(left, bool) != isinstance(right, bool):
        return False
    return left == right


def walk(value: Value) -> Iterator[Value]:
    """Yield `value` and all values in it, as often as they are there."""
    todo = [value]
    while todo:
        each = todo.pop()
        yield each
        if isinstance(each, list):
            todo.extend(each[: MAX_ITEMS + 1])
        elif isinstance(each, dict):
            todo.extend(each.values())
