"""What the checks share: how they reject, and what they know of the other parsers in Go."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from migrate_cache.text.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence


class Rejected(Exception):  # noqa: N818 - control flow within the checks
    """BuildKit rejects this, in these words; `offset` is where in the file."""

    def __init__(self, message: str, offset: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


def suggest(word: str, known: Sequence[str]) -> str:
    """Return a hint that names the known word nearest to `word`, ``""`` where none is near."""
    found = nearest(word, known)
    return f"did you mean {found}?" if found else ""


# -- JSON --------------------------------------------------------------------------------

_JSON_TOKEN = re.compile(
    r"[ \t\r\n]*(?:"
    r'(?P<string>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<literal>true|false|null)"
    r"|(?P<sign>[\[\]{},:])"
    r"|(?P<end>\Z))"
)
_JSON_DEPTH = 10_000

# What may come next, and for each token what may come after it.
_VALUE, _FIRST_VALUE, _KEY, _FIRST_KEY, _COLON, _AFTER = range(6)


def is_mixed_array(text: str) -> bool:
    """Whether Go's ``encoding/json`` reads an array with something else than strings in it.

    A walk over the tokens with a stack of its own: Python's parser recurses, and gives up
    at a depth and at a length of numbers that Go still reads.
    """
    stack: list[str] = []
    expected, position, mixed = _VALUE, 0, False
    while (token := _JSON_TOKEN.match(text, position)) is not None:
        kind, position = token.lastgroup or "", token.end()
        if kind == "end":
            return mixed and expected == _AFTER and not stack
        following = _after_token(kind, token[kind], expected, stack)
        if following is None or len(stack) > _JSON_DEPTH:
            return False
        expected = following
        mixed = mixed or kind in ("number", "literal") or len(stack) > 1 or "{" in stack[:1]
    return False


def _after_token(kind: str, word: str, expected: int, stack: list[str]) -> int | None:
    """Return what may follow a token; None where it may not stand."""
    if kind == "sign":
        return _after_sign(word, expected, stack)
    if kind == "string" and expected in (_KEY, _FIRST_KEY):
        return _COLON
    if kind == "number" and math.isinf(float(word)):
        return None
    return _AFTER if expected in (_VALUE, _FIRST_VALUE) else None


def _after_sign(sign: str, expected: int, stack: list[str]) -> int | None:
    """Return what may follow a bracket, a comma or a colon; `stack` holds the open brackets."""
    if sign in "[{":
        stack.append(sign)
        if expected in (_VALUE, _FIRST_VALUE):
            return _FIRST_VALUE if sign == "[" else _FIRST_KEY
        return None
    if sign == ":":
        return _VALUE if expected == _COLON else None
    inside = stack[-1] if stack else ""
    if sign == ",":
        following = {"[": _VALUE, "{": _KEY}.get(inside)
        return following if expected == _AFTER else None
    opener, empty = ("[", _FIRST_VALUE) if sign == "]" else ("{", _FIRST_KEY)
    if inside != opener or expected not in (_AFTER, empty):
        return None
    stack.pop()
    return _AFTER


# -- numbers, sizes, durations -----------------------------------------------------------

_DURATION = re.compile(r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_DURATION_PART = re.compile(r"([0-9.]+)([a-zµμ]+)")
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_SIZE = re.compile(
    r"\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)? ?(?:b|[kmgtp](?:i?b)?)?", re.IGNORECASE
)


def is_size(text: str) -> bool:
    """Whether a number of bytes with a unit, such as ``1.5gb``, is one to Go's ``units``."""
    return _SIZE.fullmatch(text) is not None


def nanoseconds(text: str) -> float | None:
    """Return a duration such as ``1m30s``, None where Go's ``time`` refuses it."""
    if not _DURATION.fullmatch(text):
        return None
    total = sum(float(n) * _NANOSECONDS[unit] for n, unit in _DURATION_PART.findall(text))
    if total >= 2**63:
        return None
    return -total if text.startswith("-") else total


def number(text: str, base: int, limit: int) -> int | None:
    """Return a number without a sign that is below `limit`, None where `text` is none."""
    digits = "01234567" if base == 8 else "0123456789"
    if not text or text.strip(digits):
        return None
    # Python refuses to read thousands of digits.
    significant = text.lstrip("0")
    if len(significant) > 20:
        return None
    value = int(significant or "0", base)
    return value if value < limit else None
