"""Find the configuration file, and read it into values for `Settings`.

A configuration is ``[tool.migrate-cache]`` in ``pyproject.toml``, or ``migrate-cache.toml``
or ``.migrate-cache.toml``, at the root of the project.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from migrate_cache.files.paths import display_path, is_inside, relative, upwards
from migrate_cache.settings import CODE, Option, Options, Override, Settings, options_of
from migrate_cache.text.errors import ConfigError, nearest

# The first that exists counts, alone.
CONFIG_NAMES = (".migrate-cache.toml", "migrate-cache.toml", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Root:
    """The root folder of a project.

    It is `marked` by a configuration file or ``.git``; without, the project is no more than what
    PATHS name. `config` is the path of the configuration file, ``""`` if there is none.
    """

    path: str
    marked: bool = False
    config: str = ""


_MOST_BYTES = 1 << 20


def find_root(folder: str) -> Root:
    """Return the nearest folder, from `folder` upwards, with a configuration file or ``.git``."""
    for at in upwards(folder):
        config = _config_in(at)
        if config or os.path.lexists(os.path.join(at, ".git")):
            return Root(at, marked=True, config=config)
    return Root(folder)


def _config_in(folder: str) -> str:
    for name in CONFIG_NAMES:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        if name != "pyproject.toml":
            return path
        try:
            data = _read(path)
            # A broken pyproject.toml that does not configure this tool is not our business.
            if b"migrate-cache" in data and _table(path, data) is not None:
                return path
        except OSError:
            continue
        except ConfigError:
            return path  # the error is reported when it is read
    return ""


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(_MOST_BYTES)


def _table(path: str, data: bytes) -> Mapping[str, object] | None:
    """Return this tool's table, None if a ``pyproject.toml`` has none.

    Raise ConfigError, without the path, if there is a table that cannot be read.
    """
    import tomllib

    try:
        document: dict[str, object] = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        line, column = map(int, place.groups()) if place else (0, 0)
        message = str(error)[: place.start()] if place else str(error)
        if message.endswith(" (at end of document)"):
            line, column = data.count(b"\n") + 1, 1
        raise ConfigError(f"not valid TOML: {message}", line=line, column=column) from None
    if os.path.basename(path) != "pyproject.toml":
        return document
    tool = document.get("tool")
    ours = tool.get("migrate-cache") if isinstance(tool, dict) else None
    if ours is None or isinstance(ours, dict):
        return ours
    raise ConfigError(f"tool.migrate-cache: expected a table, not {_name_of(ours)}")


def read_config(path: str, *, root: str = "") -> dict[str, object]:
    """Read a configuration file into values for `Settings`, by field name.

    With `root`, the file is the project's own, and must not be a link out of it. Raise
    ConfigError, with the place, if the file or a value in it is wrong.
    """
    shown = relative(path, root) if root else display_path(path)
    if root and not is_inside(os.path.realpath(path), os.path.realpath(root)):
        raise ConfigError("the configuration is a link out of the project", path=shown)
    try:
        if not os.path.isfile(path):
            raise ConfigError("no such configuration file", path=shown)
        data = _read(path)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=shown) from None
    try:
        table = _table(path, data)
    except ConfigError as error:
        error.path = shown
        raise
    if table is None:
        raise ConfigError("has no table [tool.migrate-cache]", path=shown)
    return _Reader(shown, data.decode("utf-8", "replace").split("\n")).read(table, Settings)


@dataclass(frozen=True, slots=True)
class _Reader:
    """A reader of one table, which knows the places of its keys.

    The table is the `number`-th (from 0) called ``[[name]]``, or the whole configuration if
    `name` is empty.
    """

    path: str
    lines: list[str]
    name: str = ""
    number: int = 0

    def read(self, table: Mapping[str, object], kind: type) -> dict[str, object]:
        """Return the values of a table by field name; the fields of `kind` declare its keys."""
        known = {option.key: option for option in options_of(kind)}
        opposites = {f"no-{key}": option for key, option in known.items() if option.type is bool}
        values: dict[str, object] = {}
        for key, value in table.items():
            option = known.get(key) or opposites.get(key)
            if option is None:
                raise self.unknown(key, tuple(known))
            if option.name in values:
                raise self.error(f"{key!r} and its opposite are both given", key)
            values[option.name] = self.value(option, key, value, inverted=key in opposites)
        return values

    def value(self, option: Option, key: str, value: object, *, inverted: bool) -> object:
        """Check the value of one key and return it as the option's type."""
        if option.name == "overrides":
            return self.overrides(value)
        if option.name == "caches":
            return self.caches(value)
        result = _typed(option, value)
        if result is None:
            raise self.error(f"{key!r}: expected {option.words}, not {_name_of(value)}", key)
        try:
            option.check(result, self.name)
            if option.shape is CODE and isinstance(result, tuple):
                from migrate_cache.rules.registry import check_codes

                check_codes(key, result)
        except ConfigError as error:
            raise self.error(error.message, key, error.hint) from None
        return not result if inverted else result

    def tables(self, key: str, value: object) -> list[dict[str, object]]:
        if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
            return value
        raise self.error(f"{key!r}: expected tables, written [[{key}]]", key)

    def overrides(self, value: object) -> tuple[Override, ...]:
        found = []
        for number, table in enumerate(self.tables("overrides", value)):
            reader = _Reader(self.path, self.lines, "overrides", number)
            values = reader.read(table, Override)
            if not values.get("files"):
                raise reader.error("an override needs 'files'")
            found.append(Override(**values))  # type: ignore[arg-type] # `read` checked them
        return tuple(found)

    def caches(self, value: object) -> tuple[Mapping[str, object], ...]:
        """Return the tables as they are, once the catalogue has checked them."""
        from migrate_cache.caches.entry import load_entries

        tables = self.tables("caches", value)
        for number, table in enumerate(tables):
            try:
                load_entries(tables[: number + 1])
            except ConfigError as error:
                reader = _Reader(self.path, self.lines, "caches", number)
                key = next((key for key in table if repr(key) in error.message), "")
                raise reader.error(error.message, key, error.hint) from None
        return tuple(tables)

    def unknown(self, key: str, known: tuple[str, ...]) -> ConfigError:
        if not self.name and any(key == option.key for option in options_of(Options)):
            return self.error(f"{key!r} is an option of the command line only", key)
        where = f" in [[{self.name}]]" if self.name else ""
        guess = nearest(key, known)
        hint = f"did you mean {guess!r}?" if guess else f"known keys: {', '.join(sorted(known))}"
        return self.error(f"unknown key {key!r}{where}", key, hint)

    def error(self, message: str, key: str = "", hint: str = "") -> ConfigError:
        """Return an error at the line of `key`, or of the table.

        `tomllib` keeps no places, so the line is searched for: a key that is written in an
        unusual way gets the line of its table, or none.
        """
        at = 0
        if self.name:
            header = re.compile(rf"\s*\[\[\s*(tool\.migrate-cache\.)?{self.name}\s*\]\]")
            heads = [line for line, text in enumerate(self.lines) if header.match(text)]
            at = heads[self.number] if self.number < len(heads) else 0
        elif self.path.endswith("pyproject.toml"):
            ours = re.compile(r"\s*\[\[?\s*tool\.migrate-cache\b")
            at = next((line for line, text in enumerate(self.lines) if ours.match(text)), 0)
        line = at + 1 if self.name else 0
        if key:
            wanted = re.compile(rf"[^#]*?(?<![\w-])[\"']?{re.escape(key)}[\"']?\s*(=|\]|\.)")
            found = (n for n, text in enumerate(self.lines) if n >= at and wanted.match(text))
            line = next(found, line - 1) + 1
        column = 1 if line else 0
        return ConfigError(message, path=self.path, line=line, column=column, hint=hint)


def _typed(option: Option, value: object) -> object | None:
    """Return a TOML value as the option's type, None if it is of another."""
    if option.is_list:
        texts = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
        return tuple(value) if texts and isinstance(value, list) else None
    if option.choices:
        return option.type(value) if value in option.choices else None
    return value if type(value) is option.type else None


def _name_of(value: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a string"}
    kinds |= {list: "a list of other things", dict: "a table"}
    return kinds.get(type(value), "a date or a time")
