"""The entries of the catalogue: directories of tools, and who may share them.

The facts are data, in ``catalog.toml`` beside this module; users add to them with
``[[caches]]`` in their configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from migrate_cache.shell import all_commands
from migrate_cache.shell.phrases import fits_any, runs_any
from migrate_cache.text.errors import ConfigError, nearest

if TYPE_CHECKING:
    from migrate_cache.shell import Command

# The kinds of cache, the stricter the later: a known need for exclusive access says more than
# not knowing.
Kind = Literal["shared", "cargo-subdir", "output", "unknown", "exclusive"]
Evidence = Literal["documented", "source", "community", "inferred", "configuration"]

KINDS: tuple[Kind, ...] = get_args(Kind)
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)

# ``$NAME``, ``${NAME}`` or ``${NAME:-default}`` as the first segment of a path.
LEADING_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?[-+?][^}]*)?\})(?=/|$)")
_SLUG = re.compile(r"[a-z0-9.-]+")


def strictness(kind: Kind) -> int:
    """Return the rank of a kind: of several users of one cache, the strictest decides."""
    return KINDS.index(kind)


@dataclass(frozen=True, slots=True)
class CacheEntry:
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
    continues: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    locks_inside: bool = False
    reason: str = ""
    source: str = ""
    evidence: Evidence = "inferred"
    custom: bool = False

    def is_filled_by(self, commands: Iterable[Command]) -> bool:
        """Whether one of `commands` is known to fill the directory."""
        return runs_any(self.fills, commands)

    def is_continued_by(self, commands: Sequence[Command]) -> bool:
        """Whether `commands` need what an earlier RUN left in the directory."""
        # A program that is given nothing to do, such as a bare `cmake`, makes nothing.
        told = (command for command in all_commands(commands) if command.arguments)
        begins = any(fits_any(self.begins, command) for command in told)
        return runs_any(self.continues, commands) and not begins


_KEYS = tuple(
    field.name.replace("_", "-") for field in fields(CacheEntry) if field.name != "custom"
)
_LISTS = ("targets", "env", "also", "tools", "fills", "continues", "begins")
_FLAGS = ("needs-tool", "presumed", "exact", "locks-inside")


def load_entries(extra: Sequence[Mapping[str, object]] = ()) -> tuple[CacheEntry, ...]:
    """Return the entries of the catalogue, those of the user's ``[[caches]]`` first.

    A table with the name of a built-in entry overrides it. Raise ConfigError, with the key
    that is wrong and the nearest known one.
    """
    built_in = {entry.name: entry for entry in _built_in()}
    own: list[CacheEntry] = []
    for number, table in enumerate(extra, 1):
        where = f"caches, entry {number}"
        base = built_in.pop(str(table["name"]), None) if "name" in table else None
        own.append(_read(table, where, base, custom=True))
    return (*own, *built_in.values())


@cache
def _built_in() -> tuple[CacheEntry, ...]:
    import tomllib
    from importlib.resources import files

    text = files("migrate_cache.caches").joinpath("catalog.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)["cache"]
    return tuple(_read(table, table["name"], None, custom=False) for table in tables)


def _read(
    table: Mapping[str, object], where: str, base: CacheEntry | None, *, custom: bool
) -> CacheEntry:
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
        values.setdefault("evidence", "configuration")
    else:
        _complete(values, where, custom=custom)
    if "slug" in values and not _SLUG.fullmatch(str(values["slug"])):
        raise ConfigError(f"{where}: a slug has only a-z, 0-9, '.' and '-'")
    return replace(base, **values) if base else CacheEntry(**values)


def _complete(values: dict[str, Any], where: str, *, custom: bool) -> None:
    """Check that an entry of its own says what it must; fill in what a user may leave out."""
    targets: tuple[str, ...] = values.get("targets", ())
    if not targets and not values.get("env"):
        raise ConfigError(f"{where}: the key 'target' is missing")
    if "kind" not in values:
        raise ConfigError(f"{where}: the key 'kind' is missing", hint=f"one of {_listed(KINDS)}")
    if custom:
        segments = [part.strip("*.$~") for part in targets[0].split("/")] if targets else []
        words = [part for part in segments if part] or ["cache"]
        values.setdefault("name", targets[0] if targets else where)
        values.setdefault("slug", re.sub(r"[^a-z0-9.-]+", "-", words[-1].lower()).strip("-"))
        values.setdefault("reason", "as the configuration says")
        values.setdefault("source", "configuration")
        values.setdefault("evidence", "configuration")


def _value(name: str, key: str, value: object, where: str) -> object:
    if name in _LISTS:
        return _strings(key, value, where)
    if name in _FLAGS:
        if not isinstance(value, bool):
            raise ConfigError(f"{where}: {key!r} has to be true or false")
        return value
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{where}: {key!r} has to be a text")
    allowed: tuple[str, ...] | None = {"kind": KINDS, "evidence": EVIDENCE}.get(name)
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
        if key in ("env", "also") and not LEADING_VARIABLE.match(item):
            raise ConfigError(f"{where}: {key!r} has to begin with a variable: {item!r}")
        texts.append(item)
    return tuple(texts)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(repr(word) for word in words)
