"""Image builds that the repository declares, and the drafts that readers assemble them from."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from migrate_cache.builds.sources import Sources
    from migrate_cache.text.errors import Warn

MAX_COMBINATIONS = 1000
"""The largest number of combinations that a matrix may have."""

BuildKind: TypeAlias = Literal["compose", "bake", "workflow"]


@dataclass(frozen=True, slots=True)
class Build:
    """One image build that the repository declares.

    Paths are relative to the root, normalised, with forward slashes; ``"."`` is the
    root itself, and ``""`` stands for a path that is remote, leads out of the root or
    is unknown (for `dockerfile` also: given inline).
    """

    name: str
    """Compose service, bake target, or workflow job with the matrix values it depends on."""
    origin: str
    """The declaring file."""
    line: int
    """Where it is declared in that file, from 1; 0 where that is unknown."""
    dockerfile: str
    context: str
    target: str | None
    """The stage; ``""`` is the last one, None an unknown one."""
    args: tuple[tuple[str, str | None], ...]
    """Build arguments in the order of their names; None is an unknown value.

    The name ``""`` stands for further arguments of which not even the names are known.
    """
    platforms: tuple[str, ...]
    """As written; ``""`` is an unknown entry, which may stand for several."""
    kind: BuildKind
    project: str
    """The compose file's ``name``, else ``""``."""


@dataclass(frozen=True, slots=True)
class Builds:
    """All builds, in the order of their files and lines, and what could not be read."""

    builds: tuple[Build, ...]
    warnings: tuple[Warn, ...]

    def namespaces(self) -> tuple[str | None, ...]:
        """Return the different values of ``BUILDKIT_CACHE_MOUNT_NS``; None is an unknown one."""
        found = {
            value
            for build in self.builds
            for key, value in build.args
            if key == "BUILDKIT_CACHE_MOUNT_NS"
        }
        return tuple(sorted(found, key=lambda value: (value is None, value or "")))


@dataclass(slots=True)
class Draft:
    """A build while it is put together: what its declarations set, None for unknown values."""

    fields: dict[str, str | None] = field(default_factory=dict)
    """``context``, ``dockerfile``, ``target``, and the readers' own."""
    args: dict[str, str | None] = field(default_factory=dict)
    platforms: list[str] | None = None

    def overlaid(self, over: Draft, replaced: Iterable[str] = ()) -> Draft:
        """Return this draft with `over` on top, which replaces what `replaced` names."""
        # A Dockerfile and its inline text replace each other.
        inline = {"dockerfile", "inline"}
        dropped = {*replaced, *([] if inline.isdisjoint(over.fields) else inline)}
        kept = {name: value for name, value in self.fields.items() if name not in dropped}
        args = {} if "args" in dropped else self.args
        platforms = None if "platforms" in dropped else self.platforms
        return Draft(
            kept | over.fields,
            args | over.args,
            platforms if over.platforms is None else over.platforms,
        )

    def locate(self, sources: Sources, folders: Iterable[str]) -> tuple[str, str]:
        """Return the paths of Dockerfile and context, each ``""`` where it is unknown.

        `folders` are those that the context may be relative to, the likeliest first: the
        first from which there is a Dockerfile wins.
        """
        found: list[tuple[str, str]] = []
        for folder in folders:
            context = resolve_path(folder, self.fields.get("context", ".") or None)
            paths = (self._dockerfile(context, sources), context or "")
            if paths[0] and sources.exists(paths[0]):
                return paths
            found.append(paths)
        return found[0] if found else ("", "")

    def _dockerfile(self, context: str | None, sources: Sources) -> str:
        name = self.fields.get("dockerfile", "")
        if "inline" in self.fields or context is None or name is None:
            return ""
        return resolve_path(context, name) or "" if name else default_dockerfile(context, sources)

    def build(
        self,
        kind: BuildKind,
        name: str,
        origin: tuple[str, int],
        paths: tuple[str, str],
        project: str = "",
    ) -> Build:
        """Return the finished build; `origin` is file and line, `paths` Dockerfile and context."""
        return Build(
            name=name,
            origin=origin[0],
            line=origin[1],
            dockerfile=paths[0],
            context=paths[1],
            target=self.fields.get("target", ""),
            args=tuple(sorted(self.args.items())),
            platforms=tuple(self.platforms or ()),
            kind=kind,
            project=project,
        )


def default_dockerfile(context: str, sources: Sources) -> str:
    """Return the Dockerfile that a builder takes from a context when none is named."""
    names = ("Dockerfile", "dockerfile", "Containerfile")
    paths = [posixpath.normpath(posixpath.join(context, name)) for name in names]
    return next((path for path in paths if sources.exists(path)), paths[0])


_REMOTE = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://|git@|github\.com/|docker-image:|oci-layout:|target:|service:|-$)"
)
_ABSOLUTE = re.compile(r"[/~]|[A-Za-z]:")


def resolve_path(folder: str, text: str | None) -> str | None:
    """Return the path that `text` names relative to `folder`; None where it leaves the root.

    None also for what is no path in the repository: addresses, absolute paths, None.
    """
    if text is None or len(text) > 4096 or "\0" in text:
        return None
    text = text.removeprefix("cwd://").replace("\\", "/")
    if _REMOTE.match(text) or _ABSOLUTE.match(text):
        return None
    path = posixpath.normpath(posixpath.join(folder, text))
    return None if path == ".." or path.startswith("../") else path


def folder_of(path: str) -> str:
    """Return the folder of `path`, ``"."`` for the root."""
    return posixpath.dirname(path) or "."
