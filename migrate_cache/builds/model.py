"""The shapes that the readers of compose, bake and workflow files share."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from migrate_cache.text.errors import Warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_BYTES = 4 * 1024 * 1024
"""The largest file that is read, in bytes."""
MAX_TEXT = 64 * 1024
"""The longest text that a value may have; a longer one is not known."""
MAX_BUILDS = 5000
"""The largest number of builds that one file may declare."""
_MAX_WARNINGS = 20
_MAX_MESSAGE = 300
_MAX_BUDGET = 200_000


@dataclass(frozen=True, slots=True)
class Build:
    """One image build that the repository declares.

    Paths are relative to the root, normalised, with forward slashes; ``"."`` is the
    root itself, and ``""`` stands for a path that is remote, leads out of the root or
    cannot be known (for `dockerfile` also: given inline).
    """

    name: str
    """Compose service, bake target, or workflow job with the matrix values it depends on."""
    origin: str
    """The declaring file."""
    line: int
    """Where it is declared in that file, from 1; 0 where that is not known."""
    dockerfile: str
    context: str
    target: str | None
    """The stage; ``""`` is the last one, None a stage that cannot be known."""
    args: tuple[tuple[str, str | None], ...]
    """Build arguments in the order of their names; None is a value that is not known.

    The name ``""`` stands for further arguments of which not even the names are known.
    """
    platforms: tuple[str, ...]
    """As written; ``""`` is an entry that cannot be known and may stand for several."""
    kind: Literal["compose", "bake", "workflow"]
    project: str
    """The compose file's ``name``, else ``""``."""


@dataclass(frozen=True, slots=True)
class Builds:
    """All builds, in the order of their files and lines, and what could not be read."""

    builds: tuple[Build, ...]
    warnings: tuple[Warn, ...]

    def namespaces(self) -> tuple[str | None, ...]:
        """Return the different values of ``BUILDKIT_CACHE_MOUNT_NS``; None is one not known."""
        found = {
            value
            for build in self.builds
            for key, value in build.args
            if key == "BUILDKIT_CACHE_MOUNT_NS"
        }
        return tuple(sorted(found, key=lambda value: (value is None, value or "")))


class TooMuchError(Exception):
    """A file expands to more than any honest one does."""


@dataclass(slots=True)
class Budget:
    """What may still be spent on one file, in small steps of work and memory."""

    left: int = _MAX_BUDGET

    def spend(self, amount: int) -> None:
        """Take `amount` away; raise TooMuchError when nothing is left."""
        self.left -= amount
        if self.left < 0:
            raise TooMuchError("has values that expand to more than can be read here")


@dataclass(slots=True)
class Report:
    """Collects what is wrong with one file; after many remarks only that there are more."""

    path: str
    warnings: dict[Warn, None] = field(default_factory=dict)

    def warn(self, line: int, column: int, message: str) -> None:
        """Remember a remark; the same one only once."""
        if len(message) > _MAX_MESSAGE:
            message = message[:_MAX_MESSAGE] + "..."
        if len(self.warnings) < _MAX_WARNINGS:
            self.warnings.setdefault(Warn(self.path, line, column, message))
        elif len(self.warnings) == _MAX_WARNINGS:
            self.warnings[Warn(self.path, 0, 0, "there is more wrong; not all of it is shown")] = (
                None
            )


class Files:
    """The files under the root, through the one function that may read them."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._exists: dict[str, bool] = {}
        self._reports: dict[str, Report] = {}

    def report(self, path: str) -> Report:
        """Return the one collector of remarks about `path`."""
        return self._reports.setdefault(path, Report(path))

    def warnings(self) -> tuple[Warn, ...]:
        """Return all remarks in the order of paths and places."""
        found = {warn for report in self._reports.values() for warn in report.warnings}
        return tuple(sorted(found, key=lambda w: (w.path, w.line, w.column, w.message)))

    def read(self, path: str, limit: int = MAX_BYTES) -> bytes | None:
        """Return the bytes of `path`; None with a remark where that cannot be."""
        data = self._read(path)
        self._exists[path] = data is not None
        if data is None:
            self.report(path).warn(0, 0, "cannot be read")
        elif len(data) > limit:
            size = f"{limit // 1024} KiB"
            self.report(path).warn(0, 0, f"is larger than {size} and was not read")
            return None
        return data

    def read_if_there(self, path: str) -> bytes | None:
        """Return the bytes of `path`, or None where it is not there or far too large."""
        data = self._read(path)
        self._exists[path] = data is not None
        return data if data is not None and len(data) <= MAX_BYTES else None

    def exists(self, path: str) -> bool:
        """Tell whether `path` is a file that can be read."""
        if path not in self._exists:
            self._exists[path] = self._read(path) is not None
        return self._exists[path]


_REMOTE = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://|git@|github\.com/|docker-image:|oci-layout:|target:|service:|-$)"
)
_ABSOLUTE = re.compile(r"[/~]|[A-Za-z]:")


def inside(folder: str, text: str | None) -> str | None:
    """Return the path that `text` names, seen from `folder`; None where it leaves the root.

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


@dataclass(slots=True)
class Spec:
    """A build while it is put together: only what was said, and None for what is not known."""

    fields: dict[str, str | None] = field(default_factory=dict)
    args: dict[str, str | None] = field(default_factory=dict)
    platforms: list[str] | None = None

    def copy(self) -> Spec:
        """Return a copy that can be changed."""
        platforms = None if self.platforms is None else list(self.platforms)
        return Spec(dict(self.fields), dict(self.args), platforms)

    def put(self, name: str, value: str | None) -> None:
        """Set a field; a Dockerfile and its inline text replace each other."""
        self.fields.pop({"dockerfile": "inline", "inline": "dockerfile"}.get(name, ""), None)
        self.fields[name] = value


_DEFAULT_NAMES = ("Dockerfile", "dockerfile", "Containerfile")


def place(spec: Spec, files: Files, folders: Iterable[str]) -> tuple[str, str]:
    """Return the paths of Dockerfile and context.

    `folders` are those from which the context may be seen, the likeliest first: the first
    from which there is a Dockerfile wins.
    """
    first: tuple[str, str] | None = None
    for folder in folders:
        context = inside(folder, spec.fields.get("context", ".") or None)
        found = _dockerfile(spec, context, files)
        if found and files.exists(found):
            return found, context or ""
        first = first or (found, context or "")
    return first or ("", "")


def _dockerfile(spec: Spec, context: str | None, files: Files) -> str:
    if "inline" in spec.fields or context is None:
        return ""
    name = spec.fields.get("dockerfile", "")
    if name is None:
        return ""
    if name:
        return inside(context, name) or ""
    names = [posixpath.normpath(posixpath.join(context, default)) for default in _DEFAULT_NAMES]
    return next((path for path in names if files.exists(path)), names[0])


def finish(
    spec: Spec,
    *,
    name: str,
    origin: str,
    line: int,
    where: tuple[str, str],
    kind: Literal["compose", "bake", "workflow"],
    project: str = "",
) -> Build:
    """Return the finished build; `where` is what `place` found."""
    return Build(
        name=name,
        origin=origin,
        line=line,
        dockerfile=where[0],
        context=where[1],
        target=spec.fields.get("target", ""),
        args=tuple(sorted(spec.args.items())),
        platforms=tuple(spec.platforms or ()),
        kind=kind,
        project=project,
    )
