"""Match paths against patterns as in a ``.gitignore``, of the configuration or of ignore files.

A pattern without a slash matches a name at any depth; one with a slash starts at the folder it
belongs to; what matches a folder holds for everything below it; ``**`` stands for any folders.
Later patterns win over earlier ones, ``!`` takes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrate_cache.text.errors import ConfigError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# These regular expressions mean the same to Python and to JSON schemas.
BACKSLASH = r"\\"
LEADS_OUT = r"(^|/)\.\.(/|$)|^[A-Za-z]:|^~"

_MAGIC = frozenset("*?[]!\\/#")
# A pattern becomes a regular expression, in which each star multiplies the cost of a match.
_MOST_STARS = 8


class Globs:
    """The patterns of one option; plain names are looked up in a set."""

    def __init__(self, patterns: Iterable[str]) -> None:
        ordered = tuple(patterns)
        plain = all(pattern and not _MAGIC & set(pattern) for pattern in ordered)
        self._names = frozenset(ordered) if plain else frozenset()
        self._spec = None if plain else _compile(ordered)

    def match(self, path: str) -> bool:
        """Tell whether a path relative to the root, or a folder above it, matches."""
        if self._spec is not None:
            return self._spec.match_file(path)
        return not self._names.isdisjoint(path.split("/"))


class IgnoreFile:
    """The patterns of one ignore file; `base` is its folder, ``""`` or with a final slash."""

    __slots__ = ("_spec", "base")

    def __init__(self, base: str, data: bytes) -> None:
        self.base = base
        text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        self._spec = _compile(line.rstrip("\r") for line in text.split("\n"))

    def decide(self, path: str) -> bool | None:
        """Tell whether `path` (folders end in a slash) is ignored, None for "no opinion"."""
        return self._spec.check_file(path[len(self.base) :]).include


def _compile(patterns: Iterable[str]) -> GitIgnoreSpec:
    """Compile patterns, without those that git would not understand or that cost too much."""
    from pathspec import GitIgnoreSpec

    kept = []
    for pattern in patterns:
        if _stars(pattern) > _MOST_STARS:
            continue
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError:  # git passes over such a line, too
            continue
        kept.append(pattern)
    return GitIgnoreSpec.from_lines(kept)


def _stars(pattern: str) -> int:
    """Count the stars of a pattern; ``**`` is one."""
    return pattern.replace("**", "*").count("*")


def check_glob(name: str, value: str) -> None:
    """Raise ConfigError if the pattern `value`, of the option `name`, is not allowed."""
    message = ""
    if not value.strip() or not value.isprintable():
        message = "is empty or has control characters"
    elif re.search(BACKSLASH, value):
        message = "has a backslash: folders are divided by forward slashes"
    elif re.search(LEADS_OUT, value):
        message = "leads out of the project: paths are relative to its root"
    elif _stars(value) > _MOST_STARS:
        message = "has too many stars"
    if message:
        raise ConfigError(f"{name}: {value!r} {message}")


def check_path(name: str, value: str) -> None:
    """Raise ConfigError if `value`, of the option `name`, is no path below the root."""
    check_glob(name, value)
    if value.startswith("/"):
        message = "is absolute: paths are relative to the project's root"
        raise ConfigError(f"{name}: {value!r} {message}")
