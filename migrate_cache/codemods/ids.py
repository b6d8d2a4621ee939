"""New cache ids: how they look, and that no two of them ever meet."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrate_cache import commands as shell
from migrate_cache.config import DEFAULT_ID_TEMPLATE
from migrate_cache.services import Service, clean_name

if TYPE_CHECKING:
    from migrate_cache.codemods.context import Context
    from migrate_cache.codemods.outputs import Unit
    from migrate_cache.graph import Use

# Words that any id of a build output may hold: they name nothing.
_EMPTY_WORDS = frozenset(
    "target cargo rust cache build builder output out release debug app src id docker".split()
)


def is_prescribed(cache_id: str) -> bool:
    """Whether a hosting platform prescribes the id (``s/<service>-…``)."""
    return cache_id.startswith("s/")


def render(template: str, *, kind: str, stage: str, service: str, project: str, arch: str) -> str:
    """Fill an id template; a part without a value takes its separator along."""
    text = template.format(kind=kind, stage=stage, service=service, project=project, arch=arch)
    if not (stage and arch and project):
        text = re.sub(r"([-_.])[-_.]+", r"\1", text).strip("-_.")
    return text


def arch_suffix(use: Use) -> str:
    """Return the variable that names the platform in an id, ``""`` where none is in scope.

    ``"separate"`` where the command's own ``--target`` puts the platforms apart.
    """
    names = [name for name in ("TARGETPLATFORM", "TARGETARCH") if name in use.scope.variables]
    targets = [
        value
        for command in use.commands
        for value in shell.options(command, "--target")
        if "cargo" in shell.canonical(command)[0]
    ]
    if targets and all("$" in value for value in targets):
        return "separate"
    return f"${{{names[0]}}}" if names else ""


class IdAllocator:
    """Gives each unit an id that meets no other one."""

    def __init__(self, context: Context, units: Iterable[list[Unit]]) -> None:
        self._context = context
        # Ids in the project that stay or may stay: a new one must not meet them.
        self._taken: dict[str, set[int]] = {}
        for group in context.graph.groups:
            self._taken.setdefault(group.key.id, set()).add(id(group))
        self._given: dict[str, Unit] = {}
        self._all = [unit for members in units for unit in members]

    def carries_arch(self, unit: Unit) -> bool:
        """Whether the new id names the platform."""
        return self._arch(unit) not in ("", "separate")

    def id_for(self, unit: Unit) -> str:
        """Return the unit's new id; the same one when it is asked again."""
        for text in self._candidates(unit):
            meets = self._becomes(text, unit)
            if all(self._is_free(value, unit, text) for value in meets):
                for value in meets:
                    self._given[value] = unit
                return text
        raise AssertionError("candidates never end")

    def _is_free(self, value: str, unit: Unit, text: str) -> bool:
        holder = self._given.get(value)
        if holder is not None and holder is not unit:
            return False
        owners = self._taken.get(value, set()) - {id(unit.group)}
        if owners:
            return False
        # The old id of the unit's own cache may stay for the unit that it names.
        return value != unit.group.key.id or text == unit.explicit_id

    def _becomes(self, text: str, unit: Unit) -> set[str]:
        assert isinstance(unit.service, Service)
        found = {text}
        if unit.service.is_variable and unit.service.text in text:
            found |= {text.replace(unit.service.text, value) for value in unit.service.values}
        return found

    def _arch(self, unit: Unit) -> str:
        suffixes = {arch_suffix(use) for use in unit.uses if use.fills} or {
            arch_suffix(use) for use in unit.uses
        }
        if len(suffixes) == 1:
            suffix = suffixes.pop()
            names = re.findall(r"\w+", suffix) if suffix.startswith("$") else []
            if all(name in use.scope.variables for use in unit.uses for name in names):
                return suffix
        return ""

    def _candidates(self, unit: Unit) -> Iterable[str]:
        base = self._base(unit)
        yield base
        folder = clean_name(posixpath.basename(posixpath.dirname(unit.first.directory)))
        own = _own_name(unit.path)
        parts = [part for part in (folder, own) if part]
        if parts:
            yield f"{base}-{parts[0]}"
        for part in parts[1:]:
            yield f"{base}-{part}"
        if len(parts) > 1:
            base = f"{base}-{parts[0]}-{parts[1]}"
        number = 2
        while True:
            yield f"{base}-{number}"
            number += 1

    def _base(self, unit: Unit) -> str:
        assert isinstance(unit.service, Service)
        override = self._context.override(unit.path)
        if override and override.id:
            return override.id
        template = (override.id_template if override else "") or self._context.settings.id_template
        arch = self._arch(unit)
        arch = "" if arch == "separate" else arch
        stem = self._stem(unit) if template == DEFAULT_ID_TEMPLATE else ""
        cache = unit.first.match.cache
        if stem:
            text = f"{stem}-{unit.service.text}"
        else:
            text = render(
                template,
                kind=cache.slug if cache else "cache",
                stage=clean_name(unit.stage) or self._stage_number(unit),
                service=unit.service.text,
                project=clean_name(self._context.project),
                arch=arch,
            )
        if arch and arch not in text and "{arch}" not in template:
            text += f"-{arch}"
        return text

    def _stage_number(self, unit: Unit) -> str:
        """Unnamed stages need a number only where several of them have an id to get."""
        unnamed = {
            other.first.stage.index
            for other in self._all
            if other.path == unit.path and not other.stage
        }
        return str(unit.first.stage.index) if len(unnamed) > 1 else ""

    def _stem(self, unit: Unit) -> str:
        """Return the old id where it names more than the template does."""
        old = unit.explicit_id
        if not old or "/" in old:
            return ""
        plain = re.sub(r"\$\{?\w+\}?", "", old)
        words = {word for word in re.split(r"[^a-z0-9]+", plain.lower()) if word}
        cache = unit.first.match.cache
        known = _EMPTY_WORDS | set(re.split(r"[^a-z0-9]+", clean_name(unit.stage)))
        known |= set(cache.tools) | set(cache.slug.split("-")) if cache else set()
        if isinstance(unit.service, Service):
            for text in (unit.service.text, *unit.service.values, *self._other_services(unit)):
                known |= set(re.split(r"[^a-z0-9]+", text.lower()))
        return old if words - known else ""

    def _other_services(self, unit: Unit) -> list[str]:
        return [
            other.service.text
            for other in self._all
            if other.group is unit.group and isinstance(other.service, Service)
        ]


def _own_name(path: str) -> str:
    name = posixpath.basename(path).lower()
    name = re.sub(r"^(dockerfile|containerfile)[-._]?|[-._]?(dockerfile|containerfile)$", "", name)
    return clean_name(name) or clean_name(posixpath.basename(posixpath.dirname(path)))
