"""The configuration file: where it is found, and its tables as values for `Settings`.

A configuration is ``[tool.migrate-cache]`` in ``pyproject.toml``, or ``migrate-cache.toml``
or ``.migrate-cache.toml``, at the root of the project.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from migrate_cache.settings import Override, Settings, settings_from
from migrate_cache.text.errors import ConfigError, display_path, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["CONFIG_NAMES", "Root", "find_root", "read_config"]

# The first that is there counts, alone.
CONFIG_NAMES = (".migrate-cache.toml", "migrate-cache.toml", "pyproject.toml")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Root:
    """Where the project begins.

    `marked` tells whether a configuration file or ``.git`` says so; without, the project is
    no more than what PATHS name. `config` is the configuration file that counts, if any.
    """

    path: str
    marked: bool = False
    config: str = ""


_MOST_BYTES = 1 << 20


def find_root(folder: str) -> Root:
    """Return the nearest folder, from `folder` upwards, with a configuration file or ``.git``."""
    at = folder
    while True:
        config = _config_in(at)
        if config or os.path.lexists(os.path.join(at, ".git")):
            return Root(at, marked=True, config=config)
        above = os.path.dirname(at)
        if above == at:
            return Root(folder)
        at = above


def _config_in(folder: str) -> str:
    for name in CONFIG_NAMES:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        if name != "pyproject.toml":
            return path
        try:
            data = _read(path)
        except OSError:
            continue
        try:
            # Somebody else's broken pyproject.toml is none of our business.
            if b"migrate-cache" in data and _table(path, data, {}) is not None:
                return path
        except ConfigError:
            return path  # it is explained when it is read, if it is
    return ""


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(_MOST_BYTES)


def _table(path: str, data: bytes, document: dict[str, object]) -> Mapping[str, object] | None:
    """Return the table that is ours, None where a ``pyproject.toml`` has none."""
    import tomllib

    try:
        document.update(tomllib.loads(data.decode("utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        line, column = map(int, place.groups()) if place else (0, 0)
        message = str(error)[: place.start()] if place else str(error)
        if message.endswith(" (at end of document)"):
            line, column = data.count(b"\n") + 1, 1
        raise ConfigError(
            f"not valid TOML: {message}", path=display_path(path), line=line, column=column
        ) from None
    if os.path.basename(path) != "pyproject.toml":
        return document
    tool = document.get("tool")
    ours = tool.get("migrate-cache") if isinstance(tool, dict) else None
    if ours is None or isinstance(ours, dict):
        return ours
    raise ConfigError(
        f"tool.migrate-cache: expected a table, not {_name_of(ours)}", path=display_path(path)
    )


def read_config(path: str, *, root: str = "") -> dict[str, object]:
    """Read a configuration file into values for `Settings`, by field name.

    With `root`, the file belongs to the project: it may not be a link out of it. Raise
    ConfigError, with ``path:line``, where the file or what it says is wrong.
    """
    shown = display_path(os.path.relpath(path, root)) if root else display_path(path)
    if root:
        real, base = os.path.realpath(path), os.path.realpath(root)
        if not real.startswith(base.rstrip(os.sep) + os.sep):
            raise ConfigError("the configuration is a link out of the project", path=shown)
    try:
        if not os.path.isfile(path):
            raise ConfigError("no such configuration file", path=shown)
        data = _read(path)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=shown) from None
    try:
        table = _table(path, data, {})
    except ConfigError as error:
        error.path = shown
        raise
    if table is None:
        raise ConfigError("has no table [tool.migrate-cache]", path=shown)
    reader = _Reader(shown, data.decode("utf-8", "replace"))
    values = reader.settings(table)
    try:
        settings_from(values)
    except ConfigError as error:
        key = re.split(r"[.:]", error.message.partition(" ")[0])
        placed = reader.error(error.message, [part for part in key if part][-1], "", 0)
        placed.hint = error.hint
        raise placed from None
    return values


# What a table may hold, by annotation: the check, and the words for what is expected.
_WORDS = {"str": "a string", "bool": "true or false", "tuple[str, ...]": "a list of strings"}
# Long options that say how to run, not what to plan: a file of the project cannot set them.
COMMAND_LINE_ONLY = (
    "dry-run", "check", "interactive", "diff", "format", "stdin-filename", "caches", "config",
    "isolated", "explain", "list-rules", "show-tree", "jobs", "quiet", "verbose", "color",
)  # fmt: skip


class _Reader:
    """Turns the table of one file into values, and knows the places of its keys."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text.split("\n")

    def settings(self, table: Mapping[str, object]) -> dict[str, object]:
        return self.read(table, Settings, "", 0)

    def read(
        self, table: Mapping[str, object], kind: type, name: str, number: int
    ) -> dict[str, object]:
        """Return the values of one table by field name, after their types are checked."""
        known = {field.name.replace("_", "-"): field for field in fields(kind)}
        values: dict[str, object] = {}
        for key, value in table.items():
            field, inverted = known.get(key), False
            if field is None and key.startswith("no-") and (found := known.get(key[3:])):
                field, inverted = (found, True) if found.type == "bool" else (None, False)
            if field is None:
                raise self.unknown(key, tuple(known), name, number)
            if field.name in values:
                raise self.error(f"{key!r} and its opposite are both given", key, name, number)
            if field.name == "overrides":
                values[field.name] = self.tables(key, value, self.override)
            elif field.name == "caches":
                values[field.name] = self.caches(value)
            else:
                checked = self.checked(value, str(field.type), key, name, number)
                values[field.name] = not checked if inverted else checked
        return values

    def tables(
        self, key: str, value: object, read: Callable[[Mapping[str, object], int], _T]
    ) -> tuple[_T, ...]:
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.error(f"{key!r}: expected tables, written [[{key}]]", key, "", 0)
        return tuple(read(entry, index) for index, entry in enumerate(value))

    def override(self, table: Mapping[str, object], number: int) -> Override:
        values = self.read(table, Override, "overrides", number)
        if not values.get("files"):
            raise self.error("an override needs 'files'", "", "overrides", number)
        return Override(**values)  # type: ignore[arg-type]

    def caches(self, value: object) -> tuple[Mapping[str, object], ...]:
        """Return the tables as they are: the catalogue knows what they may hold."""
        from migrate_cache.caches.entry import load_catalog

        tables = self.tables("caches", value, lambda table, _: dict(table))
        for number in range(len(tables)):
            try:
                load_catalog(tables[: number + 1])
            except ConfigError as error:
                key = next((key for key in tables[number] if repr(key) in error.message), "")
                placed = self.error(error.message, key, "caches", number)
                placed.hint = error.hint
                raise placed from None
        return tables

    def checked(self, value: object, kind: str, key: str, name: str, number: int) -> object:
        if kind == "tuple[str, ...]":
            if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
                return tuple(value)
        elif isinstance(value, bool if kind == "bool" else str):
            return value
        raise self.error(
            f"{key!r}: expected {_WORDS[kind]}, not {_name_of(value)}", key, name, number
        )

    def unknown(self, key: str, known: tuple[str, ...], name: str, number: int) -> ConfigError:
        where = f" in [[{name}]]" if name else ""
        if not name and key in COMMAND_LINE_ONLY:
            return self.error(f"{key!r} is an option of the command line only", key, name, number)
        guess = nearest(key, known)
        hint = f"did you mean {guess!r}?" if guess else f"known keys: {', '.join(sorted(known))}"
        error = self.error(f"unknown key {key!r}{where}", key, name, number)
        error.hint = hint
        return error

    def error(self, message: str, key: str, name: str, number: int) -> ConfigError:
        """Return the error with the line of `key` in the table's `number`-th entry.

        The TOML reader of the standard library keeps no places; a key that is written in an
        unusual way gets the line of its table, or none.
        """
        at = 0
        if name:
            header = re.compile(rf"\s*\[\[\s*(tool\.migrate-cache\.)?{name}\s*\]\]")
            heads = [line for line, text in enumerate(self.lines) if header.match(text)]
            at = heads[number] if number < len(heads) else 0
        elif self.path.endswith("pyproject.toml"):
            ours = re.compile(r"\s*\[\[?\s*tool\.migrate-cache\b")
            at = next((line for line, text in enumerate(self.lines) if ours.match(text)), 0)
        line = at + 1 if name else 0
        if key:
            wanted = re.compile(rf"[^#]*?(?<![\w-])[\"']?{re.escape(key)}[\"']?\s*(=|\]|\.)")
            found = (n for n, text in enumerate(self.lines) if n >= at and wanted.match(text))
            line = next(found, line - 1) + 1
        return ConfigError(message, path=self.path, line=line, column=1 if line else 0)


def _name_of(value: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a string"}
    kinds |= {list: "a list of other things", dict: "a table"}
    return kinds.get(type(value), "a date or a time")
