"""Settings: declared once, here; the command line and the configuration file fill them.

A configuration may be somebody else's: nothing in it can name a place outside the root, run
anything, or break out of an id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from migrate_cache.text.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "DEFAULT_ID_TEMPLATE",
    "PLACEHOLDERS",
    "Override",
    "Settings",
    "check_settings",
    "settings_from",
]

DEFAULT_ID_TEMPLATE = "{kind}-{stage}-{service}"
PLACEHOLDERS = ("kind", "stage", "service", "project", "arch")


@dataclass(frozen=True, slots=True)
class Override:
    """One ``[[overrides]]`` table: what holds for the files that match its globs."""

    files: tuple[str, ...]
    service: str = ""
    id: str = ""
    id_template: str = ""
    skip: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What a plan depends on besides the files. Names are those of the long options."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    service: str = ""
    id_template: str = DEFAULT_ID_TEMPLATE
    project: str = ""
    cargo_lock: bool = True
    fresh_ids: bool = False
    keep_lock: bool = False
    exclude: tuple[str, ...] = ()
    gitignore: bool = True
    # Folders whose files are read for the graph and never written.
    vendored: tuple[str, ...] = ("vendor", "node_modules", "third_party", "testdata", ".git")
    # Compose and bake files that lie where none is looked for.
    build_files: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    caches: tuple[Mapping[str, object], ...] = ()

    def for_file(self, path: str, project: str) -> FileSettings:
        """Return the settings in effect for one file; the last override that matches counts."""
        matching = (own for own in reversed(self.overrides) if _matcher(own.files)(path))
        override = next(matching, None)
        own = override or Override(())
        return FileSettings(
            service=own.service or self.service,
            id=own.id,
            id_template=own.id_template or self.id_template,
            skip=own.skip,
            project=project,
            override=override,
        )


@dataclass(frozen=True, slots=True)
class FileSettings:
    """The settings in effect for one Dockerfile.

    `id` is the whole id that an override gives, ``""`` for none; `project` is the project's
    name; `override` is the table that matches the file, if any does.
    """

    service: str
    id: str
    id_template: str
    skip: bool
    project: str
    override: Override | None


@lru_cache(maxsize=256)
def _matcher(globs: tuple[str, ...]) -> Callable[[str], bool]:
    from migrate_cache.text.globs import Globs

    return Globs(globs).match


def settings_from(*sources: Mapping[str, object]) -> Settings:
    """Put values together by field name, the later source over the earlier, and check them."""
    values: dict[str, object] = {}
    for source in sources:
        values.update(source)
    settings = Settings(**values)  # type: ignore[arg-type]
    check_settings(settings)
    return replace(settings, select=_prefixes(settings.select), ignore=_prefixes(settings.ignore))


def _prefixes(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("MC" if code.upper() == "ALL" else code.upper() for code in codes)


# Characters that stand in an id without a meaning to the shell, to CSV or to BuildKit.
_SAFE = r"[A-Za-z0-9._/:@+-]"
_VARIABLE = rf"\$\{{[A-Za-z_][A-Za-z0-9_]*(?::?[-+]{_SAFE}*)?\}}"
_ID = re.compile(rf"(?:{_SAFE}|{_VARIABLE})+")
_TEMPLATE = re.compile(rf"(?:{_SAFE}|{_VARIABLE}|\{{(?:{'|'.join(PLACEHOLDERS)})\}})+")
_ALLOWED = "letters, digits, any of ._/:@+- and ${NAME}"
_KNOWN = " ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)


def check_settings(settings: Settings) -> None:
    """Refuse values that could break out of an id or that name places outside the root.

    Raise ConfigError, without a place: the values may come from the command line.
    """
    _check_codes("select", settings.select)
    _check_codes("ignore", settings.ignore)
    _check_id("service", settings.service)
    _check_id("project", settings.project)
    _check_template("id-template", settings.id_template, empty=False)
    globs = [("exclude", settings.exclude), ("vendored", settings.vendored)]
    globs.append(("build-files", settings.build_files))
    for override in settings.overrides:
        globs.append(("overrides.files", override.files))
        _check_id("overrides.service", override.service)
        _check_id("overrides.id", override.id)
        _check_template("overrides.id-template", override.id_template, empty=True)
    for name, patterns in globs:
        for pattern in patterns:
            _check_glob(name, pattern)


def _check_id(name: str, value: str) -> None:
    if value and not _ID.fullmatch(value):
        raise ConfigError(
            f"{name}: {value!r} cannot stand in a cache id", hint=f"allowed: {_ALLOWED}"
        )


def _check_template(name: str, value: str, *, empty: bool) -> None:
    if (not value and empty) or _TEMPLATE.fullmatch(value):
        return
    if not value:
        raise ConfigError(f"{name} is empty")
    for found in re.finditer(r"(?<!\$)\{([^{}]*)\}", value):
        if found[1] not in PLACEHOLDERS:
            guess = nearest(found[1], PLACEHOLDERS)
            hint = f"did you mean {{{guess}}}? " if guess else ""
            raise ConfigError(
                f"{name}: unknown placeholder {found[0]}", hint=f"{hint}known: {_KNOWN}"
            )
    raise ConfigError(
        f"{name}: {value!r} cannot make a cache id",
        hint=f"allowed: {_ALLOWED}, and the placeholders {_KNOWN}",
    )


def _check_glob(name: str, pattern: str) -> None:
    message = ""
    if not pattern.strip() or not pattern.isprintable():
        message = "is empty or has control characters"
    elif "\\" in pattern:
        message = "has a backslash: folders are divided by forward slashes"
    elif ".." in pattern.split("/") or re.match(r"[A-Za-z]:|~", pattern):
        message = "leads out of the project: paths are relative to its root"
    elif pattern.startswith("/") and name == "build-files":
        message = "is absolute: paths are relative to the project's root"
    elif pattern.count("*") - pattern.count("**") > 8:
        message = "has too many stars"
    if message:
        raise ConfigError(f"{name}: {pattern!r} {message}")


def _check_codes(name: str, codes: Sequence[str]) -> None:
    if not codes:
        return
    from migrate_cache.rules.registry import rule_names, unknown_prefixes

    for code in unknown_prefixes(codes):
        guess = nearest(code.upper(), tuple(rule_names()))
        hint = f"did you mean {guess}?" if guess else "see --list-rules"
        raise ConfigError(f"{name}: there is no rule {code!r}", hint=hint)
