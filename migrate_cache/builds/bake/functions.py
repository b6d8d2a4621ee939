"""The functions that bake files may call, on values that are known.

A function that cannot give the one right answer raises `UnknownError`.
"""

from __future__ import annotations

import base64
import hashlib
import math
import posixpath
import re
from collections.abc import Callable
from typing import TypeAlias

from migrate_cache.builds.bake.values import (
    MAX_ITEMS,
    UNKNOWN,
    UnknownError,
    Value,
    equal,
    list_of,
    number_of,
    object_of,
    text_of,
    truth_of,
)
from migrate_cache.builds.model import MAX_TEXT


def _join(args: list[Value]) -> Value:
    separator, *lists = args
    parts = [text_of(item) for each in lists for item in list_of(each)]
    glue = text_of(separator)
    if sum(map(len, parts)) + len(glue) * len(parts) > MAX_TEXT:
        raise UnknownError
    return glue.join(parts)


def _split(args: list[Value]) -> Value:
    separator, text = map(text_of, args)
    return list(text.split(separator) if separator else text)


def _replace(args: list[Value]) -> Value:
    text, old, new = map(text_of, args)
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise UnknownError
    return text.replace(old, new)


_GROUP_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


def regex_cost(args: list[Value]) -> int:
    """Return about how many steps a regular expression may take; both orders of arguments."""
    texts = [arg for arg in args[:2] if isinstance(arg, str)]
    size = max(map(len, texts), default=0) + 1
    repeats, choices = (
        sum(len(re.findall(marks, text)) for text in texts) for marks in ("[*+{]", "[?|]")
    )
    return int(min(size ** (1 + min(repeats, 9)) * 2 ** min(choices, 60), 10**9))


# Groups that are repeated, look around or have names; classes that Go has and Python has not.
_UNUSUAL = re.compile(
    r"\)[*+?{]|\(\?|\\[^wWdDsSbnrt.\\/+*?()\[\]{}^$|-]|[*+?}][+*]|\[\[:", re.ASCII
)


def _pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern that means the same here and in Go."""
    if _UNUSUAL.search(text):
        raise UnknownError
    try:
        return re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError):
        raise UnknownError from None


def _regex_replace(args: list[Value]) -> Value:
    subject, text, new = map(text_of, args)
    pattern = _pattern(text)

    def put(match: re.Match[str]) -> str:
        def reference(found: re.Match[str]) -> str:
            name = found[2] or found[3]
            if name is None:
                return "$"
            if not name.isdigit() or int(name) > (match.re.groups or 0):
                raise UnknownError
            return match[int(name)] or ""

        return _GROUP_REFERENCE.sub(reference, new)

    if len(new) * (len(subject) + 1) > MAX_TEXT * 4:
        raise UnknownError
    return pattern.sub(put, subject)


def _regex(args: list[Value]) -> Value:
    text, subject = map(text_of, args)
    match = _pattern(text).search(subject)
    if match is None:
        raise UnknownError
    return list(match.groups()) if match.groups() else match[0]


_VERB = re.compile(r"%(?:(%)|([-0]*)(\d{0,2})([svdtq]))")


def _format(args: list[Value]) -> Value:
    template, *values = args
    rest = iter(values)
    template = text_of(template)

    def put(match: re.Match[str]) -> str:
        if match[1]:
            return "%"
        value = next(rest, UNKNOWN)
        flags, width, verb = match[2], int(match[3] or 0), match[4]
        if verb == "d":
            value = number_of(value)
            if not isinstance(value, int):
                raise UnknownError
        text = text_of(value)
        if verb == "q":
            if re.search(r'["\\\x00-\x1f\x7f-\U0010ffff]', text):
                raise UnknownError
            text = f'"{text}"'
        if "-" in flags:
            return text.ljust(width)
        return text.zfill(width) if "0" in flags else text.rjust(width)

    if len(template) + sum(len(v) for v in values if isinstance(v, str)) > MAX_TEXT:
        raise UnknownError
    if "%" in _VERB.sub("", template):
        raise UnknownError
    return _VERB.sub(put, template)


def _formatlist(args: list[Value]) -> Value:
    template, items = text_of(args[0]), list_of(args[1])
    if len(args) > 2 or len(template) * len(items) > MAX_TEXT:
        raise UnknownError
    return [_format([template, item]) for item in items]


def _coalesce(args: list[Value]) -> Value:
    for value in args:
        if value is not None:
            return value
    raise UnknownError


def _concat(args: list[Value]) -> Value:
    lists = [list_of(arg) for arg in args]
    if sum(map(len, lists)) > MAX_ITEMS:
        raise UnknownError
    return [item for each in lists for item in each]


def _merge(args: list[Value]) -> Value:
    result: dict[str, Value] = {}
    for arg in args:
        result |= object_of(arg) if arg is not None else {}
    return result


def _flatten(args: list[Value]) -> Value:
    result: list[Value] = []
    todo: list[Value] = [list_of(args[0])]
    while todo:
        value = todo.pop()
        if value is UNKNOWN:
            raise UnknownError
        if isinstance(value, list):
            todo.extend(reversed(value))
        else:
            result.append(value)
    return result


def _range(args: list[Value]) -> Value:
    numbers = [number_of(arg) for arg in args]
    whole = [number for number in numbers if isinstance(number, int)]
    steps = range(*whole) if len(whole) == len(numbers) else None
    if steps is None or len(steps) > 1000:
        raise UnknownError
    return list(steps)


def _distinct(args: list[Value]) -> Value:
    result: list[Value] = []
    for item in list_of(args[0])[:1001]:
        if len(result) > 200:
            raise UnknownError
        if not any(equal(item, other) for other in result):
            result.append(item)
    return result


def _contains(args: list[Value]) -> Value:
    items, wanted = args
    return any(equal(item, wanted) for item in list_of(items))


def _lookup(args: list[Value]) -> Value:
    return object_of(args[0]).get(text_of(args[1]), args[2] if len(args) > 2 else UNKNOWN)


def _index(args: list[Value]) -> Value:
    items, key = args
    if isinstance(items, dict):
        return items.get(text_of(key), UNKNOWN)
    position = number_of(key)
    values = list_of(items)
    if not isinstance(position, int) or not 0 <= position < len(values):
        raise UnknownError
    return values[position]


def _element(args: list[Value]) -> Value:
    values, position = list_of(args[0]), number_of(args[1])
    if not values or not isinstance(position, int) or position < 0:
        raise UnknownError
    return values[position % len(values)]


def _slice(args: list[Value]) -> Value:
    start, end = (int(number_of(arg)) for arg in args[1:3])
    values = list_of(args[0])
    if not 0 <= start <= end <= len(values):
        raise UnknownError
    return values[start:end]


def _substr(args: list[Value]) -> Value:
    text = text_of(args[0])
    offset, length = (int(number_of(arg)) for arg in args[1:3])
    start = max(0, len(text) + offset) if offset < 0 else offset
    return text[start:] if length < 0 else text[start : start + length]


def _length(args: list[Value]) -> Value:
    value = args[0]
    if isinstance(value, list | dict):
        return len(value)
    raise UnknownError


def _zipmap(args: list[Value]) -> Value:
    keys, values = map(list_of, args)
    if len(keys) != len(values):
        raise UnknownError
    return dict(zip(map(text_of, keys), values, strict=True))


def _arithmetic(operation: Callable[[int | float, int | float], int | float]) -> Function:
    def run(args: list[Value]) -> Value:
        left, right = map(number_of, args)
        try:
            return number_of(operation(left, right))
        except ArithmeticError:
            raise UnknownError from None

    return run


def _compare(operation: Callable[[int | float, int | float], bool]) -> Function:
    def run(args: list[Value]) -> Value:
        left, right = map(number_of, args)
        return operation(left, right)

    return run


def _on_text(operation: Callable[..., Value]) -> Function:
    return lambda args: operation(*map(text_of, args))


Function: TypeAlias = Callable[[list[Value]], Value]

FUNCTIONS: dict[str, Function] = {
    "add": _arithmetic(lambda a, b: a + b),
    "subtract": _arithmetic(lambda a, b: a - b),
    "multiply": _arithmetic(lambda a, b: a * b),
    "divide": _arithmetic(lambda a, b: a / b),
    "modulo": _arithmetic(math.fmod),
    "greaterthan": _compare(lambda a, b: a > b),
    "greaterthanorequalto": _compare(lambda a, b: a >= b),
    "lessthan": _compare(lambda a, b: a < b),
    "lessthanorequalto": _compare(lambda a, b: a <= b),
    "max": lambda args: max(map(number_of, args)),
    "min": lambda args: min(map(number_of, args)),
    "ceil": lambda args: math.ceil(number_of(args[0])),
    "floor": lambda args: math.floor(number_of(args[0])),
    "int": lambda args: int(number_of(args[0])),
    "parseint": _on_text(lambda text, base: number_of(str(int(text[:99], int(base))))),
    "and": lambda args: truth_of(args[0]) and truth_of(args[1]),
    "or": lambda args: truth_of(args[0]) or truth_of(args[1]),
    "not": lambda args: not truth_of(args[0]),
    "equal": lambda args: equal(args[0], args[1]),
    "notequal": lambda args: not equal(args[0], args[1]),
    "basename": _on_text(posixpath.basename),
    "dirname": _on_text(lambda text: posixpath.dirname(text) or "."),
    "chomp": _on_text(lambda text: re.sub(r"[\r\n]+\Z", "", text)),
    "lower": _on_text(str.lower),
    "upper": _on_text(str.upper),
    "title": _on_text(lambda text: re.sub(r"\b[a-z]", lambda m: m[0].upper(), text)),
    "trim": _on_text(lambda text, cut: text.strip(cut)),
    "trimspace": _on_text(str.strip),
    "trimprefix": _on_text(str.removeprefix),
    "trimsuffix": _on_text(str.removesuffix),
    "replace": _replace,
    "regex_replace": _regex_replace,
    "regex": _regex,
    "sanitize": _on_text(lambda text: re.sub(r"[^A-Za-z0-9_-]", "_", text)),
    "split": _split,
    "join": _join,
    "format": _format,
    "formatlist": _formatlist,
    "strlen": _on_text(len),
    "reverse": _on_text(lambda text: text[::-1]),
    "substr": _substr,
    "base64encode": _on_text(lambda text: base64.b64encode(text.encode()).decode()),
    "md5": _on_text(lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()),
    "sha256": _on_text(lambda text: hashlib.sha256(text.encode()).hexdigest()),
    "coalesce": _coalesce,
    "coalescelist": lambda args: next((each for each in args if list_of(each)), []),
    "compact": lambda args: [item for item in list_of(args[0]) if item != ""],
    "concat": _concat,
    "contains": _contains,
    "distinct": _distinct,
    "element": _element,
    "flatten": _flatten,
    "hasindex": lambda args: (
        text_of(args[1]) in args[0]
        if isinstance(args[0], dict)
        else 0 <= number_of(args[1]) < len(list_of(args[0]))
    ),
    "index": _index,
    "keys": lambda args: list[Value](sorted(object_of(args[0]))),
    "values": lambda args: [value for _, value in sorted(object_of(args[0]).items(), key=_key)],
    "length": _length,
    "lookup": _lookup,
    "merge": _merge,
    "range": _range,
    "reverselist": lambda args: list_of(args[0])[::-1],
    "slice": _slice,
    "sort": lambda args: list[Value](sorted(map(text_of, list_of(args[0])))),
    "toset": _distinct,
    "zipmap": _zipmap,
}


def _key(item: tuple[str, Value]) -> str:
    return item[0]


def call(name: str, args: list[Value]) -> Value:
    """Call the function `name`; raise UnknownError where its result cannot be told."""
    function = FUNCTIONS.get(name)
    if function is None or UNKNOWN in args:
        raise UnknownError
    try:
        return function(args)
    except (TypeError, ValueError, IndexError, OverflowError):
        raise UnknownError from None
