"""Render and allocate new cache ids, no two of which collide."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, islice
from typing import TYPE_CHECKING

from migrate_cache.caches.platforms import platform_variables, separates_platforms
from migrate_cache.services.model import Service
from migrate_cache.services.names import clean_name
from migrate_cache.settings import DEFAULT_ID_TEMPLATE
from migrate_cache.text.ids import PLACEHOLDERS

if TYPE_CHECKING:
    from migrate_cache.caches.cache_mount import CacheMount
    from migrate_cache.caches.coupling import CoupledMounts
    from migrate_cache.caches.graph import Cache
    from migrate_cache.rules.context import Context

# Words in the ids of build outputs that identify nothing.
_EMPTY_WORDS = frozenset(
    ("target", "cargo", "rust", "cache", "build", "builder", "output", "out", "release", "debug",
     "app", "src", "id", "docker")
)  # fmt: skip
_PLACEHOLDER = re.compile(rf"(?<!\$)\{{({'|'.join(PLACEHOLDERS)})\}}")
_VARIABLE = re.compile(r"\$\{?\w+\}?")
# An old id that can be part of a new one.
_STEM = re.compile(r"(?:[A-Za-z0-9._:@+-]|\$\{\w+\}|\$\w+){1,120}", re.ASCII)
_MOST_CANDIDATES = 8


def is_prescribed(cache_id: str) -> bool:
    """Whether a hosting platform prescribes the id (``s/<service>-…``)."""
    return cache_id.startswith("s/")


def render(template: str, **values: str) -> str:
    """Fill an id template; a placeholder without a value takes its separator along."""
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


class IdAllocator:
    """Allocates ids for coupled mounts that collide with no other id."""

    def __init__(self, context: Context, outputs: Iterable[Sequence[CoupledMounts]]) -> None:
        self._context = context
        self._all = [coupled for members in outputs for coupled in members]
        # Ids in the project that stay or may stay, and the caches (None: new ones) behind them.
        self._taken: dict[str, set[Cache | None]] = {}
        for cache in context.project.caches:
            for mount in cache.mounts:
                for value in (mount.key.id, *_values(mount, mount.id)):
                    self._taken.setdefault(value, set()).add(cache)
        for mount in context.decisions.mounts:
            if new_id := context.decisions.options_after(mount).get("id"):
                self._taken.setdefault(new_id, set()).add(None)
        self._given: dict[str, CoupledMounts] = {}

    def names_platform(self, coupled: CoupledMounts) -> bool:
        """Whether the new id names the platform."""
        return bool(self._arch(coupled))

    def id_for(self, coupled: CoupledMounts) -> str:
        """Return the new id of coupled mounts; the same one when it is asked again."""
        candidates = self._candidates(coupled)
        first = list(islice(candidates, _MOST_CANDIDATES))
        if coupled.explicit_id in first:
            # What an earlier run gave stays.
            first.insert(0, coupled.explicit_id)
        for text in chain(first, candidates):
            meets = {text}.union(*(_values(mount, text) for mount in coupled.mounts))
            if all(self._is_free(value, coupled, text) for value in meets):
                break
        for value in meets:
            self._given.setdefault(value, coupled)
        return text

    def _is_free(self, value: str, coupled: CoupledMounts, text: str) -> bool:
        holder = self._given.get(value)
        if holder is not None and holder is not coupled and not self._may_share(coupled, holder):
            return False
        if self._taken.get(value, set()) - {coupled.cache} and not self._is_wanted(coupled, text):
            return False
        # The old id of their own cache may stay for the mounts that it names.
        return value != coupled.cache.key.id or text == coupled.explicit_id

    def _is_wanted(self, coupled: CoupledMounts, text: str) -> bool:
        """Whether the configuration gives this very id to every mount that uses it already."""
        override = coupled.settings.override
        if override is None or override.id != text:
            return False
        users = [mount for mount in self._context.project.mounts if mount.key.id == text]
        return all(mount.run.settings.override is override for mount in users)

    def _may_share(self, coupled: CoupledMounts, holder: CoupledMounts) -> bool:
        """Whether the configuration wants both groups of mounts to use one cache."""
        override = coupled.settings.override
        if override is None or override is not holder.settings.override:
            return False
        if {mount.run for mount in coupled.mounts} & {mount.run for mount in holder.mounts}:
            return False
        if override.id:
            return _slug(coupled) == _slug(holder)
        is_told = bool(override.service) or "{service}" not in coupled.settings.id_template
        return is_told and coupled.cache is holder.cache

    def _arch(self, coupled: CoupledMounts) -> str:
        fillers = [mount for mount in coupled.mounts if mount.fills] or coupled.mounts
        if all(map(separates_platforms, fillers)):
            return ""
        in_scope = [platform_variables(mount) for mount in coupled.mounts]
        for name in ("TARGETPLATFORM", "TARGETARCH"):
            if all(name in names for names in in_scope):
                return f"${{{name}}}"
        return ""

    def _candidates(self, coupled: CoupledMounts) -> Iterator[str]:
        """Yield ids: the plain one, then with the folder, then with the file's name."""
        bases = self._bases(coupled)
        yield from bases
        base = bases[0]
        holder = self._given.get(base)
        folder = _target_folder(coupled)
        own = _own_name(coupled.path, base)
        # A folder name that the other mounts have too tells nothing apart.
        if folder and not (own and holder and _target_folder(holder) == folder):
            yield f"{base}-{folder}"
        if own:
            yield f"{base}-{own}"
        if folder and own:
            yield f"{base}-{folder}-{own}"
        last = "-".join(filter(None, (base, folder, own)))
        for number in count(2):
            yield f"{last}-{number}"

    def _bases(self, coupled: CoupledMounts) -> list[str]:
        assert isinstance(coupled.service, Service)
        settings = coupled.settings
        if settings.id:
            return [settings.id]
        template = settings.id_template
        stage, service, arch = clean_name(coupled.stage), coupled.service.text, self._arch(coupled)
        if template == DEFAULT_ID_TEMPLATE and (stem := self._stem(coupled)):
            texts = [f"{stem}-{service}"]
            if stage:
                texts.append(f"{stem}-{stage}-{service}")
        else:
            values = {
                "kind": _slug(coupled),
                "stage": stage or self._stage_number(coupled),
                "service": service,
                "project": clean_name(settings.project),
                "arch": arch,
            }
            texts = [render(template, **values) or render(DEFAULT_ID_TEMPLATE, **values)]
        if not arch or "{arch}" in template:
            return texts
        return [text if arch.strip("${}") in text else f"{text}-{arch}" for text in texts]

    def _stage_number(self, coupled: CoupledMounts) -> str:
        """Unnamed stages need a number only where several of them have an id to get."""
        unnamed = {
            other.first.stage.index
            for other in self._all
            if other.path == coupled.path and not other.stage
        }
        return str(coupled.first.stage.index) if len(unnamed) > 1 else ""

    def _stem(self, coupled: CoupledMounts) -> str:
        """Return the old id where it names more than the template does."""
        old = coupled.explicit_id
        if not old or not _STEM.fullmatch(old):
            return ""
        names = self._service_names(coupled)
        for name in sorted(names, key=len, reverse=True):
            # A service's name in it is that of one of its users.
            old = re.sub(rf"(?:^|[-_.]){re.escape(name)}(?=$|[-_.])", "", old).strip("-_.")
        known = _EMPTY_WORDS.union(*map(_words, (clean_name(coupled.stage), *names)))
        if entry := coupled.first.entry:
            known = known.union(entry.tools, entry.slug.split("-"))
        return old if _words(_VARIABLE.sub("", old)) - known else ""

    def _service_names(self, coupled: CoupledMounts) -> set[str]:
        """Return what the services are called that use the mounts' old cache."""
        names: set[str] = set()
        for other in self._all:
            if other.cache is coupled.cache and isinstance(other.service, Service):
                names |= {other.service.text, *other.service.values}
        return {name for name in names if name and "$" not in name}


def _values(mount: CacheMount, text: str) -> set[str]:
    """Return what an id with variables is known to become at a mount."""
    if "$" not in text:
        return set()
    found = {mount.run.scope.expand(text).pattern}
    for build in mount.run.file.builds:
        scope = mount.run.resolved.under(build.args).scopes.get(mount.run.instruction.start)
        if scope is not None:
            found.add(scope.expand(text).pattern)
    return found


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def _slug(coupled: CoupledMounts) -> str:
    entry = coupled.first.entry
    return entry.slug if entry else "cache"


def _target_folder(coupled: CoupledMounts) -> str:
    return clean_name(posixpath.basename(posixpath.dirname(coupled.first.directory)))


def _own_name(path: str, base: str) -> str:
    """Return the name of the file, or of the nearest folder, that the id does not contain yet."""
    folder, name = posixpath.split(path.lower())
    own = re.sub(r"^(dockerfile|containerfile)[-._]?|[-._]?(dockerfile|containerfile)$", "", name)
    names = [clean_name(part) for part in (own, *reversed(folder.split("/")))]
    told = re.split(r"[-_./]", base)
    return next((part for part in names if part and part not in told), "")
