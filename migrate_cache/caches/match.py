"""Classify the directory of a cache mount: which entry of the catalogue it belongs to.

`Catalog.classify` decides from the path, the variables in effect and the tools that the RUN
runs.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

from migrate_cache.caches.entry import CacheEntry, Kind, load_entries, strictness
from migrate_cache.caches.places import (
    CachePlace,
    Pattern,
    Query,
    Segments,
    braceless,
    covered,
    default_places,
    is_above,
    is_inside,
    patterns_of,
    places_of,
    split,
)

# Folders of installed packages and checkouts: what they hold belongs to one project.
_NEVER = frozenset({"node_modules", "vendor", ".git", "site-packages", "venv", ".venv"})
# Variables that put a compiler cache in front of a compiler.
_COMPILER_WRAPPERS = (
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CC",
    "CXX",
    "CMAKE_C_COMPILER_LAUNCHER",
    "CMAKE_CXX_COMPILER_LAUNCHER",
)


@dataclass(frozen=True, slots=True)
class Match:
    """What a directory is; `entry` is None where no entry of the catalogue fits.

    `certain` is False where little says that it is this tool's directory.
    `locks_inside` tells whether a lock of the tool lies inside this very directory.
    """

    entry: CacheEntry | None
    kind: Kind
    reason: str
    certain: bool
    locks_inside: bool = False


class _Found(NamedTuple):
    """A candidate; the greater `rank` and `length`, the better the path says what it is.

    `below` is how many segments the directory lies below the place of the entry.
    """

    rank: int
    length: int
    below: int
    entry: CacheEntry
    certain: bool


class _Moved(NamedTuple):
    """An entry whose directory would be this one, if `variable` did not move it elsewhere."""

    rank: int
    entry: CacheEntry
    variable: str


@dataclass(frozen=True)
class Catalog:
    """All entries; those of the user stand first and win."""

    entries: tuple[CacheEntry, ...]

    @cached_property
    def tool_names(self) -> frozenset[str]:
        """The tools of all entries."""
        return frozenset(tool for entry in self.entries for tool in entry.tools)

    @cached_property
    def _patterns(self) -> dict[str, list[Pattern]]:
        """The patterns by their last segment, ``""`` where that is not literal."""
        index: dict[str, list[Pattern]] = {}
        for entry in self.entries:
            for pattern in patterns_of(entry):
                last = pattern.segments[-1]
                index.setdefault("" if "*" in last else last, []).append(pattern)
        return index

    @cached_property
    def _places(self) -> dict[str, list[CachePlace]]:
        """The places of `env` and `also`, by variable."""
        index: dict[str, list[CachePlace]] = {}
        for entry in self.entries:
            for place in places_of(entry):
                index.setdefault(place.variable, []).append(place)
        return index

    def classify(
        self,
        directory: str,
        *,
        environment: Mapping[str, str],
        home: str | None,
        tools: frozenset[str],
        workdir: str = "/",
        opaque: bool = False,
    ) -> Match:
        """Return what the directory of a mount is.

        `directory` is absolute, or as written where a variable in it is not known.
        `tools` are the names that `shell.tools` returns; `opaque` tells that the RUN also
        runs something that cannot be looked into.
        """
        written = braceless(directory)
        if not written.startswith(("/", "$")):
            written = posixpath.join(workdir, written)
        if written.startswith("/"):
            written = posixpath.normpath(written)
        query = Query(
            split(written),
            environment,
            None if home is None else split(home),
            tools,
            split(workdir),
            opaque,
        )
        segments = query.segments
        if "~" in segments:
            reason = "`~` is not expanded in a mount's target: no tool uses this directory"
            return Match(None, "unknown", reason, certain=True)
        moved: list[_Moved] = []
        found = [*self._at_variables(query), *self._at_targets(query, moved)]
        own = [candidate for candidate in found if candidate.entry.custom]
        away = max(moved, key=lambda candidate: candidate.rank, default=None)
        if away and not own and all(candidate.rank < away.rank for candidate in found):
            return _never_used(away, query)
        best = _best(own or found, query.tools)
        if best:
            return best
        if segments and segments[-1] in _NEVER:
            reason = f"{segments[-1]} holds what one project installed: it is no cache to share"
            return Match(None, "unknown", reason, certain=True)
        return (
            self._parent(query)
            or self._other_home(query)
            or Match(None, "unknown", "no tool is known to keep a cache here", certain=False)
        )

    def _at_variables(self, query: Query) -> Iterator[_Found]:
        """Yield the entries that a variable in effect puts here."""
        segments = query.segments
        for variable, places in self._places.items():
            folder = query.folder(variable)
            if folder is None:
                continue
            for place in places:
                at = (*folder, *place.rest)
                below = len(segments) - len(at)
                if not is_inside(segments, at) or (below and place.entry.exact):
                    continue
                if not place.moves or query.moving(place.entry)[0] == variable:
                    yield _Found(3, len(at), below, place.entry, certain=True)
        if segments[:1] and segments[0].startswith("$"):
            for place in self._places.get(segments[0][1:], ()):
                below = len(segments) - 1 - len(place.rest)
                if is_inside(segments[1:], place.rest) and not (below and place.entry.exact):
                    yield _Found(3, 1 + len(place.rest), below, place.entry, certain=False)

    def _at_targets(self, query: Query, moved: list[_Moved]) -> Iterator[_Found]:
        """Yield the entries whose default place is here; add those moved elsewhere to `moved`."""
        loose: list[_Found] = []
        for pattern in self._ending_in(query.segments):
            covers = pattern.cover(query)
            if covers is None:
                continue
            length, certain = covers
            entry, rank = pattern.entry, 1 if pattern.anchor == "**" else 2
            found = _Found(rank, length, len(query.segments) - length, entry, certain)
            variable, _ = query.moving(entry)
            generic = pattern.anchor == "**" and not entry.needs_tool
            if variable and not generic and not entry.custom:
                relevant = entry.presumed or not entry.needs_tool
                if relevant or query.tools.intersection(entry.tools):
                    moved.append(_Moved(rank, entry, variable))
            elif entry.needs_tool:
                loose.append(found)
            else:
                yield found
        yield from _by_tool(loose, query.tools)

    def _ending_in(self, segments: Segments) -> Iterator[Pattern]:
        for last in dict.fromkeys(("", *segments)):
            yield from self._patterns.get(last, ())

    def _parent(self, query: Query) -> Match | None:
        """Classify a folder above the directories of several tools."""
        running = query.tools | _wrapped(query.environment)
        inside = [
            entry
            for entry in self.entries
            if entry.kind != "cargo-subdir"
            and running.intersection(entry.tools)
            and any(is_above(query.segments, place) for place in default_places(entry, query))
        ]
        if not inside:
            return None
        if is_inside(query.workdir, query.segments):
            reason = "the project itself lies in this folder"
            return Match(None, "unknown", reason, certain=False)
        strictest = max(inside, key=lambda entry: strictness(entry.kind))
        if query.opaque and strictest.kind in ("shared", "output"):
            reason = "a folder of several tools, and it cannot be told what all this RUN runs"
            return Match(None, "unknown", reason, certain=False)
        reason = f"a folder of several tools, as strict as {strictest.name}: {strictest.reason}"
        return Match(strictest, strictest.kind, reason, certain=True)

    def _other_home(self, query: Query) -> Match | None:
        """Take ``/any/folder/.cache/uv`` for uv's, in a home that the file does not name."""
        moved: list[_Moved] = []
        found: list[_Found] = []
        for pattern in self._ending_in(query.segments):
            rest = pattern.segments
            if pattern.anchor != "~" or not rest[0].startswith("."):
                continue
            length = covered(("**", *rest), query.segments)
            below = len(query.segments) - length
            if length < 0 or (below and pattern.entry.exact):
                continue
            variable, _ = query.moving(pattern.entry)
            if variable:
                moved.append(_Moved(0, pattern.entry, variable))
            else:
                found.append(_Found(0, length, below, pattern.entry, certain=False))
        return _best(found, query.tools) or (_never_used(moved[0], query) if moved else None)


def load_catalog(extra: Sequence[Mapping[str, object]] = ()) -> Catalog:
    """Return the catalogue, extended and overridden by the user's ``[[caches]]``.

    Raise ConfigError, with the key that is wrong and the nearest known one.
    """
    return Catalog(load_entries(extra)) if extra else _built_in()


@cache
def _built_in() -> Catalog:
    return Catalog(load_entries())


def _wrapped(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the compiler caches that variables put in front of a compiler."""
    first = (environment.get(variable, "").split()[:1] for variable in _COMPILER_WRAPPERS)
    names = {posixpath.basename(word) for words in first for word in words}
    return frozenset(names & {"sccache", "ccache"})


def _by_tool(loose: list[_Found], tools: frozenset[str]) -> Iterator[_Found]:
    """Decide between entries that only a tool tells apart, such as those of ``target``."""
    told = [found for found in loose if tools.intersection(found.entry.tools)]
    if len({found.entry.name for found in told}) == 1 or any(f.entry.custom for f in told):
        yield from told
    elif told:  # without a lock of its own is the stricter reading
        first = min(told, key=lambda found: found.entry.locks_inside)
        yield first._replace(certain=False)
    else:
        yield from (f._replace(certain=False) for f in loose if f.entry.presumed)


def _best(found: list[_Found], tools: frozenset[str]) -> Match | None:
    if not found:
        return None

    def order(candidate: _Found) -> tuple[int, int, bool, int]:
        entry = candidate.entry
        runs = bool(tools.intersection(entry.tools))
        return candidate.rank, candidate.length, runs, strictness(entry.kind)

    best = max(found, key=order)
    entry = best.entry
    # Cargo's locks lie in the folder of the profile, at most one folder down.
    locks = entry.locks_inside and best.below <= 1
    return Match(entry, entry.kind, entry.reason, best.certain, locks)


def _never_used(moved: _Moved, query: Query) -> Match:
    _, entry, variable = moved
    tool = "Cargo" if "cargo" in entry.tools else entry.name
    reason = f"{variable} is {query.environment[variable]} here: {tool} never uses this directory"
    return Match(entry, "unknown", reason, certain=True)
