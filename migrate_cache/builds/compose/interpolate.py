"""Variables in compose files, and the ``.env`` files that set them.

Only what the repository says counts. A variable without a default that no ``.env``
file sets is not known, and neither is a text that holds one. Where a default is given
it counts, as it does for everyone who sets nothing.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping

from migrate_cache.builds.model import MAX_TEXT

Env = Mapping[str, str | None]
"""Values by name; None is a variable that is set to something not known."""

_MAX_DEPTH = 20
_MAX_ENV = 256 * 1024
_DOLLAR = re.compile(r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_]\w*)|(?P<open>\{))?", re.ASCII)
_BRACED = re.compile(
    r"(?P<name>[A-Za-z_]\w*)(?:(?P<op>:?[-?+])(?P<word>.*))?", re.ASCII | re.DOTALL
)
_MARK = re.compile(r"\$\{|\}")


class InterpolationError(ValueError):
    """A text that compose would refuse; `offset` is where it goes wrong."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def interpolate(text: str, env: Env) -> str | None:
    """Return `text` with its variables replaced, None where one of them is not known.

    Raises InterpolationError for what is no variable: ``${``, ``$-``, ``${a b}``.
    """
    if "$" not in text:
        return text if len(text) <= MAX_TEXT else None
    if len(text) > MAX_TEXT:
        return None
    return _expand(text, env, 0, 0)


def _expand(text: str, env: Env, depth: int, base: int) -> str | None:
    if depth > _MAX_DEPTH:
        raise InterpolationError("the variables are nested too deeply", base)
    parts: list[str] = []
    known = True
    size = position = 0
    while (match := _DOLLAR.search(text, position)) is not None:
        parts.append(text[position : match.start()])
        position = match.end()
        value: str | None
        if match["escaped"]:
            value = "$"
        elif match["named"]:
            value = env.get(match["named"])
        elif match["open"]:
            end = _closing(text, position, base)
            value = _braced(text[position:end], env, depth, base + position)
            position = end + 1
        else:
            raise InterpolationError(
                "expected a variable after '$' (a plain dollar sign is written '$$')",
                base + match.start(),
            )
        if value is None:
            known = False
        else:
            parts.append(value)
            size += len(value)
            known = known and size <= MAX_TEXT
            if not known:
                parts.clear()
    parts.append(text[position:])
    return "".join(parts) if known else None


def _closing(text: str, start: int, base: int) -> int:
    level = 1
    for match in _MARK.finditer(text, start):
        level += 1 if match[0] == "${" else -1
        if level == 0:
            return match.start()
    raise InterpolationError("expected '}' after '${'", base + start - 2)


def _braced(body: str, env: Env, depth: int, base: int) -> str | None:
    match = _BRACED.fullmatch(body)
    if match is None:
        raise InterpolationError("expected the name of a variable after '${'", base)
    name, operator = match["name"], match["op"] or ""
    is_set = name in env
    value = env.get(name)
    if is_set and value is None:
        return None
    filled = is_set and (value != "" or not operator.startswith(":"))
    if operator.endswith("+"):
        return _expand(match["word"], env, depth + 1, base + match.start("word")) if filled else ""
    if filled:
        return value
    if operator.endswith("-"):
        return _expand(match["word"], env, depth + 1, base + match.start("word"))
    return None


_LINE = re.compile(
    r"[^\S\n]*(?:export[^\S\n]+)?(?P<key>[A-Za-z_][\w.-]*)[^\S\n]*"
    r"(?:(?P<sign>[=:])[^\S\n]*(?P<quote>['\"])?|$|(?=#))",
    re.ASCII,
)
_DOUBLE = re.compile(r'(?:[^"\\]|\\.)*', re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$"}


def parse_env(data: bytes, base: Env) -> dict[str, str | None]:
    """Return what a ``.env`` file sets; lines that are no setting are passed over.

    `base` are variables set elsewhere; they win where its values use them.
    """
    text = data[:_MAX_ENV].decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    found: dict[str, str | None] = {}
    env = ChainMap(dict(base), found)
    position = size = 0
    while position < len(text) and size <= _MAX_ENV:
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        match = _LINE.match(text, position, end)
        position = end + 1
        if match is None:
            continue
        value: str | None = None
        if match["quote"]:
            close = _quoted_end(text, match.end(), match["quote"])
            if close < 0:  # nothing after it can be told apart from its value
                found[match["key"]] = None
                break
            value = text[match.end() : close]
            if match["quote"] == '"':
                value = _quietly(re.sub(r"\\(.)", _escape, value, flags=re.DOTALL), env)
            end = text.find("\n", close)
            position = len(text) if end < 0 else end + 1
        elif match["sign"]:
            value = _quietly(_COMMENT.sub("", text[match.end() : end]).strip(), env)
        found[match["key"]] = value
        size += len(value or "")
    return found


def _quoted_end(text: str, start: int, quote: str) -> int:
    if quote == "'":
        return text.find("'", start)
    inner = _DOUBLE.match(text, start)
    return inner.end() if inner is not None and inner.end() < len(text) else -1


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[0])


def _quietly(text: str, env: Env) -> str | None:
    try:
        return interpolate(text, env)
    except InterpolationError:
        return None
