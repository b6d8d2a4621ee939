"""New cache ids: how they look, and that no two of them ever meet."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice
from typing import TYPE_CHECKING

from migrate_cache import shell
from migrate_cache.dockerfile.scope import PLATFORM_ARGS
from migrate_cache.dockerfile.words import variables
from migrate_cache.services import Service, clean_name, shell_text
from migrate_cache.settings import DEFAULT_ID_TEMPLATE, PLACEHOLDERS

if TYPE_CHECKING:
    from migrate_cache.caches.coupling import Unit
    from migrate_cache.caches.graph import Use
    from migrate_cache.rules.context import Context

# Words that any id of a build output may hold: they name nothing.
_EMPTY_WORDS = frozenset(
    ("target", "cargo", "rust", "cache", "build", "builder", "output", "out", "release", "debug",
     "app", "src", "id", "docker")
)  # fmt: skip
_PLACEHOLDER = re.compile(rf"(?<!\$)\{{({'|'.join(PLACEHOLDERS)})\}}")
_VARIABLE = re.compile(r"\$\{?\w+\}?")
# An old id that can be part of a new one.
_STEM = re.compile(r"(?:[A-Za-z0-9._:@+-]|\$\{\w+\}|\$\w+){1,120}", re.ASCII)
_FILLING = frozenset(("build", "b", "rustc", "chef", "zigbuild", "run", "r", "test", "t"))
_MOST_CANDIDATES = 8


def is_prescribed(cache_id: str) -> bool:
    """Whether a hosting platform prescribes the id (``s/<service>-…``)."""
    return cache_id.startswith("s/")


def render(template: str, *, kind: str, stage: str, service: str, project: str, arch: str) -> str:
    """Fill an id template; a part without a value takes its separator along."""
    values = {"kind": kind, "stage": stage, "service": service, "project": project, "arch": arch}
    text, drop = "", False
    for index, piece in enumerate(_PLACEHOLDER.split(template)):
        if index % 2 == 0:
            text += piece[1:] if drop and piece[:1] in ("-", "_", ".") else piece
            drop = False
        elif values[piece]:
            text += values[piece]
        elif text[-1:] in ("-", "_", "."):
            text = text[:-1]
        else:
            drop = not text
    return text


# -- platforms ---------------------------------------------------------------------------


def arch_suffix(use: Use) -> str:
    """Return the variable that names the platform in an id, ``""`` where none is in scope.

    ``"separate"`` where the command's own ``--target`` puts the platforms apart.
    """
    if _puts_platforms_apart(use):
        return "separate"
    names = _platform_variables(use)
    return f"${{{names[0]}}}" if names else ""


def _platform_variables(use: Use) -> list[str]:
    """Return the variables in scope that the builder sets per platform, the exacter first."""
    found = []
    for name in ("TARGETPLATFORM", "TARGETARCH"):
        variable = use.scope.variables.get(name)
        # With a default of its own it is that for every platform.
        if variable and variable.value is None and variable.depends == {name}:
            found.append(name)
    return found


def _puts_platforms_apart(use: Use) -> bool:
    """Whether every compile command says for which target, and that depends on the platform."""
    own = shell_text(use.run, use.scope).assigns
    compiles = False
    for command in shell.all_commands(use.commands):
        program, arguments = shell.canonical(command)
        if program != "cargo" or arguments[:1] == () or arguments[0] not in _FILLING:
            continue
        if arguments[:2] == ("chef", "prepare"):
            continue
        targets = shell.options(command, "--target")
        if not targets or not all(_follows_platform(use, own, word) for word in targets):
            return False
        compiles = True
    return compiles


def _follows_platform(use: Use, own: frozenset[str], word: str) -> bool:
    if "$(" in word or "`" in word:
        return True
    for name in variables(word):
        variable = use.scope.variables.get(name)
        # A build argument is the same for all platforms of a build.
        if variable is None or name in own or variable.depends & PLATFORM_ARGS:
            return True
    return False


# -- allocation --------------------------------------------------------------------------


class IdAllocator:
    """Gives each unit an id that meets no other one."""

    def __init__(self, context: Context, units: Iterable[list[Unit]]) -> None:
        self._context = context
        self._all = [unit for members in units for unit in members]
        # Ids in the project that stay or may stay, and the caches (None: new ones) behind them.
        self._taken: dict[str, set[int | None]] = {}
        for group in context.graph.groups:
            for use in group.uses:
                for value in (use.key.id, *_values(context, use, use.mount.id)):
                    self._taken.setdefault(value, set()).add(id(group))
        for decision in context.decisions.values():
            if decision.id is not None:
                self._taken.setdefault(decision.id, set()).add(None)
        self._given: dict[str, Unit] = {}

    def carries_arch(self, unit: Unit) -> bool:
        """Whether the new id names the platform."""
        return self._arch(unit) not in ("", "separate")

    def id_for(self, unit: Unit) -> str:
        """Return the unit's new id; the same one when it is asked again."""
        candidates = self._candidates(unit)
        first = list(islice(candidates, _MOST_CANDIDATES))
        if unit.explicit_id in first:
            # What an earlier run gave stays.
            first.insert(0, unit.explicit_id)
        for text in chain(first, islice(candidates, 10_000)):
            meets = {text}.union(*(_values(self._context, use, text) for use in unit.uses))
            if all(self._is_free(value, unit, text) for value in meets):
                for value in meets:
                    self._given.setdefault(value, unit)
                return text
        raise AssertionError("candidates never end")

    def _is_free(self, value: str, unit: Unit, text: str) -> bool:
        holder = self._given.get(value)
        if holder is not None and holder is not unit and not self._may_share(unit, holder):
            return False
        if self._taken.get(value, set()) - {id(unit.group)} and not self._is_wanted(unit, text):
            return False
        # The old id of the unit's own cache may stay for the unit that it names.
        return value != unit.group.key.id or text == unit.explicit_id

    def _is_wanted(self, unit: Unit, text: str) -> bool:
        """Whether the configuration gives this very id to all that use it by now."""
        override = self._context.override(unit.path)
        if override is None or override.id != text:
            return False
        users = [use for use in self._context.graph.uses if use.key.id == text]
        return all(self._context.override(use.path) is override for use in users)

    def _may_share(self, unit: Unit, holder: Unit) -> bool:
        """Whether the configuration wants two units to use one cache."""
        override = self._context.override(unit.path)
        if override is None or override is not self._context.override(holder.path):
            return False
        if {id(use.run) for use in unit.uses} & {id(use.run) for use in holder.uses}:
            return False
        if override.id:
            return _slug(unit) == _slug(holder)
        template = override.id_template or self._context.settings.id_template
        is_told = bool(override.service) or "{service}" not in template
        return is_told and unit.group is holder.group

    # -- what it looks like --------------------------------------------------------------

    def _arch(self, unit: Unit) -> str:
        fillers = [use for use in unit.uses if use.fills] or unit.uses
        if all(arch_suffix(use) == "separate" for use in fillers):
            return "separate"
        in_scope = [_platform_variables(use) for use in unit.uses]
        for name in ("TARGETPLATFORM", "TARGETARCH"):
            if all(name in names for names in in_scope):
                return f"${{{name}}}"
        return ""

    def _candidates(self, unit: Unit) -> Iterator[str]:
        """Yield ids for a unit: the plain one, then with the folder, then the file's name."""
        bases = self._bases(unit)
        yield from bases
        base = bases[0]
        holder = self._given.get(base)
        folder = _target_folder(unit)
        own = _own_name(unit.path, base)
        # A folder that the other one has too tells nothing.
        if folder and not (own and holder and _target_folder(holder) == folder):
            yield f"{base}-{folder}"
        if own:
            yield f"{base}-{own}"
        if folder and own:
            yield f"{base}-{folder}-{own}"
        last = "-".join(filter(None, (base, folder, own)))
        for number in count(2):
            yield f"{last}-{number}"

    def _bases(self, unit: Unit) -> list[str]:
        assert isinstance(unit.service, Service)
        override = self._context.override(unit.path)
        if override and override.id:
            return [override.id]
        template = (override.id_template if override else "") or self._context.settings.id_template
        stem = self._stem(unit) if template == DEFAULT_ID_TEMPLATE else ""
        if not stem:
            text = self._rendered(unit, template) or self._rendered(unit, DEFAULT_ID_TEMPLATE)
            return [self._with_arch(unit, template, text)]
        service = unit.service.text
        texts = [f"{stem}-{service}"]
        if unit.stage:
            texts.append(f"{stem}-{clean_name(unit.stage)}-{service}")
        return [self._with_arch(unit, template, text) for text in texts]

    def _rendered(self, unit: Unit, template: str) -> str:
        assert isinstance(unit.service, Service)
        arch = self._arch(unit)
        return render(
            template,
            kind=_slug(unit),
            stage=clean_name(unit.stage) or self._stage_number(unit),
            service=unit.service.text,
            project=clean_name(self._context.project),
            arch="" if arch == "separate" else arch,
        )

    def _with_arch(self, unit: Unit, template: str, text: str) -> str:
        arch = self._arch(unit)
        if arch in ("", "separate") or "{arch}" in template or arch.strip("${}") in text:
            return text
        return f"{text}-{arch}"

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
        if not old or not _STEM.fullmatch(old):
            return ""
        names = self._service_names(unit)
        for name in sorted(names, key=len, reverse=True):
            # A service's name in it is that of one of its users.
            old = re.sub(rf"(?:^|[-_.]){re.escape(name)}(?=$|[-_.])", "", old).strip("-_.")
        plain = _VARIABLE.sub("", old)
        words = {word for word in re.split(r"[^a-z0-9]+", plain.lower()) if word}
        cache = unit.first.match.cache
        known = _EMPTY_WORDS | set(re.split(r"[^a-z0-9]+", clean_name(unit.stage)))
        if cache:
            known |= set(cache.tools) | set(cache.slug.split("-"))
        for name in names:
            known |= set(re.split(r"[^a-z0-9]+", name.lower()))
        return old if words - known else ""

    def _service_names(self, unit: Unit) -> set[str]:
        """Return what the services are called that use the unit's old cache."""
        names: set[str] = set()
        for other in self._all:
            if other.group is unit.group and isinstance(other.service, Service):
                names |= {other.service.text, *other.service.values}
        return {name for name in names if name and "$" not in name}


def _values(context: Context, use: Use, text: str) -> set[str]:
    """Return what an id with variables is known to become at a mount."""
    if "$" not in text:
        return set()
    found = {use.scope.expand(text).pattern}
    for build in context.builds:
        if build.dockerfile == use.path:
            scope = use.resolved.under(build.args).scopes.get(use.instruction.start)
            if scope is not None:
                found.add(scope.expand(text).pattern)
    return found


def _slug(unit: Unit) -> str:
    cache = unit.first.match.cache
    return cache.slug if cache else "cache"


def _target_folder(unit: Unit) -> str:
    return clean_name(posixpath.basename(posixpath.dirname(unit.first.directory)))


def _own_name(path: str, base: str) -> str:
    """Return what the file is called, or the nearest folder that the id does not name yet."""
    folder, name = posixpath.split(path.lower())
    own = re.sub(r"^(dockerfile|containerfile)[-._]?|[-._]?(dockerfile|containerfile)$", "", name)
    names = [clean_name(part) for part in (own, *reversed(folder.split("/")))]
    told = re.split(r"[-_./]", base)
    return next((part for part in names if part and part not in told), "")
