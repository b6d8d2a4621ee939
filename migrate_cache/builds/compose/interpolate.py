"""Variables in compose files, and the ``.env`` files that set them.

Only what the repository says counts. A variable without a default that no ``.env`` file
sets is unknown, and so is a text that uses it. A default counts, as it does for everyone
who sets nothing.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping

from migrate_cache.builds.sources import MAX_TEXT

Env = Mapping[str, str | None]
"""Values by name; None is a variable that is set to something unknown."""

_MAX_DEPTH = 20
_MAX_ENV = 256 * 1024
_DOLLAR = re.compile(r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_]\w*)|(?P<open>\{))?", re.ASCII)
_BRACED = re.compile(
    r"(?P<name>[A-Za-z_]\w*)(?:(?P<op>:?[-?+])(?P<word>.*))?", re.ASCII | re.DOTALL
)
_BRACE = re.compile(r"\$\{|\}")


class InterpolationError(ValueError):
    """A text that compose would refuse."""


def interpolate(text: str, env: Env, depth: int = 0) -> str | None:
    """Return `text` with its variables replaced, None where one of them is unknown.

    Raises InterpolationError for what is no variable: ``${``, ``$-``, ``${a b}``.
    """
    if len(text) > MAX_TEXT:
        return None
    if depth > _MAX_DEPTH:
        raise InterpolationError("the variables are nested too deeply")
    parts: list[str | None] = []
    size = position = 0
    while (match := _DOLLAR.search(text, position)) is not None:
        value: str | None = "$"
        end = match.end()
        if match["named"]:
            value = env.get(match["named"])
        elif match["open"]:
            close = _closing(text, end)
            value = _braced(text[end:close], env, depth)
            end = close + 1
        elif not match["escaped"]:
            raise InterpolationError(
                "expected a variable after '$' (a plain dollar sign is written '$$')"
            )
        size += len(value or "")
        parts += [text[position : match.start()], value if size <= MAX_TEXT else None]
        position = end
    known = [part for part in parts if part is not None]
    return "".join([*known, text[position:]]) if len(known) == len(parts) else None


def _closing(text: str, start: int) -> int:
    level = 1
    for match in _BRACE.finditer(text, start):
        level += 1 if match[0] == "${" else -1
        if level == 0:
            return match.start()
    raise InterpolationError("expected '}' after '${'")


def _braced(body: str, env: Env, depth: int) -> str | None:
    match = _BRACED.fullmatch(body)
    if match is None:
        raise InterpolationError("expected the name of a variable after '${'")
    name, operator = match["name"], match["op"] or ""
    value = env.get(name)
    if name in env and value is None:
        return None
    filled = name in env and (value != "" or not operator.startswith(":"))
    if operator.endswith("+"):
        return interpolate(match["word"], env, depth + 1) if filled else ""
    if not filled and operator.endswith("-"):
        return interpolate(match["word"], env, depth + 1)
    return value if filled else None


_SETTING = re.compile(
    r"^[^\S\n]*(?:export[^\S\n]+)?(?P<key>[A-Za-z_][\w.-]*)[^\S\n]*"
    r"(?:[=:][^\S\n]*(?:'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\[\s\S])*)\"|(?P<plain>.*))|$|(?=#))",
    re.ASCII | re.MULTILINE,
)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$"}


def parse_env(data: bytes, base: Env) -> dict[str, str | None]:
    """Return what a ``.env`` file sets; lines that are no setting are passed over.

    `base` are variables set elsewhere; they win where the file's values use them.
    """
    text = data[:_MAX_ENV].decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    found: dict[str, str | None] = {}
    env = ChainMap(dict(base), found)
    size = 0
    for match in _SETTING.finditer(text):
        value: str | None = match["single"]
        unclosed = (match["plain"] or "").startswith(("'", '"'))
        try:
            if match["double"] is not None:
                value = interpolate(re.sub(r"\\([\s\S])", _escape, match["double"]), env)
            elif match["plain"] is not None and not unclosed:
                value = interpolate(_COMMENT.sub("", match["plain"]).strip(), env)
        except InterpolationError:
            value = None
        found[match["key"]] = value
        size += len(value or "")
        if unclosed or size > _MAX_ENV:  # what follows may be part of an unclosed value
            break
    return found


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[0])
