"""Patterns for files as in a ``.gitignore``, in the configuration and in ignore files.

A pattern without a slash matches a name at any depth; one with a slash starts at the
folder it belongs to; what matches a folder matches everything below it; ``**`` stands
for any folders. Later patterns win over earlier ones, and ``!`` takes a match back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pathspec import GitIgnoreSpec

__all__ = ["Globs", "IgnoreFile"]

_MAGIC = frozenset("*?[]!\\/#")
# A pattern becomes a regular expression: each star multiplies the cost of a hostile one.
_MOST_STARS = 8


class Globs:
    """A fixed list of patterns; plain names alone are looked up in a set."""

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
    """Compile patterns, without those that git does not understand or that cost too much."""
    from pathspec import GitIgnoreSpec

    kept = []
    for pattern in patterns:
        if pattern.replace("**", "*").count("*") > _MOST_STARS:
            continue
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError:  # git skips such a line, too
            continue
        kept.append(pattern)
    return GitIgnoreSpec.from_lines(kept)
