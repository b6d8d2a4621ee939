"""Find the files of a project: its Dockerfiles, and the files that say how images are built.

In a git work tree these are the files that git sees, tracked or not; ignored files and those of
submodules are left out. Elsewhere the folders are walked, and ignore files are obeyed as git
would. Every Dockerfile below the root is found: PATHS only limits which of them may be written.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate_cache.files.config_file import Root, find_root
from migrate_cache.files.git_files import list_files
from migrate_cache.files.paths import below, display_path, is_inside, reason, relative
from migrate_cache.text.errors import ConfigError, ParseError
from migrate_cache.text.globs import Globs

if TYPE_CHECKING:
    from migrate_cache.settings import Settings

# No real Dockerfile is larger: such a file only has the name of one.
MOST_BYTES = 16 << 20
_MOST_BUILD_BYTES = 4 << 20

_NAME = re.compile(
    r"(?:dockerfile|containerfile)(?:[.-].+)?|.+\.(?:dockerfile|containerfile)",
    re.IGNORECASE | re.DOTALL,
)
# Names that look like a Dockerfile's: ignore lists, templates, leftovers of editors and version
# control, and other formats (`Dockerfile.md`, `dockerfile.lark`).
_NOT = re.compile(
    r".*\.(?:dockerignore"
    r"|j2|jinja2?|erb|ejs|tmpl|gotmpl|tpl|tt|in|template|mustache"
    r"|bak|backup|old|orig|rej|swp|swo|swn|save|tmp|temp|pyc"
    r"|md|rst|adoc|html|json5?|ya?ml|toml|xml|csv|lark|snap|diff|patch)"
    r"|.*~|#.*#|\.#.*|\._.*",
    re.IGNORECASE | re.DOTALL,
)
# Matches in every path that `is_build_file` accepts. Where it matches none, `builds` is not loaded.
_MAY_BUILD = re.compile(r"compose|docker-bake|\.github/workflows/", re.IGNORECASE)
TALLY_NAMES = (".tally.toml", "tally.toml")


def is_dockerfile(name: str) -> bool:
    """Tell whether a file is a Dockerfile by its name; what PATHS name is one in any case."""
    return _NAME.fullmatch(name) is not None and _NOT.fullmatch(name) is None


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A Dockerfile of the project.

    `path` is relative to the root, with forward slashes; `real` is the file itself, which `path`
    may be a link to. `read_only` is the reason why it must not be written, ``""`` if it may be.
    """

    path: str
    real: str
    read_only: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a project; `errors` are about PATHS that cannot be used."""

    dockerfiles: tuple[FoundFile, ...]
    build_files: BuildFiles
    tally: tuple[str, ...] = ()
    errors: tuple[ParseError, ...] = ()


@dataclass
class _Paths:
    """The files and folders that PATHS name."""

    files: dict[str, str] = field(default_factory=dict)  # real path -> path relative to the root
    folders: set[str] = field(default_factory=set)  # relative to the root, "" is the root
    errors: list[ParseError] = field(default_factory=list)


def project_root(paths: Sequence[str]) -> Root:
    """Return the root of the project that `paths` belong to (the current folder's, if none).

    It is the nearest folder above all of them that has a configuration file or ``.git``;
    where none has, the folder that they have in common.
    """
    folders = []
    for path in paths or (".",):
        # No file has a zero byte in its name; `_resolve` reports such a path.
        real = os.path.realpath(path.replace("\0", ""))
        folders.append(real if os.path.isdir(real) else os.path.dirname(real))
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # Windows: different drives
        common = folders[0]
    return find_root(common)


def discover(
    paths: Sequence[str], root: Root, settings: Settings, *, standard_input: str = ""
) -> Found:
    """Find the files of the project below `root`; only those that `paths` name may be written.

    `standard_input` is the path, relative to the root, of a file that comes on standard input:
    it need not exist, and no other file may be written.
    """
    if standard_input:
        named = _Paths(files={below(root.path, standard_input): standard_input})
    else:
        named = _resolve(paths or (".",), root.path)
    listed = sorted(set(_listed(root, named, settings)))
    found = {real: FoundFile(path, real) for real, path in named.files.items()}
    excluded, vendored = Globs(settings.exclude), Globs(settings.vendored)
    for path, real, inner in _dockerfiles(listed, root.path):
        if real in found:
            continue
        if excluded.match(path) or excluded.match(inner):
            read_only = "excluded"
        elif (above := _named_above(path, named.folders)) is None:
            read_only = "outside the given paths"
        elif vendored.match(path[len(above) :]) or (inner != path and vendored.match(inner)):
            read_only = "in a vendored folder"
        else:
            read_only = ""
        found[real] = FoundFile(path, real, read_only)
    return Found(
        tuple(sorted(found.values(), key=lambda one: one.path)),
        BuildFiles(root.path, _build_files(listed, settings, root.path)),
        tuple(path for path in listed if path.rpartition("/")[2] in TALLY_NAMES),
        tuple(named.errors),
    )


def _dockerfiles(listed: Sequence[str], root: str) -> Iterator[tuple[str, str, str]]:
    """Yield each Dockerfile: its path, the file itself, and the latter relative to the root.

    Files come before links to them, so that they are known by their own names. Links out of the
    root are left out.
    """
    links: list[str] = []
    for path in listed:
        if not is_dockerfile(path.rpartition("/")[2]):
            continue
        real = below(root, path)
        try:
            mode = os.lstat(real).st_mode
        except (OSError, ValueError):  # git lists deleted files, too
            continue
        if stat.S_ISLNK(mode):
            links.append(path)
        elif stat.S_ISREG(mode):
            yield path, real, path
    for path in links:
        real = os.path.realpath(below(root, path))
        if not is_inside(real, root) or not os.path.isfile(real):
            continue
        inner = relative(real, root)
        if ".git" not in inner.split("/"):
            yield path, real, inner


def _resolve(paths: Sequence[str], root: str) -> _Paths:
    named = _Paths()
    for path in paths:
        try:
            _add(named, os.path.realpath(path), root)
        except (OSError, ValueError) as error:
            missing = isinstance(error, FileNotFoundError)
            message = "no such file or folder" if missing else reason(error)
            named.errors.append(ParseError(message, path=display_path(path)))
    return named


def _add(named: _Paths, real: str, root: str) -> None:
    mode = os.stat(real).st_mode
    if not is_inside(real, root):  # Windows: another drive
        raise OSError(0, f"lies outside the project {root}")
    inner = relative(real, root)
    if stat.S_ISDIR(mode):
        named.folders.add("" if inner == "." else inner + "/")
    elif stat.S_ISREG(mode):
        named.files[real] = inner
    else:
        raise OSError(0, "is no regular file; write - for standard input")


def _listed(root: Root, named: _Paths, settings: Settings) -> Iterable[str]:
    """Return the files of the project, relative to the root.

    An unmarked root may be any folder, even a home: then the project is no more than the folders
    in PATHS and those of the files in PATHS, without what lies below the latter.
    """
    if root.marked or "" in named.folders:
        return list_files(root.path, gitignore=settings.gitignore)
    files: list[str] = []
    for folder in sorted(named.folders):
        listed = list_files(os.path.join(root.path, folder), gitignore=settings.gitignore)
        files += [folder + path for path in listed]
    for folder in {path.rpartition("/")[0] for path in named.files.values()}:
        prefix = folder + "/" if folder else ""
        try:
            with os.scandir(os.path.join(root.path, folder)) as entries:
                files += [prefix + entry.name for entry in entries if not entry.is_dir()]
        except OSError:
            continue
    return files


def _named_above(path: str, folders: set[str]) -> str | None:
    """Return the deepest of `folders` that contains `path`, None if none does."""
    return max((folder for folder in folders if path.startswith(folder)), key=len, default=None)


def _build_files(listed: Sequence[str], settings: Settings, root: str) -> list[str]:
    for path in settings.build_files:
        if not os.path.isfile(below(root, path)):
            raise ConfigError(f"build-files: no such file below {display_path(root)}: {path}")
    likely = [path for path in listed if _MAY_BUILD.search(path)]
    if likely:
        from migrate_cache.builds import is_build_file

        likely = list(filter(is_build_file, likely))
    return sorted({*likely, *settings.build_files})


def read_file(path: str, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a regular file; raise OSError if it is no such file or too large."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    with open(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "is no regular file")
        if status.st_size > most:
            raise OSError(0, f"is larger than {most >> 20} MiB")
        return file.readall()


class BuildFiles(Mapping[str, bytes]):
    """The files that say how images are built, by path; each is read when it is asked for.

    Iteration yields the files that were found. Any other file below the root can be asked for,
    too: what a compose file extends, an ``.env`` that git ignores. A file that is missing, too
    large, not regular or a link out of the root raises KeyError; if it was found, it is empty
    instead, and `problems` has the reason.
    """

    def __init__(self, root: str, paths: Iterable[str]) -> None:
        self._root = os.path.realpath(root)
        self._paths = dict.fromkeys(paths)
        self._read: dict[str, bytes | None] = {}
        self.problems: dict[str, str] = {}

    def __getitem__(self, path: str) -> bytes:
        if path not in self._read:
            self._read[path] = self._load(path)
        data = self._read[path]
        if data is None:
            if path in self._paths:
                return b""
            raise KeyError(path)
        return data

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def _load(self, path: str) -> bytes | None:
        parts = path.split("/")
        if not path or "\0" in path or ".." in parts or os.path.isabs(path) or ".git" in parts:
            return None
        real = os.path.realpath(os.path.join(self._root, *parts))
        try:
            if not is_inside(real, self._root):
                raise OSError(0, "is a link out of the project")
            return read_file(real, _MOST_BUILD_BYTES)
        except (OSError, ValueError) as error:
            if path in self._paths:
                self.problems[path] = reason(error)
            return None
