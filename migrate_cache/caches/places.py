"""Where the directories of the catalogue's entries lie: patterns of paths, and variables."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from migrate_cache.caches.entry import LEADING_VARIABLE, CacheEntry
from migrate_cache.shell.phrases import fits

Segments: TypeAlias = tuple[str, ...]

_HOMES: tuple[Segments, ...] = (("root",), ("home", "*"))


def split(path: str) -> Segments:
    """Return the segments of a path."""
    return tuple(segment for segment in path.split("/") if segment)


def covered(pattern: Segments, segments: Segments) -> int:
    """Return how many leading segments `pattern` covers at most; -1 if it does not fit."""
    reached = {0}
    for want in pattern:
        if want == "**":
            reached = set(range(min(reached), len(segments) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(segments) and fits(want, segments[at])}
        if not reached:
            return -1
    return max(reached)


def is_inside(segments: Segments, folder: Segments) -> bool:
    """Whether a path is `folder` or lies in it."""
    return segments[: len(folder)] == folder


def is_above(folder: Segments, place: Segments) -> bool:
    """Whether `place`, which may hold ``*``, lies in `folder`."""
    if not 0 < len(folder) < len(place):
        return False
    return all(fits(want, segment) for want, segment in zip(place, folder, strict=False))


def braceless(path: str) -> str:
    """Write a leading ``${NAME}`` or ``${NAME:-default}`` as ``$NAME``."""
    found = LEADING_VARIABLE.match(path)
    return f"${found[1] or found[2]}{path[found.end() :]}" if found else path


@dataclass(frozen=True)
class Query:
    """What is known of a mount when its directory is classified.

    `segments` is the directory; `opaque` tells that the RUN runs something that cannot be
    looked into.
    """

    segments: Segments
    environment: Mapping[str, str]
    home: Segments | None
    tools: frozenset[str]
    workdir: Segments
    opaque: bool

    def homes(self) -> Iterator[tuple[Segments, bool]]:
        """Yield the folders that ``~`` may be, each with whether it is the one in effect."""
        if self.home is not None:
            yield self.home, True
        for other in _HOMES:
            if other != self.home:
                yield other, self.home is None
        yield ("$HOME",), False

    def folder(self, variable: str) -> Segments | None:
        """Return the folder that `variable` names, if that is known for certain."""
        text = self.environment.get(variable, "")
        if variable == "GOPATH":
            text = text.partition(":")[0]
        if not text or "$" in text or "~" in text:
            return None
        path = split(posixpath.normpath(text))
        return path if text.startswith("/") else (*self.workdir, *path)

    def moving(self, entry: CacheEntry) -> tuple[str, list[Segments]]:
        """Return the variable that moves `entry`, and the places that it moves it to."""
        chosen, moved = "", []
        for place in places_of(entry):
            if not place.moves or (chosen and place.variable != chosen):
                break
            folder = self.folder(place.variable)
            if folder is not None:
                chosen = place.variable
                moved.append((*folder, *place.rest))
        return chosen, moved


class Pattern(NamedTuple):
    """One of an entry's `targets`; `anchor` is ``/``, ``~``, ``$`` or ``**``."""

    entry: CacheEntry
    anchor: str
    segments: Segments

    def cover(self, query: Query) -> tuple[int, bool] | None:
        """Return how many leading segments of the directory the pattern covers at most.

        With it comes whether that is certain; None where the pattern does not fit.
        """
        entry, segments = self.entry, query.segments
        exact = entry.exact or (entry.needs_tool and not entry.custom)
        # Cargo uses `/usr/local/cargo` only if CARGO_HOME, known or not, says so.
        is_cargos = entry.kind == "cargo-subdir" or entry.slug == "cargo-home"
        for start, rest, certain in self._spelled_out(query):
            length = covered((*start, *rest), segments)
            if length >= 0 and (length == len(segments) or not exact):
                return length, certain and not (is_cargos and self.anchor == "/")
        return None

    def _spelled_out(self, query: Query) -> Iterator[tuple[Segments, Segments, bool]]:
        if self.anchor == "~":
            for home, is_in_effect in query.homes():
                yield home, self.segments, is_in_effect
            return
        folder = query.folder(self.segments[0][1:]) if self.anchor == "$" else None
        yield (), self.segments, folder is None
        if folder is not None:
            yield folder, self.segments[1:], True


def patterns_of(entry: CacheEntry) -> Iterator[Pattern]:
    """Yield the targets of an entry."""
    for text in entry.targets:
        if text.startswith("/"):
            yield Pattern(entry, "/", split(text))
        elif text.startswith("~/"):
            yield Pattern(entry, "~", split(text[2:]))
        elif text.startswith("$"):
            yield Pattern(entry, "$", split(braceless(text)))
        else:
            segments = split(text.removeprefix("./"))
            anywhere = segments if segments[:1] == ("**",) else ("**", *segments)
            yield Pattern(entry, "**", anywhere)


class CachePlace(NamedTuple):
    """A place below the folder that a variable names, one of an entry's `env` or `also`.

    `moves` tells that it takes the place of the targets.
    """

    entry: CacheEntry
    variable: str
    rest: Segments
    moves: bool


def places_of(entry: CacheEntry) -> Iterator[CachePlace]:
    """Yield the places that variables lead to, those that move the entry first."""
    for moves, texts in ((True, entry.env), (False, entry.also)):
        for text in texts:
            variable, *rest = split(text.removeprefix("$"))
            yield CachePlace(entry, variable, tuple(rest), moves)


def default_places(entry: CacheEntry, query: Query) -> Iterator[Segments]:
    """Yield the places of an entry that do not depend on the project's own folders."""
    variable, moved = query.moving(entry)
    if variable:
        yield from moved
    else:
        for pattern in patterns_of(entry):
            if pattern.anchor == "/":
                yield pattern.segments
            elif pattern.anchor == "~":
                for home, _ in query.homes():
                    yield (*home, *pattern.segments)
    for place in places_of(entry):
        folder = None if place.moves else query.folder(place.variable)
        if folder is not None:
            yield (*folder, *place.rest)
