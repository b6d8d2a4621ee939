"""Paths of the file system, and how they are shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePath


def display_path(path: str | os.PathLike[str]) -> str:
    """Return `path` with forward slashes, as messages and reports show it."""
    return os.fspath(path).replace(os.sep, "/")


def relative(path: str, root: str) -> str:
    """Return a path below `root` relative to it, with forward slashes; `root` itself is ``.``."""
    return display_path(os.path.relpath(path, root))


def below(root: str, path: str) -> str:
    """Return the place of a path that is relative to `root` and has forward slashes."""
    return os.path.join(root, *path.split("/"))


def upwards(folder: str) -> Iterator[str]:
    """Yield `folder`, which is absolute, and the folders above it, the nearest first."""
    yield folder
    yield from map(str, PurePath(folder).parents)


def reason(error: OSError | ValueError) -> str:
    """Return why a file cannot be used; a path with a zero byte is a ValueError."""
    return getattr(error, "strerror", None) or str(error)


def is_inside(path: str, folder: str) -> bool:
    """Tell whether `path` is `folder` or lies below it; both are absolute and without links."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
