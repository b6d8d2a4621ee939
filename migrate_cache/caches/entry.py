"""The kinds of cache: which directory belongs to which tool, and who may share it.

The facts are data, in ``catalog.toml`` beside this module; users add to them with
``[[caches]]`` in their configuration. `Catalog.classify` says what a mount's directory is,
from the path, the variables in force and the tools that the RUN runs.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from migrate_cache.shell import Command, all_commands, canonical
from migrate_cache.text.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Kind = Literal["shared", "cargo-subdir", "output", "exclusive", "unknown"]
Evidence = Literal["documented", "source", "community", "inferred", "configuration"]

KINDS = ("shared", "cargo-subdir", "output", "exclusive", "unknown")
EVIDENCE = ("documented", "source", "community", "inferred", "configuration")
_STRICTNESS = {"shared": 0, "output": 1, "cargo-subdir": 2, "exclusive": 3, "unknown": 4}
_SLUG = re.compile(r"[a-z0-9.-]+")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?[-+?][^}]*)?\})(?=/|$)")
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
_HOMES = (("root",), ("home", "*"))

_Segments = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cache:
    """One entry of the catalogue; ``catalog.toml`` says what each field means."""

    name: str
    slug: str
    kind: Kind
    targets: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    needs_tool: bool = False
    presumed: bool = False
    exact: bool = False
    fills: tuple[str, ...] = ()
    locks_inside: bool = False
    reason: str = ""
    source: str = ""
    evidence: Evidence = "inferred"
    custom: bool = False

    def is_filled_by(self, commands: Iterable[Command]) -> bool:
        """Return whether one of `commands` is known to fill the directory."""
        phrases = [phrase.split() for phrase in self.fills]
        for command in all_commands(commands):
            program, arguments = canonical(command)
            words = [program, *(word for word in arguments if word[:1] not in ("-", "+"))]
            if any(_starts(words, phrase) for phrase in phrases):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Match:
    """What a directory is; `cache` is None where no entry of the catalogue fits.

    `certain` is False where little says that it is this tool's directory.
    `locks_inside` tells whether a lock of the tool lies inside this very directory.
    """

    cache: Cache | None
    kind: Kind
    reason: str
    certain: bool
    locks_inside: bool = False


def _starts(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Return whether `words` begin with `phrase`, in which ``*`` stands for any words."""
    at, anywhere = 0, False
    for want in phrase:
        if want == "*":
            anywhere = True
            continue
        if anywhere:
            while at < len(words) and words[at] != want:
                at += 1
            anywhere = False
        if at >= len(words) or words[at] != want:
            return False
        at += 1
    return True


# Paths and patterns.


def _split(path: str) -> _Segments:
    return tuple(segment for segment in path.split("/") if segment)


def _fits(pattern: str, segment: str) -> bool:
    """Match one segment; ``*`` stands for any part of it."""
    if "*" not in pattern:
        return pattern == segment
    first, *rest = pattern.split("*")
    last = rest.pop()
    if len(segment) < len(first) + len(last):
        return False
    if not (segment.startswith(first) and segment.endswith(last)):
        return False
    at, end = len(first), len(segment) - len(last)
    for part in rest:
        at = segment.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _match(pattern: _Segments, segments: _Segments) -> int:
    """Return how many leading segments `pattern` covers at most; -1 if it does not fit."""
    reached = {0}
    for want in pattern:
        if want == "**":
            reached = set(range(min(reached), len(segments) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(segments) and _fits(want, segments[at])}
        if not reached:
            return -1
    return max(reached)


def _is_inside(segments: _Segments, folder: _Segments) -> bool:
    return segments[: len(folder)] == folder


class _Pattern(NamedTuple):
    """A target pattern, read: `anchor` is ``/``, ``~``, ``$`` or ``**``."""

    cache: Cache
    anchor: str
    segments: _Segments


class _Place(NamedTuple):
    """Where a variable puts a cache: the variable's value, then `rest`."""

    cache: Cache
    variable: str
    rest: _Segments
    moves: bool


class _Found(NamedTuple):
    """A candidate; the greater `rank` and `length`, the better the path says what it is."""

    rank: int
    length: int
    below: int
    cache: Cache
    certain: bool


class _Moved(NamedTuple):
    """An entry that would lie here, if `variable` did not move it."""

    rank: int
    cache: Cache
    variable: str


def _read_pattern(entry: Cache, text: str) -> _Pattern:
    if text.startswith("/"):
        return _Pattern(entry, "/", _split(text))
    if text.startswith("~/"):
        return _Pattern(entry, "~", _split(text[2:]))
    if text.startswith("$"):
        return _Pattern(entry, "$", _split(_braceless(text)))
    segments = _split(text.removeprefix("./"))
    return _Pattern(entry, "**", segments if segments[:1] == ("**",) else ("**", *segments))


def _braceless(path: str) -> str:
    """Write a leading ``${NAME}`` or ``${NAME:-default}`` as ``$NAME``."""
    found = _VARIABLE.match(path)
    return f"${found[1] or found[2]}{path[found.end() :]}" if found else path


@dataclass(frozen=True)
class _Query:
    """What `Catalog.classify` is asked, with the paths split."""

    segments: _Segments
    environment: Mapping[str, str]
    home: _Segments | None
    tools: frozenset[str]
    workdir: _Segments
    opaque: bool

    def homes(self) -> Iterator[tuple[_Segments, bool]]:
        """Yield the homes that ``~`` may be; True for the one that is in force."""
        if self.home is not None:
            yield self.home, True
        for other in _HOMES:
            if other != self.home:
                yield other, self.home is None
        yield ("$HOME",), False

    def value(self, variable: str) -> _Segments | None:
        """Return the folder that `variable` names, if that is known for certain."""
        text = self.environment.get(variable, "")
        if variable == "GOPATH":
            text = text.partition(":")[0]
        if not text or "$" in text or "~" in text:
            return None
        path = _split(posixpath.normpath(text))
        return path if text.startswith("/") else (*self.workdir, *path)


@dataclass(frozen=True)
class Catalog:
    """All entries; those of the user stand first and win."""

    caches: tuple[Cache, ...]

    @cached_property
    def _patterns(self) -> dict[str, list[_Pattern]]:
        """The patterns by their last segment, ``""`` where that is no literal."""
        index: dict[str, list[_Pattern]] = {}
        for entry in self.caches:
            for text in entry.targets:
                pattern = _read_pattern(entry, text)
                last = pattern.segments[-1]
                index.setdefault("" if "*" in last else last, []).append(pattern)
        return index

    @cached_property
    def _places(self) -> dict[str, list[_Place]]:
        """The places that variables lead to, by variable."""
        index: dict[str, list[_Place]] = {}
        for entry in self.caches:
            for text, moves in [(t, True) for t in entry.env] + [(t, False) for t in entry.also]:
                variable, *rest = _split(text.removeprefix("$"))
                index.setdefault(variable, []).append(_Place(entry, variable, tuple(rest), moves))
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
        """Say what the directory of a mount is.

        `directory` is absolute, or as written where a variable in it is not known.
        `tools` are the names that `commands.tools` gives; `opaque` says that the RUN also
        runs what cannot be told.
        """
        written = _braceless(directory)
        if not written.startswith(("/", "$")):
            written = posixpath.join(workdir, written)
        if written.startswith("/"):
            written = posixpath.normpath(written)
        query = _Query(
            _split(written),
            environment,
            None if home is None else _split(home),
            tools,
            _split(workdir),
            opaque,
        )
        return self._classify(query)

    def _classify(self, query: _Query) -> Match:
        segments = query.segments
        if "~" in segments:
            reason = "`~` is not expanded in a mount's target: no tool uses this directory"
            return Match(None, "unknown", reason, certain=True)
        moved: list[_Moved] = []
        found = [*self._at_variables(query), *self._at_targets(query, moved)]
        own = [candidate for candidate in found if candidate.cache.custom]
        away = max(moved, key=lambda entry: entry.rank, default=None)
        if away and not own and all(candidate.rank < away.rank for candidate in found):
            return _moved(away, query)
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

    def _at_variables(self, query: _Query) -> Iterator[_Found]:
        """Yield the entries that a variable in force puts here."""
        segments = query.segments
        for variable in self._places.keys() & query.environment.keys():
            value = query.value(variable)
            if value is None:
                continue
            for place in self._places[variable]:
                at = (*value, *place.rest)
                below = len(segments) - len(at)
                if not _is_inside(segments, at) or (below and place.cache.exact):
                    continue
                if not place.moves or self._moving(place.cache, query)[0] == variable:
                    yield _Found(3, len(at), below, place.cache, certain=True)
        if segments[:1] and segments[0].startswith("$"):
            for place in self._places.get(segments[0][1:], ()):
                below = len(segments) - 1 - len(place.rest)
                if _is_inside(segments[1:], place.rest) and not (below and place.cache.exact):
                    yield _Found(3, 1 + len(place.rest), below, place.cache, certain=False)

    @staticmethod
    def _moving(entry: Cache, query: _Query) -> tuple[str, list[_Segments]]:
        """Return the variable that moves `entry`, and the places that it moves it to."""
        chosen, places = "", []
        for text in entry.env:
            variable, *rest = _split(text.removeprefix("$"))
            if chosen and variable != chosen:
                break
            value = query.value(variable)
            if value is not None:
                chosen = variable
                places.append((*value, *rest))
        return chosen, places

    def _at_targets(self, query: _Query, moved: list[_Moved]) -> Iterator[_Found]:
        """Yield the entries that lie here by default; put those that are moved away in `moved`."""
        index = self._patterns
        loose: list[_Found] = []
        for key in {"", *query.segments}:
            for pattern in index.get(key, ()):
                found = self._at_pattern(pattern, query)
                if found is None:
                    continue
                variable, _ = self._moving(found.cache, query)
                generic = pattern.anchor == "**" and not found.cache.needs_tool
                if variable and not generic and not found.cache.custom:
                    relevant = found.cache.presumed or not found.cache.needs_tool
                    if relevant or query.tools.intersection(found.cache.tools):
                        moved.append(_Moved(found.rank, found.cache, variable))
                elif found.cache.needs_tool:
                    loose.append(found)
                else:
                    yield found
        yield from _by_tool(loose, query.tools)

    @staticmethod
    def _at_pattern(pattern: _Pattern, query: _Query) -> _Found | None:
        entry, segments = pattern.cache, query.segments
        rank = 1 if pattern.anchor == "**" else 2
        exact = entry.exact or (entry.needs_tool and not entry.custom)
        starts: Iterable[tuple[_Segments, bool]] = [((), True)]
        if pattern.anchor == "~":
            starts = query.homes()
        elif pattern.anchor == "$":
            value = query.value(pattern.segments[0][1:])
            if value is not None:
                starts = [((), False), (value, True)]
        for start, certain in starts:
            rest = pattern.segments
            if pattern.anchor == "$" and certain and start:
                rest = rest[1:]
            length = _match((*start, *rest), segments)
            if length >= 0 and (length == len(segments) or not exact):
                sure = certain and not _foreign_cargo(entry, pattern.anchor, query)
                return _Found(rank, length, len(segments) - length, entry, sure)
        return None

    def _parent(self, query: _Query) -> Match | None:
        """Say what a folder is in which several tools have their directories."""
        running = query.tools | _wrapped(query.environment)
        inside = [
            entry
            for entry in self.caches
            if entry.kind != "cargo-subdir"
            and running.intersection(entry.tools)
            and any(
                _is_above(query.segments, place) for place in self._default_places(entry, query)
            )
        ]
        if not inside:
            return None
        if _is_inside(query.workdir, query.segments):
            reason = "the project itself lies in this folder"
            return Match(None, "unknown", reason, certain=False)
        strictest = max(inside, key=lambda entry: _STRICTNESS[entry.kind])
        if query.opaque and strictest.kind in ("shared", "output"):
            reason = "a folder of several tools, and it cannot be told what all this RUN runs"
            return Match(None, "unknown", reason, certain=False)
        reason = f"a folder of several tools, as strict as {strictest.name}: {strictest.reason}"
        return Match(strictest, strictest.kind, reason, certain=True)

    def _default_places(self, entry: Cache, query: _Query) -> Iterator[_Segments]:
        variable, moved = self._moving(entry, query)
        if variable:
            yield from moved
        else:
            for text in entry.targets:
                pattern = _read_pattern(entry, text)
                if pattern.anchor == "/":
                    yield pattern.segments
                elif pattern.anchor == "~":
                    for home, _ in query.homes():
                        yield (*home, *pattern.segments)
        for text in entry.also:
            name, *rest = _split(text.removeprefix("$"))
            value = query.value(name)
            if value is not None:
                yield (*value, *rest)

    def _other_home(self, query: _Query) -> Match | None:
        """Take ``/any/folder/.cache/uv`` for uv's, in a home that the file does not tell."""
        moved: list[_Moved] = []
        found: list[_Found] = []
        for key in {"", *query.segments}:
            for pattern in self._patterns.get(key, ()):
                rest = pattern.segments
                if pattern.anchor != "~" or not rest[0].startswith("."):
                    continue
                length = _match(("**", *rest), query.segments)
                below = len(query.segments) - length
                if length < 0 or (below and pattern.cache.exact):
                    continue
                variable, _ = self._moving(pattern.cache, query)
                if variable:
                    moved.append(_Moved(0, pattern.cache, variable))
                else:
                    found.append(_Found(0, length, below, pattern.cache, certain=False))
        return _best(found, query.tools) or (_moved(moved[0], query) if moved else None)


def _is_above(folder: _Segments, place: _Segments) -> bool:
    if not 0 < len(folder) < len(place):
        return False
    return all(_fits(want, segment) for want, segment in zip(place, folder, strict=False))


def _foreign_cargo(entry: Cache, anchor: str, query: _Query) -> bool:
    """Return whether Cargo uses the directory only if the base image says so."""
    cargo = entry.kind == "cargo-subdir" or entry.slug == "cargo-home"
    return cargo and anchor == "/" and not query.value("CARGO_HOME")


def _wrapped(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the compiler caches that variables put in front of a compiler."""
    names = set()
    for variable in _COMPILER_WRAPPERS:
        words = environment.get(variable, "").split()
        if words:
            names.add(posixpath.basename(words[0]))
    return frozenset(names & {"sccache", "ccache"})


def _by_tool(loose: list[_Found], tools: frozenset[str]) -> Iterator[_Found]:
    """Decide between entries that only a tool tells apart, such as those of ``target``."""
    told = [found for found in loose if tools.intersection(found.cache.tools)]
    if len({found.cache.name for found in told}) == 1 or any(f.cache.custom for f in told):
        yield from told
    elif told:  # without a lock of its own is the stricter reading
        first = min(told, key=lambda found: found.cache.locks_inside)
        yield first._replace(certain=False)
    else:
        yield from (f._replace(certain=False) for f in loose if f.cache.presumed)


def _best(found: list[_Found], tools: frozenset[str]) -> Match | None:
    if not found:
        return None

    def order(candidate: _Found) -> tuple[int, int, bool, int]:
        entry = candidate.cache
        runs = bool(tools.intersection(entry.tools))
        return candidate.rank, candidate.length, runs, _STRICTNESS[entry.kind]

    best = max(found, key=order)
    entry = best.cache
    # Cargo's locks lie in the folder of the profile, at most one folder down.
    locks = entry.locks_inside and best.below <= 1
    return Match(entry, entry.kind, entry.reason, best.certain, locks)


def _moved(moved: _Moved, query: _Query) -> Match:
    _, entry, variable = moved
    tool = "Cargo" if "cargo" in entry.tools else entry.name
    value = query.environment[variable]
    reason = f"{variable} is {value} here: {tool} never uses this directory"
    return Match(entry, "unknown", reason, certain=True)


# Reading the data.

_KEYS = tuple(field.name.replace("_", "-") for field in fields(Cache) if field.name != "custom")
_LISTS = ("targets", "env", "also", "tools", "fills")
_FLAGS = ("needs-tool", "presumed", "exact", "locks-inside")


def load_catalog(extra: Sequence[Mapping[str, object]] = ()) -> Catalog:
    """Return the catalogue, extended and overridden by the user's ``[[caches]]``.

    Raise ConfigError, with the key that is wrong and the nearest known one.
    """
    built_in = _built_in()
    if not extra:
        return built_in
    entries = {entry.name: entry for entry in built_in.caches}
    own: list[Cache] = []
    for number, table in enumerate(extra, 1):
        where = f"caches, entry {number}"
        base = entries.pop(str(table["name"]), None) if "name" in table else None
        own.append(_read(table, where, base, custom=True))
    return Catalog((*own, *entries.values()))


@cache
def _built_in() -> Catalog:
    from importlib.resources import files

    text = files("migrate_cache.caches").joinpath("catalog.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)["cache"]
    return Catalog(tuple(_read(table, table["name"], None, custom=False) for table in tables))


def _read(table: Mapping[str, object], where: str, base: Cache | None, *, custom: bool) -> Cache:
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = "targets" if key == "target" else key
        if name not in _KEYS:
            known = nearest(key, ("target", *_KEYS))
            hint = f"did you mean {known!r}?" if known else ""
            raise ConfigError(f"{where}: unknown key {key!r}", hint=hint)
        values[name.replace("-", "_")] = _value(name, key, value, where)
    if custom:
        values["custom"] = True
    if base:
        _check_base(values, where)
        return replace(base, **values)
    return _complete(values, where, custom=custom)


def _check_base(values: dict[str, Any], where: str) -> None:
    if "slug" in values and not _SLUG.fullmatch(str(values["slug"])):
        raise ConfigError(f"{where}: a slug has only a-z, 0-9, '.' and '-'")
    values.setdefault("evidence", "configuration")


def _complete(values: dict[str, Any], where: str, *, custom: bool) -> Cache:
    targets: tuple[str, ...] = values.get("targets", ())
    if not targets and not values.get("env"):
        raise ConfigError(f"{where}: the key 'target' is missing")
    if "kind" not in values:
        raise ConfigError(f"{where}: the key 'kind' is missing", hint=f"one of {_listed(KINDS)}")
    if custom:
        last = [part.strip("*.$~") for part in _split(targets[0])] if targets else []
        words = [part for part in last if part] or ["cache"]
        values.setdefault("name", targets[0] if targets else where)
        values.setdefault("slug", re.sub(r"[^a-z0-9.-]+", "-", words[-1].lower()).strip("-"))
        values.setdefault("reason", "as the configuration says")
        values.setdefault("source", "configuration")
        values.setdefault("evidence", "configuration")
    if not _SLUG.fullmatch(str(values["slug"])):
        raise ConfigError(f"{where}: a slug has only a-z, 0-9, '.' and '-'")
    return Cache(**values)


def _value(name: str, key: str, value: object, where: str) -> object:
    if name in _LISTS:
        return _strings(key, value, where)
    if name in _FLAGS:
        if not isinstance(value, bool):
            raise ConfigError(f"{where}: {key!r} has to be true or false")
        return value
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{where}: {key!r} has to be a text")
    allowed = {"kind": KINDS, "evidence": EVIDENCE}.get(name)
    if allowed and value not in allowed:
        known = nearest(value, allowed)
        hint = f"did you mean {known!r}?" if known else f"one of {_listed(allowed)}"
        raise ConfigError(f"{where}: {key!r} cannot be {value!r}", hint=hint)
    return value


def _strings(key: str, value: object, where: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or (not items and key == "target"):
        raise ConfigError(f"{where}: {key!r} has to be a text or a list of texts")
    texts: list[str] = []
    for item in items:
        if not isinstance(item, str) or not item.strip("/*~$"):
            raise ConfigError(f"{where}: {key!r} cannot hold {item!r}")
        if key in ("env", "also") and not _VARIABLE.match(item):
            raise ConfigError(f"{where}: {key!r} has to begin with a variable: {item!r}")
        texts.append(item)
    return tuple(texts)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(repr(word) for word in words)
