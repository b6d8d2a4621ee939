"""Values that Go's libraries read: JSON, sizes, durations, numbers, booleans."""

from __future__ import annotations

import json
import math
import re


def is_mixed_array(text: str) -> bool:
    """Tell whether Go's ``encoding/json`` reads an array that holds more than strings.

    An array nested deeper than Python's own reader goes counts as none.
    """
    try:
        value = json.loads(text, parse_int=_finite, parse_float=_finite, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, list) and not all(isinstance(item, str) for item in value)


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _refuse(digits)


def _refuse(word: str) -> float:
    raise ValueError(word)


# What ``strconv.ParseBool`` reads.
BOOLEANS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
# What ``units.RAMInBytes`` reads, such as ``64m`` or ``1.5 GiB``.
SIZE = re.compile(
    r"\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)? ?(?:b|[kmgtp](?:i?b)?)?", re.IGNORECASE
)
_DURATION = re.compile(r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_DURATION_PART = re.compile(r"([0-9.]+)([a-zµμ]+)")
_NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
_NANOSECONDS |= {"\u00b5s": 1e3, "\u03bcs": 1e3}  # the micro sign, and the Greek letter


def nanoseconds(text: str) -> float | None:
    """Return a duration such as ``1m30s``, None where Go's ``time`` refuses it."""
    if not _DURATION.fullmatch(text):
        return None
    total = sum(float(n) * _NANOSECONDS[unit] for n, unit in _DURATION_PART.findall(text))
    if total >= 2**63:
        return None
    return -total if text.startswith("-") else total


def number(text: str, base: int, limit: int) -> int | None:
    """Return an unsigned number below `limit`, None where `text` is none."""
    digits = "01234567" if base == 8 else "0123456789"
    if not text or text.strip(digits):
        return None
    # Python refuses to read thousands of digits.
    significant = text.lstrip("0")
    if len(significant) > 20:
        return None
    value = int(significant or "0", base)
    return value if value < limit else None
