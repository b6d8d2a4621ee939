"""List the files of a folder, as git sees them where there is git.

git runs with the settings turned off by which a repository could start a program, and for a
bounded time. Where it is missing, refuses (the folder belongs to somebody else) or takes too
long, the folders are walked instead.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from typing import TYPE_CHECKING

from migrate_cache.files.paths import is_inside, relative, upwards
from migrate_cache.text.globs import IgnoreFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GIT_SECONDS = 60
_GIT = (
    "-c", "core.fsmonitor=false",
    "-c", f"core.hooksPath={os.devnull}",
    "-c", "core.untrackedCache=false",
    "-c", "core.quotePath=false",
    "--no-pager", "--no-optional-locks", "--literal-pathspecs",
    "ls-files", "-z", "--cached", "--others", "--exclude-standard",
)  # fmt: skip
# What git needs to run and to find the user's settings; a hook's GIT_DIR is not passed on.
_ENVIRONMENT = re.compile(
    r"PATH|HOME|XDG_CONFIG_HOME|USERPROFILE|HOMEDRIVE|HOMEPATH|SYSTEMROOT|APPDATA|PROGRAMDATA"
    r"|TE?MP|GIT_CONFIG_.*",
    re.IGNORECASE,
)
_MOST_IGNORE_BYTES = 1 << 20
# Every path that may matter contains one of these. Most contain none and are dropped at once.
_HINTS = ("docker", "container", "compose", "tally", ".github/workflows/")
_BYTE_HINTS = tuple(hint.encode() for hint in _HINTS)


def list_files(folder: str, *, gitignore: bool = True) -> list[str]:
    """Return the files below `folder` that may matter by their names, relative to it.

    With `gitignore`, files that git ignores are left out; files of submodules, of nested
    repositories and of ``.git`` always are. Links are listed, never followed.
    """
    top = work_tree(folder)
    if top and gitignore:
        listed = _ask_git(folder)
        if listed is not None:
            return listed
    inner = relative(folder, top) if top else "."
    prefix = "" if inner == "." else inner + "/"
    walk = _walk(top or folder, prefix, obey=gitignore, nested=not top)
    return [path[len(prefix) :] for path in walk]


def work_tree(folder: str) -> str:
    """Return the top folder of the git work tree around `folder`, ``""`` if there is none."""
    found = (at for at in upwards(folder) if os.path.lexists(os.path.join(at, ".git")))
    return next(found, "")


def _ask_git(folder: str) -> list[str] | None:
    """Return the files that git lists, None if git cannot be asked."""
    environment = {key: value for key, value in os.environ.items() if _ENVIRONMENT.fullmatch(key)}
    environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
    git = _program(folder, environment)
    if not git:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - git of the PATH, with fixed arguments
            (git, *_GIT),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode:
        return None
    names = done.stdout.split(b"\0")
    paths = []
    for name, lower in zip(names, done.stdout.lower().split(b"\0"), strict=True):
        if any(hint in lower for hint in _BYTE_HINTS):
            path = os.fsdecode(name)
            # A repository's settings can make git list files outside the folder.
            if ".." not in path.split("/") and not os.path.isabs(path) and path[-1:] != "/":
                paths.append(path)
    return paths


def _program(folder: str, environment: Mapping[str, str]) -> str:
    """Return the git to run, ``""`` for none; one that lies in the folder is never run."""
    from shutil import which

    git = which("git", path=environment.get("PATH")) or ""
    git = os.path.abspath(git) if git else ""
    return "" if is_inside(os.path.realpath(git), os.path.realpath(folder)) else git


def _walk(top: str, start: str, *, obey: bool, nested: bool) -> Iterator[str]:
    """Yield the files below `start` (``""`` or with a final slash), relative to `top`."""
    stack = [(start, _above(top, start) if obey else ())]
    while stack:
        folder, ignores = stack.pop()
        try:
            with os.scandir(os.path.join(top, folder)) as scan:
                entries = {entry.name: entry for entry in scan}
        except OSError:
            continue
        if entries.pop(".git", None) and folder != start and not nested:
            continue  # a submodule, or a repository of its own
        if obey and ".gitignore" in entries:
            ignores = _ignores(top, folder, ".gitignore", ignores)
        for name, entry in entries.items():
            is_folder = entry.is_dir(follow_symlinks=False)
            path = folder + name + "/" * is_folder
            if not (is_folder or _may_matter(path)) or _ignored(ignores, path):
                continue
            if is_folder:
                stack.append((path, ignores))
            else:
                yield path


def _may_matter(path: str) -> bool:
    lower = path.lower()
    return any(hint in lower for hint in _HINTS)


def _above(top: str, start: str) -> tuple[IgnoreFile, ...]:
    """Return the ignore files that apply to `start`, without its own."""
    ignores = _ignores(top, "", ".git/info/exclude", ())
    at = ""
    for part in start.split("/")[:-1]:
        ignores = _ignores(top, at, ".gitignore", ignores)
        at += part + "/"
    return ignores


def _ignores(
    top: str, folder: str, name: str, above: tuple[IgnoreFile, ...]
) -> tuple[IgnoreFile, ...]:
    """Return the ignore files that apply in `folder`: its own first, then those `above`."""
    data = _plain_file(os.path.join(top, folder, name))
    return (IgnoreFile(folder, data), *above) if data.strip() else above


def _ignored(ignores: tuple[IgnoreFile, ...], path: str) -> bool:
    decisions = (ignore.decide(path) for ignore in ignores)
    return next((decision for decision in decisions if decision is not None), False)


def _plain_file(path: str) -> bytes:
    """Return the bytes of an ignore file; like git, pass over links."""
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_IGNORE_BYTES:
            return b""
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
